"""Benchmarks are read with their lines, asked, and never taught from."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from distill import domains, grading
from distill.cli import app
from distill.domains.base import question_key
from distill.domains.benchmarks import load_benchmark
from distill.errors import DomainError
from distill.records import Split


def line(n=1, **fields):
    return {
        "id": f"q-{n}",
        "skill": "sums",
        "question": f"What is {n} + 1?",
        "answer": str(n + 1),
        "answer_type": "number",
    } | fields


@pytest.fixture
def written(tmp_path):
    def write(*lines, name="sums.jsonl"):
        path = tmp_path / name
        words = (entry if isinstance(entry, str) else json.dumps(entry) for entry in lines)
        path.write_text("\n".join(words) + "\n", encoding="utf-8")
        return path

    return write


def loaded(path):
    return domains.load(str(path), to_teach=False)


def ioa(*words):
    return CliRunner().invoke(app, [str(w) for w in words])


def test_every_question_is_a_probe_and_none_a_problem(written):
    found = loaded(written(*(line(n) for n in range(9)), line(9, skill="more", split="dev")))

    assert [s.id for s in found.skills] == ["sums", "more"]
    assert all(s.is_transfer for s in found.skills)
    assert found.size("sums", Split.FINAL) == 9
    assert found.size("more", Split.DIAGNOSE) == 1
    assert found.edges() == ()
    for skill in ("sums", "more"):
        assert found.size(skill, Split.TRAIN) == found.size(skill, Split.GATE) == 0
        for level in (1, 2, 3):
            assert found.problems(skill, 100, seed=1, level=level) == []
    probes = found.probes("sums", Split.FINAL, 5, seed=3)
    assert probes == found.probes("sums", Split.FINAL, 5, seed=3)
    again = found.probes("sums", Split.FINAL, 9, seed=3, exclude={p.id for p in probes})
    assert len({p.id for p in probes + again}) == 9
    with pytest.raises(ValueError, match="never drawn from the train split"):
        found.probes("sums", Split.TRAIN, 1, seed=0)
    with pytest.raises(DomainError, match="no skill “x”"):
        found.size("x", Split.FINAL)


def test_a_benchmark_is_not_a_domain_to_teach(written):
    with pytest.raises(DomainError, match="nothing of it may be trained on. Use “ioa assess"):
        domains.load(str(written(line())))


def test_a_probe_is_named_by_its_bare_question(written):
    (probe,) = loaded(written(line())).all_probes

    assert probe.question == 'What is 1 + 1?\n\nEnd with "Answer: " and the number.'
    assert probe.id == question_key("What is 1 + 1?")


@pytest.mark.parametrize(
    ("kind", "answer", "grader", "reply"),
    [
        ("number", "1,234", "number", "so 1234"),
        ("latex", "\\frac{1}{2}", "math", "\\boxed{1/2}"),
        ("exact", "valid", "exact", "Answer: Valid."),
        ("choice", "(B)", "choice", "The answer is (B)."),
        ("text", "A good answer", "rouge", "A good answer"),
    ],
)
def test_each_type_of_answer_has_its_grader(written, kind, answer, grader, reply):
    (probe,) = loaded(written(line(answer_type=kind, answer=answer))).all_probes

    assert probe.grader == grader
    assert grading.grade(probe, reply) == (1.0, "")


def test_code_is_asked_with_its_tests_or_its_beginning(written):
    on = grading.switched_on(run_code=True)
    listed = line(1, answer_type="code", tests=["assert f(1) == 2"], test_setup="k = 1")
    stub = "def g(n):\n    '''One more.'''\n"
    begun = line(
        2,
        answer_type="code",
        question=stub,
        test="def check(candidate):\n    assert candidate(1) == 2\n",
        entry_point="g",
    )
    by_words = {
        "f" if "f(1)" in p.question else "g": p for p in loaded(written(listed, begun)).all_probes
    }

    assert "It has to pass:\n\nassert f(1) == 2" in by_words["f"].question
    assert f"```python\n{stub}```" in by_words["g"].question
    assert grading.grade(by_words["f"], "def f(n): return n + k", graders=on) == (1.0, "")
    assert grading.grade(by_words["g"], "    return n + 1", graders=on) == (1.0, "")
    assert grading.grade(by_words["g"], "    return n", graders=on) == (0.0, "")
    assert "switched off" in grading.grade(by_words["g"], "    return n + 1")[1]


def test_an_input_belongs_to_the_question(written):
    found = loaded(
        written(line(1, question="Sort:", input="3 1"), line(2, question="Sort:", input="2 1"))
    )

    assert len(found.all_probes) == 2
    assert {p.question.splitlines()[2] for p in found.all_probes} == {"3 1", "2 1"}


def test_a_question_that_stands_there_twice_is_counted_once(written):
    found = loaded(written(line(1), line(1, id="again"), line(2)))

    assert len(found.all_probes) == 2
    assert found.repeated == 1


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"answer_type": "vibes"}, "There is no answer_type “vibes”. Known: number, latex"),
        ({"answer": ""}, "This question has no “answer”."),
        ({"answer": "many"}, "The answer “many” cannot be used: "),
        ({"answer_type": "choice"}, "“3” is not one letter"),
        ({"question": " "}, "This question has no “question”."),
        ({"question": ["x"]}, "“question” has to be text."),
        ({"skill": None}, "This question has no “skill”."),
        ({"id": "q-1"}, "The id “q-1” is already on line 1."),
        ({"question": "What is 1+1?"}, "This asks the same as line 1, and has another answer."),
        ({"split": "train"}, "There is no split “train” to measure with."),
        ({"answer_type": "code"}, "needs “tests”, or “test” and “entry_point”"),
        ({"answer_type": "code", "test": "x"}, "This question has no “entry_point”."),
        ("{", "This is not JSON"),
        ("[1]", "Each line has to be a JSON object."),
        ('{"id": "\\ud800", "answer_type": "number"}', "a character that is not text"),
    ],
)
def test_a_fault_is_a_sentence_with_its_line(written, bad, sentence):
    path = written(line(1), bad if isinstance(bad, str) else line(2, **bad))

    with pytest.raises(DomainError) as caught:
        loaded(path)

    assert str(caught.value).startswith("sums.jsonl, line 2: ")
    assert sentence in str(caught.value)
    assert [str(f) for f in domains.faults(path)] == [str(caught.value)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("halves.yaml", "domain: halves\n"),
        ("halves.jsonl", '{"domain": "halves", "title": "Halves"}\n{"id": "H1"}\n'),
    ],
)
def test_a_domain_in_the_place_of_a_benchmark_is_called_one(tmp_path, name, words):
    (tmp_path / name).write_text(words)
    with pytest.raises(DomainError, match="This is a domain file, and a benchmark is wanted"):
        load_benchmark(tmp_path / name)


def test_the_version_changes_with_the_words(written):
    one = loaded(written(line(1))).version

    assert loaded(written(line(2))).version != one
    assert one.endswith(", prompts 1")


# --- ioa domains --------------------------------------------------------------------------------


def test_list_names_what_is_built_in():
    result = ioa("domains", "list")

    assert result.exit_code == 0
    assert "foundations" in result.stdout


def test_show_tells_skills_and_sizes(written):
    result = ioa("domains", "show", "foundations")
    assert result.exit_code == 0
    assert "A2" in result.stdout

    result = ioa("domains", "show", written(line(1)))
    assert result.exit_code == 0
    assert "sums*" in result.stdout

    result = ioa("domains", "show", "alchemy")
    assert result.exit_code == 1
    assert "There is no domain “alchemy”" in result.stderr


def test_check_says_every_fault_of_a_benchmark(written):
    path = written(line(1), line(2, answer="many"), "{", line(3), line(4, answer_type="x"))

    result = ioa("domains", "check", path)

    assert result.exit_code == 1
    for number in (2, 3, 5):
        assert f"sums.jsonl, line {number}: " in result.stderr
    assert "3 faults." in result.stderr


@pytest.mark.parametrize("suffix", ["yaml", "jsonl"])
def test_check_says_every_fault_of_a_domain_file(tmp_path, suffix):
    texts = {
        "yaml": """domain: d
skills:
  - id: one
    probes:
      - {question: "What is half of 4?", reference: many, grader: number}
      - {question: "What is half of 6?", reference: "3", grader: vibes}
      - {question: "What is half of 8?", reference: "4"}
    items:
      - {question: "What is half of 2?"}
  - id: two
    level: high
""",
        "jsonl": """{"domain": "d"}
{"id": "one"}
{"skill": "one", "question": "4?", "reference": "many", "grader": "number"}
{"skill": "none", "question": "5?", "reference": "many"}
nonsense
{"id": "two", "level": "high"}
""",
    }
    path = tmp_path / f"d.{suffix}"
    path.write_text(texts[suffix])

    result = ioa("domains", "check", path)

    assert result.exit_code == 1
    lines = {"yaml": (5, 6, 9, 10), "jsonl": (3, 4, 5, 6)}[suffix]
    for number in lines:
        assert f"d.{suffix}, line {number}: " in result.stderr, result.stderr
    assert f"{len(lines)} faults." in result.stderr


def test_check_says_every_fault_between_the_entries_of_a_file(tmp_path):
    path = tmp_path / "d.yaml"
    path.write_text("""skills:
  - id: one
    prerequisites: [nine]
    probes:
      - {question: "4?", reference: "2"}
      - {question: "4 ?", reference: "2"}
  - id: one
    probes:
      - {question: "5?", reference: "2"}
""")

    result = ioa("domains", "check", path)

    assert result.exit_code == 1
    for sentence in (
        "line 7: The skill “one” is already on line 2.",
        "line 2: “one” builds on “nine”, and there is no such skill.",
        "line 6: This probe asks the same as the one on line 5.",
        "line 7: “one” has no probe for",
    ):
        assert sentence in result.stderr


def test_check_of_what_is_right_says_so(written, tmp_path):
    assert (
        "sums.jsonl is right: 1 skill, 2 questions."
        in ioa("domains", "check", written(line(1), line(2))).stdout
    )
    missing = ioa("domains", "check", tmp_path / "none.yaml")
    assert missing.exit_code == 1
    assert "There is no file" in missing.stderr


def test_check_says_of_a_vast_file_how_many_there_are_at_least(written):
    path = written(*(line(n) for n in range(2500)))

    assert "at least 2,000 questions." in ioa("domains", "check", path).stdout


def test_check_looks_at_the_file_and_not_at_what_is_called_alike(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "foundations").write_text("domain: x")

    result = ioa("domains", "check", "foundations")

    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_a_line_that_is_nested_without_end_is_a_fault(tmp_path):
    path = tmp_path / "deep.jsonl"
    path.write_text(
        '{"question": "1 + 1?", "answer": "2", "answer_type": "number"}\n' + "[" * 200_000
    )

    result = ioa("domains", "check", str(path))

    assert result.exit_code == 1
    assert "line 2: This is nested too deeply." in result.output
