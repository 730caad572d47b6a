"""A network's stages written down as graphs of OpenVINO's operations."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from audiobend.errors import ModelError
from audiobend.networks.spectrogram_vae import N_BINS, SEED_MAP, WINDOW, SpectrogramVAE
from audiobend.networks.stages import CODE, Run
from audiobend.networks.subpixel import Part, Subpixel

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """Stages that are one graph: ``first <= stage < last``, with the rows that each puts out."""

    first: int
    last: int
    given: range | None
    rows: tuple[range, ...]
    takes_points: bool


def spans_of(run: Run) -> list[Span]:
    """Return the graphs that a run is made of.

    The code always ends a graph, so that the encoder is compiled once for all plans.
    """
    stages = range(run.first, run.last)
    seams = [stage + 1 for stage in stages if stage in (CODE, run.last - 1) or not run.is_pointwise(stage)]
    spans, first, given = [], run.first, run.given
    for end in seams:
        takes_points = any(run.acts(stage) for stage in range(first, end - 1))
        spans.append(Span(first, end, given, run.rows[first:end], takes_points))
        first, given = end, run.rows[end - 1]
    return spans


class GraphWriter:
    """Writes stretches of a network as graphs.

    Parameters
    ----------
    openvino, operations : modules
    network : SpectrogramVAE
        Batch norm folded.
    """

    def __init__(self, openvino: Any, operations: Any, network: SpectrogramVAE) -> None:
        self._ov, self._ops, self._network = openvino, operations, network
        self._layers = network.layers()
        self._kept: dict[int, Array] = {}
        self._subpixels: dict[int, Subpixel] = {}

    def write(self, span: Span, batch: int) -> Any:
        """Return stages as one graph, whose inputs are the windows and then what bends inside it do."""
        node = self._input([batch, *self._shape_before(span)])
        inputs = [node]
        given = span.given
        for stage, rows in zip(range(span.first, span.last), span.rows, strict=True):
            node = self._stage(node, stage, batch, given, rows)
            given = rows
            if span.takes_points and stage < span.last - 1:
                numbers = [self._input([batch, self._layers[stage].n_features, 1, 1]) for _ in range(5)]
                node = self._bend(node, *numbers)
                inputs += numbers
        return self._ov.Model([node], inputs, f"stages {span.first} to {span.last}")

    def _shape_before(self, span: Span) -> list[int]:
        if span.first == 0:
            return [1, WINDOW, N_BINS]
        layer = self._layers[span.first - 1]
        if span.first == CODE + 1:
            return [layer.n_features]
        return [layer.n_features, layer.height if span.given is None else len(span.given), layer.width]

    def _input(self, shape: list[int]) -> Any:
        return self._ops.parameter(shape, np.float32)

    def _bend(self, x: Any, scale: Any, offset: Any, jump: Any, slope: Any, level: Any) -> Any:
        ops = self._ops
        above = ops.greater(ops.add(ops.multiply(x, slope), level), np.float32(0))
        line = ops.add(ops.multiply(x, scale), offset)
        return ops.add(line, ops.multiply(ops.convert(above, "f32"), jump))

    def _stage(self, x: Any, stage: int, batch: int, given: range | None, rows: range) -> Any:
        network = self._network
        if stage == CODE:
            return self._dense(self._ops.reshape(x, np.array([batch, -1]), False), network.mean)
        if stage < CODE:
            convolution, *others = network.encoder[stage].children()
            x = self._convolution(x, convolution)
        else:
            n = self._layers[stage - 1].height
            if stage == CODE + 1:
                seed = self._dense(x, network.expand)
                x, n, given = self._ops.reshape(seed, np.array([batch, -1, *SEED_MAP]), False), SEED_MAP[0], None
            transposed, *others = network.decoder[stage - CODE - 1].children()
            x = self._transposed(x, transposed, Part(n, given or range(n), rows))
        for module in others:
            x = self._followed(x, module)
        return x

    def _followed(self, x: Any, module: nn.Module) -> Any:
        ops = self._ops
        match module:
            case nn.Identity():
                return x
            case nn.ReLU():
                return ops.relu(x)
            case nn.LeakyReLU():
                return ops.prelu(x, np.array([module.negative_slope], np.float32))
            case nn.Tanh():
                return ops.tanh(x)
        raise ModelError(f"OpenVINO has no graph for {type(module).__name__} here; choose --backend torch")

    def _dense(self, x: Any, module: nn.Linear) -> Any:
        weight, bias = self._constant(module.weight), _array(module.bias)[None]
        return self._ops.add(self._ops.matmul(x, weight, False, True), bias)

    def _convolution(self, x: Any, module: nn.Module) -> Any:
        assert isinstance(module, nn.Conv2d)
        padding = [int(n) for n in module.padding]
        weight = self._constant(module.weight)
        result = self._ops.convolution(x, weight, list(module.stride), padding, padding, [1, 1])
        return self._plus(result, module.bias)

    def _transposed(self, x: Any, module: nn.Module, part: Part) -> Any:
        """Weave where both axes are stretched alike, for which there is an operation."""
        assert isinstance(module, nn.ConvTranspose2d)
        width = list(x.get_output_shape(0))[3]
        if module.stride[0] != module.stride[1]:
            padding = [int(n) for n in module.padding]
            stretched = self._ops.convolution_backprop_data(
                x, self._constant(module.weight), list(module.stride), None, padding, padding, [1, 1]
            )
            columns = slice(0, list(stretched.get_output_shape(0))[3])
            return self._plus(self._cut(stretched, slice(part.wanted.start, part.wanted.stop), columns), module.bias)
        subpixel = self._subpixel(module)
        axes = (subpixel.rows, subpixel.columns)
        parts = subpixel.parts(part.n, width, part)
        taken = self._cut(x, *(one.taken(axis) for one, axis in zip(parts, axes, strict=True)))
        before, after = zip(*(one.padding(axis) for one, axis in zip(parts, axes, strict=True)), strict=True)
        kernel = self._constant(subpixel.kernel)
        groups = self._ops.convolution(taken, kernel, [1, 1], list(before), list(after), [1, 1])
        big = self._ops.depth_to_space(self._plus(groups, subpixel.bias), "blocks_first", module.stride[0])
        return self._cut(big, *(one.kept(axis) for one, axis in zip(parts, axes, strict=True)))

    def _cut(self, x: Any, rows: slice, columns: slice) -> Any:
        if list(x.get_output_shape(0))[2:] == [rows.stop, columns.stop] and rows.start == columns.start == 0:
            return x
        starts, ends = np.array([rows.start, columns.start]), np.array([rows.stop, columns.stop])
        return self._ops.slice(x, starts, ends, np.array([1, 1]), np.array([2, 3]))

    def _subpixel(self, module: nn.ConvTranspose2d) -> Subpixel:
        if id(module) not in self._subpixels:
            self._subpixels[id(module)] = Subpixel(module)
        return self._subpixels[id(module)]

    def _constant(self, weights: Tensor) -> Any:
        """Return weights as they lie in memory: OpenVINO's copy of an array keeps Python's lock, 150 ms for a layer."""
        if id(weights) not in self._kept:
            self._kept[id(weights)] = _array(weights)
        return self._ops.constant(self._kept[id(weights)], shared_memory=True)

    def _plus(self, x: Any, bias: Tensor | None) -> Any:
        assert bias is not None
        return self._ops.add(x, _array(bias).reshape(1, -1, 1, 1))


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().float().contiguous().numpy()
    return array
