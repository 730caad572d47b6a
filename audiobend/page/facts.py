"""What a page is told about the model, the transforms and the state: plain data, made of the objects that play."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from audiobend.bending import Bend, Transform
from audiobend.control import Context, State
from audiobend.osc.encode import ROOT
from audiobend.osc.feedback import Told
from audiobend.osc.tree import place_of
from audiobend.osc.values import features_text

PICTURE_PATH = "/api/picture/stream.mjpg"
"""Where the page has the pictures that are bent by the same gestures."""
TITLES = {"1": "1 coarse", "4": "4 fine", "5": "5 output", "z": "z latent code"}
"""Of layers whose name alone says little."""


def model_facts(context: Context) -> dict[str, Any]:
    """Return the layers with their clusters, the transforms, and the names of the models there are."""
    return {
        "models": list(context.models),
        "axes": context.n_axes,
        "layers": [_layer(context, one) for one in context.layers],
        "transforms": [_transform(one) for one in context.transforms.values()],
        "version": version("audiobend"),
    }


def _layer(context: Context, layer: Any) -> dict[str, Any]:
    name = str(layer.name)
    return {
        "name": name,
        "title": TITLES.get(name, name),
        "features": layer.n_features,
        "height": layer.height,
        "width": layer.width,
        "clusters": [_cluster(context, layer.name, one) for one in range(context.n_clusters(layer.name))],
    }


def _cluster(context: Context, layer: Any, index: int) -> dict[str, Any]:
    assert context.clusters is not None
    of_layer = context.clusters.layers[layer]
    return {
        "id": index,
        "label": context.cluster_label(layer, index),
        "features": len(of_layer.features_of(index)),
        "dead": bool(of_layer.descriptors.get(index, {}).get("silent", False)),
    }


def _transform(one: Transform) -> dict[str, Any]:
    params = [
        {"name": param.name, "kind": "int" if param.integer else "float", "min": param.low, "max": param.high,
         "default": int(param.default) if param.integer else float(param.default), "unit": param.unit,
         "description": param.help}
        for param in one.params
    ]
    strength = one.params[0].name if one.params else "mix"
    return {"name": one.name, "family": one.family, "description": one.description, "params": params,
            "strength": strength}


def state_facts(state: State, told: list[Told]) -> dict[str, Any]:
    """Return a state as ``GET /api/state`` has it; ``told`` are its addresses with their values."""
    return {
        "addresses": {one.address: list(one.args) for one in told},
        "bends": [_bend(one) for one in state.patch.bends],
        "order": [one.id for one in state.patch.bends],
        "model": state.model,
        "patch": state.patch.name,
        "undo": len(state.history.past),
        "redo": len(state.history.future),
        **kept_facts(state),
    }


def kept_facts(state: State) -> dict[str, Any]:
    """Return which scenes, takes and recordings there are, and whether there can be more."""
    return {
        "can_record": state.can_record,
        "scenes": [
            {"name": name, "bends": [_light(one) for one in patch.bends]} for name, patch in state.scenes.items()
        ],
        "takes": list(state.takes),
        "take": state.take,
        "recordings": list(state.recordings),
    }


def _bend(bend: Bend) -> dict[str, Any]:
    address = address_of(bend)
    return {
        "id": bend.id,
        "address": address,
        "switch": address if place_of(bend) is not None else f"{address}/on",
        **_light(bend),
        "params": _plain(bend.params),
        "mix": bend.mix,
    }


def _light(bend: Bend) -> dict[str, Any]:
    return {"id": bend.id, "layer": str(bend.layer), "features": features_text(bend.features),
            "transform": bend.transform, "on": bend.on}


def address_of(bend: Bend) -> str:
    """Return below which address a bend is heard of: that of its place where it was made on the fly, else its id's.

    >>> address_of(Bend("fog", 3, "erode"))
    '/audiobend/bend/fog'
    """
    place = place_of(bend)
    if place is None:
        return f"{ROOT}/bend/{bend.id}"
    features = "all" if place.cluster is None else f"cluster/{place.cluster}"
    return f"{ROOT}/layer/{place.layer}/{features}/{place.transform}"


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
