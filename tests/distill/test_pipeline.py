"""The whole loop with the simulated student: through, killed and continued, decided by hand."""

from __future__ import annotations

import collections
import dataclasses
import json

import pytest

from distill import domains, report, roster
from distill.assessment.gate import Was
from distill.backends.simulated import SimulatedStudent, SimulatedTrainer, seen_items
from distill.decisions import Decision, autopilot
from distill.errors import BudgetSpent, DistillError, DomainError
from distill.identifier.probing import ask
from distill.journal import Journal
from distill.pipeline import Pipeline
from distill.records import Score, Split
from distill.settings import Budget, Probing, Settings, Thresholds
from distill.statistics import mean_interval
from distill.verdicts import GateAnswer
from tests.distill.samples import Numbered, RuleStudent, item_of, skill_of

SMALL = Settings(
    probing=Probing(
        diagnose_probes=16, gate_probes=24, gate_probes_cap=72, final_probes=16, batch_size=20
    ),
    budget=Budget(items=600, items_per_round=100),
)
SKILLS = ["A1", "A2", "A3", "S1", "T2"]


def pipeline(out, *, settings=SMALL, skills=SKILLS, domain=None, student=None, **more):
    return Pipeline(
        domain or domains.load("foundations"),
        student or roster.find_student("simulated", out),
        roster.find_teacher("procedural", out),
        settings,
        out=out,
        skills=skills,
        **{"seed": 1} | more,
    )


def entries(out):
    return [json.loads(line) for line in (out / "ledger.jsonl").read_bytes().splitlines()]


def without_time(figures):
    return {k: v for k, v in figures.items() if k != "seconds"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run from start to end: (its folder, its report, how often it told of progress)."""
    out = tmp_path_factory.mktemp("whole")
    told = []
    figures = pipeline(out, progress=lambda *what: told.append(what)).run()
    return out, figures, len(told)


def test_a_run_teaches_every_deficient_skill_and_reports_it(whole):
    out, figures, _ = whole

    assert figures == json.loads((out / "report.json").read_text())
    rows = {row["id"]: row for row in figures["skills"]}
    assert list(rows) == SKILLS
    assert all(rows[k]["taught"] and rows[k]["mastered"] for k in SKILLS[:4])
    assert not rows["T2"]["taught"]
    assert figures["retained_before"] < 0.5
    assert figures["retained"] > 0.9
    assert figures["forgotten"] == []
    assert 0 < figures["items"] <= 600


def test_every_advance_has_evidence_that_allows_it(whole):
    out, figures, _ = whole
    decisions = [e for e in entries(out) if e["kind"] == "decision"]

    assert len(decisions) == figures["audit_entries"] > 1
    for entry in decisions:
        if entry["decision"] == Decision.ADVANCE:
            assert all(v["answer"] == "mastered" for v in entry["evidence"]["stage"])
            assert not any(v["answer"] == "forgotten" for v in entry["evidence"]["retention"])


def test_the_report_lists_each_round_with_what_was_decided_on_what(whole):
    out, figures, _ = whole
    asked = [e for e in entries(out) if e["kind"] == "answer"]

    for number, stage in enumerate(figures["stages"], 1):
        assert stage["rounds"] == len(stage["decisions"]) == len(stage["gates"]) > 0
        last = stage["gates"][-1]
        assert (last["decision"], sorted(last["mastered"])) == ("advance", sorted(stage["skills"]))
        assert last["ratios"].keys() == set(stage["skills"])
        for round, gate in enumerate(stage["gates"]):
            assert gate["probes"] == sum(
                e["who"] == f"s{number}r{round}" and e["split"] == "gate" for e in asked
            )
    assert figures["probes"] == len(asked)


def test_the_gates_ask_every_skill_that_was_mastered_before(whole):
    out, figures, _ = whole
    decisions = {e["key"]: e for e in entries(out) if e["kind"] == "decision"}

    last = decisions[max(decisions)]["evidence"]
    earlier = {k for stage in figures["stages"][:-1] for k in stage["skills"]}
    assert {v["skill"] for v in last["retention"]} == earlier


def test_no_probe_is_ever_an_item(whole):
    out, _, _ = whole
    asked = {e["probe"] for e in entries(out) if e["kind"] == "answer"}
    taught = [e for e in entries(out) if e["kind"] == "item"]

    assert not asked & {domains.question_key(e["question"]) for e in taught}
    assert all(all(c["passed"] for c in e["checks"]) for e in taught)


def test_the_same_seed_gives_the_same_run_and_another_another(whole, tmp_path):
    _, figures, _ = whole

    again = pipeline(tmp_path / "same").run()
    other = pipeline(tmp_path / "other", seed=2).run()

    assert without_time(again) == without_time(figures)
    assert without_time(other) != without_time(figures)


class Killed(BaseException):
    """Not an Exception: like a kill, nothing may catch it and go on."""


@pytest.mark.slow
@pytest.mark.parametrize("share", [i / 13 for i in range(14)])
def test_a_run_that_was_killed_anywhere_ends_as_if_it_had_not_been(whole, tmp_path, share):
    out, figures, told = whole
    left = int(share * (told - 1)) + 1

    def kill(*_):
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    with pytest.raises(Killed):
        pipeline(tmp_path, progress=kill).run()
    again = pipeline(tmp_path, resume=True).run()

    assert without_time(again) == without_time(figures)
    assert_nothing_twice(tmp_path)
    assert sorted(map(str, entries(tmp_path))) == sorted(map(str, entries(out)))


def test_a_run_that_was_killed_again_and_again_still_ends(whole, tmp_path):
    out, figures, _ = whole
    steps = 0

    def kill(*_):
        nonlocal steps
        steps += 1
        if steps % 131 == 0:  # longer than the longest piece of work
            raise Killed

    for _ in range(60):
        try:
            again = pipeline(tmp_path, progress=kill, resume=True).run()
            break
        except Killed:
            continue
    assert without_time(again) == without_time(figures)
    assert_nothing_twice(tmp_path)


def assert_nothing_twice(out):
    seen = collections.Counter((e["kind"], e["key"]) for e in entries(out))
    assert max(seen.values()) == 1
    assert not list((out / "checkpoints").glob("*.partial"))


def test_a_finished_run_that_is_continued_does_no_work_and_says_the_same(whole, tmp_path):
    out, figures, _ = whole
    before = entries(out)
    told = []

    again = pipeline(out, resume=True, progress=lambda *what: told.append(what)).run()

    assert without_time(again) == without_time(figures)
    assert entries(out) == before
    assert all(total == 0 for _, _, total in told)


def test_a_run_is_not_continued_as_another(whole):
    out, _, _ = whole

    with pytest.raises(DistillError, match="its seed was 1, and is 2 now"):
        pipeline(out, resume=True, seed=2)
    with pytest.raises(DistillError, match="its settings.thresholds.gap was 0.3, and is 0.2 now"):
        pipeline(
            out, resume=True, settings=SMALL.model_copy(update={"thresholds": Thresholds(gap=0.2)})
        )


def test_a_skill_that_does_not_exist_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(DomainError, match="has no skill “A9”"):
        pipeline(tmp_path / "out", skills=["A1", "A9"])
    assert not (tmp_path / "out").exists()


# --- decisions ------------------------------------------------------------------------------


def test_stopping_leaves_the_rest_untaught_and_reports(tmp_path):
    alone = SMALL.budget.model_copy(update={"preview_weight": 0.0})
    settings = SMALL.model_copy(update={"budget": alone})

    figures = pipeline(tmp_path, settings=settings, decide=lambda gate: Decision.STOP).run()

    assert figures["stages"][0]["decisions"] == ["stop"]
    assert all(stage["decisions"] == [] for stage in figures["stages"][1:])
    assert {row["id"] for row in figures["skills"] if row["taught"]} == set(
        figures["stages"][0]["skills"]
    )
    first, *_ = [s["skills"] for s in figures["stages"]]
    assert {row["id"] for row in figures["skills"] if row["mastered"]} <= set(first)
    [told] = [n for n in figures["notices"] if n.startswith("Stage 1 ")]
    assert "ended after 1 of its rounds. The run was stopped at its gate. Nor were" in told


@pytest.mark.parametrize("decision", [Decision.STOP, Decision.WAIVE])
def test_what_the_last_gate_shows_counts_whoever_stops_there(tmp_path, decision):
    evidence = []

    def decide(gate):
        evidence.append(gate.evidence)
        return decision

    figures = pipeline(tmp_path, skills=["S2"], settings=Settings(), decide=decide).run()

    [only] = evidence
    assert [v.answer for v in only.stage] == [GateAnswer.MASTERED]
    assert [row["mastered"] for row in figures["skills"]] == [True]


@pytest.mark.parametrize("last", [Decision.STOP, Decision.WAIVE])
def test_who_stops_after_a_round_that_unlearned_reports_the_student_that_stands_best(
    tmp_path, last
):
    unlearns = roster.Student(
        "unlearns",
        lambda adapter: RuleStudent(
            lambda p: bool(adapter) and adapter.name == "s1r0" and p.skill == "A"
        ),
        SimulatedTrainer(),
    )

    def decide(gate):
        return Decision.REMEDY if gate.round == 0 else last

    figures = pipeline(
        tmp_path,
        domain=Numbered((skill_of("A"), skill_of("B"))),
        skills=[],
        student=unlearns,
        decide=decide,
    ).run()

    assert {row["id"]: row["after"] for row in figures["skills"]} == {"A": 1.0, "B": 0.0}


def test_waiving_goes_on_and_the_skill_does_not_count_as_mastered(tmp_path):
    few = SMALL.model_copy(update={"budget": Budget(items=600, items_per_round=8)})

    figures = pipeline(tmp_path, settings=few, decide=lambda gate: Decision.WAIVE).run()

    assert all(stage["decisions"] == ["waive"] for stage in figures["stages"])
    assert not any(row["mastered"] for row in figures["skills"] if row["id"] == "A1")


def test_advancing_without_evidence_is_refused_and_leaves_no_decision(tmp_path):
    few = SMALL.model_copy(update={"budget": Budget(items=600, items_per_round=8)})

    with pytest.raises(DistillError, match="evidence of stage 1, round 0, does not allow"):
        pipeline(tmp_path, settings=few, decide=lambda gate: Decision.ADVANCE).run()

    assert not [e for e in entries(tmp_path) if e["kind"] == "decision"]


def test_another_round_past_the_cap_is_refused(tmp_path):
    few = SMALL.model_copy(update={"budget": Budget(items_per_round=8, rounds_cap=2)})

    with pytest.raises(DistillError, match="no round after stage 1, round 1"):
        pipeline(tmp_path, settings=few, decide=lambda gate: Decision.REMEDY).run()


def test_a_round_that_a_person_wants_of_a_mastered_stage_is_taught(tmp_path):
    def once_more(gate):
        return Decision.REMEDY if gate.round == 0 else autopilot(gate)

    figures = pipeline(tmp_path, skills=["A2"], decide=once_more).run()

    assert figures["stages"][0]["decisions"] == ["remedy", "advance"]


def test_autopilot_waives_at_the_cap(tmp_path):
    few = SMALL.model_copy(update={"budget": Budget(items_per_round=8, rounds_cap=2)})

    figures = pipeline(tmp_path, skills=["A2"], settings=few).run()

    assert figures["stages"][0]["decisions"] == ["remedy", "waive"]


def test_a_spent_budget_ends_the_teaching_and_the_report_says_so(tmp_path):
    little = SMALL.model_copy(update={"budget": Budget(items=100, items_per_round=100)})

    figures = pipeline(tmp_path, settings=little).run()

    assert figures["items"] == 100
    assert figures["stages"][-1]["decisions"] == []
    assert "was not taught. All 100 items" in figures["notices"][-1]


def test_a_teacher_whose_tokens_end_in_a_remedy_leaves_what_its_gates_have_shown(tmp_path):
    few = SMALL.model_copy(update={"budget": Budget(items_per_round=8, rounds_cap=4)})
    run = pipeline(
        tmp_path, skills=["A2", "A3", "B2"], settings=few, decide=lambda gate: Decision.REMEDY
    )
    write = run._author.write

    def spent(key, *args, **more):
        if key == "s1r2":
            raise BudgetSpent("The teacher's tokens are spent.")
        return write(key, *args, **more)

    run._author.write = spent
    figures = run.run()

    stages = figures["stages"]
    assert stages[0]["decisions"] == ["remedy", "remedy"]
    told = figures["notices"][-1]
    assert "Stage 1 (" in told
    assert ") ended after 2 of its rounds. The teacher's tokens are spent." in told
    assert ("Nor were the stages behind it begun: 2 (" in told) is (len(stages) > 1)
    assert run._passed.skills == set(stages[0]["skills"])


def test_what_is_told_of_a_spent_budget_is_the_same_when_a_run_is_replayed(tmp_path):
    """Stages that were waived for their cap, with budget left, are not told as spent later."""
    little = SMALL.model_copy(
        update={"budget": Budget(items=100, items_per_round=40, rounds_cap=1, fair_shares=False)}
    )
    skills = ["A2", "A3", "B2", "B3", "S1", "N1"]

    first = pipeline(
        tmp_path, skills=skills, settings=little, decide=lambda gate: Decision.WAIVE
    ).run()
    again = pipeline(
        tmp_path, skills=skills, settings=little, decide=lambda gate: Decision.WAIVE, resume=True
    ).run()

    assert sum("all of the budget was spent" in told for told in first["notices"]) <= 1
    assert any("budget" in told for told in first["notices"])
    assert again["notices"] == first["notices"]


def test_a_stage_let_pass_for_want_of_budget_says_so_after_a_larger_one_as_well(tmp_path):
    little = SMALL.model_copy(update={"budget": Budget(items=1)})
    first = pipeline(tmp_path, skills=["A2"], settings=little).run()
    again = pipeline(tmp_path, skills=["A2"], resume=True).run()

    (told,) = first["notices"]
    assert again["notices"] == [told]
    assert again["items"] == first["items"]
    assert told.endswith(
        "all of the budget was spent. A larger one, with --resume, does not open it again."
    )


def test_a_raised_budget_continues_where_the_spent_one_ended(tmp_path):
    little = SMALL.model_copy(update={"budget": Budget(items=100, items_per_round=100)})
    pipeline(tmp_path, settings=little).run()

    figures = pipeline(tmp_path, resume=True).run()

    assert all(stage["decisions"] for stage in figures["stages"])


# --- what the student can do already -----------------------------------------------------------


def test_a_student_that_knows_everything_is_taught_nothing(tmp_path):
    student = roster.Student("rule", lambda _: RuleStudent(lambda p: True), SimulatedTrainer())

    figures = pipeline(tmp_path, student=student).run()

    assert figures["stages"] == []
    assert figures["retained"] is None
    assert figures["items"] == 0


class Swap:
    """A student that knows K from the start, and loses it by being trained."""

    name = "swap"

    def __init__(self, adapter):
        self.generate = RuleStudent(
            lambda p: p.skill == ("A" if adapter else "K"),
        ).generate

    def close(self):
        pass


def test_a_skill_known_from_the_start_is_kept_an_eye_on(tmp_path):
    domain = Numbered((skill_of("A"), skill_of("K")))
    student = roster.Student("swap", Swap, SimulatedTrainer())
    settings = SMALL.model_copy(update={"probing": Probing()})

    gates = []

    def decide(gate):
        gates.append(gate.evidence)
        return Decision.WAIVE

    figures = pipeline(
        tmp_path, domain=domain, skills=[], student=student, settings=settings, decide=decide
    ).run()

    assert [g.forgotten for g in gates] == [("K",)]
    assert figures["forgotten"] == ["K"]


def test_a_remedy_rehearses_what_sits_in_its_own_stage(tmp_path):
    domain = Numbered((skill_of("A"), skill_of("B")))  # one stage: neither builds on the other
    learns_a = roster.Student(
        "half",
        lambda adapter: RuleStudent(lambda p: bool(adapter) and p.skill == "A"),
        SimulatedTrainer(),
    )

    def decide(gate):
        return Decision.REMEDY if gate.round == 0 else Decision.WAIVE

    pipeline(tmp_path, domain=domain, skills=[], student=learns_a, decide=decide).run()

    first, second = (seen_items(tmp_path / "checkpoints" / key) for key in ("s1r0", "s1r1"))
    again = {k: second[k] - first[k] for k in "AB"}
    assert again["A"] == round(again["B"] * SMALL.budget.rehearsal_weight) > 0


def test_what_was_waived_is_rehearsed_where_stages_are_taught_alone(tmp_path):
    domain = Numbered((skill_of("A"), skill_of("B", "A")))  # two stages
    learns_nothing = roster.Student(
        "none", lambda adapter: RuleStudent(lambda p: False), SimulatedTrainer()
    )

    alone = SMALL.model_copy(
        update={"budget": SMALL.budget.model_copy(update={"preview_weight": 0.0})}
    )
    pipeline(
        tmp_path,
        domain=domain,
        skills=[],
        settings=alone,
        student=learns_nothing,
        decide=lambda g: Decision.WAIVE,
    ).run()

    first, second = (seen_items(tmp_path / "checkpoints" / key) for key in ("s1r0", "s2r0"))
    assert list(first) == ["A"]
    assert second["B"] > 0
    assert second["A"] > first["A"]


def test_all_questions_of_a_small_skill_can_be_drilled_round_after_round(tmp_path):
    domain = Numbered((skill_of("A"),), sizes=dict.fromkeys(Split, 15), small=0)

    figures = pipeline(tmp_path, domain=domain, skills=[]).run()

    assert figures["stages"][0]["decisions"][-1] == "advance"
    assert figures["items"] == 30  # two rounds of fifteen
    assert Journal(tmp_path, resume=True).clean_items(of="s1r1")


# --- the report ---------------------------------------------------------------------------------


def scores(**means):
    return {k: Score(k, 50, m, m, m) for k, m in means.items()}


def graded(right, n=50):
    return {f"{at:02}": float(at < right) for at in range(n)}


def test_the_report_counts_what_is_retained_over_taught_skills_and_what_is_forgotten():
    figures = report.build(
        ["A", "B", "T"],
        ["A", "B"],
        before=scores(A=0.1, B=0.2, T=0.0),
        after=scores(A=0.9, B=0.4, T=0.1),
        teacher=scores(A=1.0, B=0.8, T=0.0),
        mastered={"A": Was(0.95, 64), "B": Was(0.95, 64)},
        after_grades={"A": graded(45), "B": graded(20)},
        teacher_grades={"A": graded(50), "B": graded(40), "T": graded(0)},
        thresholds=Thresholds(),
    )

    assert figures["retained_before"] == pytest.approx((0.1 + 0.25) / 2)
    assert figures["retained"] == pytest.approx((0.9 + 0.5) / 2)
    low, high = figures["retained_interval"]
    assert 0.6 < low < figures["retained"] - 0.05 < figures["retained"] + 0.05 < high < 0.8
    assert figures["forgotten"] == ["B"]
    assert [(r["id"], r["taught"], r["mastered"]) for r in figures["skills"]] == [
        ("A", True, True),
        ("B", True, False),
        ("T", False, False),
    ]


def test_of_a_perfect_teacher_what_is_retained_is_one_mean_and_of_nothing_taught_none():
    def interval(taught, of_teacher):
        return report.build(
            ["A", "B"],
            taught,
            before=scores(A=0, B=0),
            after=scores(A=1, B=0.9),
            teacher=scores(A=1, B=1),
            mastered={},
            after_grades={"A": graded(50), "B": graded(45)},
            teacher_grades={"A": graded(50), "B": graded(of_teacher)},
            thresholds=Thresholds(),
        )["retained_interval"]

    _, low, high = mean_interval([1.0] * 95 + [0.0] * 5)
    assert interval(["A", "B"], 50) == pytest.approx([low, high])
    assert interval(["A", "B"], 49)[1] > high  # the teacher's answers vary, too
    assert interval([], 50) is None


def test_where_all_questions_there_are_were_asked_nothing_is_left_to_chance():
    def interval(*exhaustive):
        def asked(**means):
            return {
                k: dataclasses.replace(v, is_exhaustive=k in exhaustive)
                for k, v in scores(**means).items()
            }

        return report.build(
            ["A", "B"],
            ["A", "B"],
            before=asked(A=0, B=0),
            after=asked(A=0.8, B=0.9),
            teacher=asked(A=1, B=1),
            mastered={},
            after_grades={"A": graded(40), "B": graded(45)},
            teacher_grades={"A": graded(50), "B": graded(50)},
            thresholds=Thresholds(),
        )["retained_interval"]

    assert interval("A", "B") == pytest.approx([0.85, 0.85])
    _, low, high = mean_interval([1.0] * 45 + [0.0] * 5)
    assert interval("A") == pytest.approx([0.85 - (0.9 - low) / 2, 0.85 + (high - 0.9) / 2])
    whole = interval()
    assert whole[0] < interval("A")[0] < interval("A")[1] < whole[1]


# --- the simulated student ----------------------------------------------------------------------


def test_the_simulated_student_learns_a_skill_by_the_number_of_its_items(tmp_path):
    domain = domains.load("foundations")
    probes = domain.probes("A2", Split.GATE, 100, seed=0)

    def mean(adapter):
        return sum(a.grade for a in ask(SimulatedStudent(adapter), probes)) / 100

    def train(n, parent, out):
        return SimulatedTrainer().train(
            [item_of("A2", i) for i in range(n)],
            parent=parent,
            out=tmp_path / out,
            settings=SMALL.lora,
            seed=0,
            beat=lambda done, total: None,
            log=lambda step: None,
        )

    half = train(20, None, "half")
    full = train(20, half.folder, "full")

    assert mean(None) < 0.25 < mean(half.folder) < 0.75 < mean(full.folder) == 1.0
    assert train(20, half.folder, "full") == full


def test_after_two_failed_rounds_a_skill_is_begun_small_again(tmp_path):
    never = roster.Student("never", lambda _: RuleStudent(lambda p: False), SimulatedTrainer())

    cap = SMALL.model_copy(update={"budget": Budget(items_per_skill=50, rounds_cap=4)})

    pipeline(tmp_path, skills=["A2"], settings=cap, student=never).run()

    sizes = collections.defaultdict(list)
    for e in entries(tmp_path):
        if e["kind"] == "item":
            sizes[e["round"]].append(e["level"])
    small = {key: sum(size < 3 for size in of) / len(of) for key, of in sizes.items()}
    assert small == pytest.approx({"s1r0": 0.2, "s1r1": 0.2, "s1r2": 0.4, "s1r3": 0.4}, abs=0.01)


def test_a_later_stage_is_written_for_the_student_as_it_is_by_then(tmp_path):
    class Helped:
        """Being taught A helps with most of B, which builds on it."""

        name = "helped"

        def __init__(self, adapter):
            self.generate = RuleStudent(
                lambda p: bool(adapter) and (p.skill == "A" or int(p.text.split()[-1]) % 4 > 0)
            ).generate

        def close(self):
            pass

    domain = Numbered((skill_of("A"), skill_of("B", "A")))
    student = roster.Student("helped", Helped, SimulatedTrainer())
    settings = SMALL.model_copy(update={"budget": Budget(items_per_skill=40)})

    def decide(gate):
        return autopilot(gate) if gate.position == 1 else Decision.WAIVE

    pipeline(
        tmp_path, domain=domain, skills=[], student=student, settings=settings, decide=decide
    ).run()

    seen = [e for e in entries(tmp_path) if e["kind"] == "answer" and e["who"] == "s1r0"]
    before = {e["split"] for e in seen if e["skill"] == "B"}
    assert before == {"diagnose"}  # the gate of A asks nothing of B, and no gate probe is used up
    items = [e for e in entries(tmp_path) if e["kind"] == "item"]
    small = {k: sum(e["level"] < 3 for e in items if e["round"] == k) for k in ("s1r0", "s2r0")}
    assert small["s1r0"] > 0 == small["s2r0"]  # most of B sits: no small instances are wanted
