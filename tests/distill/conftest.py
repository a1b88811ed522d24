"""What takes a while to make, for the modules that ask for it: a tiny model, a comparison."""

from __future__ import annotations

import pytest

from tests.distill import tiny
from tests.distill.compared import QUICK, ioa


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


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A comparison by the command, with tuned rates: (its folder, what it printed). To be read."""
    out = tmp_path_factory.mktemp("made")
    one = ["--student", "simulated", "--skills", "A1", "--arms", "uniform", "--items", "30"]
    tuned = ioa("--out", out / "tune", "--tune", "1e-3,2e-3", "--seeds", 1, *one)
    assert tuned.exit_code == 0, tuned.output
    result = ioa("--out", out / "c", "--tuned", out / "tune/tuned.json", "--seeds", 2, *QUICK)
    assert result.exit_code == 0, result.output
    return out, result
