"""What a student runs on here, in words: where it is other, the same seed may be another run."""

from __future__ import annotations

import platform
from pathlib import Path

from distill.backends.transformers import best_dtype

_CPUS = Path("/proc/cpuinfo")  # Linux; elsewhere `platform` knows


def hardware() -> str:
    """The processor, the instructions torch takes on it, and the type it computes in.

    As "AMD EPYC, AVX512, bfloat16". The last bits of a sum hang on all three, and with them, after
    enough steps, what a student says.
    """
    import torch

    kind = str(best_dtype()).removeprefix("torch.")
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, {kind}"
    return f"{_processor()}, {torch.backends.cpu.get_cpu_capability()}, {kind}"


def _processor() -> str:
    if _CPUS.is_file():
        for line in _CPUS.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
