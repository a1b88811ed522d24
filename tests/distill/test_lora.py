"""Answering and training with a real, tiny, random model."""

from __future__ import annotations

import errno
import gc
import hashlib
import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from distill.backends.base import Prompt, stream
from distill.backends.simulated import SimulatedTrainer
from distill.errors import (
    BackendUnavailable,
    ModelFolderBroken,
    NothingToTrain,
    OutOfSpace,
    TrainingError,
)
from distill.roster import Lazy, Student
from distill.settings import Sampling
from tests.distill import tiny
from tests.distill.samples import item_of

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("in_float32_on_one_core")]

QUICK = tiny.QUICK.model_copy(update={"average": None})  # with one: test_moving.py
ITEMS = [item_of("A", i) for i in range(20)]  # five steps


class Watch:
    """What went into each step of the trainings of a test, and the model they moved."""

    def __init__(self):
        self.labels, self.ids, self.model, self.start = [], [], None, {}


@pytest.fixture
def watch(monkeypatch):
    from distill.training.completion import CompletionTrainer

    seen = Watch()
    compute_loss = CompletionTrainer.compute_loss

    def watched(trainer, model, inputs, *args, **options):
        if seen.model is None:
            seen.start = {n: p.detach().clone() for n, p in model.named_parameters()}
        seen.model = model
        seen.ids += inputs["input_ids"].tolist()
        seen.labels += inputs["labels"].tolist()
        return compute_loss(trainer, model, inputs, *args, **options)

    monkeypatch.setattr(CompletionTrainer, "compute_loss", watched)
    return seen


def train(base, out, *, items=ITEMS, parent=None, settings=QUICK, seed=0, beat=None, log=None):
    from distill.training.lora import LoraTrainer

    return LoraTrainer(base).train(
        items,
        parent=parent,
        out=out,
        settings=settings,
        seed=seed,
        beat=beat or (lambda done, total: None),
        log=log or (lambda step: None),
    )


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    return train(base, tmp_path_factory.mktemp("checkpoints") / "s1r0")


def answers(backend, texts, max_tokens=12):
    sampling = Sampling(max_tokens=max_tokens)
    return [r.text for r in backend.generate([Prompt(t, sampling) for t in texts])]


# --- training -----------------------------------------------------------------------------------


def test_five_steps_lower_the_loss_and_move_every_adapter_weight_and_no_other(
    base, tmp_path, watch
):
    logs = []

    result = train(base, tmp_path / "out", log=logs.append)

    assert result.steps == 5
    assert [s.step for s in logs] == [1, 2, 3, 4, 5]
    assert logs[-1].loss < logs[0].loss
    assert logs[-1].learning_rate < logs[1].learning_rate / 2  # it decays within the round
    assert result.final_loss == logs[-1].loss
    moved = {n for n, p in watch.model.named_parameters() if not p.equal(watch.start[n])}
    assert moved == {n for n in watch.start if "lora_" in n}
    assert len(moved) == 2 * 7 * 2  # A and B of seven linear layers in two blocks


def rates(base, out, **more):
    """The learning rate of each of twenty steps, as a share of the peak."""
    logs = []
    settings = QUICK.model_copy(update={"batch_size": 1, "warmup_share": 0.2, **more})
    train(base, out, settings=settings, log=logs.append)
    return [s.learning_rate / settings.learning_rate for s in logs]


def test_the_rate_falls_along_a_cosine_from_its_peak_on(base, tmp_path):
    expected = [math.cos(math.pi * (step - 4) / 16) / 2 + 0.5 for step in range(4, 20)]

    found = rates(base, tmp_path / "out", decay_share=1.0)

    assert found == pytest.approx([0, 0.25, 0.5, 0.75, *expected])


def test_where_it_falls_late_it_stays_at_its_peak_before(base, tmp_path):
    falling = [math.cos(math.pi * step / 4) / 2 + 0.5 for step in range(4)]

    found = rates(base, tmp_path / "out", decay_share=0.25)

    assert found == pytest.approx([0, 0.25, 0.5, 0.75, *[1.0] * 12, *falling])


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_a_round_of_few_steps_trains_under_either(base, tmp_path, n):
    for share in (1.0, 0.2):
        settings = QUICK.model_copy(update={"batch_size": 1, "decay_share": share})
        assert train(base, tmp_path / str(share), items=ITEMS[:n], settings=settings).steps == n


@pytest.mark.parametrize("average", [None, 0.9])
def test_a_training_of_one_step_learns_something(base, tmp_path, average):
    """A rate that rises from nought over its first step would not be above it at all."""
    from safetensors.torch import load_file

    settings = QUICK.model_copy(update={"average": average, "warmup_share": 0.1})
    result = train(base, tmp_path / "out", items=ITEMS[:2], settings=settings)

    weights = load_file(result.folder / "adapter_model.safetensors")
    assert result.steps == 1
    assert all(bool(w.any()) for name, w in weights.items() if "lora_B" in name)


def test_only_the_answer_is_trained_on_in_the_order_given(base, tmp_path, watch):
    from distill.backends.chat import load_tokenizer

    result = train(base, tmp_path / "out")

    tokenizer = load_tokenizer(str(base))
    taught = [tokenizer.decode([i for i in row if i != -100]) for row in watch.labels]
    assert taught == [f"{i.solution}<e>" for i in ITEMS]
    shown = [tokenizer.decode(row) for row in watch.ids]
    assert all(i.question in text for i, text in zip(ITEMS, shown, strict=True))
    pad = tokenizer.pad_token_id
    assert result.tokens == sum(i != pad for row in watch.ids for i in row)


def test_the_adapter_is_safetensors_with_its_hash_and_nothing_beside_it(trained):
    names = {p.name for p in trained.folder.rglob("*")}

    weights = (trained.folder / "adapter_model.safetensors").read_bytes()
    assert trained.content_hash == hashlib.sha256(weights).hexdigest()
    assert not [n for n in names if n.endswith((".bin", ".pt", ".pth", ".pkl"))]
    assert "steps" not in names
    assert [p.name for p in trained.folder.parent.iterdir()] == ["s1r0"]


def test_the_same_training_gives_the_same_adapter_and_another_seed_another(base, trained, tmp_path):
    assert train(base, tmp_path / "same").content_hash == trained.content_hash
    assert train(base, tmp_path / "other", seed=1).content_hash != trained.content_hash


@pytest.mark.parametrize("stop_at", [1, 3, 5])
def test_a_training_that_was_stopped_continues_to_the_same_adapter(
    base, trained, tmp_path, stop_at
):
    beats = []

    def beat(done, total):
        beats.append(done)
        if len(beats) == stop_at:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(base, tmp_path / "out", beat=beat)
    assert not (tmp_path / "out").exists()
    result = train(base, tmp_path / "out", beat=beat)

    assert result.content_hash == trained.content_hash
    assert result.final_loss == trained.final_loss
    saved = (stop_at - 1) // 2 * 2  # a state every two steps, after the beat
    assert beats == [*range(1, stop_at + 1), *range(saved + 1, 6)]


def test_a_state_that_was_cut_off_while_it_was_written_is_not_used(base, trained, tmp_path):
    def beat(done, total):
        if done == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(base, tmp_path / "out", beat=beat)
    (state,) = (tmp_path / "out.partial" / "steps").glob("checkpoint-*")
    (state / "trainer_state.json").write_text('{"epoch": ')

    assert train(base, tmp_path / "out").content_hash == trained.content_hash


def test_what_another_training_left_half_done_is_not_continued(base, trained, tmp_path):
    def beat(done, total):
        if done == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(base, tmp_path / "out", items=ITEMS[::-1], beat=beat)

    assert train(base, tmp_path / "out").content_hash == trained.content_hash


def test_a_training_that_was_killed_before_its_folder_was_named_is_only_named(
    base, trained, tmp_path
):
    shutil.copytree(trained.folder, tmp_path / "out.partial")

    result = train(base, tmp_path / "out", beat=pytest.fail)

    assert result.content_hash == trained.content_hash
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_finished_training_is_returned_as_it_is(base, trained):
    assert train(base, trained.folder, beat=pytest.fail) == trained


def test_a_folder_that_another_training_filled_is_not_taken_for_this_one(base, trained):
    with pytest.raises(TrainingError, match="holds what another training made"):
        train(base, trained.folder, items=ITEMS[:8])


def test_the_next_round_goes_on_from_the_adapter_of_the_last(base, trained, tmp_path, watch):
    result = train(base, tmp_path / "s1r1", parent=trained.folder)

    from safetensors.torch import load_file

    before = load_file(trained.folder / "adapter_model.safetensors")
    assert result.content_hash != trained.content_hash
    for name, weights in before.items():
        assert watch.start[name.replace(".weight", ".default.weight")].equal(weights)


def test_nothing_to_train_on_is_a_sentence(base, tmp_path):
    with pytest.raises(NothingToTrain, match="Approve some items first"):
        train(base, tmp_path / "out", items=[])


def test_a_question_that_leaves_no_room_for_its_answer_is_a_sentence(base, tmp_path):
    settings = QUICK.model_copy(update={"max_length_tokens": 20})

    with pytest.raises(TrainingError, match="A: what is 0 .* Reject the item"):
        train(base, tmp_path / "out", settings=settings)


@pytest.mark.parametrize("when", ["save_pretrained", "write_text"])
def test_a_full_disk_is_told_and_leaves_nothing_half_written(
    base, trained, tmp_path, monkeypatch, when
):
    import peft

    where = peft.PeftModel if when == "save_pretrained" else Path
    really = getattr(where, when)

    def full(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(where, when, full)
    with pytest.raises(OutOfSpace, match="The disk is full"):
        train(base, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(where, when, really)

    assert train(base, tmp_path / "out").content_hash == trained.content_hash


# --- answering ----------------------------------------------------------------------------------

QUESTIONS = ["What is 2 + 3?", "Hi", "Spell the word planet backwards, please.", "2 + 2", "Hi"]


@pytest.fixture(scope="module")
def backend(base):
    from distill.backends.transformers import TransformersBackend

    backend = TransformersBackend(base)
    yield backend
    backend.close()
    backend.close()


def test_padding_and_a_shared_prefix_change_no_answer(backend):
    one_by_one = [answers(backend, [q])[0] for q in QUESTIONS]

    assert answers(backend, QUESTIONS) == one_by_one
    assert len(set(one_by_one)) >= 3


def test_what_the_folder_says_of_sampling_changes_no_answer(base, backend, tmp_path):
    from distill.backends.transformers import TransformersBackend

    folder = tmp_path / "opinionated"
    shutil.copytree(base, folder)
    said = {"repetition_penalty": 1.5, "top_k": 1, "top_p": 0.1, "no_repeat_ngram_size": 1}
    config = folder / "generation_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | said))
    drawn = Sampling(max_tokens=20, temperature=1.5, seed=3)

    opinionated = TransformersBackend(folder)

    assert answers(opinionated, QUESTIONS) == answers(backend, QUESTIONS)
    prompts = [Prompt(q, drawn) for q in QUESTIONS]
    assert opinionated.generate(prompts) == backend.generate(prompts)


def test_small_batches_give_the_same_answers_in_order(base, backend):
    from distill.backends.transformers import TransformersBackend

    assert answers(TransformersBackend(base, batch_size=2), QUESTIONS) == answers(
        backend, QUESTIONS
    )


def test_answers_come_as_they_end_and_whoever_reads_may_train_meanwhile(backend):
    import torch

    long = [Prompt(q, Sampling(max_tokens=40)) for q in QUESTIONS]
    looks = []
    for came in backend.stream(long):
        looks.append(dict(came))
        assert not torch.is_inference_mode_enabled()

    replies = backend.generate(long)
    early = {place for place, reply in enumerate(replies) if reply.reply_tokens < 32}
    assert 0 < len(early) < len(QUESTIONS)
    assert len(looks) == 2  # after 32 tokens, and after 40
    assert set(looks[0]) == early
    assert looks[0] | looks[1] == dict(enumerate(replies))


@pytest.mark.parametrize(("batch", "sizes"), [(None, [20]), (16, [16, 4])])
def test_prompts_are_taken_in_their_order_so_many_at_a_time(backend, monkeypatch, batch, sizes):
    """All at once, where the caller has no reason to lose no more than so many of them."""
    from distill.backends import transformers

    taken, really = [], transformers.batches

    def counted(prompts, *others):
        taken.append(len(prompts))
        return really(prompts, *others)

    monkeypatch.setattr(transformers, "batches", counted)
    lazy = Lazy(Student("s", lambda adapter: backend, SimulatedTrainer()), None)

    came = [
        place
        for some in stream(
            lazy, [Prompt(f"{n}?", Sampling(max_tokens=2)) for n in range(20)], batch=batch
        )
        for place, _ in some
    ]

    assert taken == sizes
    assert sorted(came) == list(range(20))


def test_who_reads_no_further_stops_it(backend, monkeypatch):
    calls = []
    generate = backend._model.generate
    monkeypatch.setattr(backend._model, "generate", lambda **n: calls.append(1) or generate(**n))

    for _ in backend.stream([Prompt(q, Sampling(max_tokens=200)) for q in QUESTIONS]):
        break

    assert len(calls) == 1


def test_long_answers_are_those_of_transformers_own_generate(base, backend):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(base).eval()
    tokenizer = AutoTokenizer.from_pretrained(base, padding_side="left")
    rendered = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": q}], tokenize=False, add_generation_prompt=True
        )
        for q in QUESTIONS
    ]
    inputs = tokenizer(rendered, return_tensors="pt", padding=True, add_special_tokens=False)
    out = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        do_sample=False,
        max_new_tokens=150,  # rows end in the middle, and the cache grows more than once
    )
    new = out[:, inputs["input_ids"].shape[1] :]
    bare = [tokenizer.decode(row, skip_special_tokens=True).strip() for row in new]

    assert model.config.num_attention_heads > model.config.num_key_value_heads
    assert answers(backend, QUESTIONS, 150) == bare
    assert len({len(text) for text in bare}) >= 3


@pytest.mark.parametrize("with_adapter", [False, True])
def test_the_vocabulary_is_scored_in_one_product_for_all_rows(
    base, trained, with_adapter, monkeypatch
):
    """Where layers are not prepacked, which do that by themselves."""
    from torch.profiler import ProfilerActivity, profile

    from distill.backends import prepacked
    from distill.backends.transformers import TransformersBackend

    monkeypatch.setattr(prepacked, "can_prepack", lambda: False)
    student = TransformersBackend(base, adapter=trained.folder if with_adapter else None)
    n_words = len(student._tokenizer)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiled:
        answers(student, QUESTIONS)

    products = [
        event.name
        for event in profiled.events()
        if event.name in ("aten::mm", "aten::bmm") and event.input_shapes[1][-1] == n_words
    ]
    assert len(products) > 2
    assert set(products) == {"aten::mm"}


def test_a_batch_is_no_larger_than_memory_allows(backend, monkeypatch):
    from distill.backends import batching

    monkeypatch.setattr(batching, "MAX_BATCH_TOKENS", 300)
    sizes = []
    really = backend._generate_batch
    monkeypatch.setattr(
        backend, "_generate_batch", lambda rows, s: sizes.append(len(rows)) or really(rows, s)
    )

    assert answers(backend, ["Hi"] * 7, 60) == answers(backend, ["Hi"], 60) * 7
    assert max(sizes) < 7
    assert sum(sizes) == 8


def test_a_prompt_may_bring_a_system_turn_and_a_sampling_of_its_own(backend):
    mixed = [
        Prompt("Hi", Sampling(max_tokens=4)),
        Prompt("Hi", Sampling(max_tokens=9), system="Be brief."),
        Prompt("Hi", Sampling(max_tokens=4)),
    ]

    replies = backend.generate(mixed)

    assert [backend.generate([p])[0] for p in mixed] == replies
    assert all(r.reply_tokens <= p.sampling.max_tokens for p, r in zip(mixed, replies, strict=True))


def test_an_answer_that_ran_into_its_limit_says_so(backend):
    (reply,) = backend.generate([Prompt("What is 2 + 3?", Sampling(max_tokens=1))])

    assert (reply.reply_tokens, reply.truncated) == (1, True)


def test_sampling_is_the_same_for_the_same_seed(backend):
    def sampled(seed):
        sampling = Sampling(max_tokens=20, temperature=1.5, seed=seed)
        return backend.generate([Prompt("Tell me a story.", sampling)])[0].text

    assert sampled(1) == sampled(1) != sampled(2)


def test_nothing_asked_is_nothing_answered(backend):
    assert backend.generate([]) == []


def test_a_trained_student_says_what_it_was_taught(base, tmp_path):
    from distill.backends.transformers import TransformersBackend

    taught = [item_of("A", 7)] * 40
    settings = QUICK.model_copy(update={"learning_rate": 2e-2, "rank": 8})
    result = train(base, tmp_path / "out", items=taught, settings=settings)

    student = TransformersBackend(base, adapter=result.folder)

    (reply,) = student.generate([Prompt(taught[0].question, Sampling(max_tokens=20))])
    assert (reply.text, reply.truncated) == ("Answer: 7", False)
    assert answers(TransformersBackend(base), [taught[0].question]) != ["Answer: 7"]


def test_weights_that_cannot_be_read_are_a_sentence(base, tmp_path):
    from distill.backends.transformers import load_model

    shutil.copytree(base, tmp_path / "broken")
    weights = tmp_path / "broken" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])

    with pytest.raises(BackendUnavailable, match="broken cannot be loaded"):
        load_model(tmp_path / "broken")


def test_a_model_folder_without_weights_is_a_sentence(base, tmp_path):
    from distill.backends.transformers import load_model

    shutil.copytree(base, tmp_path / "empty", ignore=lambda *_: ["model.safetensors"])

    with pytest.raises(ModelFolderBroken, match="has no weights .* Fetch the model again"):
        load_model(tmp_path / "empty")


@pytest.mark.parametrize("missing", ["adapter_model.safetensors", "adapter_config.json"])
def test_an_adapter_without_safetensors_is_a_sentence(base, trained, tmp_path, missing):
    from distill.backends.transformers import load_model

    shutil.copytree(trained.folder, tmp_path / "adapter", ignore=lambda *_: [missing])
    (tmp_path / "adapter" / "adapter_model.bin").write_bytes(b"pickle")

    with pytest.raises(ModelFolderBroken, match=f"has no {missing}"):
        load_model(base, tmp_path / "adapter")


def test_the_real_thing_is_found_by_name_and_named_after_its_folder(base, trained):
    from distill import roster

    student = roster.find_student("tiny", base.parent)

    assert student.name == "tiny"
    assert json.loads((trained.folder / "ioa.json").read_text())["steps"] == 5
    assert len(answers(student.answering(trained.folder), ["Hi"])) == 1


def test_the_loop_runs_on_real_weights_and_continues_in_the_middle_of_a_training(base, tmp_path):
    from distill import domains, roster
    from distill.pipeline import Pipeline
    from distill.settings import Budget, Probing, Settings

    settings = Settings(
        probing=Probing(diagnose_probes=4, gate_probes=4, gate_probes_cap=4, final_probes=4),
        budget=Budget(items=24, items_per_round=12, rounds_cap=2),
        lora=QUICK,
    )

    def run(out, **more):
        teacher = roster.find_teacher("procedural", base.parent)
        student = roster.find_student(str(base), base.parent)
        domain = domains.load("foundations")
        more = {"seed": 0, "out": out, "skills": ["A2"]} | more
        return Pipeline(domain, student, teacher, settings, **more).run()

    def stop(what, done, total):
        if (what, done) == ("s1r1: train", 3):
            raise InterruptedError

    whole = run(tmp_path / "whole")
    with pytest.raises(InterruptedError):
        run(tmp_path / "cut", progress=stop)
    again = run(tmp_path / "cut", resume=True)

    assert whole["stages"][0]["decisions"] == ["remedy", "waive"]
    assert again | {"seconds": 0} == whole | {"seconds": 0}
    weights = [tmp_path / run / "checkpoints" / "s1r1" / "ioa.json" for run in ("whole", "cut")]
    assert len({json.loads(p.read_text())["content_hash"] for p in weights}) == 1


def test_the_loss_is_the_one_that_trl_computes_over_every_position(base, tmp_path, monkeypatch):
    import trl

    from distill.training.completion import CompletionTrainer

    def losses(out):
        steps = []
        train(base, out, log=steps.append)
        return [step.loss for step in steps]

    ours = losses(tmp_path / "ours")
    monkeypatch.setattr(CompletionTrainer, "compute_loss", trl.SFTTrainer.compute_loss)
    theirs = losses(tmp_path / "theirs")

    assert ours == pytest.approx(theirs, rel=1e-3)


def test_a_model_that_is_closed_hands_its_memory_back(base, monkeypatch):
    from distill.backends import transformers

    trimmed = []
    library = SimpleNamespace(malloc_trim=trimmed.append)
    monkeypatch.setattr(transformers.ctypes, "CDLL", lambda name: library)
    backend = transformers.TransformersBackend(base)
    assert trimmed == []

    backend.close()

    assert trimmed == [0]


def test_what_was_trained_is_gone_when_the_training_is(base, tmp_path):
    from transformers import PreTrainedModel

    def alive():
        return sum(issubclass(type(each), PreTrainedModel) for each in gc.get_objects())

    gc.collect()
    before = alive()

    train(base, tmp_path / "out")

    assert alive() == before


@pytest.mark.parametrize(("has_it", "kind"), [(True, "bfloat16"), (False, "float32")])
def test_a_gpu_that_only_emulates_bfloat16_computes_in_float32(monkeypatch, has_it, kind):
    import torch

    from distill.backends.transformers import best_dtype

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: has_it or including_emulation,
    )

    assert best_dtype() == getattr(torch, kind)


def test_where_the_c_library_cannot_hand_memory_back_a_model_is_closed_all_the_same(
    base, monkeypatch
):
    from distill.backends import transformers

    backend = transformers.TransformersBackend(base)
    monkeypatch.setattr(transformers.ctypes, "CDLL", lambda name: SimpleNamespace())

    backend.close()

    with pytest.raises(BackendUnavailable, match="has been closed"):
        answers(backend, ["Hi"])
