"""A teacher's proposal: read from any reply, mended and told, and a domain file in the end."""

from __future__ import annotations

import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill import domains
from distill.backends.scripted import ScriptedBackend
from distill.errors import BackendUnavailable, DistillError, ReplyUnusable
from distill.identifier.decompose import PROMPT_VERSION, Wish, decompose, prompt_text
from distill.identifier.likeness import is_alike
from distill.identifier.proposals import as_domain, slug, unready
from distill.identifier.replies import SCHEMA, ProbeWords, SkillWords, read_reply
from distill.records import Edge, Proposal, Split
from distill.structured import CAP_CHARACTERS

WISH = Wish("Fractions", "Adding and comparing fractions.", ("What is 1/2 + 1/4?",))


def probe(question, answer="1", grader="number"):
    return {"question": question, "answer": answer, "grader": grader}


def skill(id, title, *, builds_on=(), statement="", probes=None, **fields):
    questions = [f"{title}, question {n}: what is {n} + {n}?" for n in range(1, 4)]
    return {
        "id": id,
        "title": title,
        "statement": statement or f"Can do what “{title}” says.",
        "area": "Fractions",
        "level": 1,
        "prerequisites": list(builds_on),
        "probes": [probe(q) for q in questions] if probes is None else probes,
        **fields,
    }


HALVES, ADDING, COMPARING = (
    skill("halves", "Halve a number"),
    skill("add", "Add fractions", builds_on=["halves"], level=2),
    skill("compare", "Say which fraction is larger", builds_on=["halves", "add"], level=3),
)


def said(*skills):
    return json.dumps({"skills": list(skills)}, ensure_ascii=False)


GOOD = said(HALVES, ADDING, COMPARING)


def proposed(*replies, **options):
    return decompose(WISH, ScriptedBackend(replies), **options)


def ids(proposal):
    return [s.id for s in proposal.skills]


def test_a_good_reply_is_skills_edges_and_probes_without_a_notice():
    proposal = proposed(GOOD)

    assert ids(proposal) == ["halves", "add", "compare"]
    assert [s.level for s in proposal.skills] == [1, 2, 3]
    assert proposal.edges == (
        Edge("halves", "add"),
        Edge("halves", "compare"),
        Edge("add", "compare"),
    )
    assert len(proposal.probes) == 9
    assert (proposal.id, proposal.title, proposal.notices) == ("Fractions", "Fractions", ())
    assert (proposal.teacher, proposal.prompt_version) == ("scripted", PROMPT_VERSION)
    assert proposal.asked == 1


@pytest.mark.parametrize(
    "reply",
    [
        f"Sure! Here is {{the list}} [as asked]:\n```json\n{GOOD}\n```\nShall I go on?",
        f'<think>First {{"skills": [{{}}]}}, no.</think>\n{GOOD}',
        f"```\n{json.dumps([HALVES, ADDING, COMPARING])}\n```",
        GOOD.replace("}]}]}", "}],},],}").replace(",},", "},"),
        GOOD.removesuffix("}"),
        '{"areas": ' + GOOD + "}",
        json.dumps({"domain": "x", "skills": [HALVES, ADDING, COMPARING]}, indent=8),
    ],
    ids=[
        "prose and a fence",
        "thinking",
        "a bare list",
        "commas too many",
        "a brace less",
        "wrapped",
        "more",
    ],
)
def test_what_stands_around_the_skills_does_not_matter(reply):
    proposal = proposed(reply)

    assert ids(proposal) == ["halves", "add", "compare"]
    assert proposal.notices == ()


def test_of_a_reply_cut_off_at_each_character_the_whole_skills_are_kept():
    for end in range(len(GOOD) + 1):
        check_cut([HALVES, ADDING, COMPARING], end)


def test_of_a_list_that_is_cut_off_behind_other_lists_the_skills_are_kept():
    reply = json.dumps({"areas": [{"name": "x"}], "skills": [HALVES, ADDING, COMPARING]})

    reading = read_reply(reply[:-9])

    assert [s.skill.id for s in reading.skills] == ["halves", "add"]
    assert reading.faults == ()


TITLES = st.lists(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1), max_size=4)


@pytest.mark.slow
@given(TITLES, st.floats(0, 1))
@settings(max_examples=150, deadline=None)
def test_of_any_reply_cut_off_anywhere_the_whole_skills_are_kept(titles, share):
    skills = [skill(f"s{n}", title, statement=title[::-1]) for n, title in enumerate(titles)]

    check_cut(skills, round(share * len(said(*skills))))


def check_cut(skills, end):
    reply = said(*skills)
    ends = [len(said(*skills[:n]).removesuffix("]}")) for n in range(1, len(skills) + 1)]
    whole = sum(at <= end for at in ends)

    reading = read_reply(reply[:end])

    assert [s.skill.id for s in reading.skills] == [s["id"] for s in skills][:whole]
    assert bool(reading.faults) == (whole == 0)
    is_told = any("cut off" in notice for notice in reading.notices)
    assert is_told == (whole > 0 and end < len(reply) - 1)


@pytest.mark.slow
@given(st.text() | st.text('[]{}",:\\skil \n0e-.', max_size=200))
@settings(max_examples=100, deadline=None)
def test_nothing_a_model_says_raises(text):
    read_reply(text)
    read_reply('{"skills": [' + text)


LEAF = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
OBJECT = st.dictionaries(st.sampled_from(["question", "answer", "grader", "x"]), LEAF)
JSON = LEAF | OBJECT | st.lists(LEAF | OBJECT, max_size=3)
FIELDS = ["id", "statement", "area", "level", "prerequisites", "probes"]
SKILL = st.fixed_dictionaries({"title": st.text() | JSON}, optional=dict.fromkeys(FIELDS, JSON))


@pytest.mark.slow
@given(st.lists(SKILL | JSON, max_size=5))
@settings(max_examples=100, deadline=None)
def test_whatever_the_types_a_proposal_holds_or_a_sentence_is_said(skills):
    try:
        found = ids(proposed(*[said(*skills)] * 2, tries=2))
    except ReplyUnusable:
        return
    assert len(set(found)) == len(found) > 0


def test_a_reply_of_the_wrong_types_is_asked_for_again_with_its_faults():
    wrong = said(skill("halves", "Halve a number", level="easy", probes={"a": 1}))
    teacher = ScriptedBackend([wrong, GOOD])

    proposal = decompose(WISH, teacher)

    assert ids(proposal) == ["halves", "add", "compare"]
    assert proposal.asked == 2
    first, second = (prompt.text for prompt in teacher.asked)
    assert second.startswith(first)
    assert "Skill 1: “level”: Input should be a valid integer" in second
    assert "Skill 1: “probes”: Input should be a valid list" in second


def test_the_form_of_a_reply_is_sent_along_and_is_the_one_that_is_read():
    teacher = ScriptedBackend(["no", GOOD])

    decompose(WISH, teacher)

    assert [prompt.schema for prompt in teacher.asked] == [SCHEMA, SCHEMA]
    skills = SCHEMA["properties"]["skills"]["items"]
    probes = skills["properties"]["probes"]["items"]
    for form, words in ((skills, SkillWords), (probes, ProbeWords)):
        assert set(form["required"]) == set(form["properties"]) == set(words.model_fields)
    for grader in probes["properties"]["grader"]["enum"]:
        assert ProbeWords(question="?", answer="1", grader=grader).grader == grader


class Leaves(ScriptedBackend):
    """Answers from a list, and is gone when the list is at its end."""

    def generate(self, prompts):
        try:
            return super().generate(prompts)
        except BackendUnavailable:
            raise BackendUnavailable("The server is gone.") from None


def test_what_a_teacher_said_before_it_was_gone_is_kept_with_a_notice():
    partly = said(HALVES, skill("odd", "An odd one", level=0))

    proposal = decompose(WISH, Leaves([partly]))

    assert ids(proposal) == ["halves"]
    assert "Asked again, the teacher did not answer: The server is gone." in proposal.notices


@pytest.mark.parametrize("replies", [[], ["no"]])
def test_a_teacher_that_is_gone_before_it_said_anything_usable_is_a_sentence(replies):
    with pytest.raises(BackendUnavailable, match="The server is gone"):
        decompose(WISH, Leaves(replies))


def test_after_the_last_try_what_was_usable_is_kept_and_the_rest_told():
    odd = skill("odd", "An odd one", level=0)
    candidates = [probe("What is 1?"), probe("x", grader="vibes"), probe(" \n\x00")]
    partly = skill("partly", "In part", probes=candidates)

    proposal = proposed(said(HALVES, odd, partly), said(odd), "no", tries=3)

    assert ids(proposal) == ["halves", "partly"]
    assert proposal.asked == 3
    told = " ".join(proposal.notices)
    assert "Left out of the teacher's reply: Skill 2: “level”: Input should be greater" in told
    assert "Skill 3, probe 2: “grader”: Input should be 'number', 'exact' or 'choice'" in told
    assert "Skill 3, probe 3: “question”: String should have at least 1 character" in told
    assert "“partly” has 1 probes that can be used, and needs 3 at least" in told
    assert unready(proposal) == ("partly",)


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("", "The reply holds no JSON object with a list “skills”."),
        ("I cannot do that.", "The reply holds no JSON object with a list “skills”."),
        ("<think>Hm. " + GOOD, "The reply never stopped thinking."),
        (said(), "The reply holds no JSON object with a list “skills”."),
        ('{"skills": "none"}', "The reply holds no JSON object with a list “skills”."),
        ('{"skills": [' + "[" * 100_000, "The JSON of skill 1 is nested too deeply."),
        ('{"skills": [{"title" "x"}, ' + "y" * 99, "The JSON is wrong in skill 1: Expecting ':' "),
        ('{"areas": [' + said(" ") + ", " + said() + "]}", "The reply holds more than one list"),
        ("x" * 100_000, "The reply holds no JSON object with a list “skills”."),
        ("{" * 100_000 + "[" * 100_000, "The reply holds no JSON object with a list “skills”."),
        ('{"' * 100_000, "The reply holds no JSON object with a list “skills”."),
    ],
    ids=range(11),
)
def test_a_teacher_that_never_answers_in_form_is_a_sentence(reply, fault):
    with pytest.raises(ReplyUnusable) as caught:
        proposed(reply, reply, tries=2)

    assert fault in str(caught.value)
    assert len(str(caught.value)) < 400


def test_two_drafts_in_one_reply_are_asked_about_and_else_the_longer_one_counts():
    proposal = proposed(f"Draft: {said(HALVES)}. Final: {GOOD}", "", tries=2)

    assert ids(proposal) == ["halves", "add", "compare"]
    assert "more than one list" in proposal.notices[0]


def test_a_reply_of_many_skills_and_long_words_is_bounded_and_told():
    letters = "abcdefghijklmnopqrstuvwxyz"
    many = [skill(f"s{a}{b}", f"{a * 4}{b * 4}") for a in letters[:11] for b in letters[:10]]
    many[0]["title"] = "long " * 20_000
    many[1]["probes"] += [probe("long " * 20_000), probe("What is it?", "1" * 999)]

    proposal = proposed(said(*many))

    assert len(proposal.skills) == 100
    assert len(proposal.skills[0].title) <= 160
    assert "Only the first 100 of 110 skills were taken." in proposal.notices
    assert sum("it is too long" in notice for notice in proposal.notices) == 2
    assert len(said(*many)) < CAP_CHARACTERS


def test_near_duplicates_are_merged_with_their_probes_and_prerequisites():
    twin = skill("adding-2", "Adding the Fractions", builds_on=["compare"])
    twin["probes"] = [probe("What is 1/3 + 1/3?", "2/3")]
    last = skill("mixed", "Mixed numbers", builds_on=["adding-2"])

    proposal = proposed(said(HALVES, COMPARING | {"prerequisites": []}, ADDING, twin, last))

    assert ids(proposal) == ["halves", "compare", "add", "mixed"]
    assert Edge("add", "mixed") in proposal.edges
    assert Edge("compare", "add") in proposal.edges
    assert sum(p.skill == "add" for p in proposal.probes) == 4
    (notice,) = proposal.notices
    assert notice == (
        "“Adding the Fractions” says the same as “Add fractions” and was merged into it, with "
        "its probes."
    )


def test_skills_that_differ_in_a_word_that_matters_stay_apart():
    pairs = [
        ("Add with a carry", "Adds two numbers.", "Add without a carry", "Adds two numbers."),
        ("Largest", "Finds the largest of it.", "Smallest", "Finds the smallest of it."),
        ("Convert", "Converts metres to feet.", "Conversion", "Converts feet to metres."),
        ("Add 2 digits", "Adds numbers of 2 digits.", "Add 3 digits", "Adds numbers of 3 digits."),
        ("Prime", "Says that a number is prime.", "Other", "Says that a number is not prime."),
    ]

    assert [is_alike(*pair) for pair in pairs] == [False] * 5
    assert is_alike(
        "Add two numbers", "Adds numbers below 9.", "Adding two", "Adds numbers below 9."
    )


def test_no_two_skills_of_the_built_in_domain_are_taken_for_one():
    skills = domains.load("foundations").skills

    alike = [
        (a.id, b.id)
        for a in skills
        for b in skills
        if a.id < b.id and is_alike(a.title, a.statement, b.title, b.statement)
    ]

    assert alike == []


def test_a_second_skill_of_one_id_gets_another_and_is_told():
    proposal = proposed(said(HALVES, skill("halves", "Multiply", builds_on=["halves"]), ADDING))

    assert ids(proposal) == ["halves", "halves-2", "add"]
    assert proposal.edges == (Edge("halves", "halves-2"), Edge("halves", "add"))
    assert proposal.notices == ("Two skills are called “halves”; “Multiply” became “halves-2”.",)


def test_prerequisites_that_cannot_be_are_left_out_one_notice_each():
    proposal = proposed(
        said(
            HALVES | {"prerequisites": ["halves", "add", "ghost"]},
            ADDING,
            COMPARING | {"prerequisites": ["Add Fractions", "add"]},
        )
    )

    assert proposal.edges == (Edge("halves", "add"), Edge("add", "compare"))
    assert proposal.notices == (
        "“halves” was to build on itself.",
        "“halves” was to build on “ghost”, and there is no such skill.",
        "“halves” was to build on “add”, which builds on it in turn: left out, so that one of "
        "them can come first.",
    )


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30))
@settings(max_examples=100, deadline=None)
def test_no_proposal_has_a_cycle_and_each_edge_that_fell_is_told(pairs):
    names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
    wanted = {(names[a], names[b]) for a, b in pairs}
    sheets = [skill(n, n, builds_on=sorted(a for a, b in wanted if b == n)) for n in names]

    proposal = proposed(said(*sheets))

    assert domains.base.declared_edges(proposal.skills) == proposal.edges
    kept = {(e.source, e.target) for e in proposal.edges}
    assert kept <= wanted
    assert len(proposal.notices) == len(wanted - kept)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (probe("What is six?", "six"), "the grader “number” would not accept its own answer"),
        (probe("What is half of 5?", "2 1/2"), "its answer is more than one number"),
        (probe("Which one?", "Paris", "choice"), "the grader “choice” would not accept its own"),
        (probe(HALVES["probes"][0]["question"].upper()), "“halves” asks it already"),
    ],
)
def test_a_probe_that_cannot_be_used_is_left_out_and_told(bad, why):
    other = skill("other", "Another thing")
    other["probes"].append(bad)

    proposal = proposed(said(HALVES, other))

    assert len(proposal.probes) == 6
    (notice,) = proposal.notices
    assert notice.startswith("“other”: the probe “")
    assert why in notice


def test_ids_are_never_paths_and_words_never_control_characters():
    nasty = skill("../../etc/passwd", "Title\x1b[31m \u202eevil\x00", statement="a\r\nb\u2028c")
    nasty["probes"][0]["question"] = "Line one\r\n  line two\x07?"

    proposal = proposed(said(nasty, skill("…", "分数の足し算")))

    assert ids(proposal) == ["etc-passwd", "S2"]
    first = proposal.skills[0]
    assert (first.title, first.statement) == ("Title[31m evil", "a b c")
    assert "Line one\n  line two?" in [p.question for p in proposal.probes]
    assert slug("[red]<b>&/x</b>" * 9).replace("-", "").isalnum()


def test_numbers_and_truth_values_are_the_words_that_stand_there():
    sheet = (
        '{"skills": [{"id": 7, "title": "Decimals", "level": "2", "prerequisites": null, "probes":'
        '[{"question": "Half of 3?", "answer": 1.50, "grader": "Number"},'
        ' {"question": "Is it?", "answer": true}, {"question": "Big?", "answer": 1e999}]}]}'
    )

    proposal = proposed(sheet)

    assert {p.reference for p in proposal.probes} == {"1.50", "true", "1e999"}
    assert ids(proposal) == ["7"]


def written(proposal, path):
    domains.export(
        as_domain(proposal), path, remarks=["a\n- b", *proposal.notices, "\ufffe\u2028c"]
    )
    return path


@pytest.mark.parametrize("name", ["p.yaml", "p.jsonl"])
def test_a_proposal_is_a_domain_file_that_is_right(tmp_path, name):
    proposal = proposed(said(HALVES | {"prerequisites": ["ghost"]}, ADDING, COMPARING))

    path = written(proposal, tmp_path / name)

    assert domains.faults(path) == []
    domain = domains.load(str(path))
    assert (domain.id, domain.title, domain.skills) == ("Fractions", "Fractions", proposal.skills)
    assert domain.edges() == proposal.edges
    read = [p for s in domain.skills for p in probes_of(domain, s.id)]
    assert sorted(read, key=lambda p: p.id) == sorted(proposal.probes, key=lambda p: p.id)
    path.write_text(path.read_text().replace("Halve a number", "Halve it"))
    assert domains.load(str(path)).version != domain.version


def probes_of(domain, skill):
    splits = [Split.DIAGNOSE, Split.GATE, Split.FINAL]
    return [p for split in splits for p in domain.probes(skill, split, 99, seed=0)]


def test_a_skill_with_too_few_probes_is_written_and_named_with_its_line(tmp_path):
    proposal = proposed(said(HALVES, skill("few", "Too few", probes=[probe("What is 1?")])))

    (fault,) = domains.faults(written(proposal, tmp_path / "p.yaml"))

    assert unready(proposal) == ("few",)
    assert "“few” has no probe for gate, final." in str(fault)


TEXT = st.text(min_size=1, max_size=30)


@pytest.mark.slow
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_any_words_that_make_a_proposal_survive_the_file(tmp_path_factory, rows):
    sheets = [
        skill(a, b, statement=c, probes=[probe(f"{n}? {c}", f"x{a}y", "exact") for n in (1, 2, 3)])
        for a, b, c in rows
    ]
    try:
        proposal = proposed(said(*sheets), tries=1)
    except ReplyUnusable:
        return
    path = written(proposal, tmp_path_factory.mktemp("p") / "p.yaml")

    assert all("has no probe for" in str(fault) for fault in domains.faults(path))
    if not unready(proposal):
        assert domains.load(str(path)).skills == proposal.skills


def test_the_description_is_material_and_its_braces_are_left_alone():
    text = prompt_text(Wish("A {skills} title", "Say {title}.", ("What\nis {it}?", " "), 7, 4))

    assert "----- Domain: A {skills} title -----\nSay {title}.\n" in text
    assert "\n- What is {it}?\n-----" in text
    assert "Up to 7 skills" in text
    assert "4 for each skill" in text


@pytest.mark.parametrize(
    ("title", "description", "sentence"),
    [
        (" ", "x", "A domain needs a title and a description"),
        ("x", "\n", "A domain needs a title and a description"),
        ("x", "y" * 12_001, "these have 1 and 12,001."),
    ],
)
def test_a_wish_that_cannot_be_asked_is_a_sentence_and_nobody_is_asked(
    title, description, sentence
):
    teacher = ScriptedBackend([])

    with pytest.raises(DistillError, match=sentence):
        decompose(Wish(title, description), teacher)

    assert teacher.asked == []


def test_it_tells_of_each_try_and_stops_when_it_is_told_to():
    told = []

    def beat(done, total):
        told.append((done, total))
        if done == 1:
            raise KeyboardInterrupt

    teacher = ScriptedBackend(["no", GOOD])
    with pytest.raises(KeyboardInterrupt):
        decompose(WISH, teacher, beat=beat)

    assert told == [(0, 3), (1, 3)]
    assert len(teacher.asked) == 1


def test_the_same_replies_give_the_same_proposal():
    make = partial(proposed, said(ADDING, ADDING, HALVES, COMPARING))

    assert isinstance(make(), Proposal)
    assert make() == make()
