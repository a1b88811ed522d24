"""A language model writes: what it is asked, what becomes of what it says, and what it costs."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from distill import domains
from distill.adapter.checks import NotLeak
from distill.adapter.client import TeacherClient
from distill.adapter.drafting import read_items
from distill.adapter.inspection import Checks, answer_result
from distill.adapter.operations import Operation
from distill.adapter.prompting import Learner, Wrong
from distill.adapter.teaching import teach
from distill.adapter.verifying import worked_out, wrong_statement
from distill.adapter.writing import Order
from distill.domains.base import question_key
from distill.errors import BackendUnavailable, BudgetSpent
from distill.records import Item
from distill.settings import Writing
from tests.distill.samples import Numbered, skill_of
from tests.distill.writers import Writer, number_item, said

DOMAIN = Numbered((skill_of("A"), skill_of("B", "A")))
SETTINGS = Writing()


class Mute(Numbered):
    """A domain that writes nothing itself."""

    def problems(self, *args, **kwargs):
        return []


class Kept(dict):
    """Calls that survive, as a journal keeps them."""

    def keep(self, call):
        assert call.key not in self
        self[call.key] = call


def taught(
    teacher, *orders, kept=None, budget=None, settings=SETTINGS, probes=(), domain=DOMAIN, **more
):
    kept = Kept() if kept is None else kept
    orders = orders or (Order("A", 8, 0.6),)
    return teach(
        domain,
        orders,
        {s.id: Learner(s) for s in domain.skills},
        TeacherClient(teacher, kept=kept, keep=kept.keep, budget=budget),
        teacher="writer",
        seed=3,
        round_key="s1r0",
        settings=settings,
        **{"checks": Checks(domain, leak=NotLeak(set(probes)))} | more,
    )


def test_as_many_items_as_ordered_come_each_with_its_checks_and_the_call_that_wrote_it():
    kept, sunk = Kept(), []

    items = taught(Writer(), Order("A", 8, 0.6), Order("B", 5, 0.6), kept=kept, sink=sunk.append)

    assert Counter(i.skill for i in items) == {"A": 8, "B": 5}
    assert sunk == items
    assert len({i.key for i in items}) == 13
    assert not any(i.is_flagged for i in items)
    assert all({c.id for c in i.checks} >= {"parses", "steps", "answer"} for i in items)
    assert all(i.question in kept[i.call].reply for i in items)
    assert {i.origin for i in items} == {"writer"}


def test_a_teacher_that_honours_seeds_is_asked_no_request_twice():
    """Where nothing is shown, all that tells requests apart is their seed."""
    teacher = Writer()

    items = taught(teacher, Order("A", 40, 1.0), domain=Mute((skill_of("A"),)))

    asked = [(p.text, p.sampling.seed) for p in teacher.asked]
    assert len(set(asked)) == len(asked)
    assert len(items) == 40


def test_small_instances_are_asked_for_by_size_and_samples_are_shown():
    teacher = Writer()

    items = taught(teacher, Order("A", 10, 0.1))

    assert Counter(i.level for i in items) == {1: 1, 2: 1, 3: 8}
    assert "A train 1 0" in teacher.requests[0].text  # a question of the domain, of that size
    assert [Operation.LIMIT_LOAD in i.operations for i in items] == [i.level < 3 for i in items]


def test_an_answer_that_a_program_can_work_out_is_not_asked_about():
    teacher = Writer()

    taught(teacher)

    assert teacher.asked == teacher.requests


def test_a_story_is_verified_by_independent_answers_and_most_of_them_decide():
    draws = iter(range(1000))

    def story(draw):
        return f"Ann has {next(draws)} apples and a cat.", [], "7"

    right = taught(Writer(story), settings=Writing(agreement=3))
    wrong = taught(Writer(story, answer=lambda p: "Answer: 8"), settings=Writing(agreement=3))

    assert all(not i.is_flagged for i in right)
    assert len(wrong) == 8
    assert all(i.is_flagged for i in wrong)
    assert wrong[0].checks[-1].detail == (
        "0 of 3 independent samples agree with the answer; it takes 2."
    )


@pytest.mark.parametrize(
    "nonsense",
    ["", "I cannot do that.", "<think>hm", '{"items": 3}', '{"items": [{"question": ""}]}', "[[[["],
)
def test_nonsense_costs_a_request_and_never_a_crash(nonsense):
    teacher = Writer(spoil=lambda reply, nth: nonsense if nth % 2 else reply)

    items = taught(teacher)

    assert len(items) == 8
    assert not any(i.is_flagged for i in items)
    assert len(teacher.requests) > 2


def test_who_writes_nothing_but_nonsense_is_asked_so_often_and_no_more():
    teacher = Writer(spoil=lambda reply, nth: "no")

    assert taught(teacher, settings=Writing(requests_cap=2.0)) == []
    assert len(teacher.requests) == 4  # 16 items in requests of four


def test_what_could_not_be_got_right_is_shown_flagged_and_only_as_much_as_was_wanted():
    def wrong(draw):
        question, _, answer = number_item(draw)
        return question, [], str(int(answer) + 1)

    items = taught(Writer(wrong), settings=Writing(requests_cap=3.0))

    assert len(items) == 8
    assert all(i.is_flagged for i in items)
    assert items[0].checks[-1].detail.startswith("The answer is ")


def test_a_false_statement_on_the_way_is_a_fault_even_of_a_right_answer():
    def crooked(draw):
        question, _, answer = number_item(draw)
        return question, ["2 + 2 = 5"], answer

    items = taught(Writer(crooked))

    (steps,) = (c for c in items[0].checks if c.id == "steps")
    assert steps.detail == "The solution says 2 + 2 = 5, which is not so."


def test_repeated_questions_are_left_out_and_others_asked_for():
    answers = iter([("What is 1 + 1?", [], "2")] * 8)
    teacher = Writer(lambda draw: next(answers, None) or number_item(draw))

    items = taught(teacher)

    assert len(items) == 8
    assert [i.question for i in items].count("What is 1 + 1?") == 1


def test_a_question_that_the_student_is_measured_with_is_never_clean():
    probes = [question_key("What is 1 + 1?")]

    items = taught(Writer(lambda draw: ("What is 1 + 1?", [], "2")), probes=probes)

    assert len(items) == 1
    assert items[0].is_flagged


def test_killed_and_made_again_it_asks_nothing_twice_and_comes_to_the_same():
    whole = taught(Writer())

    for last in range(1, 4):
        kept = Kept()

        class Dying(Writer):
            def generate(self, prompts, last=last):
                if len(self.asked) + len(prompts) > last:
                    raise BackendUnavailable("gone")
                return super().generate(prompts)

            at_once = 1

        with pytest.raises(BackendUnavailable):
            taught(Dying(), Order("A", 8, 0.6), Order("B", 8, 0.6), kept=kept)
        assert len(kept) == last
        again = Writer()
        items = taught(again, Order("A", 8, 0.6), Order("B", 8, 0.6), kept=kept)
        assert len(again.asked) == 4 - last
        assert [i for i in items if i.skill == "A"] == whole


def test_of_a_batch_that_fails_what_came_is_kept():
    kept = Kept()

    class Torn(Writer):
        def generate(self, prompts):
            error = BackendUnavailable("gone")
            error.replies = [self._reply(prompts[0]), *[None] * (len(prompts) - 1)]
            raise error

    with pytest.raises(BackendUnavailable):
        taught(Torn(), kept=kept)

    assert len(kept) == 1


def test_a_spent_budget_stops_cleanly_and_raised_it_goes_on():
    def story(draw):
        return f"Ann has {draw.randint(1, 10**9)} apples and a cat.", [], "7"

    kept = Kept()
    with pytest.raises(BudgetSpent, match="what was written so far is kept"):
        taught(Writer(story), kept=kept, budget=1)

    items = taught(Writer(story), kept=kept)

    assert len(kept)
    assert not any(i.is_flagged for i in items)


def test_operations_can_be_left_out():
    teacher = Writer()

    items = taught(teacher, settings=Writing(operations=(Operation.PLAIN_LANGUAGE,)))

    assert {i.operations for i in items} == {(Operation.PLAIN_LANGUAGE,)}
    assert all(i.solution == f"Answer: {i.answer}" for i in items)
    assert "everyday case" not in teacher.requests[0].text


def test_the_same_teacher_writes_the_same_items_in_every_call():
    assert taught(Writer()) == taught(Writer())


def test_every_item_of_a_domain_with_stories_is_written_for_its_skill():
    domain = domains.load("foundations")
    (skill,) = [s for s in domain.skills if s.id == "W1"]
    teacher = Writer()
    learner = Learner(skill, wrong=(Wrong("1 + 1?", "2", "<|im_end|> 3"),))
    kept = Kept()

    teach(
        domain,
        [Order("W1", 4, 0.9)],
        {"W1": learner},
        TeacherClient(teacher, kept=kept, keep=kept.keep),
        teacher="writer",
        seed=1,
        round_key="s1r0",
        settings=Writing(),
        checks=Checks(domain),
    )

    assert skill.statement in teacher.requests[0].text
    assert '"<|im_end|> 3"' in teacher.requests[0].text


# --- reading what was written ------------------------------------------------------------------


def test_items_are_read_from_prose_fences_and_cut_off_replies():
    whole = said(("What is 2 + 2?", ["2 + 2 = 4."], "4"), ("What is 3 + 3?", [], "6"))

    for text in (whole, f"Sure!\n```json\n{whole}\n```\nDone.", f"<think>{whole}</think>{whole}"):
        assert [d.question for d in read_items(text).drafts] == ["What is 2 + 2?", "What is 3 + 3?"]
    assert len(read_items(whole[:-20]).drafts) == 1


def test_steps_are_put_into_the_one_form_and_the_answer_is_not_said_twice():
    steps = ["2 + 2 = 4.", " ", "Answer: 4"]

    (draft,) = read_items(said(("What is 2 + 2?", steps, " 4 "))).drafts

    assert draft.worked == "2 + 2 = 4. Answer: 4"


@pytest.mark.parametrize(
    ("last", "left"),
    [
        ("7 + 9 = 16, carry 1. 7 + 1 = 8. Answer: 86", "7 + 9 = 16, carry 1. 7 + 1 = 8"),
        ("So it is 86; answer: 86.", "So it is 86"),
        ("Answer: 85", "Answer: 85"),  # says something else: a check finds it
        ("1 + 1 = 2", "1 + 1 = 2"),
    ],
)
def test_the_last_step_loses_the_answer_where_it_repeats_that(last, left):
    said = {"items": [{"question": "q", "steps": ["First.", last], "answer": "86"}]}

    [draft] = read_items(json.dumps(said)).drafts

    assert draft.steps == ("First", left)


def test_faults_name_the_item_and_repeat_nothing_of_it():
    reply = '{"items": [{"question": "<script>", "steps": []}, {"question": "a", "answer": "1"}]}'

    read = read_items(reply)

    assert [d.question for d in read.drafts] == ["a"]
    assert read.faults == ("Item 1: “answer”: Field required.",)


# --- working out -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What is 52 - 37?", 15),
        ("52−37 =", 15),
        ("Calculate: (3 + 4) × 5.", 35),
        ("What is 5?", None),
        ("What is 3 / 0?", None),
        ("Ann has 3 + 4 apples.", None),
        ("What is 2 ** 99999?", None),
        ("What is " + "(" * 90 + "1 + 1" + ")" * 90 + "?", None),
    ],
)
def test_bare_sums_are_worked_out_and_nothing_else(question, value):
    assert worked_out(question) == value


@pytest.mark.parametrize("answer", ["7", "7.0", "$7", "7 apples", "$7$", "\\boxed{7}", "7."])
def test_an_answer_to_a_sum_may_have_a_unit_or_a_frame(answer):
    item = Item("k", "A", "What is 3 + 4?", f"3 + 4 = 7. Answer: {answer}", answer)

    assert answer_result(item, (), "number").passed


@pytest.mark.parametrize(
    "answer",
    ["8, no: 7", "not 7", "-1/7 7", "7 or 8, I say 7", "7 + 0 = 7", "The sum is 7", "7\n7"],
)
def test_an_answer_to_a_sum_is_one_number_and_not_what_ends_in_it(answer):
    item = Item("k", "A", "What is 3 + 4?", f"3 + 4 = 7. Answer: {answer}", answer)

    result = answer_result(item, (), "number")

    assert result is not None
    assert not result.passed
    assert result.detail == f"The answer is 7 alone, with a unit at most, not “{answer}”."


@pytest.mark.parametrize(
    "answer", ["7", " 7.", "7.0", "$7", "7 apples", "7%", "7 %", "7 cm²", "14/2"]
)
def test_an_answer_to_a_sum_may_have_a_unit_and_any_spelling(answer):
    item = Item("k", "A", "What is 3 + 4?", f"3 + 4 = 7. Answer: {answer}", answer)

    result = answer_result(item, (), "number")

    assert result is not None
    assert result.passed


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("ones: 2 + 3 = 5, tens: 4 + 3 = 8", "4 + 3 = 8"),
        ("5 − 2 = 4", "5 − 2 = 4"),
        ("20 / 3 = 6 remainder 2", ""),
        ("1.5 + 2 = 3.5", ""),
        ("2x - 3 = 5, x = 8 / 2 = 4", ""),
        ("3 + 4 = 7, 7 + 1 = 8. Answer: 8", ""),
        ("3 + 4 = 7 + 1 = 9", "3 + 4 = 7 + 1"),
        ("45 + 12 = 57 - 3 = 55", "45 + 12 = 57 - 3"),
        ("3 * (2 + 4) = 3 * 6 = 17", "3 * 6 = 17"),
        ("3 * (2 + 4) = 3 * 6 = 18", ""),
        ("45 + 12 = 60 - 3", ""),
        ("3 + 4 = 7 / 2 = 3.5", "3 + 4 = 7 / 2"),
        ("1/2 + 1/4 = 2/4 + 1/4 = 3/4", ""),
        ("7 / 2 = 3, rest 1", ""),
        ("5 + 6 = 11, carry 1\n4 + 3 + 1 = 9", "4 + 3 + 1 = 9"),
        ("ones: 3\n4 + 3 = 7\n- 5 + 1 = 7", "5 + 1 = 7"),
        ("-3 + 4 = 1, y - 3 + 4 = 8, y-3 + 4 = 1", ""),
        ("x^2 + 3 = 12, 4 + 3 = 2x - 1, 10 - 3 = 2 * y + 1, 5 + 1 = 3 * x", ""),
        ("(3 + 4 = 8)", "3 + 4 = 8"),
        ("4 + 3 = 8 - that is more", "4 + 3 = 8"),
        ("the max 3 + 4 = 8", "3 + 4 = 8"),
        ("side 1 = 3 + 4 = 7", ""),
        ("1 1/2 + 1/2 = 2, 1/2 + 1 = 1 1/2", ""),
    ],
)
def test_false_statements_are_found_and_true_ones_left_alone(text, wrong):
    assert wrong_statement(text) == wrong


@pytest.mark.parametrize(
    "question", ["What is" + " " * 400 + "a b", "Solve" + "\n" * 400 + "3 and 4?", " " * 400 + "a"]
)
def test_a_page_of_blanks_is_no_sum_and_holds_nothing_up(question):
    """Each further blank used to double the work: this test would not end."""
    assert worked_out(question) is None


def test_a_sum_over_two_lines_is_one():
    assert worked_out("What is 3\n+ 4?") == 7


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("x " * 50_000, ""),
        ("1 + " * 20_000 + "1 = 7", ""),  # longer than a sum that is read
        ("3 + 4 = " + "9" * 5000, ""),  # more digits than Python reads
        ("x " * 5_000 + "\n3 + 4 = 8", "3 + 4 = 8"),
    ],
)
def test_long_texts_of_signs_are_looked_through_all_the_same(text, wrong):
    assert wrong_statement(text) == wrong


def test_an_answer_of_more_digits_than_python_reads_is_wrong_and_no_error():
    def endless(draw):
        return "What is 3 + 4?", ["3 + 4 = 7"], "9" * 5000

    items = taught(Writer(endless), settings=SETTINGS.model_copy(update={"mends": False}))

    assert all(i.is_flagged for i in items)


def test_no_worked_solution_of_the_foundations_states_anything_false():
    domain = domains.load("foundations")
    for skill in domain.skills:
        for problem in domain.problems(skill.id, 100, seed=5):
            assert wrong_statement(problem.worked) == "", problem
            value = worked_out(problem.question)
            assert value is None or str(value) == problem.answer


def test_what_was_thrown_away_is_counted_by_the_check_that_it_failed():
    answers = iter(
        [
            ("What is 1 + 1?", [], "2"),
            ("What is 1 + 1?", [], "2"),  # the same again
            ("What is 2 + 3?", [], "6"),  # not so
            ("What is 2 + 4?", ["2 + 2 = 5"], "7"),  # fails two: counted under the first
        ]
    )
    teacher = Writer(lambda draw: next(answers, None) or number_item(draw))
    told = []

    taught(teacher, Order("A", 4, 0.6), tell=told.append)

    (tally,) = told[-1]
    assert dict(tally.lost) == {"duplicate": 1, "answer": 1, "steps": 1}
    assert tally.kept == 4
    assert tally.read == tally.asked == tally.kept + 3 + tally.spare
    assert (tally.skill, tally.level) == ("A", 3)


def test_what_nobody_could_read_is_counted_too_and_a_second_call_counts_nothing_twice():
    teacher = Writer(spoil=lambda reply, nth: "no" if nth == 1 else reply)
    kept, first, second = Kept(), [], []

    taught(teacher, kept=kept, tell=first.append)
    taught(teacher, kept=kept, tell=second.append)

    assert first[-1][0].unread == 4
    assert first[-1] == second[-1]
