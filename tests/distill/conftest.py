"""A tiny model, and torch as it is on every machine, for the modules that ask for them."""

from __future__ import annotations

import pytest

from tests.distill import tiny


@pytest.fixture(scope="module")
def in_float32_on_one_core():
    """The same numbers whatever the processor is good at; more cores would only wait."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
            patch.setattr(torch.cpu, name, lambda: False)
        patch.setattr(torch.cuda, "is_available", lambda: False)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def base(in_float32_on_one_core, tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("models") / "tiny")
