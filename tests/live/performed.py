"""A performance in one process and one thread: OSC, desk, seam, engine and rings are the real ones."""

import itertools
import threading

import numpy as np

from audiobend.bending import Patch
from audiobend.control import Context, State
from audiobend.io.modelbundle import load_model
from audiobend.io.takefile import TakeHead
from audiobend.io.takereading import load_take
from audiobend.live.chain import Chain
from audiobend.live.dsp import Wanted
from audiobend.live.keeper import Keeper
from audiobend.live.player import make_player
from audiobend.live.pump import Pump
from audiobend.live.rings import Count, Shared
from audiobend.live.seam import Seam
from audiobend.live.takes import Takes
from audiobend.osc.desk import Desk
from audiobend.osc.encode import encode
from audiobend.osc.responder import Responder
from audiobend.spectral.live_settings import LiveSettings

ORIGIN = 5000
HERE = ("127.0.0.1", 50000)


class Performed:
    """Plays a sound ``(time, channel)``; `say` sends a message, `play` lets sound pass."""

    def __init__(self, model, sound, folder, settings=None, patch=None, rate=44100, scenes=None):
        self.settings = settings or LiveSettings(4, 4, n_channels=sound.shape[1])
        patch = patch or Patch()
        the_model = load_model(model)
        self.state = State(patch, model=the_model.name, scenes=scenes or {})
        self.sound, self.rate, self._numbers, self._n = sound, rate, itertools.count(1), 0
        self.told = []
        self.keeper = Keeper(self.told.append)
        self.takes = Takes(self.keeper, lambda: None)
        self._wanted = Wanted(str(model), patch, backend="torch")
        self.desk = Desk(self.state, Context.of_model(the_model), self._on_change, keep=self._keep)
        self.responder = Responder(self.desk)
        self.shared = Shared()
        self.head = TakeHead(str(model), the_model.fingerprint, patch, self.settings, rate, sound.shape[1])
        self.takes.ready(self.head, ORIGIN)
        self.take = folder / "take.jsonl"
        self.out = []
        self.begin()

    def begin(self):
        """Begin with a new engine, as after the old one died."""
        self.player = make_player(self._wanted, self.settings)
        self.seam = Seam(self.takes.told, self._wanted.number)
        self.chain = Chain(self.player.engine, self.settings.n_channels, self.rate, self.player.model_rate)
        self.shared[Count.DELAY] = self.chain.latency
        stride = self.player.stride_seconds
        self.pump = Pump(self.shared, self.chain, self.sound.shape[1], self.rate, stride, self.seam)

    def _keep(self, commands, after, now):
        self.takes.note(self._n + 1, commands, after, now)

    def _on_change(self, before, after):
        if (before.patch, before.bypass, before.fade) == (after.patch, after.bypass, after.fade):
            return
        self._n += 1
        self._wanted = Wanted(
            self._wanted.model, after.patch, after.bypass, "torch", after.fade, self._n
        )
        self.seam.put(self._n, self.player.prepare(self._wanted))

    def say(self, address, *args):
        """Send a message, and read what is answered."""
        from audiobend.osc.parse import parse

        self.responder.receive(encode(address, args), HERE, 0.0, 0.0)
        self.responder.turn(0.0)
        return [parse(datagram).groups[0][1][0] for datagram, _ in self.responder.take()]

    def play(self, n):
        """Let ``n`` samples pass; return what came out, ``(time, channel)``."""
        parts = []
        while n:
            block = min(n, 700)
            position = self.shared[Count.PLAYED]
            first = position - ORIGIN
            given = np.zeros((block, self.sound.shape[1]), dtype=np.float32)
            inside = self.sound[max(0, first) : max(0, first + block)]
            given[max(0, -first) : max(0, -first) + len(inside)] = inside
            self.shared.input.put(position, given)
            self.shared[Count.CAPTURED] = self.shared[Count.PLAYED] = position + block
            while self.pump.step():
                pass
            heard = np.empty((block, self.sound.shape[1]), dtype=np.float32)
            self.shared.output.get(position, heard)
            parts.append(heard)
            n -= block
        self.out += parts
        return np.concatenate(parts)

    def heard(self):
        """All that came out, aligned with the sound."""
        late = ORIGIN + self.chain.latency
        return np.concatenate(self.out)[late:]

    def written(self):
        """Wait until what there is to write is written."""
        done = threading.Event()
        self.keeper.do(done.set)
        assert done.wait(60)

    def close(self):
        self.takes.close()
        self.keeper.close()
        self.shared.close()
        return load_take(self.take)
