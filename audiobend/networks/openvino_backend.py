"""Stages compiled by OpenVINO.

Neighbouring stages become one graph: a seam between two costs up to half as much as the stages themselves. Bends that
look at one activation at a time are inputs of that graph, so that no change of theirs compiles anything; only behind
a stage with another kind of bend is there a seam, where torch bends.
"""

import importlib
import sys
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from audiobend.bending.pointwise import is_pointwise, points_of
from audiobend.networks.spectrogram_vae import SEED_MAP, SpectrogramVAE
from audiobend.networks.stages import CODE, Bending
from audiobend.networks.subpixel import Subpixel

Array = NDArray[np.float32]


class OpenvinoMachine:
    """A network's stages on one thread, in graphs that are compiled when first needed.

    Parameters
    ----------
    network : SpectrogramVAE
        Batch norm folded.
    dtype : torch.float32 or torch.bfloat16
        What the graphs calculate in; they take and give float32, and so do bends.
    batch : int > 0
        The number of windows to prepare for.
    """

    def __init__(self, network: SpectrogramVAE, dtype: torch.dtype, batch: int) -> None:
        self._ov, self._ops = _openvino()
        self._network, self._batch = network, batch
        self._layers = network.layers()
        self._core = self._ov.Core()
        self._options = {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if dtype == torch.bfloat16 else "f32",
        }
        self._graphs: dict[tuple[int, int, bool, int], Any] = {}

    def run(self, x: Tensor, first: int, last: int, bending: Bending | None = None) -> Tensor:
        """See `audiobend.networks.stages.Machine`."""
        for start, end, takes_points in _spans(first, last, bending):
            inputs = [np.ascontiguousarray(x.numpy())]
            if bending is not None and takes_points:
                inputs += self._points(bending, start, end, len(x))
            request = self._graph(start, end, takes_points, len(x))
            x = torch.from_numpy(request.infer(inputs, share_inputs=True)[0])
            if bending is not None and bending.acts(end - 1):
                x = bending.at(end - 1, x)
        return x

    def prepare(self, first: int, last: int, bending: Bending | None = None) -> None:
        """Compile what such a run needs; about 50 ms for each graph of a small model."""
        for span in _spans(first, last, bending):
            self._graph(*span, self._batch)

    def _points(self, bending: Bending, start: int, end: int, batch: int) -> list[Array]:
        """Return the inputs that say what pointwise bends do behind all stages but the last."""
        arrays: list[Array] = []
        for stage in range(start, end - 1):
            layer = self._layers[stage]
            points = points_of(bending.plan.steps.get(layer.name, ()), layer.n_features, batch, bending.times)
            arrays += [array[:, :, None, None] for array in points.arrays()]
        return arrays

    def _graph(self, start: int, end: int, takes_points: bool, batch: int) -> Any:
        key = (start, end, takes_points, batch)
        if key not in self._graphs:
            graph = self._built(start, end, takes_points, batch)
            self._graphs[key] = self._core.compile_model(graph, "CPU", self._options).create_infer_request()
        return self._graphs[key]

    def _built(self, start: int, end: int, takes_points: bool, batch: int) -> Any:
        """Write the stages ``start <= stage < end`` down as a graph."""
        before = self._layers[start - 1] if start else None
        shape = [1, 128, 513] if before is None else [before.n_features, before.height, before.width]
        node = entrance = self._input([batch, *(shape[:1] if start == CODE + 1 else shape)])
        inputs = [entrance]
        for stage in range(start, end):
            node = self._stage(node, stage, batch)
            if takes_points and stage < end - 1:
                numbers = [self._input([batch, self._layers[stage].n_features, 1, 1]) for _ in range(5)]
                node = self._bend(node, *numbers)
                inputs += numbers
        return self._ov.Model([node], inputs, f"stages {start} to {end}")

    def _input(self, shape: list[int]) -> Any:
        return self._ops.parameter(shape, np.float32)

    def _bend(self, x: Any, scale: Any, offset: Any, jump: Any, slope: Any, level: Any) -> Any:
        ops = self._ops
        above = ops.greater(ops.add(ops.multiply(x, slope), level), np.float32(0))
        line = ops.add(ops.multiply(x, scale), offset)
        return ops.add(line, ops.multiply(ops.convert(above, "f32"), jump))

    def _stage(self, x: Any, stage: int, batch: int) -> Any:
        network = self._network
        if stage < CODE:
            return self._block(x, network.encoder[stage])
        if stage == CODE:
            return self._dense(self._ops.reshape(x, np.array([batch, -1]), False), network.mean)
        if stage == CODE + 1:
            seed = self._dense(x, network.expand)
            x = self._ops.reshape(seed, np.array([batch, -1, *SEED_MAP]), False)
        return self._block(x, network.decoder[stage - CODE - 1])

    def _block(self, x: Any, block: nn.Module) -> Any:
        for module in block.children():
            x = self._module(x, module)
        return x

    def _module(self, x: Any, module: nn.Module) -> Any:
        ops = self._ops
        match module:
            case nn.Conv2d():
                return self._convolution(x, module)
            case nn.ConvTranspose2d():
                return self._transposed(x, module)
            case nn.Identity():
                return x
            case nn.ReLU():
                return ops.relu(x)
            case nn.LeakyReLU():
                return ops.prelu(x, np.array([module.negative_slope], np.float32))
            case nn.Tanh():
                return ops.tanh(x)
        raise NotImplementedError(f"{type(module).__name__} has no graph")

    def _dense(self, x: Any, module: nn.Linear) -> Any:
        return self._ops.add(self._ops.matmul(x, _array(module.weight), False, True), _array(module.bias)[None])

    def _convolution(self, x: Any, module: nn.Conv2d) -> Any:
        padding = [int(n) for n in module.padding]
        result = self._ops.convolution(x, _array(module.weight), list(module.stride), padding, padding, [1, 1])
        return self._plus(result, module.bias)

    def _transposed(self, x: Any, module: nn.ConvTranspose2d) -> Any:
        """Weave where both axes are stretched alike, for which there is an operation."""
        ops, padding = self._ops, [int(n) for n in module.padding]
        if module.stride[0] != module.stride[1]:
            result = ops.convolution_backprop_data(
                x, _array(module.weight), list(module.stride), None, padding, padding, [1, 1]
            )
            return self._plus(result, module.bias)
        subpixel = Subpixel(module)
        between = self._convolution(x, subpixel.convolution)
        height, width = list(x.get_output_shape(0))[2:]
        rows, columns = subpixel.kept(height, width)
        between = self._cut(between, rows, columns)
        big = ops.depth_to_space(between, "blocks_first", module.stride[0])
        height, width = subpixel.size(height, width)
        return self._cut(big, slice(0, height), slice(0, width))

    def _cut(self, x: Any, rows: slice, columns: slice) -> Any:
        starts, ends = np.array([rows.start, columns.start]), np.array([rows.stop, columns.stop])
        return self._ops.slice(x, starts, ends, np.array([1, 1]), np.array([2, 3]))

    def _plus(self, x: Any, bias: Tensor | None) -> Any:
        assert bias is not None
        return self._ops.add(x, _array(bias).reshape(1, -1, 1, 1))


def _spans(first: int, last: int, bending: Bending | None) -> list[tuple[int, int, bool]]:
    """Return runs of stages that are one graph each, and whether bends are inputs of theirs.

    The code always ends a run, so that encoder and decoder are compiled once for all plans.
    """
    seams = {last}
    for stage in range(first, last):
        if stage == CODE or (bending is not None and _needs_seam(bending, stage)):
            seams.add(stage + 1)
    spans = []
    for end in sorted(seams):
        if end > first:
            inside = range(first, end - 1)
            spans.append((first, end, bending is not None and any(bending.acts(stage) for stage in inside)))
        first = end
    return spans


def _needs_seam(bending: Bending, stage: int) -> bool:
    return bending.acts(stage) and not is_pointwise(bending.plan.steps.get(bending.layers[stage], ()))


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().float().contiguous().numpy()
    return array


def _openvino() -> tuple[Any, Any]:
    """Return OpenVINO and its operations.

    On being imported, OpenVINO reports to its makers through a package of its own, which it can do without: it is
    hidden meanwhile. Nothing that audiobend does leaves the machine.
    """
    hidden = "openvino_telemetry"
    known = sys.modules.get(hidden)
    if known is None:
        sys.modules[hidden] = None    # type: ignore[assignment]
    try:
        return importlib.import_module("openvino"), importlib.import_module("openvino.opset13")
    finally:
        if known is None:
            del sys.modules[hidden]
