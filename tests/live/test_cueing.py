"""A take is done again while sound runs: its commands at their times, from what sounded when its recording started."""

import pytest

from audiobend.bending import Patch
from audiobend.control import Context, LoadPatch, Panic, PlayTake, Set, State, StopTake, update
from audiobend.errors import AudiobendError, ControlError
from audiobend.io.takefile import Began, Gesture, Mark, SceneIs, Take, TakeHead, head_text, line_text
from audiobend.io.takereading import load_take
from audiobend.live.cueing import Cueing
from audiobend.osc.desk import Desk
from audiobend.spectral.live_settings import LiveSettings
from audiobend.takes import cues
from tests.realtime.rig import wait_for

RATE = 1000
MIX, GAIN = "/audiobend/mix", "/audiobend/gain"


@pytest.fixture(scope="module")
def context(tiny_model):
    return Context.of_model(tiny_model)


def take(*lines, **head) -> Take:
    return Take(TakeHead("tiny", "0" * 16, Patch(), LiveSettings(4, 4), RATE, 1, **head), (Began(0), *lines))


def turned(sample: int, address: str, *args) -> Gesture:
    return Gesture(sample, sample / RATE, address, args, number=sample)


def test_what_was_before_the_recording_is_its_beginning_and_the_rest_has_its_times(context):
    recorded = take(
        turned(100, MIX, 0.25), turned(200, GAIN, -6.0), Mark(500, "started"),
        turned(700, MIX, 0.5), Mark(900, "stopped"),
    )
    first, second, last = cues(recorded, context, {})
    assert (first.seconds, second.seconds, last.seconds) == (0.0, 0.2, 0.4)
    patch = next(one.patch for one in first.commands if isinstance(one, LoadPatch))
    assert (patch.output.mix, patch.output.gain_db) == (0.25, -6.0)
    assert second.commands == (Set("output/mix", 0.5),) and last.commands == ()


def test_a_scene_is_loaded_where_it_is_as_it_was_and_else_what_it_led_to(context):
    scene = Patch(seed=7)
    lines = (SceneIs("ebb", scene), turned(100, "/audiobend/scene/load", "ebb", 2.0))
    _, same = cues(take(*lines), context, {"ebb": scene})
    assert (same.commands[0].name, same.commands[0].seconds) == ("ebb", 2.0)
    _, other = cues(take(*lines), context, {"ebb": Patch(seed=8)})
    assert other.commands == (LoadPatch(scene),)


def test_nothing_is_saved_again(context):
    (only,) = cues(take(turned(100, "/audiobend/scene/save", "ebb")), context, {})
    assert only.seconds == 0.0


def test_only_a_take_that_is_there_and_whole_is_played(context):
    state = State(Patch(), takes=("one", "two"), take="two")
    assert update(state, PlayTake("one"), context).playing == "one"
    for name, words in (("tow", "did you mean 'two'"), ("two", "is being recorded")):
        with pytest.raises(ControlError, match=words):
            update(state, PlayTake(name), context)


def test_marks_survive_the_file_in_no_order_with_gestures(tmp_path):
    path = tmp_path / "take.jsonl"
    written = take(turned(100, MIX, 0.25), Mark(90, "started"))
    path.write_text(head_text(written.head) + "".join(map(line_text, written.lines)))
    assert load_take(path).lines == written.lines


class Stand:
    """A desk, a take on disk, and a clock that the test turns."""

    def __init__(self, folder, context, recorded: Take) -> None:
        path = folder / "one.jsonl"
        path.write_text(head_text(recorded.head) + "".join(map(line_text, recorded.lines)))
        self.seconds, self.told, self.mixes = 10.0, list[str](), list[float]()
        self.desk = Desk(State(Patch(), takes=("one",)), context, self._on_change)
        self._cueing = Cueing(self.desk, lambda name: path, lambda: self.seconds, self.told.append)

    def _on_change(self, before: State, after: State) -> None:
        self.mixes.append(after.mix)
        self._cueing.follow(before, after)

    def until(self, condition) -> None:
        assert wait_for(lambda: condition(self.desk.state)), (self.desk.state, self.told)


def test_gestures_come_when_the_sound_is_there_and_then_it_is_over(tmp_path, context):
    stand = Stand(tmp_path, context, take(turned(500, MIX, 0.5), turned(1500, MIX, 0.75), Mark(2000, "stopped")))
    stand.desk.apply([PlayTake("one")])
    stand.seconds = 10.6
    stand.until(lambda state: state.mix == 0.5)
    assert stand.desk.state.playing == "one" and 0.75 not in stand.mixes
    stand.seconds = 11.6
    stand.until(lambda state: state.mix == 0.75)
    stand.seconds = 12.1
    stand.until(lambda state: state.playing == "")
    assert stand.told == []


def test_a_take_of_another_model_is_told_and_not_played(tmp_path, context):
    stand = Stand(tmp_path, context, take(turned(0, "/audiobend/layer/77/all/erode", 1)))
    stand.desk.apply([PlayTake("one")])
    stand.until(lambda state: state.playing == "")
    assert len(stand.told) == 1 and "take 'one'" in stand.told[0]


def test_a_take_is_halted_by_panic(tmp_path, context):
    stand = Stand(tmp_path, context, take(turned(500, MIX, 0.5)))
    stand.desk.apply([PlayTake("one")])
    stand.desk.apply([Panic()])
    stand.seconds = 20.0
    stand.until(lambda state: state.playing == "" and state.bypass)
    with pytest.raises(AudiobendError):
        update(stand.desk.state, StopTake(), context)
