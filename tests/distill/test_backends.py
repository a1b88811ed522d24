"""Who answers, without a model: scripted, procedural, lazy; and how a chat is put in tokens."""

from __future__ import annotations

import pytest

from distill import roster
from distill.backends.base import Prompt
from distill.backends.chat import common_prefix, render_example, render_prompt
from distill.backends.procedural import ProceduralBackend
from distill.backends.scripted import ScriptedBackend
from distill.backends.simulated import SimulatedStudent, SimulatedTrainer
from distill.errors import BackendUnavailable, ModelFolderBroken, NothingToTrain
from distill.settings import LoraSettings

END, NEWLINE = 1, 2


class Letters:
    """A tokenizer of letters, with a template like ChatML's."""

    eos_token_id = END

    def __init__(self, *, is_steady: bool = True, ends: bool = True) -> None:
        self._is_steady = is_steady
        self._ends = ends

    def apply_chat_template(self, messages, *, add_generation_prompt, tokenize, return_dict):
        assert tokenize
        assert not return_dict
        ids = []
        for message in messages:
            if not self._is_steady and message["role"] == "user" and len(messages) > 1:
                ids.append(ord("!"))
            ids += [*map(ord, message["role"][0] + ":" + message["content"])]
            ids += [END, NEWLINE] if self._ends else [ord("|")]
        return ids + [ord("a"), ord(":")] * add_generation_prompt


def text(ids):
    return "".join(chr(i) if i > 2 else ("$", "\n")[i - 1] for i in ids)


def rendered(tokenizer=None, *, limit=100, **more):
    return render_example(tokenizer or Letters(), "1+1?", "2", max_length_tokens=limit, **more)


def test_a_scripted_backend_answers_in_order_and_remembers_what_it_was_asked():
    backend = ScriptedBackend(["one", "two words"])

    replies = backend.generate([Prompt("a b"), Prompt("c")])

    assert [(r.text, r.prompt_tokens, r.reply_tokens) for r in replies] == [
        ("one", 2, 1),
        ("two words", 1, 2),
    ]
    assert [p.text for p in backend.asked] == ["a b", "c"]


@pytest.mark.parametrize("backend", [ScriptedBackend([]), ProceduralBackend(), SimulatedStudent()])
def test_nothing_asked_is_nothing_answered_and_closing_twice_is_harmless(backend):
    assert backend.generate([]) == []
    backend.close()
    backend.close()


def test_the_procedural_teacher_answers_with_the_reference_for_nothing():
    (reply,) = ProceduralBackend().generate([Prompt("?", reference="42")])

    assert (reply.text, reply.prompt_tokens + reply.reply_tokens) == ("Answer: 42", 0)


def test_the_simulated_student_answers_the_same_in_every_call():
    prompts = [Prompt(f"q{i}", reference="1", skill="A") for i in range(50)]

    assert SimulatedStudent().generate(prompts) == SimulatedStudent().generate(prompts[::-1])[::-1]


def test_the_simulated_trainer_refuses_to_train_on_nothing(tmp_path):
    with pytest.raises(NothingToTrain):
        SimulatedTrainer().train(
            [],
            parent=None,
            out=tmp_path / "out",
            settings=LoraSettings(),
            seed=0,
            beat=lambda done, total: None,
            log=lambda step: None,
        )


# --- the roster ---------------------------------------------------------------------------------


def test_an_unknown_teacher_is_a_sentence(tmp_path):
    with pytest.raises(BackendUnavailable, match="Known teachers: procedural"):
        roster.find_teacher("socrates", tmp_path)


def test_a_teacher_may_be_a_model_on_a_server_whose_key_is_in_the_variable_it_names(tmp_path):
    spec = "openai:org/Big_1@https://h/v1#MY_KEY"

    teacher = roster.find_teacher(spec, tmp_path, {"MY_KEY": "sk-1"})

    assert teacher.name == "org-big-1"
    for keys in (None, {}, {"OTHER": "sk-1"}, {"MY_KEY": ""}):
        with pytest.raises(BackendUnavailable, match="environment variable MY_KEY"):
            roster.find_teacher(spec, tmp_path, keys)


def test_a_teacher_may_be_a_model_folder_which_is_looked_at_and_not_loaded(tmp_path):
    folder = tmp_path / "Big"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).write_text("{}")

    found = [
        roster.find_teacher("transformers:Big", tmp_path),
        roster.find_teacher(f"transformers:{folder}", tmp_path / "elsewhere"),
        roster.find_model("Big", tmp_path),
    ]

    assert [teacher.name for teacher in found] == ["Big"] * 3
    with pytest.raises(BackendUnavailable, match="There is no teacher “Big”"):
        roster.find_teacher("Big", tmp_path)


@pytest.mark.parametrize("spec", ["transformers:nobody", "transformers:"])
def test_a_teacher_without_a_model_folder_is_a_sentence(tmp_path, spec):
    with pytest.raises(ModelFolderBroken):
        roster.find_teacher(spec, tmp_path)


def test_what_can_be_fetched_is_said_only_of_a_student_that_can(tmp_path):
    with pytest.raises(ModelFolderBroken, match="get_student` fetches smollm2-135m into IOA_HOME"):
        roster.find_student("smollm2-135m", tmp_path)
    with pytest.raises(ModelFolderBroken, match="/nobody. Put one there, with config.json,"):
        roster.find_student("nobody", tmp_path)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "has no config.json"),
        ({"config.json": "{"}, "is not JSON"),
        ({"config.json": "{}"}, "has no weights"),
        ({"config.json": "{}", "model.bin": "x"}, "pickled weights .* are not loaded"),
        ({"config.json": "{}", "model.safetensors": "x"}, "has no tokenizer"),
    ],
)
def test_a_folder_that_is_no_model_is_a_sentence(tmp_path, files, sentence):
    folder = tmp_path / "student"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)

    with pytest.raises(ModelFolderBroken, match=sentence):
        roster.find_student("student", tmp_path)


def test_a_missing_folder_is_a_sentence(tmp_path):
    with pytest.raises(ModelFolderBroken, match="There is no model folder"):
        roster.find_student(str(tmp_path / "nobody"), tmp_path)


def test_a_lazy_student_is_loaded_when_it_is_asked_and_let_go_once():
    made = []

    def answering(adapter):
        made.append(ScriptedBackend(["hello"]))
        return made[-1]

    lazy = roster.Lazy(roster.Student("s", answering, SimulatedTrainer()), None)

    assert lazy.generate([]) == []
    lazy.close()
    assert made == []
    assert [r.text for r in lazy.generate([Prompt("hi")])] == ["hello"]
    lazy.close()
    lazy.close()
    assert len(made) == 1


# --- a chat in tokens ---------------------------------------------------------------------------


def test_an_example_begins_with_the_prompt_and_ends_with_the_end_token():
    example = rendered()

    prompt = render_prompt(Letters(), "1+1?")
    assert list(example.ids[: example.n_prompt]) == prompt
    assert text(example.ids) == "u:1+1?$\na:2$"


def test_a_system_turn_comes_first_in_prompt_and_example_alike():
    assert text(rendered(system="Be brief.").ids).startswith("s:Be brief.$\nu:1+1?")


def test_a_template_without_an_end_gets_one():
    assert text(rendered(Letters(ends=False)).ids) == "u:1+1?|a:2|$"


def test_a_long_example_is_cut_at_the_end():
    assert text(rendered(limit=10).ids) == "u:1+1?$\na:"


def test_of_a_question_that_is_too_long_nothing_is_trained():
    example = rendered(limit=4)

    assert (len(example.ids), example.n_prompt) == (4, 4)


def test_a_template_that_renders_the_prompt_differently_is_refused():
    with pytest.raises(ValueError, match="renders a prompt differently"):
        rendered(Letters(is_steady=False))


@pytest.mark.parametrize(
    ("sequences", "expected"),
    [
        ([[1, 2, 3], [1, 2, 4]], 2),
        ([[1, 2], [1, 2]], 1),  # one token is left to each
        ([[1, 2, 3], [1]], 0),
        ([[5, 2], [1, 2]], 0),
        ([[1, 2, 3]], 2),
    ],
)
def test_a_common_prefix_leaves_a_token_to_each(sequences, expected):
    assert common_prefix(sequences) == expected
