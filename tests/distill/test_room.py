"""A teacher's model is out of the way while a student is trained, whoever trains it."""

from __future__ import annotations

from contextlib import closing

import pytest

from distill.allowance import Allowance
from distill.backends.simulated import SimulatedStudent, SimulatedTrainer
from distill.comparison import arms
from distill.comparison.baseline import Baseline
from distill.pipeline import Pipeline
from distill.roster import Lazy, Student
from distill.settings import Probing, Settings, Writing
from tests.distill.samples import Numbered, skill_of
from tests.distill.writers import Tutor

SETTINGS = Settings(
    writing=Writing(questions_of_domain=True), probing=Probing(diagnose_probes=16, final_probes=8)
)


class Counted(Tutor):
    """A teacher's model of which it is known how many are open."""

    open = 0

    def __init__(self):
        super().__init__(answer=lambda p: f"It is given\nIt is so\nAnswer: {p.reference}")
        Counted.open += 1

    def close(self):
        Counted.open -= 1


class Alone(SimulatedTrainer):
    """A trainer that notes how many teachers are open beside it."""

    def __init__(self):
        super().__init__()
        self.beside = []

    def train(self, *args, **more):
        self.beside.append(Counted.open)
        return super().train(*args, **more)


@pytest.mark.parametrize("name", ["uniform", "llm2llm", "ioa"])
def test_no_teacher_is_open_beside_a_training(tmp_path, name):
    trainer = Alone()
    teacher = Lazy(Student("tutor", lambda adapter: Counted(), trainer), None)
    student = Student("simulated", SimulatedStudent, trainer)
    arm = arms.find(name)
    same = {"seed": 0, "out": tmp_path, "allowance": Allowance(2000, 20.0)}
    domain = Numbered((skill_of("A"), skill_of("B")))

    with closing(teacher):
        if isinstance(arm, arms.Arm):
            Baseline(arm, domain, student, teacher, SETTINGS, **same).run()
        else:
            Pipeline(domain, student, teacher, SETTINGS, **same).run()

    assert trainer.beside
    assert set(trainer.beside) == {0}
