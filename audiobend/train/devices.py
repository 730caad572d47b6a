"""Words for devices and precision, and what they mean on this machine."""

import torch

from audiobend.errors import TrainingError

PRECISIONS = ("auto", "32", "bf16")


def find_devices(words: str) -> tuple[str, int | list[int]]:
    """Return Fabric's accelerator and devices."""
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    kind, _, which = words.partition(":")
    try:
        if words == "auto":
            return ("cuda", n_gpus) if n_gpus else ("cpu", 1)
        if kind == "cpu":
            count = int(which or 1)
        elif kind == "cuda":
            return "cuda", _gpus(words, [int(one) for one in (which or "0").split(",")], n_gpus)
        else:
            count = int(words)
    except ValueError:
        raise TrainingError(f"--devices must be auto, cpu, a number, cpu:2 or cuda:0,1; got {words!r}") from None
    if count < 1:
        raise TrainingError(f"--devices needs 1 or more, got {count}")
    if n_gpus and kind != "cpu":
        return "cuda", _gpus(words, list(range(count)), n_gpus)
    return "cpu", count


def _gpus(words: str, numbers: list[int], n_gpus: int) -> list[int]:
    if any(not 0 <= number < n_gpus for number in numbers) or len(set(numbers)) < len(numbers):
        there = f"there are {n_gpus}, numbered from 0" if n_gpus else "there is none that torch can use; try cpu"
        raise TrainingError(f"--devices {words}: needs that many different GPUs, but {there}")
    return numbers


def choose_precision(wanted: str, devices: str, width: float) -> str:
    """Return "32" or "bf16" for "auto": bf16 where it is the faster one.

    That is on GPUs, on processors with matrix units for it (AMX), and from half of the paper's width on those with
    vector units for it (measured on a processor with AVX-512 BF16: 1.16 times as fast at half width, no gain at a
    quarter).
    """
    if wanted not in PRECISIONS:
        raise TrainingError(f"--precision must be one of {', '.join(PRECISIONS)}, got {wanted!r}")
    if wanted != "auto":
        return wanted
    if find_devices(devices)[0] == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "32"
    able = torch.cpu.get_capabilities()
    return "bf16" if able.get("amx_bf16") or (able.get("avx512_bf16") and width >= 0.5) else "32"
