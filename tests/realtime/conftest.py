"""System parts that these tests need: fetched where that is possible, else the tests are skipped by name."""

import ctypes.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.realtime.rig import Server, SoftCard

FETCH = Path(__file__).parents[2] / ".ci" / "parts"


def missing_parts() -> list[str]:
    parts = {"jackd": shutil.which("jackd"), "jack_wait": shutil.which("jack_wait")}
    parts["the PortAudio library"] = ctypes.util.find_library("portaudio")
    parts["the JACK library"] = ctypes.util.find_library("jack")
    return [name for name, found in parts.items() if not found]


@pytest.fixture(scope="session")
def sound_system():
    if missing_parts() and FETCH.exists():
        subprocess.run(["bash", str(FETCH)], check=False)
    if missing := missing_parts():
        sentence = f"needs {', '.join(missing)}; on Debian: apt-get install jackd2 libportaudio2"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)


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
