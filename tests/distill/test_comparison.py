"""Methods compared at equal budget, with the simulated student: whole, killed and continued."""

from __future__ import annotations

import collections
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from pyarrow import parquet

from distill import domains, roster
from distill.backends.hardware import hardware
from distill.comparison import arms, results
from distill.comparison.plan import Plan, tokens_per_item
from distill.comparison.running import compare
from distill.errors import DistillError
from distill.settings import Budget, Probing, Settings

SMALL = Settings(
    probing=Probing(
        diagnose_probes=16, gate_probes=24, gate_probes_cap=48, final_probes=16, batch_size=20
    ),
    budget=Budget(items_per_round=40),
)
SKILLS = ("A1", "A2", "B3", "M1", "X1", "T2")
ALL = (*arms.ARMS, "uniform-bare")
ONE_SHOT = ("uniform", "easy-to-hard", "gap", "self-instruct", "llm2llm", "uniform-bare")


def plan_of(tmp_path, **more):
    words = {
        "domain": "foundations",
        "student": "simulated",
        "teacher": "procedural",
        "models": tmp_path,
        "skills": SKILLS,
        "arms": ("uniform", "llm2llm", "ioa"),
        "items": (120,),
        "seeds": (0, 1),
        "settings": SMALL,
    }
    return Plan(**words | more)


def run(plan, out, *, resume=False, **more):
    calls = {"progress": lambda *_: None, "finished": lambda *_: None} | more
    found = compare(plan, out, resume=resume, **calls)
    return results.figures(plan, domains.load(plan.domain), found, command="ioa compare"), found


def without_times(told):
    """The figures but for seconds, which are never the same twice."""
    text = json.dumps(told, sort_keys=True)
    told = json.loads(text)
    timed = ("seconds", "train_seconds")
    for found in (told["arms"], told["differences"]):
        for measured in found.values():
            for name in timed:
                del measured[name]
    for row in told["runs"]:
        for name in timed:
            del row[name]
    del told["budgets"]
    return told


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A comparison of every arm: (its folder, figures, results)."""
    out = tmp_path_factory.mktemp("whole")
    plan = plan_of(out, arms=ALL)
    return out, *run(plan, out / "all")


def test_every_arm_trains_on_the_same_tokens_and_none_on_more(whole):
    _, told, found = whole
    tokens = told["tokens"]
    student = roster.find_student("simulated", whole[0])

    assert tokens == round(120 * tokens_per_item(domains.load("foundations"), student, SKILLS))
    for row in told["runs"]:
        assert row["train_tokens"] <= tokens, row
        assert row["teacher_tokens"] <= tokens, row
        if row["arm"] in ONE_SHOT:
            assert row["train_tokens"] > 0.98 * tokens, row
    assert len(found) == 2 * len(ALL)


def test_the_product_spends_its_tokens_too_while_there_is_something_to_teach(whole):
    told = whole[1]

    spent = {r["arm"]: r["train_tokens"] for r in told["runs"] if r["seed"] == 0}

    assert spent["ioa"] > 0.9 * told["tokens"]
    assert spent["ioa-organizer"] > 0.9 * told["tokens"]


def with_lora(**changes):
    return SMALL.model_copy(update={"lora": SMALL.lora.model_copy(update=changes)})


def test_a_second_epoch_reads_the_same_items_again_and_costs_a_teacher_nothing(tmp_path):
    arms = ("uniform", "llm2llm")
    once, twice = (
        run(plan_of(tmp_path, arms=arms, seeds=(0,), settings=with_lora(epochs=n)), tmp_path / name)
        for n, name in ((1, "once"), (2, "twice"))
    )

    assert twice[0]["tokens"] == pytest.approx(2 * once[0]["tokens"], abs=1)
    for was, now in zip(once[1], twice[1], strict=True):
        assert now["items"] == was["items"], was["arm"]
        assert now["rounds"] == was["rounds"], was["arm"]
        assert now["item_tokens"] == was["item_tokens"], was["arm"]
        assert now["train_tokens"] == 2 * was["train_tokens"], was["arm"]


def test_what_a_training_cuts_off_an_item_was_written_all_the_same(tmp_path):
    plan = plan_of(tmp_path, arms=("uniform",), seeds=(0,), settings=with_lora(max_length_tokens=8))
    (result,) = run(plan, tmp_path / "cut")[1]

    assert result["item_tokens"] == result["train_tokens"]  # the simulated trainer cuts nothing
    assert result["item_tokens"] > 8 * result["items"]


def test_all_arms_of_a_seed_answer_the_same_questions(whole):
    out = whole[0]
    asked = collections.defaultdict(set)
    for ledger in (out / "all" / "runs").glob("*/*/seed-*/ledger.jsonl"):
        entries = [json.loads(line) for line in ledger.read_text().splitlines()]
        final = frozenset(e["probe"] for e in entries if e.get("split") == "final")
        asked[ledger.parent.name].add(final)

    assert [len(sets) for sets in asked.values()] == [1, 1]
    assert asked["seed-0"] != asked["seed-1"]


def test_no_arm_trains_on_what_it_is_asked(whole):
    out = whole[0]
    for ledger in (out / "all" / "runs").glob("*/*/seed-*/ledger.jsonl"):
        entries = [json.loads(line) for line in ledger.read_text().splitlines()]
        items = {domains.question_key(e["question"]) for e in entries if e["kind"] == "item"}
        assert items
        assert not items & {e["probe"] for e in entries if e["kind"] == "answer"}


def test_the_product_in_a_comparison_is_the_product(whole):
    """`ioa` has the ledger of a pipeline: stages, gates, decisions; the others have none."""
    out = whole[0]
    kinds = {
        name: collections.Counter(
            json.loads(line)["kind"]
            for line in (out / "all" / "runs" / name / "items-120" / "seed-0" / "ledger.jsonl")
            .read_text()
            .splitlines()
        )
        for name in ALL
    }

    assert kinds["ioa"]["decision"] > 1
    assert kinds["ioa"]["curriculum"] == 1
    assert all(not kinds[name]["decision"] for name in ONE_SHOT)


def test_who_asks_between_rounds_has_three_of_them_however_small_the_budget(whole):
    out = whole[0]
    ledger = out / "all" / "runs" / "llm2llm" / "items-120" / "seed-0" / "ledger.jsonl"
    entries = [json.loads(line) for line in ledger.read_text().splitlines()]

    rounds = [e["tokens"] for e in entries if e["kind"] == "checkpoint"]
    skills = [
        {e["skill"] for e in entries if e["kind"] == "item" and e["key"].startswith(f"r{i}p")}
        for i in range(3)
    ]

    assert len(rounds) == 3
    assert max(rounds) < 1.2 * min(rounds)
    assert skills[0] == {k for k in SKILLS if not k.startswith("T")}
    assert all(skills)


def test_the_figures_have_every_arm_with_its_measures_and_what_made_them(whole):
    out, told, found = whole
    results.write(out / "written", told, found)
    read = json.loads((out / "written" / "comparison.json").read_text())

    assert read["seeds"] == [0, 1]
    assert set(read["arms"]) == set(ALL)
    for measured in read["arms"].values():
        assert measured["composite"].keys() == {"mean", "interval", "n"}
    assert read["composite"] == ["X1", "B3"]
    assert read["against"] == "ioa"
    assert set(read["differences"]) == set(ALL) - {"ioa"}
    assert read["versions"]["python"]
    assert read["hardware"] == [hardware()]
    assert f"; on {hardware()}" in results.made_with(read)
    assert read["settings"]["budget"]["items_per_round"] == 40
    runs = parquet.read_table(out / "written" / "runs.parquet").to_pylist()
    assert [(r["arm"], r["seed"], r["composite"]) for r in runs] == [
        (r["arm"], r["seed"], r["composite"]) for r in told["runs"]
    ]
    skills = parquet.read_table(out / "written" / "skills.parquet").to_pylist()
    assert len(skills) == len(found) * len(SKILLS)


class Killed(BaseException):
    """Like a kill: nothing may catch it and go on."""


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    out = tmp_path_factory.mktemp("three")
    told = []
    plan = plan_of(out, seeds=(0,))
    figures, _ = run(plan, out / "all", progress=lambda *what: told.append(what))
    return plan, figures, len(told)


@pytest.mark.parametrize("share", [0.0, 0.15, 0.3, 0.4, 0.55, 0.6, 0.7, 0.85, 1.0])
def test_a_comparison_killed_anywhere_ends_as_if_it_had_not_been(three, tmp_path, share):
    plan, figures, told = three
    left = max(1, round(share * told))

    def kill(*_):
        nonlocal left
        left -= 1
        if not left:
            raise Killed

    with pytest.raises(Killed):
        run(plan, tmp_path / "out", progress=kill)
    again, _ = run(plan, tmp_path / "out", resume=True)

    assert without_times(again) == without_times(figures)
    for ledger in (tmp_path / "out" / "runs").glob("*/*/seed-*/ledger.jsonl"):
        keys = [(e["kind"], e["key"]) for e in map(json.loads, ledger.read_text().splitlines())]
        assert len(keys) == len(set(keys))


def test_what_is_finished_is_not_done_again_and_arms_and_seeds_may_be_added(three, tmp_path):
    plan, _, _ = three
    first, more = [], []
    run(plan, tmp_path / "out", finished=lambda run, *_: first.append(run.folder))

    wider = plan_of(tmp_path, models=plan.models, arms=(*plan.arms, "gap"))
    told, _ = run(
        wider, tmp_path / "out", resume=True, finished=lambda run, *_: more.append(run.folder)
    )

    assert len(first) == 3
    assert more == ["gap/items-120/seed-0", *(f"{a}/items-120/seed-1" for a in wider.arms)]
    assert set(told["arms"]) == {*plan.arms, "gap"}


def test_a_folder_of_another_comparison_is_refused(three, tmp_path):
    plan, _, _ = three
    run(plan_of(tmp_path, arms=("uniform",), seeds=(0,)), tmp_path / "out")

    with pytest.raises(DistillError, match="holds a run already"):
        run(plan_of(tmp_path, arms=("uniform",), seeds=(0,)), tmp_path / "out")
    with pytest.raises(DistillError, match="its skills was"):
        run(plan_of(tmp_path, skills=("A1",)), tmp_path / "out", resume=True)


@pytest.mark.slow
def test_runs_in_processes_of_their_own_give_the_same(three, tmp_path):
    plan, figures, _ = three

    told, _ = run(plan, tmp_path / "out", parallel=2)

    assert without_times(told) == without_times(figures)


def workers(pid=None):
    return [child for child in psutil.Process(pid).children() if "spawn_main" in words(child)]


def words(process):
    """Its command line; empty once it is gone, or killed and not yet buried."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def blocked(process):
    """The signals that do not reach it yet, as Linux has them: bit 0 is signal 1."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    mask = int(next(line for line in lines if line.startswith("SigBlk")).split()[1], 16)
    return {signal.Signals(n + 1) for n in range(31) if mask >> n & 1}


@pytest.mark.slow
def test_who_is_stopped_ends_the_processes_and_waits_for_no_run(three, tmp_path):
    plan, figures, _ = three
    found = []

    def stop(*_):
        found.extend(workers())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(plan, tmp_path / "out", parallel=2, finished=stop)
    _, alive = psutil.wait_procs(found, timeout=60)
    told, _ = run(plan, tmp_path / "out", parallel=2, resume=True)

    assert (len(found), alive) == (2, [])
    assert without_times(told) == without_times(figures)


@pytest.mark.slow
def test_an_error_in_one_process_ends_the_others_and_begins_no_run_more(tmp_path):
    plan = plan_of(tmp_path, seeds=tuple(range(8)))
    in_the_way = tmp_path / "out" / "runs" / next(plan.runs()).folder
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("a file, where the folder of a run is to be")
    found = []

    def look(*_):
        found.extend(set(workers()) - set(found))

    with pytest.raises(DistillError, match="seed-0 is a file"):
        run(plan, tmp_path / "out", parallel=2, progress=look)
    _, alive = psutil.wait_procs(found, timeout=60)

    done = list((tmp_path / "out" / "runs").rglob("result.json"))
    assert found
    assert alive == []
    assert len(done) < len(list(plan.runs())) / 2


@pytest.mark.slow
def test_ctrl_c_while_processes_are_starting_is_a_sentence(tmp_path):
    words = ["compare", "--student", "simulated", "--parallel", "2", "--out", str(tmp_path / "out")]
    program = "from distill.cli import app; app()"
    command = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while command.poll() is None and not (found := workers(command.pid)):
        time.sleep(0.02)
    reached = [process for process in found if signal.SIGINT not in blocked(process)]

    os.killpg(command.pid, signal.SIGINT)  # as a terminal does
    _, said = command.communicate(timeout=300)

    assert command.returncode == 130, said
    assert "Stopped. Everything so far is kept in" in said
    assert "Traceback" not in said
    assert reached == []  # while they import, each would tell one of its own


@pytest.mark.slow
def test_a_killed_process_is_a_sentence_and_the_rest_goes_on(three, tmp_path):
    plan, figures, _ = three

    def kill(*_):
        for child in workers():
            child.kill()

    with pytest.raises(DistillError, match="was killed, perhaps for want of memory"):
        run(plan, tmp_path / "out", parallel=2, finished=kill)
    told, _ = run(plan, tmp_path / "out", parallel=2, resume=True)

    assert without_times(told) == without_times(figures)
