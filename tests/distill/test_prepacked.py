"""Layers that lie as oneDNN reads them answer as the layers they stand for."""

import pytest

torch = pytest.importorskip("torch")

from distill.backends import prepacked  # noqa: E402
from distill.backends.prepacked import PrepackedLinear, can_prepack, prepack  # noqa: E402
from tests.distill import tiny  # noqa: E402

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not can_prepack(), reason="oneDNN's prepacked layers are for x86-64"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("model") / "tiny")


def load(folder):
    from distill.backends.transformers import load_model

    return load_model(folder)[0]


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("shape", [(48,), (1, 48), (64, 48), (3, 7, 48), (0, 48)])
@torch.inference_mode()
def test_a_layer_gives_what_the_one_it_stands_for_gives(shape, with_bias):
    layer = torch.nn.Linear(48, 80, bias=with_bias)
    rows = torch.randn(shape)

    out = PrepackedLinear(layer)(rows)

    assert out.shape == (*shape[:-1], 80)
    torch.testing.assert_close(out, layer(rows))


@torch.inference_mode()
def test_rows_with_gaps_between_them_are_taken_too():
    """As the last positions of a prompt are, which the vocabulary is scored for."""
    layer = torch.nn.Linear(48, 80)
    rows = torch.randn(4, 9, 48)[:, -2:]

    torch.testing.assert_close(PrepackedLinear(layer)(rows), layer(rows))


@torch.inference_mode()
def test_a_whole_model_scores_as_before(folder):
    plain, packed = load(folder).float(), load(folder).float()  # in bfloat16 nothing is close
    prepack(packed)
    ids = torch.arange(1, 41).reshape(2, 20)

    torch.testing.assert_close(packed(ids).logits, plain(ids).logits, rtol=1e-4, atol=1e-4)


def test_every_linear_layer_is_prepacked_and_what_others_share_stays(folder):
    model = load(folder)
    words = model.get_input_embeddings().weight
    before = words.clone()

    prepack(model)

    assert not [m for m in model.modules() if type(m) is torch.nn.Linear]
    assert isinstance(model.get_output_embeddings(), PrepackedLinear)
    assert torch.equal(words, before)


def test_the_weights_of_a_layer_are_let_go_before_the_next_is_packed(folder, monkeypatch):
    """Else a model of gigabytes would be there twice."""
    import weakref

    model = load(folder)
    layers = [weakref.ref(m) for m in model.modules() if type(m) is torch.nn.Linear]
    alive = []

    class Counting(PrepackedLinear):
        def __init__(self, layer):
            super().__init__(layer)
            alive.append(sum(at() is not None for at in layers))

    monkeypatch.setattr(prepacked, "PrepackedLinear", Counting)
    prepack(model)

    assert alive == list(range(len(layers), 0, -1))


def test_where_it_cannot_be_a_model_stays_as_it_is(folder, monkeypatch):
    monkeypatch.setattr(prepacked.platform, "machine", lambda: "arm64")
    model = load(folder)
    kinds = [type(m) for m in model.modules()]

    prepack(model)

    assert [type(m) for m in model.modules()] == kinds
