"""Rounds that go on along one path, and the average that is kept: docs/decisions/0026."""

from __future__ import annotations

import dataclasses
import itertools
import shutil

import pytest

from distill.errors import TrainingError
from tests.distill import tiny
from tests.distill.samples import item_of

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("in_float32_on_one_core")]

QUICK = tiny.QUICK.model_copy(update={"warmup_share": 0.0, "average": 3.0})
ITEMS = [item_of("A", i) for i in range(20)]  # five steps


def train(base, out, items=ITEMS, *, parent=None, beat=None, log=None, **changed):
    from distill.training.lora import LoraTrainer

    return LoraTrainer(base).train(
        items,
        parent=parent and parent.folder,
        out=out,
        settings=QUICK.model_copy(update=changed),
        seed=0,
        beat=beat or (lambda done, total: None),
        log=log or (lambda step: None),
    )


def kept(result):
    from safetensors.torch import load_file

    found = load_file(result.folder / "adapter_model.safetensors")
    return {name.replace(".weight", ".default.weight"): w for name, w in found.items()}


@pytest.fixture
def path(monkeypatch):
    """The adapter's weights after each step, as the optimiser left them."""
    from distill.training.moving import Averaging

    seen = []
    really = Averaging.on_step_end

    def watched(self, *args, **more):
        seen.append({n: w.detach().clone() for n, w in self._weights.items()})
        return really(self, *args, **more)

    monkeypatch.setattr(Averaging, "on_step_end", watched)
    return seen


def mean(path, weights):
    return {n: sum(w * p[n] for w, p in zip(weights, path, strict=True)) for n in path[0]}


def same(ones, others):
    import torch

    return ones.keys() == others.keys() and all(
        torch.allclose(w, others[n], rtol=1e-4, atol=1e-6) for n, w in ones.items()
    )


def test_with_gamma_zero_what_is_kept_is_the_plain_mean_of_the_path(base, tmp_path, path):
    result = train(base, tmp_path / "out", average=0.0)

    assert len(path) == 5
    assert same(kept(result), mean(path, [1 / 5] * 5))
    assert not same(kept(result), path[-1])


def test_a_larger_gamma_weighs_the_end_of_the_path_more(base, tmp_path, path):
    result = train(base, tmp_path / "out", average=3.0)

    # by hand, from Karras et al.'s recursion: of step t stays the product of what follows
    rests = [(1 - 1 / t) ** 4 for t in range(1, 6)]
    after = [*itertools.accumulate(reversed(rests[1:]), lambda a, b: a * b, initial=1.0)][::-1]
    weights = [(1 - rest) * stays for rest, stays in zip(rests, after, strict=True)]
    assert sum(weights) == pytest.approx(1.0)
    assert weights == sorted(weights)
    assert same(kept(result), mean(path, weights))


def apart(ones, others):
    """How far two sets of weights lie from each other."""
    return sum(float((w - others[n]).square().sum()) for n, w in ones.items()) ** 0.5


def test_two_rounds_are_one_path(base, tmp_path, path):
    whole = train(base, tmp_path / "whole")
    one_path = list(path)
    path.clear()

    first = train(base, tmp_path / "s1r0", ITEMS[:8])
    second = train(base, tmp_path / "s1r1", ITEMS[8:], parent=first)

    assert len(path) == len(one_path) == 5
    assert all(same(one, other) for one, other in zip(path[:2], one_path[:2], strict=True))
    # moments are kept in bfloat16: a hundredth of the way off at most, where a fresh optimiser
    # is off by two thirds
    for one, other in zip(path[2:], one_path[2:], strict=True):
        assert apart(one, other) < 0.01 * apart(other, one_path[1])
    assert apart(kept(second), kept(whole)) < 0.01 * apart(kept(whole), kept(first))


def test_two_rounds_from_one_checkpoint_are_two_paths(base, tmp_path):
    first = train(base, tmp_path / "s1r0", ITEMS[:8])

    one = train(base, tmp_path / "s1r1", ITEMS[8:], parent=first)
    other = train(base, tmp_path / "s1r2", ITEMS[8:], parent=first)
    after = train(base, tmp_path / "s1r3", ITEMS[:8], parent=one)

    assert one.content_hash == other.content_hash != after.content_hash


def test_the_rate_rises_once_in_a_run_and_never_falls_within_a_round(base, tmp_path):
    steps = []
    changed = {"warmup_share": 0.4, "log": steps.append}

    first = train(base, tmp_path / "s1r0", **changed)
    train(base, tmp_path / "s1r1", parent=first, **changed)

    assert [s.learning_rate for s in steps] == pytest.approx([0, 2.5e-3, *[5e-3] * 8])


@pytest.mark.parametrize("stop_at", [1, 3, 5])
def test_a_round_that_was_stopped_continues_to_the_same_average(base, tmp_path, stop_at):
    first = train(base, tmp_path / "s1r0", ITEMS[:8])
    whole = train(base, tmp_path / "whole", parent=first)

    def beat(done, total):
        if done == stop_at:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(base, tmp_path / "out", parent=first, beat=beat)
    result = train(base, tmp_path / "out", parent=first)

    assert result.content_hash == whole.content_hash
    assert moving(result) == moving(whole)


def test_a_state_without_its_average_is_not_used(base, tmp_path):
    whole = train(base, tmp_path / "whole")

    def beat(done, total):
        if done == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(base, tmp_path / "out", beat=beat)
    (state,) = (tmp_path / "out.partial" / "steps").glob("checkpoint-*")
    (state / "average.safetensors").unlink()

    assert train(base, tmp_path / "out").content_hash == whole.content_hash


def moving(result):
    return (result.folder / "moving.safetensors").read_bytes()


def test_where_the_path_stands_is_part_of_what_a_training_is(base, tmp_path):
    first = train(base, tmp_path / "s1r0", ITEMS[:8])
    shutil.copytree(first.folder, tmp_path / "alone")
    (tmp_path / "alone" / "moving.safetensors").unlink()
    alone = dataclasses.replace(first, folder=tmp_path / "alone")

    on_its_path = train(base, tmp_path / "s1r1", ITEMS[8:], parent=first)
    on_a_new_one = train(base, tmp_path / "s1r2", ITEMS[8:], parent=alone)

    assert on_its_path.content_hash != on_a_new_one.content_hash
    with pytest.raises(TrainingError, match="holds what another training made"):
        train(base, tmp_path / "s1r1", ITEMS[8:], parent=alone)


def test_without_an_average_nothing_is_left_beside_the_adapter(base, tmp_path):
    first = train(base, tmp_path / "s1r0", ITEMS[:8])

    result = train(base, tmp_path / "s1r1", parent=first, average=None)

    assert (first.folder / "moving.safetensors").is_file()
    assert not (result.folder / "moving.safetensors").exists()


@pytest.mark.parametrize(("how", "device"), [({"fused": True}, "meta"), ({}, "cpu")])
def test_the_steps_of_a_fused_optimizer_are_counted_where_its_weights_are(how, device):
    """As on a GPU; `meta` stands for it. A number elsewhere ends its first step."""
    import torch

    from distill.training.moving import Averaging

    weight = torch.nn.Parameter(torch.empty(2, device="meta"))
    optimizer = torch.optim.AdamW([weight])
    optimizer.param_groups[0].update(how)
    averaging = Averaging(3.0, None)
    averaging._weights = {"w": weight}
    names = ("weight.w", "exp_avg.w", "exp_avg_sq.w")
    kept = {name: torch.zeros(2) for name in names}

    averaging._go_on(
        kept | {"steps": torch.tensor(4), "optimizer_steps": torch.tensor(4.0)}, optimizer
    )

    state = optimizer.state[weight]
    assert (state["step"].device.type, state["exp_avg"].device.type) == (device, "meta")


@pytest.mark.parametrize(("seen", "used"), [(0, 0), (1, 1), (4, 1)])
def test_of_several_gpus_one_is_trained_on(seen, used):
    from types import SimpleNamespace

    from distill.training.lora import _on_one_device

    arguments = SimpleNamespace(device="cuda:0", _n_gpu=seen)

    _on_one_device(arguments)

    assert arguments._n_gpu == used
