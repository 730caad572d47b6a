"""Sound and the preparing of changes take turns in the engine's process."""

import pickle
import threading

from audiobend.bending import Patch
from audiobend.live.dsp import Go, Wanted, _Mail
from audiobend.live.seam import Seam
from audiobend.live.turns import Turns


def test_one_waits_for_the_other():
    turns, order = Turns(), []
    inside = threading.Event()

    def prepare():
        with turns.taken():
            order.append("prepared")

    with turns.taken():
        thread = threading.Thread(target=lambda: (inside.set(), prepare()))
        thread.start()
        assert inside.wait(10)
        order.append("played")
    thread.join(10)
    assert order == ["played", "prepared"]


class Pipe:
    """What a supervisor has sent before anybody reads it; then nothing comes any more."""

    def __init__(self, *messages):
        self.waiting = [pickle.dumps(one) for one in messages]
        self.is_empty = threading.Event()

    def poll(self):
        return bool(self.waiting)

    def recv_bytes(self):
        if not self.waiting:
            self.is_empty.set()
            threading.Event().wait()
        return self.waiting.pop(0)


class Player:
    stride_seconds = 0.0

    def __init__(self):
        self.prepared = []

    def prepare(self, wanted, alone):
        with alone():    # held by nobody: no change is prepared inside another turn
            self.prepared.append(wanted.number)
        return lambda: None


def test_of_changes_that_wait_only_the_newest_is_prepared():
    player, seam, told = Player(), Seam(lambda one: told.append(one)), []
    pipe = Pipe(Go("", 44100, 1), *(Wanted(None, Patch(seed=n), number=n) for n in range(1, 50)))
    mail = _Mail(pipe, player, None, seam, Turns())
    assert mail.card().rate == 44100
    assert pipe.is_empty.wait(10)
    assert player.prepared == [49]
    seam(0, 512)
    assert [(one.kind, one.number) for one in told] == [("began", 0), ("applied", 49)]
