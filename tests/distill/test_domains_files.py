"""Domain files: what a good one gives, and one sentence with a line for everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domains import export, load, question_key
from distill.errors import CyclicPrerequisites, DomainError, OutOfSpace, UnknownGrader
from distill.records import Edge, Example, Split

MEASURED = [Split.DIAGNOSE, Split.GATE, Split.FINAL]

GOOD = """\
domain: halves
title: Halves
skills:
  - id: H1
    title: Halve
    statement: Halves a small even number.
    area: Fractions
    grader: number
    probes:
      - {question: "What is half of 4?", reference: 2}
      - {question: "What is half of 6?", reference: 3}
      - {question: "What is half of 8?", reference: 4}
      - {question: "What is half of 2?", reference: 1, split: gate}
    items:
      - question: What is half of 10?
        answer: 5
        solution: 5 + 5 = 10.
      - {question: "What is half of 12?", answer: 6, level: 3}
  - id: H2
    statement: Says no.
    level: 2
    prerequisites: [H1]
    probes:
      - {question: "Is 3 even?", reference: no}
      - {question: "Is 5 even?", reference: no}
      - {question: "Is 7 even?", reference: no}
"""
SHOWN = f"""{GOOD}\
    examples:
      - question: Is 9 even?
        solution: |
          9 has a half of 4.5
          Answer: no
"""
LINES = """\
{"domain": "halves", "title": "Halves"}
{"id": "H1", "grader": "number"}

{"skill": "H1", "question": "What is half of 4?", "reference": 2}
{"skill": "H1", "question": "What is half of 6?", "reference": "3"}
{"skill": "H1", "question": "What is half of 8?", "reference": 4.0, "grader": null}
{"skill": "H1", "question": "What is half of 10?", "answer": 5}
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="halves.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def test_a_yaml_file_gives_its_skills_edges_probes_and_problems(written):
    domain = load(written(GOOD))

    assert (domain.id, domain.title, len(domain.version)) == ("halves", "Halves", 12)
    first, second = domain.skills
    assert (first.id, first.title, first.area, first.level) == ("H1", "Halve", "Fractions", 1)
    assert (second.title, second.level) == ("H2", 2)
    assert domain.edges() == (Edge("H1", "H2"),)
    assert (domain.grader("H1"), domain.grader("H2")) == ("number", "exact")
    assert [domain.size("H1", split) for split in Split] == [2, 1, 2, 1]
    (problem,) = domain.problems("H1", 9, seed=1, level=1)
    assert problem.worked == "5 + 5 = 10. Answer: 5"
    assert len(domain.problems("H1", 9, seed=1)) == 2


def test_a_skill_may_have_examples(written):
    first, second = load(written(SHOWN)).skills

    assert first.examples == ()
    assert second.examples == (Example("Is 9 even?", "9 has a half of 4.5\nAnswer: no"),)


def test_a_question_that_is_listed_for_other_skills_alone_is_not_this_ones(written):
    domain = load(written(GOOD))

    assert domain.asks("H1", "what is half of 10 ?") is True
    assert domain.asks("H2", "What is half of 4?") is False
    assert domain.asks("H2", "Is 9 even?") is None
    with pytest.raises(DomainError, match="has no skill “H3”"):
        domain.asks("H3", "Is 9 even?")


def test_yaml_words_stay_words(written):
    probes = [p for s in MEASURED for p in load(written(GOOD)).probes("H2", s, 9, seed=1)]

    assert {probe.reference for probe in probes} == {"no"}


def test_json_lines_say_the_same_a_line_at_a_time(written):
    domain = load(written(LINES, "halves.jsonl"))

    assert [domain.size("H1", split) for split in Split] == [1, 1, 1, 1]
    (problem,) = domain.problems("H1", 9, seed=1)
    assert (problem.answer, problem.worked) == ("5", "Answer: 5")


def test_probes_are_distinct_excludable_and_the_same_for_the_same_seed(written):
    text = GOOD + "".join(
        f"      - {{question: 'Is {n} prime?', reference: no, split: gate}}\n" for n in range(30)
    )
    domain = load(written(text))

    first = domain.probes("H2", Split.GATE, 12, seed=4)
    rest = domain.probes("H2", Split.GATE, 99, seed=4, exclude={p.id for p in first})

    assert domain.probes("H2", Split.GATE, 12, seed=4) == first
    assert domain.probes("H2", Split.GATE, 12, seed=5) != first
    assert len({p.id for p in first + rest}) == len(first + rest) == 31


FAULTS = [
    ("", "line 1: The file is empty."),
    ("\n  \n", "line 1: The file is empty."),
    ("# nothing yet\n", "line 1: A domain file is a mapping"),
    ("- H1\n- H2\n", "line 1: A domain file is a mapping"),
    ("skills: []\n", "line 1: There are no skills."),
    ("title: x\n", "line 1: There are no skills."),
    ("skills: H1\n", "line 1: The domain's “skills” has to be a list."),
    ("skills:\n  - H1\n", "line 1: Each entry of “skills” has to be a mapping"),
    ("skills:\n  - {id: H1\n", "line 3: This is not YAML: "),
    ("skills:\n  - id: 'H1\n", "line 3: This is not YAML: "),
    ("title: a\x00b\n", "line 1: There is a character that YAML does not allow."),
    ("title: a\nskills:\n  - {id: H1}\ntitle: b\n", "line 4: The field “title” is given twice."),
    ("? [a]\n: b\n", "line 1: A field's name has to be plain text."),
    ("skills: " + "[" * 1500, "line 1: The file is nested too deeply"),
    ("skills: &a [*a]\n", "line 1: The file is nested too deeply"),
    ('title: "a\\ud800b"\n', "line 1: There is a character that is not text."),
    ('title: "a\\0b"\n', "line 1: There is a character that is not text."),
    (b"title: caf\xc3\xa9\nskills: \xff\n", "line 2: This is not UTF-8 text."),
    (GOOD.replace("id: H2", "id: H1"), "line 19: The skill “H1” is already on line 4."),
    (GOOD.replace("[H1]", "[H3]"), "line 19: “H2” builds on “H3”, and there is no such skill."),
    (GOOD.replace("[H1]", "[{a: b}]"), "line 19: The skill's “prerequisites” has to be a list of"),
    (GOOD.replace("  - id: H2", "  - title: H2"), "line 19: This skill has no id."),
    (GOOD.replace("id: H2", "id: " + "H" * 41), "line 19: The skill's id is longer than 40 "),
    (GOOD.replace("level: 2", "area: a\u202eb"), "line 19: The skill's area has characters that"),
    (
        "title: \u2066a\u202e\n",
        "line 1: The domain's title has characters that reorder text: U+202E, U",
    ),
    (GOOD.replace("level: 2", "level: two"), "line 19: The skill's level has to be a whole number"),
    (GOOD.replace("level: 2", "levle: 2"), "line 19: A skill has no field “levle”. It may have:"),
    (GOOD.replace("level: 2", "area: [a]"), "line 19: The skill's “area” has to be text."),
    (GOOD.replace("level: 2", "is_transfer: 1"), "line 19: The skill's is_transfer has to be true"),
    (GOOD.replace("split: gate", "split: train"), "line 13: There is no split “train” for probes."),
    (GOOD.replace(", reference: 4", ""), "line 12: This probe has no reference."),
    (GOOD.replace("reference: 4", "reference: ~"), "line 12: This probe has no reference."),
    (GOOD.replace("reference: 4", "reference: four"), "line 12: The reference “four” cannot be"),
    (GOOD.replace("half of 8", "HALF  of 6"), "line 12: This probe asks the same as the one on"),
    (GOOD.replace("Is 3 even", "what is half of 4"), "line 24: This probe asks the same as the"),
    (GOOD.replace("half of 10", "half of 6"), "line 15: This item asks the same as the probe on l"),
    (GOOD.replace("half of 10", "half of 12"), "line 18: This item asks the same as the one on l"),
    (
        GOOD.replace("5 + 5 = 10.", "'Answer: 4'"),
        "line 15: The solution does not end in the item's",
    ),
    (GOOD.replace("answer: 5", "answer: five"), "line 15: The reference “five” cannot be used"),
    (GOOD.replace("area: F", "is_transfer: true\n    area: F"), "line 4: “H1” is for transfer, ne"),
    (
        GOOD.replace("split: gate", "split: final").replace('      - {question: "Is 7', "#"),
        "line 19",
    ),
    (SHOWN.replace("Is 9", "is  7"), "line 28: This example asks the same as the probe on line 26"),
    (SHOWN.replace("Is 9 even?", "''"), "line 28: This example has no question."),
    (SHOWN.replace("Answer: no", ""), "line 28: The solution has a step a line, each a calcul"),
    (
        SHOWN.replace("9 has a half of 4.5", "4.5"),
        "line 28: The solution has a step a line, each a",
    ),
    (
        SHOWN.replace("4.5", "4.5 " * 600),
        "line 28: Question and solution have at most 2,000 characters.",
    ),
    (
        SHOWN + SHOWN[len(GOOD) + len("    examples:\n") :] * 5,
        "line 19: A skill has at most 5 examples; this one has 6.",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), FAULTS, ids=[s[:60] for _, s in FAULTS])
def test_a_fault_is_a_sentence_with_its_file_and_line(written, text, sentence):
    with pytest.raises(DomainError) as caught:
        load(written(text))

    assert str(caught.value).startswith(f"halves.yaml, {sentence}")
    assert str(caught.value).endswith((".", ":", "it."))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nonsense", "line 1: This is not JSON: "),
        ("[1]", "line 1: Each line has to be a JSON object."),
        ('{"domain": "a\\ud800"}', "line 1: There is a character that is not text."),
        ('{"title": "x"}', "line 1: A line needs “domain”, “id” (a skill) or “skill”"),
        ('{"skill": "H1", "question": "q"}', "line 1: There is no skill “H1” above this line."),
        ('{"id": "H1", "id": "H2"}', "line 1: The field “id” is given twice."),
        (LINES + '{"domain": "again"}', "line 8: The field “domain” is given twice."),
        (LINES + '{"skill": "H1", "answer": "5"}', "line 8: This item has no question."),
        ('{"id": "H1", "x": ' + "[" * 100_000, "line 1: This is nested too deeply"),
        ('{"id": "H1"}', "line 1: “H1” has no probe for diagnose, gate, final."),
        ('{"id": "H1", "probes": "x"}\n{"skill": "H1", "reference": "x"}', "line 1: “probes” has"),
    ],
)
def test_a_fault_in_json_lines_is_one_as_well(written, text, sentence):
    with pytest.raises(DomainError) as caught:
        load(written(text, "halves.jsonl"))

    assert str(caught.value).startswith(f"halves.jsonl, {sentence}")


def test_a_cycle_is_named_with_its_line(written):
    text = GOOD.replace("area: Fractions", "prerequisites: [H2]")

    with pytest.raises(CyclicPrerequisites) as caught:
        load(written(text))

    assert set(caught.value.cycle) == {"H1", "H2"}
    assert str(caught.value).startswith("halves.yaml, line ")
    assert " → ".join(caught.value.cycle) in str(caught.value)


def test_an_unknown_grader_is_named_with_its_line_and_the_known_ones(written):
    with pytest.raises(UnknownGrader) as caught:
        load(written(GOOD.replace("split: gate", "grader: vibes")))

    assert str(caught.value) == (
        "halves.yaml, line 13: There is no grader “vibes”. Known graders: choice, code, exact, "
        "judge, math, number, rouge."
    )


def test_an_alias_bomb_is_read_at_once_and_refused(written):
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    text = "a0: &a0 [x]\n" + "\n".join(levels)

    with pytest.raises(DomainError, match="A domain has no field “a0”"):
        load(written(text))


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("fundations", "There is no domain “fundations”. Give “foundations”, “gym”, or the"),
        ("missing.yaml", "There is no file missing.yaml."),
        ("", "There is no domain “”."),
        ("a\0b.yaml", "There is no file a"),
    ],
)
def test_a_domain_that_is_not_there_is_a_sentence(spec, sentence):
    with pytest.raises(DomainError) as caught:
        load(spec)

    assert str(caught.value).startswith(sentence)


def test_a_folder_is_no_domain_file(tmp_path):
    (tmp_path / "folder.yaml").mkdir()

    with pytest.raises(DomainError, match=r"folder\.yaml could not be read: Is a directory\."):
        load(str(tmp_path / "folder.yaml"))


def test_an_unknown_skill_and_a_train_probe_are_refused(written):
    domain = load(written(GOOD))

    with pytest.raises(DomainError, match="Halves has no skill “Z9”. It has: H1, H2"):
        domain.size("Z9", Split.GATE)
    with pytest.raises(ValueError, match="train"):
        domain.probes("H1", Split.TRAIN, 1, seed=0)


@pytest.mark.parametrize("name", ["again.yaml", "again.yml", "again.jsonl"])
def test_an_exported_file_reads_back_as_the_same_domain(written, tmp_path, name):
    domain = load(written(SHOWN))

    export(domain, tmp_path / name)

    assert load(str(tmp_path / name)) == domain


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).map(
    lambda words: f"x{words}y"
)


@settings(max_examples=30, deadline=None)
@pytest.mark.slow
@given(st.lists(WORDS, min_size=3, max_size=6, unique_by=question_key), WORDS, WORDS)
def test_any_words_survive_the_way_out_and_back(tmp_path_factory, questions, title, reference):
    folder = tmp_path_factory.mktemp("export")
    yaml_file, json_file = folder / "a.yaml", folder / "a.jsonl"
    probes = [{"question": q, "reference": reference} for q in questions]
    document = {"skills": [{"id": "S", "title": title, "probes": probes}]}
    yaml_file.write_text(json.dumps(document, ensure_ascii=False))
    domain = load(str(yaml_file))

    export(domain, json_file)
    again = load(str(json_file))
    export(again, yaml_file)

    assert load(str(yaml_file)) == again == domain
    assert again.skills[0].title == title


def test_a_generated_domain_is_exported_up_to_a_limit(tmp_path):
    export(load("foundations"), tmp_path / "f.jsonl", limit=6)
    domain = load(str(tmp_path / "f.jsonl"))

    assert domain.skills == load("foundations").skills
    assert [domain.size("A3", split) for split in Split] == [6, 6, 6, 6]
    assert domain.size("T1", Split.TRAIN) == 0


def test_a_failed_export_leaves_the_old_file_and_nothing_beside_it(tmp_path, written, monkeypatch):
    domain, path = load(written(GOOD)), tmp_path / "halves.yaml"

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(OutOfSpace, match=r"halves\.yaml could not be written"):
        export(domain, path)
    monkeypatch.undo()

    assert path.read_text() == GOOD
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(DomainError, match="could not be written: No such file or directory"):
        export(domain, tmp_path / "nowhere" / "x.yaml")
    with pytest.raises(DomainError, match=r"x\.txt does not"):
        export(domain, tmp_path / "x.txt")


def test_the_examples_of_the_documentation_are_read(written):
    text = Path("docs/domains.md").read_text(encoding="utf-8")
    yaml_example = text.split("```yaml\n")[1].split("```")[0]

    domain = load(written(yaml_example))

    assert [domain.size("H1", split) for split in Split] == [1, 1, 2, 1]
    assert domain.problems("H1", 1, seed=0)[0].worked == "5 + 5 = 10. Answer: 5"
