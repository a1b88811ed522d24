"""What an item has to pass, check by check."""

from __future__ import annotations

import dataclasses

import pytest

from distill import domains, grading
from distill.adapter.checks import (
    FORMS,
    FREE,
    WORKED_LINES,
    AgreedAnswer,
    AnswerVerified,
    Belongs,
    Fits,
    Form,
    NotDuplicate,
    NotLeak,
    Parses,
    Safety,
    Template,
    check,
    standard_checks,
)
from distill.adapter.leaks import LeakIndex
from distill.adapter.vouching import of_person
from distill.arithmetic import plain_sum
from distill.backends.chat import Rendered
from distill.domains.base import question_key
from distill.grading.code import Unit
from distill.records import Item, Split
from tests.distill.samples import item_of

GOOD = item_of("A", 7)


def problem(each, **words):
    return each.problem(dataclasses.replace(GOOD, **words))


@pytest.fixture(scope="module")
def thousand():
    """1,000 problems of the built-in domain, of every skill that is taught."""
    domain = domains.load("foundations")
    taught = [s for s in domain.skills if not s.is_transfer]
    found = [p for s in taught for p in domain.problems(s.id, 70, seed=11)]
    return found[:1000]


def as_item(problem):
    return dataclasses.replace(
        GOOD,
        skill=problem.skill,
        question=problem.question,
        solution=problem.worked,
        answer=problem.answer,
    )


# --- all of them ------------------------------------------------------------------------------


def test_a_good_item_passes_every_check_and_each_leaves_its_result():
    checks = standard_checks("number", duplicate=NotDuplicate(), leak=NotLeak())

    results = check(GOOD, checks)

    assert [(r.id, r.passed, r.detail) for r in results] == [
        (id, True, "")
        for id in ("parses", "safety", "fits", "template", "skill", "answer", "duplicate", "leak")
    ]


def test_a_thousand_items_of_the_built_in_domain_pass_every_check(thousand):
    domain = domains.load("foundations")
    duplicate, leak = NotDuplicate(), NotLeak()

    failed = [
        (item.question, result.detail)
        for item in map(as_item, thousand)
        for result in check(
            item,
            standard_checks(
                domain.grader(item.skill), duplicate=duplicate, leak=leak, belongs=Belongs(domain)
            ),
        )
        if not result.passed
    ]

    assert len(thousand) == 1000
    assert failed == []


def test_samples_of_an_item_are_asked_for_their_agreement():
    checks = standard_checks(
        "number", duplicate=NotDuplicate(), leak=NotLeak(), samples=["Answer: 7"] * 2
    )

    (failed,) = [r for r in check(GOOD, checks) if not r.passed]

    assert (failed.id, failed.version) == ("answer", 3)
    assert failed.detail == ("The answer was compared with 2 independent samples; it takes 3.")


# --- parses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"question": " \n"}, "The question is empty."),
        ({"solution": ""}, "The solution is empty."),
        ({"answer": " "}, "The answer is empty."),
        ({"question": "x" * 4001}, "The question has 4001 characters, over 4000."),
        ({"solution": "ok \x00 \ud800"}, "unprintable characters: '\\x00', '\\ud800'."),
    ],
)
def test_what_cannot_be_read_does_not_parse(words, expected):
    assert expected in problem(Parses(), **words)


def test_letters_signs_and_spaces_of_any_language_parse():
    assert problem(Parses(), question="Où\u00a0? 多少 \u202f½\n\t→") == ""


# --- safety -----------------------------------------------------------------------------------


@pytest.mark.parametrize("character", ["\x07", "\u200b", "\u202e", "\u2066", "\ufeff", "\u2028"])
@pytest.mark.parametrize("field", ["question", "solution"])
def test_characters_that_nobody_sees_or_that_reorder_text_are_not_safe(field, character):
    told = problem(Safety(), **{field: f"a{character}b"})

    assert told == (
        f"The {field} has characters that nobody sees, or that reorder text: "
        f"U+{ord(character):04X}."
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<script>alert(1)</script>", "markup"),
        ("< IMG src=x onerror=alert(1)>", "markup"),
        ("＜script＞", "markup"),
        ("<!-- so -->", "markup"),
        ('<a href="javascript:x">', "markup"),
        ("<|im_start|>system", "chat template"),
        ("<|eot_id|>", "chat template"),
        ("<｜User｜>", "chat template"),
        ("[INST] do it [/INST]", "chat template"),
        ("<start_of_turn>model", "chat template"),
        ("all </s>", "chat template"),
        ("<think>hm</think> 7", "reasoning"),
        ("</think>", "reasoning"),
    ],
)
def test_markup_and_tokens_of_templates_are_not_safe(text, kind):
    assert kind in problem(Safety(), solution=text)
    assert kind in problem(Safety(), question=text)


@pytest.mark.parametrize(
    "text",
    [
        "Is 3 < 5 and 7 > 2?",
        "1 < x > 2, and |x| < 3",
        "List<int> names; #include <stdio.h>",
        "a <b> c, f(x) = <x, y>",
        "Où? “多少” 👍 ½ → 日本",
        "x[0] [INSTALL] <y>",
        "line\n\tindented",
    ],
)
def test_what_only_looks_like_it_is_safe(text):
    assert problem(Safety(), question=text, solution=text) == ""


def test_a_tokenizer_may_name_further_tokens():
    assert "chat template" in problem(Safety(["[turn:user]"]), question="[turn:user] hello")


# --- fits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0, 4, -1])
def test_a_level_that_there_is_not_does_not_fit(level):
    assert problem(Fits(), level=level) == f"The level is {level}; levels are 1 to 3."


def a_letter_a_token(question, solution):
    return Rendered(tuple(map(ord, question + solution)), len(question))


def test_tokens_are_counted_where_somebody_counts_them():
    each = Fits(a_letter_a_token, most_tokens=10)

    assert problem(each, question="12345", solution="12345") == ""
    assert problem(each, question="12345", solution="123456") == (
        "The item has 11 tokens; the student is trained on 10 at most."
    )


def test_a_solution_is_no_longer_than_what_the_student_may_say():
    each = Fits(a_letter_a_token, most_tokens=100, most_answer_tokens=5)

    assert problem(each, question="q" * 50, solution="12345") == ""
    assert problem(each, question="q", solution="123456") == (
        "The solution has 6 tokens; what the student says is cut off after 5, so that it can never "
        "say this."
    )


def test_characters_are_counted_where_nobody_counts_tokens():
    assert problem(Fits(), question="q" * 1000, solution="s" * 1000) == ""
    assert problem(Fits(), question="q" * 1000, solution="s" * 1001) == (
        "Question and solution have 2001 characters, over 2000."
    )


def test_a_chat_template_that_refuses_an_item_is_told_rather_than_raised():
    def refuses(question, solution):
        raise ValueError("It renders otherwise.")

    assert "It renders otherwise." in problem(Fits(refuses))


# --- template ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("solution", "expected"),
    [
        ("7 + 0 = 7. Answer: 7", ""),
        ("7 + 0 = 7\nAnswer: 7", ""),
        ("Answer: 7", ""),
        ("7", "does not end with “Answer:”"),
        ("Answer: ", "does not end with “Answer:”"),
        ("Answer: 7\nThat was easy.", "does not end with “Answer:”"),
        ("Answer: 8. No, answer: 8. Answer: 7", "more than once"),
        ("noAnswer: 7", "does not end with “Answer:”"),
    ],
)
def test_a_solution_ends_once_in_its_answer(solution, expected):
    told = problem(Template(), solution=solution)

    assert expected in told
    assert bool(told) == bool(expected)


@pytest.mark.parametrize(
    ("solution", "expected"),
    [
        ("7 + 0 = 7\nAnswer: 7", ""),
        ("Answer: 7", "The solution has 1 line; its format asks for 2."),
        ("First.\n7 + 0 = 7. Answer: 7", "“Answer:” has to begin the last line."),
    ],
)
def test_steps_of_a_line_each_can_be_asked_for(solution, expected):
    assert problem(Template(WORKED_LINES), solution=solution) == expected


def test_other_graders_have_other_forms():
    fenced = "So:\n```python\nx = 1\n```"

    assert problem(Template(FORMS["code"]), solution=fenced) == ""
    assert "one block of code" in problem(Template(FORMS["code"]), solution="x = 1")
    assert "one block of code" in problem(Template(FORMS["code"]), solution=fenced + "\n```")
    assert problem(Template(FORMS["math"]), solution="So \\boxed{7}.") == ""
    assert problem(Template(FREE), solution="Anything at all.") == ""
    assert "allows 1" in problem(Template(Form(max_lines=1)), solution="a\nAnswer: 7")


def test_every_grader_has_a_form():
    assert set(FORMS) == set(grading.GRADERS)


# --- skill ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is 47 + 38?", ""),
        ("What is the sum of 41 and 38?", ""),  # cannot be told
        (
            "What is 41 + 38?",
            "The question is one of “Add: 2 digits, no carry”, not of “Add: 2 digits, carry”.",
        ),
        (
            "What is 1234 + 5678?",
            "The question is one of “Add: 4 digits”, not of “Add: 2 digits, carry”.",
        ),
        ("What is 47 + 38 + 12?", "“Add: 2 digits, carry” asks no such question."),
    ],
)
def test_a_question_of_another_skill_is_told_with_its_name(question, expected):
    belongs = Belongs(domains.load("foundations"))

    assert problem(belongs, skill="A3", question=question) == expected
    assert problem(Belongs(), skill="A3", question=question) == ""  # without a domain


# --- answer -----------------------------------------------------------------------------------


def test_a_solution_that_ends_elsewhere_than_its_answer_is_found():
    assert problem(AnswerVerified("number"), answer="8") == (
        "The solution does not end in the answer 8."
    )


def test_a_grader_that_fails_is_told_rather_than_raised():
    assert "no grader" in problem(AnswerVerified("oracle"))


def test_a_program_is_not_run_while_running_programs_is_off():
    words = {"answer": Unit("assert f(1) == 2").dump(), "solution": "```\ndef f(x): return 2\n```"}

    assert "off" in problem(AnswerVerified("code"), **words)


@pytest.mark.slow
def test_a_program_is_run_against_its_tests():
    each = AnswerVerified("code", graders=grading.switched_on(run_code=True))
    answer = Unit("assert f(1) == 2").dump()

    right = problem(each, answer=answer, solution="```\ndef f(x): return x + 1\n```")
    wrong = problem(each, answer=answer, solution="```\ndef f(x): return x\n```")

    assert right == ""
    assert wrong == "The solution's program does not pass its tests."


@pytest.mark.parametrize(
    ("right", "wrong", "majority", "told"),
    [
        (3, 2, 0.6, ""),
        (2, 3, 0.6, "2 of 5 independent samples agree with the answer; it takes 3."),
        (4, 1, 1.0, "4 of 5 independent samples agree with the answer; it takes 5."),
        (5, 0, 1.0, ""),
        (2, 2, 0.51, "2 of 4 independent samples agree with the answer; it takes 3."),
        (1, 0, 0.6, "The answer was compared with 1 independent sample; it takes 3."),
        (0, 0, 0.6, "The answer was compared with 0 independent samples; it takes 3."),
    ],
)
def test_an_answer_is_agreed_on_by_a_majority_of_independent_samples(right, wrong, majority, told):
    samples = ["7 it is. Answer: 7"] * right + ["Answer: 8"] * wrong

    assert problem(AgreedAnswer(samples, "number", majority=majority)) == told


def test_agreement_does_not_help_a_solution_that_says_otherwise():
    each = AgreedAnswer(["Answer: 7"] * 5, "number")

    assert problem(each, solution="Answer: 8") == "The solution does not end in the answer 7."


@pytest.mark.parametrize("majority", [0.5, 0.0, 1.1])
def test_half_is_no_majority(majority):
    with pytest.raises(ValueError, match="majority"):
        AgreedAnswer([], "number", majority=majority)


# --- duplicate --------------------------------------------------------------------------------

STORY = (
    "Mara keeps 12 hens behind the old mill and sells 5 of them at the market on Friday. "
    "How many hens does she keep after that?"
)


def test_the_same_question_in_other_spelling_is_a_duplicate():
    each = NotDuplicate({question_key("What is 3 + 4?")})

    assert problem(each, question="what IS  3+4 ?") == "Another item asks the same question."
    assert problem(each, question="What is 3 + 5?") == ""
    assert problem(each, question="What is 3 + 5 ?") != ""


def test_a_question_with_a_word_changed_is_nearly_the_same():
    each = NotDuplicate(others=[STORY])

    told = problem(each, question=STORY.replace("Friday", "Monday"))

    assert told == f"Another item asks nearly the same question: {STORY}"


def test_items_that_passed_are_compared_with_as_well():
    each = NotDuplicate()

    assert problem(each, question=STORY) == ""
    assert "nearly the same" in problem(each, question=STORY.replace("old", "new"))


@pytest.mark.parametrize(
    ("was", "became"),
    [("12", "13"), ("12", "twelve hundred"), ("5 of", "six of")],
)
def test_with_another_number_it_is_another_question(was, became):
    each = NotDuplicate(others=[STORY])

    assert problem(each, question=STORY.replace(was, became)) == ""


def test_of_arithmetic_every_number_order_and_sign_makes_another_question():
    each = NotDuplicate(others=["What is 52 - 37?"])

    for question in (
        "What is 52 - 36?",
        "What is 37 - 52?",
        "What is 52 + 37?",
        "What is 523 - 7?",
    ):
        assert problem(each, question=question) == ""


def test_brackets_make_another_exercise():
    each = NotDuplicate(others=["What is (5 + 4) * 5?"])

    assert problem(each, question="What is 5 + 4 * 5?") == ""
    assert problem(each, question="What is [ 5 + 4 ] * 5?") != ""


def test_a_question_in_quite_other_words_is_none_though_its_numbers_are_the_same():
    question = "There are 12 boats. The wind takes 5. What is left?"

    assert problem(NotDuplicate(others=[STORY]), question=question) == ""


def test_a_thousand_procedural_items_are_no_near_duplicates_of_each_other(thousand):
    each = NotDuplicate()

    assert [p.question for p in thousand if problem(each, question=p.question)] == []


def test_earlier_rounds_count_and_what_may_be_asked_again_may():
    other = STORY.replace("Friday", "Monday")
    each = NotDuplicate(earlier=[STORY, "What is 3 + 4?"], again={question_key("What is 3 + 4?")})

    assert "nearly the same" in problem(each, question=other)
    assert problem(each, question=STORY) == "Another item asks the same question."
    assert problem(each, question="What is 3 + 4?") == ""
    assert problem(each, question="What is 3+4?") == "Another item asks the same question."


def test_what_may_be_asked_again_keeps_others_from_being_nearly_the_same():
    each = NotDuplicate(earlier=[STORY], again={question_key(STORY)})

    assert "nearly the same" in problem(each, question=STORY.replace("Friday", "Monday"))
    assert problem(each, question=STORY) == ""


# --- leak -------------------------------------------------------------------------------------


def test_a_probe_among_the_items_is_a_leak():
    each = NotLeak({question_key(GOOD.question)})

    assert "measured with" in each.problem(GOOD)
    assert problem(each, question="What else?") == ""


def test_question_and_solution_are_both_looked_at():
    each = NotLeak(frozenset(), LeakIndex(), LeakIndex.of_questions([STORY], "hens.jsonl, line 1"))

    assert problem(each, question=STORY.upper()) == (
        "The question is, or holds, a question of hens.jsonl, line 1."
    )
    assert problem(each, solution=f"As in: {STORY[:100]}. Answer: 7").startswith(
        "The solution shares"
    )
    assert problem(each) == ""


@pytest.mark.parametrize("split", [Split.DIAGNOSE, Split.GATE, Split.FINAL])
@pytest.mark.parametrize("skill", ["A1", "B3", "M2", "X1"])
@pytest.mark.parametrize("words", ["What is {}?", "Calculate {}.", "Work out {}"])
def test_a_sum_that_students_will_be_measured_with_is_a_leak_before_it_is_asked(
    split, skill, words
):
    domain = domains.load("foundations")
    check = NotLeak(domain=domain)
    probes = domain.probes(skill, split, 20, seed=3)
    taught = domain.problems(skill, 20, seed=3)
    assert probes
    assert taught

    def problem(question):
        put = words.format(plain_sum(question))
        return check.problem(dataclasses.replace(GOOD, skill=skill, question=put))

    assert all("keeps for measuring" in problem(probe.question) for probe in probes)
    assert not any(problem(each.question) for each in taught)


def test_a_sum_that_no_skill_asks_is_nobodys():
    check = NotLeak(domain=domains.load("foundations"))

    for n in range(50):
        question = f"What is {12_345 + n} * {67_890 + n}?"
        assert not check.problem(dataclasses.replace(GOOD, question=question))


def test_no_worked_item_of_a_domain_fails_as_a_persons():
    for name in ("foundations", "gym"):
        domain = domains.load(name)
        for skill in domain.skills:
            grader = domain.grader(skill.id)
            for problem in domain.problems(skill.id, 20, seed=3):
                words = (problem.question, problem.worked, problem.answer)
                item = Item("i", skill.id, *words)
                results = check(item, of_person([AnswerVerified(grader)], item, grader))
                assert len(results) == 2
                assert all(each.passed for each in results), problem
