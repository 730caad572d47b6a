"""A desk without a network: a patch, a few layers with clusters, and packets as bytes."""

import itertools

import pytest

from audiobend.bending import Clusters, Patch
from audiobend.control import Context, State
from audiobend.networks.bendable import LayerSpec
from audiobend.osc.desk import Desk
from audiobend.osc.encode import encode
from audiobend.osc.parse import parse
from audiobend.osc.responder import Responder

HERE = ("127.0.0.1", 50000)
ELSEWHERE = ("127.0.0.1", 50001)


def make_context(n_layers=3, model="tiny"):
    layers = tuple(LayerSpec(n, f"decoder.{n}", 8, 16, 33) for n in range(1, n_layers + 1))
    labels = {layer.name: [0, 1] * 4 for layer in layers}
    z = LayerSpec("z", "code", 512, 1, 1)
    return Context((*layers, z), Clusters.from_labels(labels), 4, model, ("tiny", "other"))


def make_patch():
    return (
        Patch(name="low tide", seed=7)
        .add(3, "erode", {"radius": 2}, id="fog", mix=0.8)
        .add(1, "rotate", {"angle": 45}, id="lean", on=False)
    )


class Talk:
    """Sends messages to a responder and reads what it answers; time goes on by a minute with every message."""

    def __init__(self, desk):
        self.desk = desk
        self.responder = Responder(desk, port=9001)
        self.clock = itertools.count(1000, 60)
        self.others = []

    def __call__(self, address, *args, sender=HERE):
        return self.packet(encode(address, args), sender)

    def packet(self, datagram, sender=HERE, wall=1.7e9):
        now = next(self.clock)
        self.responder.receive(datagram, sender, now, wall)
        self.responder.turn(now)
        return self.heard(sender)

    def turn(self):
        self.responder.turn(next(self.clock))
        return self.heard(HERE)

    def heard(self, sender):
        sent = [(to, parse(datagram).groups[0][1][0]) for datagram, to in self.responder.take()]
        self.others = [(to, one.address, one.args) for to, one in sent if to != sender]
        return [(one.address, one.args) for to, one in sent if to == sender]

    def value(self, address):
        (told, args), *more = self(address)
        assert told == address and len(args) == 1 and not more, (told, args, more)
        return args[0]


@pytest.fixture
def context():
    return make_context()


@pytest.fixture
def desk(context):
    return Desk(State(make_patch(), model="tiny", can_record=True), context)


@pytest.fixture
def talk(desk):
    return Talk(desk)
