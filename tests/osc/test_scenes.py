"""Scenes, steps, takes and movements over OSC: what is sent, what is answered, what subscribers hear."""

import pytest

from audiobend.bending import Modulation, Patch
from audiobend.control import (
    AddBend,
    BindMacro,
    EndedRecording,
    MorphFour,
    Place,
    RemoveBend,
    RenameScene,
    Set,
    UnbindMacro,
)
from audiobend.osc.decode import Change, decode
from audiobend.osc.gestures import message_of
from audiobend.osc.limits import Budget
from audiobend.osc.parse import Message
from tests.osc.conftest import ELSEWHERE
from tests.osc.test_addresses import TABLE

LFO = "/audiobend/bend/fog/radius/lfo"


def radius(desk):
    return desk.state.patch.bend("fog").params["radius"]


def failed(told):
    ((address, args),) = told
    assert address == "/audiobend/fail", told
    return args[1:]


def test_a_scene_is_loaded_at_once_or_over_some_seconds(talk, desk):
    talk("/audiobend/scene/save", "low")
    talk("/audiobend/bend/fog/radius", 9)
    assert talk("/audiobend/scene/load", "low", 2.5) == [("/audiobend/done", ("/audiobend/scene/load",))]
    assert (radius(desk), desk.state.fade.seconds) == (2, 2.5)
    talk("/audiobend/scene/load", "low")
    assert desk.state.fade is None
    assert talk("/audiobend/scene/load") == [("/audiobend/scene/load", ("low",))]


@pytest.mark.parametrize("seconds", [-1.0, 601.0, float("nan"), float("inf"), "slowly"])
def test_a_fade_of_no_length_is_refused(talk, desk, seconds):
    talk("/audiobend/scene/save", "low")
    before = desk.state
    code, text = failed(talk("/audiobend/scene/load", "low", seconds))
    assert code == 400 and ("must be in 0..600 s" in text or "must be a number" in text)
    assert desk.state is before


def test_scenes_are_counted_and_listed(talk):
    talk("/audiobend/notify", 1)
    talk("/audiobend/scene/save", "low", sender=ELSEWHERE)
    assert talk.value("/audiobend/scene/count") == 1
    talk("/audiobend/scene/save", "high")
    assert talk("/audiobend/list/scenes")[:2] == [
        ("/audiobend/list/scenes", (0, 2, "low")),
        ("/audiobend/list/scenes", (1, 2, "high")),
    ]


def test_subscribers_hear_of_scenes_takes_undo_and_movements(talk):
    talk("/audiobend/notify", 1, sender=ELSEWHERE)

    def heard(*message):
        talk(*message)
        return {address: args for to, address, args in talk.others if to == ELSEWHERE}

    assert heard("/audiobend/scene/save", "low")["/audiobend/scene/count"] == (1,)
    assert heard("/audiobend/take/start", "one")["/audiobend/take/name"] == ("one",)
    assert heard("/audiobend/take/stop")["/audiobend/take/name"] == ("",)
    told = heard(LFO, "sine", 2.0, 3.0)
    assert told[LFO] == ("sine", 2.0, 3.0, 0.0)
    assert told[f"{LFO}/rate"] == (2.0,)
    heard("/audiobend/bend/fog/radius", 9)
    assert heard("/audiobend/undo")["/audiobend/bend/fog/radius"] == (2,)
    assert heard("/audiobend/undo")[LFO] == ("off", 2.0, 3.0, 0.0)
    assert heard("/audiobend/redo")[LFO] == ("sine", 2.0, 3.0, 0.0)


def test_what_moves_output_and_code_is_told_too(talk):
    talk("/audiobend/notify", 1, sender=ELSEWHERE)
    talk("/audiobend/gain/lfo", "follow", 4.0, -6.0)
    assert (ELSEWHERE, "/audiobend/gain/lfo", ("follow", 4.0, -6.0, 0.0)) in talk.others
    talk("/audiobend/latent/2/offset/lfo", "triangle")
    assert (ELSEWHERE, "/audiobend/latent/2/offset/lfo", ("triangle", pytest.approx(0.2), 1.0, 0.0)) in talk.others


def test_undo_and_redo_answer_and_count(talk, desk):
    assert failed(talk("/audiobend/undo"))[0] == 409
    talk("/audiobend/bend/fog/radius", 9)
    assert talk.value("/audiobend/undo/count") == 1
    assert talk("/audiobend/undo", 1) == [("/audiobend/done", ("/audiobend/undo",))]
    assert (radius(desk), talk.value("/audiobend/redo/count")) == (2, 1)
    assert talk("/audiobend/redo", 0) == []    # a button that is let go
    talk("/audiobend/redo")
    assert radius(desk) == 9


def test_takes_have_names_and_none_is_recorded_twice(talk, desk):
    assert talk("/audiobend/take/start") == [("/audiobend/done", ("/audiobend/take/start", "take-1"))]
    code, text = failed(talk("/audiobend/take/start", "two"))
    assert code == 409 and "'take-1' is being recorded" in text
    assert talk.value("/audiobend/take/name") == "take-1"
    talk("/audiobend/take/stop")
    assert failed(talk("/audiobend/take/stop"))[0] == 409
    assert "already" in failed(talk("/audiobend/take/start", "take-1"))[1]
    assert "a take's name must be" in failed(talk("/audiobend/take/start", "../../x"))[1]
    assert talk("/audiobend/list/takes")[0] == ("/audiobend/list/takes", (0, 1, "take-1"))


def test_a_recording_is_listed_once_it_is_whole_and_everybody_hears_of_it(talk, desk):
    talk("/audiobend/notify", 1, sender=ELSEWHERE)
    name = "/audiobend/recording/name"
    assert talk("/audiobend/recording/start") == [("/audiobend/done", ("/audiobend/recording/start", "recording-1"))]
    assert (ELSEWHERE, name, ("recording-1",)) in talk.others
    assert talk.value(name) == "recording-1"
    assert failed(talk("/audiobend/recording/start", "two")) == (409, "'recording-1' is being recorded; stop it first")
    talk("/audiobend/recording/stop")
    assert (ELSEWHERE, name, ("",)) in talk.others
    assert failed(talk("/audiobend/recording/stop"))[0] == 409
    assert talk("/audiobend/list/recordings") == [("/audiobend/done", ("/audiobend/list/recordings", 0))]
    assert "already" in failed(talk("/audiobend/recording/start", "recording-1"))[1]
    desk.apply([EndedRecording("recording-1", "recording-1")])
    assert talk("/audiobend/list/recordings")[0] == ("/audiobend/list/recordings", (0, 1, "recording-1"))


def test_a_bend_by_its_place_is_moved_too(talk, desk):
    address = "/audiobend/layer/2/cluster/1/rotate/angle/lfo"
    assert talk(address) == [(address, ("off", pytest.approx(0.2), 1.0, 0.0))]
    assert talk(address, "triangle", 0.5, 90.0, 0.25) == []
    assert desk.state.patch.modulation == (Modulation("layer2.cluster1.rotate/angle", "triangle", 0.5, 90.0, 0.25),)
    talk(f"{address}/depth", 45.0)
    assert talk(address) == [(address, ("triangle", 0.5, 45.0, 0.25))]
    talk(address, "off")
    assert talk(address) == [(address, ("off", 0.5, 45.0, 0.25))]


def test_a_movement_that_is_given_in_part_keeps_the_rest_however_fast_it_comes(talk, desk):
    from audiobend.osc.encode import encode

    for args in (("sine", 5.0), ("square",), ("random",)):
        talk.responder.receive(encode(LFO, args), ELSEWHERE, 0.0, 0.0)
    talk.turn()
    assert desk.state.patch.get("fog/radius/lfo")[:2] == ("random", 5.0)


COMMANDS = [
    Set("fog/radius", 5),
    Set("fog/on", False),
    Set("fog/features", "cluster 1"),
    Set("fog/radius/lfo", ("sine", 0.1, 2.0, 0.5)),
    Set("output/gain_db", -6.5),
    Set("output/gain_db/lfo/rate", 0.3),
    Set("output/mix", 1 / 3),
    Set("latent/2/offset", 0.1),
    Set("seed", 7),
    Set("bypass", True),
    Set("difference", True),
    Set("solo", "fog"),
    Set("order", "lean fog"),
    Set("pad/x", 0.25),
    MorphFour("a", "b", "c", "d", 0.25, 0.5),
    RenameScene("a", "b"),
    AddBend("3", "erode", "random 0.25"),
    RemoveBend("fog"),
    Set("macro/16", 0.25),
    BindMacro(3, "fog/radius"),
    BindMacro(3, "output/gain_db", -6.0, 0.5),
    BindMacro(1, "layer2.cluster1.rotate/angle", 90.0, 0.0, Place(2, 1, "rotate")),
    UnbindMacro(3),
    UnbindMacro(3, "fog/radius"),
    Set("layer2.cluster1.rotate/angle", 12.3, Place(2, 1, "rotate")),
    Set("layerz.all.invert/on", True, Place("z", None, "invert")),
    Set("layer3.all.erode/mix/lfo", ("follow", 1.0, -1.0), Place(3, None, "erode")),
]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_command_is_a_message_that_means_it(desk, command):
    address, args = message_of(command)
    (request,) = decode(Message(address, args), TABLE, desk.state, Budget())
    assert isinstance(request, Change) and request.command == command


ACTIONS = {
    "scene/save": ("low",), "scene/load": ("low", 0.5), "scene/morph": ("low", "high", 0.5), "scene/delete": ("high",),
    "undo": (), "redo": (), "take/start": ("one",), "take/stop": (), "take/play": ("one",), "take/halt": (),
    "recording/start": ("one",), "recording/stop": (),
    "panic": (), "model/load": ("other",),
    "ping": (1,), "hello": (), "status": (), "notify": (1,), "sync": (3,), "dump": (0,),
    "list/layers": (), "list/clusters": ("1",), "list/transforms": (), "list/params": ("erode",), "list/bends": (),
    "list/scenes": (), "list/takes": (), "list/recordings": (), "list/models": (), "list/macros": (),
    "scene/pad": ("low", "low", "low", "low", 0.5, 1), "scene/rename": ("low", "ebb"),
    "chain/add": ("3", "erode", "random 0.25"), "chain/remove": ("lean",),
    "macro/{macro}/bind": ("mix", 0, 1), "macro/{macro}/unbind": ("mix",),
}


def test_every_action_there_is_can_be_sent(talk):
    assert {one.row.path for one in TABLE.leaves(Patch()) if one.row.kind == "action"} == set(ACTIONS)
    talk("/audiobend/scene/save", "high")
    for path, args in ACTIONS.items():
        answers = talk(f"/audiobend/{path.format(macro=16)}", *args)
        assert not any(address == "/audiobend/fail" for address, _ in answers), (path, answers)
        if path not in ("scene/morph", "scene/pad", "model/load"):    # told when it sounds
            assert answers, path
        talk("/audiobend/bend/fog/radius", 5 + len(path) % 7)    # something to undo
        if path in ("undo", "take/start"):
            talk("/audiobend/undo")
