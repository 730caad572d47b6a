"""What can be addressed, as rows: everything else about OSC is derived from them.

A row may stand for many addresses: ``layer/{layer}/{features}/erode/radius`` is there for every layer, and for all of
its features and each of its clusters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from audiobend.bending.apply import MIX
from audiobend.bending.bend import OUTPUT_PARAMS
from audiobend.bending.latent import LATENT_OPS
from audiobend.bending.macros import SHARE
from audiobend.bending.modulation import SHAPES
from audiobend.bending.transform import Param, Transform
from audiobend.control.reading import BOUND
from audiobend.control.sceneplay import FADE, POSITION
from audiobend.osc.row import LAST_INT, Row, number, told, with_lfo, with_norm

LONGEST_FADE = f"{FADE.low:g}..{FADE.high:g}"


def transform_rows(transform: Transform, path: str, switch_path: str) -> Iterator[Row]:
    """Return the rows of one transform at one place; ``path`` leads there, ``switch_path`` to its switch."""
    yield Row(switch_path, "switch", "i", f"switch: {transform.description}".rstrip("."), target="{bend}/on")
    yield from with_lfo(number(f"{path}/mix", MIX, "how much of it is mixed in", "{bend}/mix"))
    for param in transform.params:
        words = param.help or f"{param.name} of {transform.name}"
        row, norm = with_norm(number(f"{path}/{param.name}", param, words, f"{{bend}}/{param.name}"))
        yield from (*with_lfo(row), norm)


def layer_rows(transforms: Mapping[str, Transform]) -> Iterator[Row]:
    """Return what every layer has, on all of its features and on each cluster."""
    for transform in transforms.values():
        path = f"layer/{{layer}}/{{features}}/{transform.name}"
        yield from transform_rows(transform, path, path)


def bend_rows(transform: Transform) -> Iterator[Row]:
    """Return what a bend of the patch has, by its id."""
    yield from transform_rows(transform, "bend/{id}", "bend/{id}/on")
    features = "the features it acts on: all, cluster 1, random 0.25, range 0 9 or indices 3 5"
    yield Row("bend/{id}/features", "text", "s", features, target="{bend}/features")
    yield Row("bend/{id}/layer", "name", "s", "the layer where it acts: 3, e1, z", target="{bend}/layer")


def latent_rows() -> Iterator[Row]:
    """Return what every axis of the latent code has: the operations with one number."""
    for op, entry in LATENT_OPS.items():
        if len(entry.params) == 2 and entry.params[0].name == "axis":
            words = f"{entry.description.rstrip('.')}: {entry.params[1].name}; {entry.params[1].help}"
            target = f"latent/{{axis}}/{op}"
            row, norm = with_norm(number(f"latent/{{axis}}/{op}", entry.params[1], words, target))
            yield from (*with_lfo(row), norm)


def output_rows() -> Iterator[Row]:
    """Return what belongs to the whole sound."""
    out = OUTPUT_PARAMS
    yield from with_lfo(number("mix", out["mix"], "dry to wet", "output/mix"))
    yield from with_lfo(number("detail", out["detail"], out["detail"].help, "output/detail"))
    gain, norm = with_norm(number("gain", out["gain_db"], "gain at the output", "output/gain_db"))
    yield from (*with_lfo(gain), norm)
    yield Row("limiter", "switch", "i", "limiter at the output", target="output/limiter")
    yield Row("match_level", "switch", "i", "the unbent level follows the input's", target="output/match_level")
    yield Row("bypass", "switch", "i", "the dry sound, bit for bit", target="bypass")
    yield Row("difference", "switch", "i", "only what the bends add and take away, for the ear", target="difference")
    yield Row("solo", "text", "s", "ids of the bends that are heard alone; empty: all that are on", target="solo")
    seed = Param("seed", 0, LAST_INT, default=0, integer=True)
    yield number("seed", seed, "seed of everything random", "seed")


def chain_rows() -> Iterator[Row]:
    """Return what is done with the chain of bends."""
    yield Row("chain/order", "text", "s", "ids of the bends in the order in which they act, with blanks between",
              target="order")
    yield Row("chain/add", "action", "sss", "one more bend, switched off: layer, transform, features (all, cluster 1, "
              "random 0.25, ...); done tells its id", "w", optional=1)
    yield Row("chain/remove", "action", "s", "take a bend out of the patch, by its id", "w")


def scene_rows() -> Iterator[Row]:
    """Return what is done with scenes, steps back, takes and models."""
    yield Row("scene/load", "action", "sf", f"sound a scene, reached over so many seconds ({LONGEST_FADE}); the query "
              "tells the one loaded last", optional=1, params=(FADE,))
    yield Row("scene/save", "action", "s", "keep what sounds as a scene, in the session's folder", "w")
    yield Row("scene/delete", "action", "s", "forget a scene", "w")
    yield told("scene/count", "i", "how many scenes there are", "scenes")
    yield Row("scene/morph", "action", "ssf", "sound what lies between two scenes: from, to, position 0..1",
              params=(POSITION,))
    yield number("scene/morph/position", POSITION, "position between the two scenes of the last morph", "morph")
    yield Row("scene/pad", "action", "ssssff", "sound what lies between four scenes: two along x, two more along y, "
              "then x and y 0..1", params=(replace(POSITION, name="x"), replace(POSITION, name="y")))
    yield number("scene/pad/x", replace(POSITION, name="x"), "position of the last pad along x", "pad/x")
    yield number("scene/pad/y", replace(POSITION, name="y"), "position of the last pad along y", "pad/y")
    yield Row("scene/rename", "action", "ss", "give a scene another name", "w")
    yield Row("undo", "action", "i", "take the last gesture back; nothing, or 1", "w", optional=1)
    yield told("undo/count", "i", "how many gestures can be taken back", "undos")
    yield Row("redo", "action", "i", "do again what was taken back; nothing, or 1", "w", optional=1)
    yield told("redo/count", "i", "how many gestures can be done again", "redos")
    yield Row("take/start", "action", "s", "record every gesture from now on, as a take of that name or a free one; "
              "done tells the name", "w", optional=1)
    yield Row("take/stop", "action", "i", "end the take; nothing, or 1", "w", optional=1)
    yield told("take/name", "s", "the take that is being recorded; empty where none is", "take")
    yield Row("take/play", "action", "s", "do again what was done in a take, while sound runs", "w")
    yield Row("take/halt", "action", "i", "play no take any more; nothing, or 1", "w", optional=1)
    yield told("take/playing", "s", "the take that is played again; empty where none is", "playing")
    yield Row("recording/start", "action", "s", "record what is played from now on into the session's folder, under "
              "that name or a free one; done tells the name", "w", optional=1)
    yield Row("recording/stop", "action", "i", "end the recording; its file is there when list/recordings tells it; "
              "nothing, or 1", "w", optional=1)
    yield told("recording/name", "s", "the recording that is being made; empty where none is", "recording")
    yield Row("profile", "text", "s", "latency: low, balanced or studio; a new engine takes the place of this one",
              target="profile")
    yield Row("input", "text", "s", "the sound card that is listened to, by its name", target="input")
    yield Row("output", "text", "s", "the sound card that is played on, by its name", target="output")
    yield Row("model/load", "action", "s", "load another model by its name; done is told when it sounds")
    yield told("image/url", "s", "where pictures are seen, with stream.mjpg behind it as a stream; empty where there "
                "are none", "image")


def macro_rows() -> Iterator[Row]:
    """Return what every macro has."""
    yield number("macro/{macro}", SHARE, "where the macro stands; it moves all that it is bound to", "macro/{macro}")
    yield Row("macro/{macro}/bind", "action", "sff", "let it move a number, such as fog/radius or mix or an address, "
              "from one value to another, or over its whole range; no arguments: told what it moves, with both values",
              target=f"macro/{{macro}}{BOUND}", optional=2)
    yield Row("macro/{macro}/unbind", "action", "s", "let it move that number no more; without one, nothing", "w",
              target="macro/{macro}", optional=1)


def service_rows() -> Iterator[Row]:
    """Return what is asked and answered."""
    yield Row("panic", "action", "i", "dry sound at once; nothing, or 1; what waits for its time is dropped", "w",
              optional=1)
    yield Row("ping", "action", "*", "answered by /audiobend/pong with the same arguments", "r")
    yield Row("hello", "action", "", "answered by /audiobend/hello.reply name version protocol model port tcp oscquery",
              "r")
    yield Row("status", "action", "", "answered by /audiobend/status.reply load latency_ms xruns late dropped "
              "received rejected", "r")
    yield Row("notify", "action", "ii", "1: send every change to me, to this port if one is given; 0: no more", "rw",
              optional=1)
    yield Row("sync", "action", "i", "answered by /audiobend/synced once all that came before is done", "w")
    yield Row("dump", "action", "i", "one page (from 0) of the state, a message for each address in use, then "
              "/audiobend/dump.end page pages", "r", optional=1)
    yield Row("list/layers", "action", "", "a message for each layer: index, count, name, features, height, width, "
              "clusters", "r")
    yield Row("list/clusters", "action", "s", "a message for each cluster of a layer: index, count, layer, cluster, "
              "label", "r")
    yield Row("list/transforms", "action", "", "a message for each transform: index, count, name, description, "
              "parameters", "r")
    yield Row("list/params", "action", "s", "a message for each parameter of a transform: index, count, name, low, "
              "high, default, unit, whole", "r")
    yield Row("list/bends", "action", "", "a message for each bend of the patch: index, count, id, layer, transform, "
              "features, on", "r")
    yield Row("list/macros", "action", "", "a message for each number that a macro moves: index, count, macro, target, "
              "value at 0, value at 1", "r")
    yield Row("list/scenes", "action", "", "a message for each scene: index, count, name", "r")
    yield Row("list/takes", "action", "", "a message for each take of the session: index, count, name", "r")
    yield Row("list/recordings", "action", "", "a message for each recording of the session that is whole: index, "
              "count, name", "r")
    yield Row("list/models", "action", "", "a message for each model: index, count, name", "r")


@dataclass(frozen=True)
class Reply:
    """A message that is sent, never received."""

    path: str
    types: str
    description: str


REPLIES = (
    Reply("done", "s...", "what was carried out, and for some what came of it"),
    Reply("fail", "sis", "address, code (400 wrong arguments, 404 no such address, 405 no value, 409 not now, 429 too "
          "many), and a sentence"),
    Reply("pong", "*", "the arguments of ping"),
    Reply("hello.reply", "ssisiii", "audiobend, version, protocol, model, and the ports of UDP, TCP and OSCQuery; 0 "
          "where there is none"),
    Reply("status.reply", "ffiiiii", "load (1 is all there is), latency in ms, xruns, late blocks, dropped, packets "
          "received, packets refused"),
    Reply("synced", "i", "the number of sync"),
    Reply("dump.end", "ii", "page, pages"),
)


def bend_forms() -> tuple[Row, ...]:
    """Return what a bend has whatever its transform is, with its parameters as ``{param}``, for documentation."""
    own = bend_rows(Transform("", "", (), lambda x: x, "on or off"))
    value = Row("bend/{id}/{param}", "number", "f", "a parameter of its transform, as under layer")
    norm = Row("bend/{id}/{param}/norm", "norm", "f", "the same as a share 0..1 of its range")
    lfo = Row("bend/{id}/{param}/lfo", "lfo", "sfff", "what moves it, as of mix", optional=3, choices=SHAPES)
    parts = [
        Row(f"bend/{{id}}/{{param}}/lfo/{name}", "number", "f", f"{name} of its movement, as of mix")
        for name in ("rate", "depth", "phase")
    ]
    return (*own, value, lfo, *parts, norm)
