"""What students are measured with is found in an item, however it is spelled; all else is not."""

from __future__ import annotations

import json
import random
import re
import string

import pytest
from typer.testing import CliRunner

from curriculum.exports import formats
from curriculum.exports.items import Pair, Row
from distill import domains
from distill.adapter.leaks import LeakIndex, Unseen, questions_to_come, registered
from distill.adapter.normal import operators, plain, signature, words
from distill.cli import app
from distill.errors import DomainError
from distill.records import Split

LONG = (
    "A ferryman's boat carries 14 passengers on each of its 6 crossings. If $3.50 is paid by "
    "everyone, how much – in dollars – is earned before the café on the pier closes?"
)
ROWS = [
    {"question": LONG, "answer": "294", "solution": "He earns 14 x 6 x 3.5."},
    {"question": "Compute $\\frac{3}{8}+\\frac{1}{4}$.", "answer": "5/8"},
    {"question": "( not ( True ) or False ) is", "answer": "False"},
    {"question": "((-3 + 4 * 7) - (2 - -9 + 1)) =", "answer": "15"},
    {"question": "9 + 6 ÷ 3 =\n(A) 5\n(B) 11", "answer": "B"},
    {"question": "What is marl?", "answer": "A mudstone that is rich in lime, " + "and so on " * 9},
    {"question": "Écris « naïve » à l'envers.", "answer": "evian"},
    {"question": "Shorten this.", "input": "The otter, which swam, swam home.", "answer": "."},
    {"question": "def area(r: float) -> float:\n    '''Of a circle.'''\n", "answer": "return 1"},
    {"question": "Sort 3, 45, 12.", "answer": "3, 12, 45"},
    {"question": "What is 52 - 37?", "answer": "15"},
]


def respelled(change):
    return pytest.param(change, id=change.__name__.strip("_"))


def _as_it_is(text):
    return text


def _upper(text):
    return text.upper()


def _without_spaces(text):
    return re.sub(r"\s", "", text)


def _spaced_out(text):
    return " \n".join(text)


def _other_spaces(text):
    return re.sub(r"\s+", "\u2003\t\u00a0", text)


def _without_punctuation(text):
    return re.sub(r"[^\w\s]", "", text)


def _dots_for_punctuation(text):
    return re.sub(r"[^\w\s]", " . ", text)


def _dashes_for_punctuation(text):
    return re.sub(r"[^\w\s]", "-", text)


def _commas_between_words(text):
    return re.sub(r"\s+", " , ", text)


def _wide(text):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _typeset(text):
    return text.replace("'", "’").replace("-", "−").replace('"', "“").replace(".", "。")


def _without_accents(text):
    return plain(text)


def _with_zero_width(text):
    return "\u200b".join(text)


CHANGES = [
    respelled(change)
    for change in (
        _as_it_is,
        _upper,
        _without_spaces,
        _spaced_out,
        _other_spaces,
        _without_punctuation,
        _dots_for_punctuation,
        _dashes_for_punctuation,
        _commas_between_words,
        _wide,
        _typeset,
        _without_accents,
        _with_zero_width,
    )
]


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def file(tmp_path):
    return written(tmp_path / "unseen.jsonl", ROWS)


@pytest.fixture
def index(file):
    return LeakIndex.of_files([file])


# --- found ------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", CHANGES)
def test_every_question_is_found_in_any_case_spacing_and_punctuation(index, change):
    asked = [row["question"] for row in ROWS]
    asked += [f"{row['question']}\n{row['input']}" for row in ROWS if "input" in row]

    assert [q for q in asked if not index.find(change(q))] == []


@pytest.mark.parametrize("seed", range(20))
def test_any_punctuation_may_stand_for_any_other(index, seed):
    dice = random.Random(seed)
    # but for short bare calculations: + for - there is another question
    for row in ROWS[:9]:
        asked = re.sub(r"[^\w\s]", lambda _: dice.choice(string.punctuation), row["question"])

        if operators(plain(asked)) is None or "-" not in row["question"]:
            assert index.find(asked), asked


def test_a_short_question_is_found_inside_other_words(index):
    assert "unseen.jsonl, line 6" in index.find("Please tell me: WHAT IS MARL, and why?")
    assert "unseen.jsonl, line 11" in index.find("Think first. What is 52-37? Say it.")


def test_thirteen_words_in_a_row_of_a_question_are_found_and_twelve_are_not(index):
    tokens = words(LONG)

    assert index.find("Now " + " ".join(tokens[3:16]) + " so there") == (
        "The text shares 13 words in a row with unseen.jsonl, line 1."
    )
    assert index.find("Now " + " ".join(tokens[3:15]) + " so there") == ""


def test_thirteen_words_in_a_row_of_an_answer_are_found(index):
    assert "13 words in a row with unseen.jsonl, line 6" in index.find(ROWS[5]["answer"])


def test_an_instruction_alone_is_found_only_where_it_is_all_of_the_text(index):
    assert "line 8" in index.find("shorten this!")
    assert index.find("Shorten this. Cats are animals.") == ""


# --- not found --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "What is 52 + 37?",
        "What is 52 - 370?",
        "What is 5 - 237?",
        "What is 37 - 52?",
        "What is 52 - 37 * 2?",
        "What is 3 * 52 - 37?",
        "What is 52 - 37.5?",
        "Sort 34, 5, 12.",
        "Sort 3, 45, 12, 7.",
        "Sort 345, 12.",
        "What is marlin?",
        "Compute $\\frac{3}{8}-\\frac{1}{4}$.",
        "",
        "?!",
    ],
)
def test_other_numbers_and_operators_are_other_questions(index, text):
    assert index.find(text) == ""


def test_brackets_that_change_a_result_make_another_question():
    index = LeakIndex.of_questions(["What is 4 * (9 - 6)?"])

    assert index.find("What is 4 * 9 - 6?") == ""
    assert index.find("What is 4*( 9-6 )") != ""


def test_a_few_bare_numbers_are_found_only_where_they_are_all_of_the_text():
    index = LeakIndex.of_questions(["1 + 2 ="])

    assert index.find("1 + 2") != ""
    assert index.find("Sort 9, 1, 2") == ""


def test_items_of_the_built_in_domain_are_no_leaks_of_its_own_probes_nor_of_a_benchmark(index):
    domain = domains.load("foundations")
    splits = (Split.DIAGNOSE, Split.GATE, Split.FINAL)
    arithmetic = [s.id for s in domain.skills if s.id[0] in "ABMXEN"]
    own = LeakIndex.of_questions(
        p.question
        for s in arithmetic
        for split in splits
        for p in domain.probes(s, split, 32, seed=0)
    )
    items = [p for s in arithmetic for p in domain.problems(s, 40, seed=1)]

    assert len(own) > 1000
    assert len(items) > 400
    assert [p for p in items for text in (p.question, p.worked) if own.find(text)] == []
    assert [p for p in items for text in (p.question, p.worked) if index.find(text)] == []


# --- how texts are compared -------------------------------------------------------------------


def test_words_have_no_case_accents_width_or_apostrophes():
    assert words("Don’t  PAY “naïve”\u200b $1,000 ﬁnes, ２ ẞ") == (
        ["dont", "pay", "naive", "1", "000", "fines", "2", "ss"]
    )


def test_operators_are_told_from_hyphens_and_from_what_is_neither():
    assert operators(plain("What is 4 × (9 − 6) ÷ x?")) == ("*", "(", "-", ")", "/")
    assert operators(plain("A well-known (odd) either/or fact.")) == ()
    assert operators(plain("52 -")) is None
    assert operators(plain("5 % 2")) is None


def test_numbers_are_numbers_in_words_as_well():
    assert signature("Three of 3 cats, twice: 3x - 4") == ("three", "3", "twice", "3x", "-", "4")


# --- files ------------------------------------------------------------------------------------


def test_a_domain_file_is_indexed_by_its_probes_and_not_by_its_items(tmp_path):
    path = tmp_path / "halves.yaml"
    probes = "".join(
        f'      - {{question: "What is half of {n}?", reference: {n // 2}}}\n' for n in (4, 6, 8)
    )
    path.write_text(
        "domain: halves\nskills:\n  - id: H1\n    title: Halve\n    grader: number\n    probes:\n"
        f'{probes}    items:\n      - {{question: "What is half of 10?", answer: 5}}\n'
    )

    index = LeakIndex.of_files([path])

    assert (
        index.find("what is HALF of 6")
        == "The text is, or holds, a question of halves.yaml, skill H1."
    )
    assert index.find("What is half of 10?") == ""
    assert len(questions_to_come(domains.load(str(path)))) == len(index) == 3
    assert questions_to_come(domains.load("foundations")) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"question": "a b c"}\n{"answer": "1"}\n', "line 2: There is no “question”"),
        ("{not json}\n", "line 1: This is not JSON"),
        ("\n", "line 1: There are no questions"),
    ],
)
def test_a_file_that_cannot_be_compared_with_is_refused_with_its_line(tmp_path, text, told):
    path = tmp_path / "bad.jsonl"
    path.write_text(text)

    with pytest.raises(DomainError, match=told):
        LeakIndex.of_files([path])


def test_registered_are_the_benchmarks_of_a_folder_and_nothing_else(tmp_path):
    for name in ("b.jsonl", "a.yaml", "README.md", ".hidden.jsonl"):
        (tmp_path / name).touch()

    assert [p.name for p in registered(tmp_path)] == ["a.yaml", "b.jsonl"]
    assert registered(tmp_path / "none") == []


FRAME = (
    "Find the greatest common divisor of these numbers: {}. In your final answer give only the "
    "number, and nothing else, on a line of its own."
)


def test_the_words_that_questions_are_put_in_give_none_of_them_away():
    own = "The old lighthouse keeper counts nine ships at dawn and seven more before the rain comes"
    asked = [FRAME.format(pair) for pair in ("12, 18", "21, 35", "8, 36")]
    index = LeakIndex.of_questions([*asked, own])

    assert not index.find(FRAME.format("16, 24"))
    assert index.find(FRAME.format("21, 35"))  # a question is found whole
    assert index.find(f"Listen: {FRAME.format('21, 35')}")
    assert index.find(f"{own.rsplit(' ', 2)[0]} end.")  # thirteen words that are its own
    # of two it is not known whether the words are a frame, or the exercise stands there twice
    assert LeakIndex.of_questions(asked[:2]).find(FRAME.format("16, 24"))


def test_what_is_added_later_is_found_too():
    index = LeakIndex()
    index.add(Unseen("here", "What is marl?"))

    assert index.find("What is marl?") == "The text is, or holds, a question of here."


# --- ioa check-leaks --------------------------------------------------------------------------


def ioa(*said, stdin=None):
    return CliRunner().invoke(app, ["check-leaks", *map(str, said)], input=stdin)


def test_all_lines_of_a_benchmark_are_leaks_of_it(file):
    result = ioa("--against", file, "--items", file, "--json")

    told = json.loads(result.stdout)
    assert (told["items"], told["leaks"], result.exit_code) == (len(ROWS), len(ROWS), 1)
    assert told["found"][0]["line"] == 1


def test_items_of_three_forms_are_read_also_from_stdin(file):
    items = [
        {"question": "What is tuff?", "solution": "Not like this: What is marl? Answer: rock"},
        {
            "messages": [
                {"role": "user", "content": "What is"},
                {"role": "user", "content": "marl?"},
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "What is marl?"}]}]},
        {"question": "Shorten this.", "input": "The otter, which swam, swam home."},
        {"question": "What is tuff?", "solution": "Answer: rock"},
    ]

    result = ioa(
        "--against", file, "--items", "-", "--json", stdin="\n".join(map(json.dumps, items))
    )

    told = json.loads(result.stdout)
    assert (told["items"], told["leaks"]) == (5, 4)
    assert [each["line"] for each in told["found"]] == [1, 2, 3, 4]


ROW = Row("1", "A", 1, "written", 1, "{question}", "{solution}", "1", [])
PAIR = Pair("1", "A", "{question}", "{solution}", "No.")
EXPORTED = [
    *(line(ROW) for line in (formats.messages, formats.alpaca, formats.sharegpt)),
    *(line(PAIR) for line in (formats.dpo, formats.dpo_sharegpt)),
    {"prompt": "{question}", "completion": "{solution}"},
    {"prompt": "{question}", "chosen": "{solution}", "rejected": "No."},
]


@pytest.mark.parametrize("item", EXPORTED, ids=lambda item: ",".join(item))
@pytest.mark.parametrize("inside", ["{question}", "{solution}"])
def test_every_form_that_items_are_exported_in_is_looked_through(file, item, inside):
    other = {"{question}": "What is tuff?", "{solution}": "Answer: rock"}
    lines = []
    for leaking in ({}, {inside: "Do tell: What is marl? It is a rock."}):
        line = json.dumps(item)
        for name, text in {**other, **leaking}.items():
            line = line.replace(name, text)
        lines.append(line)

    result = ioa("--against", file, "--items", "-", "--json", stdin="\n".join(lines))

    told = json.loads(result.stdout)
    assert (told["items"], [each["line"] for each in told["found"]]) == (2, [2])


def test_without_leaks_the_status_is_0_and_several_files_may_follow_one_against(tmp_path, file):
    other = written(tmp_path / "other.jsonl", [{"question": "Who wrote it?"}])
    third = written(tmp_path / "third.jsonl", [{"question": "When was it written?"}])
    items = written(tmp_path / "items.jsonl", [{"question": "What is tuff?"}])

    result = ioa("--against", file, other, "--items", items, "--against", third)

    assert result.exit_code == 0, result.output
    assert "0 of 1 items leak; compared with 13 questions." in result.stdout


def test_a_table_names_the_line_and_what_it_holds(file):
    result = ioa("--against", file, "--items", file)

    assert result.exit_code == 1
    assert "11 of 11 items leak" in result.stdout
    assert "unseen.jsonl, line 1" in result.stdout


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"answer": "1"}', "line 1: This is no item"),
        ('{"prompt": []}', "line 1: This is no item"),
        ("[]", "line 1: Each line has to be a JSON object"),
        ('{"messages": []}', "line 1: This is no item"),
    ],
)
def test_what_is_no_item_is_one_sentence_and_no_figures(tmp_path, file, line, sentence):
    items = tmp_path / "items.jsonl"
    items.write_text(line)

    result = ioa("--against", file, "--items", items, "--json")

    assert (result.exit_code, result.stdout) == (1, "")
    assert sentence in " ".join(result.stderr.split())


def test_a_file_without_an_item_is_not_called_free_of_leaks(tmp_path, file):
    empty = tmp_path / "empty.jsonl"
    empty.touch()

    result = ioa("--against", file, "--items", empty)

    assert result.exit_code == 1
    assert "There is no item in" in result.stderr
