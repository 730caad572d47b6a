"""Runs in Neutone's environment, not in audiobend's: wraps a compiled file as a ``.nm`` and runs the SDK's own checks.

``python neutone_side.py spec.json``: the spec names the TorchScript file, the folder to write to, the knobs, and what
the model card says. It needs neutone_sdk and torch alone, so it imports nothing of audiobend.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def wrapped(spec: dict[str, Any]) -> Any:
    """Return the spec's file as Neutone FX wants it."""
    from neutone_sdk import ContinuousNeutoneParameter, NeutoneParameter, WaveformToWaveformBase

    card: dict[str, Any] = spec["card"]
    knobs: list[dict[str, Any]] = spec["knobs"]

    class Wrapper(WaveformToWaveformBase):    # type: ignore[misc]
        names: list[str]
        slots: list[int]
        lows: list[float]
        highs: list[float]
        wholes: list[bool]
        rates: list[int]
        sizes: list[int]
        texts: dict[str, str]
        authors: list[str]
        tags: list[str]

        def __init__(self, model: torch.nn.Module) -> None:
            # The base asks its questions while it is made: plain values may stand on a module before that.
            self.names, self.slots = [one["name"] for one in knobs], [one["slot"] for one in knobs]
            self.lows, self.highs = [float(one["low"]) for one in knobs], [float(one["high"]) for one in knobs]
            self.wholes = [bool(one["whole"]) for one in knobs]
            self.is_mono, self.delay = spec["channels"] == 1, int(spec["latency"])
            self.rates, self.sizes = [int(spec["sample_rate"])], [int(spec["ratio"])]
            self.texts = {key: value for key, value in card.items() if isinstance(value, str)}
            self.authors, self.tags = list(card["authors"]), list(card["tags"])
            super().__init__(model)

        def get_model_name(self) -> str:
            return self.texts["name"]

        def get_model_authors(self) -> list[str]:
            return self.authors

        def get_model_short_description(self) -> str:
            return self.texts["short"]

        def get_model_long_description(self) -> str:
            return self.texts["long"]

        def get_technical_description(self) -> str:
            return self.texts["technical"]

        def get_tags(self) -> list[str]:
            return self.tags

        def get_model_version(self) -> str:
            return self.texts["version"]

        def is_experimental(self) -> bool:
            return False

        def get_citation(self) -> str:
            return self.texts["citation"]

        def get_neutone_parameters(self) -> list[NeutoneParameter]:
            return [ContinuousNeutoneParameter(one["name"], one["words"], one["default"]) for one in knobs]

        @torch.jit.export
        def is_input_mono(self) -> bool:
            mono: bool = self.is_mono
            return mono

        @torch.jit.export
        def is_output_mono(self) -> bool:
            mono: bool = self.is_mono
            return mono

        @torch.jit.export
        def get_native_sample_rates(self) -> list[int]:
            return self.rates

        @torch.jit.export
        def get_native_buffer_sizes(self) -> list[int]:
            return self.sizes

        @torch.jit.export
        def calc_model_delay_samples(self) -> int:
            return self.delay

        def reset_model(self) -> bool:
            self.model.reset()
            return True

        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            for i, name in enumerate(self.names):
                value = self.lows[i] + float(params[name].item()) * (self.highs[i] - self.lows[i])
                if self.wholes[i]:
                    value = float(round(value))
                self.model.set_value(self.slots[i], value, self.lows[i], self.highs[i])
            out: Tensor = self.model(x.unsqueeze(0)).squeeze(0)
            return out

    # Of a child that has annotations torch reads no others.
    Wrapper.__annotations__ = {**WaveformToWaveformBase.__annotations__, **Wrapper.__annotations__}
    return Wrapper(torch.jit.load(spec["file"]))


def main() -> None:
    """Write ``model.nm`` into the spec's folder; end with an error if one of the SDK's checks fails."""
    from neutone_sdk.utils import save_neutone_model

    spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    thorough = bool(spec["thorough"])
    save_neutone_model(
        wrapped(spec), Path(spec["folder"]), dump_samples=thorough, submission=thorough, speed_benchmark=thorough,
        test_offline_mode=True,
    )    # fmt: skip


if __name__ == "__main__":
    main()
