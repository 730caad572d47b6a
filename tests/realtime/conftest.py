"""The sound server and its software cards; without the system's parts the tests are skipped by name."""


import pytest

from tests.parts import missing, needed
from tests.realtime.rig import Server, SoftCard


@pytest.fixture(scope="session")
def sound_system():
    lacking = missing(("jackd", "jack_wait"))
    needed(not lacking, f"needs {', '.join(lacking)}; on Debian: apt-get install jackd2 libportaudio2")


@pytest.fixture
def server(sound_system):
    """A JACK server at 44.1 kHz."""
    server = Server(44100).start()
    yield server
    server.close()


@pytest.fixture
def soft_card(server, tmp_path):
    """Makes software cards; they end with the test."""
    cards = []

    def make(sound, *flags, seconds=120) -> SoftCard:
        cards.append(SoftCard(tmp_path, sound, *flags, seconds=seconds))
        return cards[-1]

    yield make
    for card in cards:
        card.close()
