"""Stages compiled by OpenVINO.

Neighbouring stages become one graph: a seam between two costs up to half as much as the stages themselves. Bends that
look at one activation at a time are inputs of that graph, so that no change of theirs compiles anything; only behind
a stage with another kind of bend is there a seam, where torch bends.
"""

import functools
import importlib
import itertools
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiobend.bending.pointwise import points_of
from audiobend.networks.openvino_graph import Array, GraphWriter, Span, spans_of
from audiobend.networks.spectrogram_vae import SpectrogramVAE
from audiobend.networks.stages import Bending, Run

KEPT_GRAPHS = 64
"""Graphs that are kept compiled; a plan takes about five."""


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
        openvino, operations = _openvino()
        self._writer = GraphWriter(openvino, operations, network)
        self._layers, self._batch = network.layers(), batch
        self._core = _core()
        self._options = {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if dtype == torch.bfloat16 else "f32",
        }
        self._graphs: dict[tuple[Span, int], Any] = {}
        self._last_used: dict[tuple[Span, int], int] = {}
        self._clock = itertools.count()

    def run(self, x: Tensor, run: Run) -> Tensor:
        """See `audiobend.networks.staged_backend.Machine`."""
        for span in spans_of(run):
            inputs = [np.ascontiguousarray(x.numpy())]
            if run.bending is not None and span.takes_points:
                inputs += self._points(run.bending, span, len(x))
            # The graph's own memory: nobody writes to it, and the backend copies what it gives away.
            x = torch.from_numpy(self._graph(span, len(x)).infer(inputs, share_inputs=True, share_outputs=True)[0])
            if run.bending is not None and run.acts(span.last - 1):
                x = run.bending.at(span.last - 1, x)
            run.see(span.last - 1, x)
        return x

    def prepare(self, run: Run) -> None:
        """Compile what a run needs; about 50 ms for each graph of a small model."""
        for span in spans_of(run):
            self._graph(span, self._batch)

    def _points(self, bending: Bending, span: Span, batch: int) -> list[Array]:
        """Return the inputs that say what pointwise bends do behind all stages but the last."""
        arrays: list[Array] = []
        for stage in range(span.first, span.last - 1):
            layer = self._layers[stage]
            points = points_of(bending.plan.steps.get(layer.name, ()), layer.n_features, batch, bending.times)
            arrays += [array[:, :, None, None] for array in points.arrays()]
        return arrays

    def _graph(self, span: Span, batch: int) -> Any:
        """Return what runs a graph; it is compiled now unless it is among those used lately."""
        key = (span, batch)
        self._last_used[key] = next(self._clock)
        request = self._graphs.get(key)
        if request is None:
            request = self._graphs[key] = self._compiled(self._writer.write(span, batch))
            if len(self._graphs) > KEPT_GRAPHS:
                del self._graphs[min(list(self._graphs), key=self._last_used.__getitem__)]
        return request

    def _compiled(self, graph: Any) -> Any:
        """Return what runs a graph, after a first run: it takes its memory then."""
        compiled = self._core.compile_model(graph, "CPU", self._options)
        request = compiled.create_infer_request()
        request.infer([np.zeros(list(one.shape), np.float32) for one in compiled.inputs])
        return request


@functools.cache
def _core() -> Any:
    """Return OpenVINO's core, one for the whole process.

    Each core gives the thread a stack for signals and frees it when it goes. Of two that overlap, as when a performance
    changes its model, the second leaves the thread with the stack that the first has freed, and the next signal
    (Ctrl-C) ends the process. So there is one, and it never goes.
    """
    return _openvino()[0].Core()


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
