"""Real sound, as a musician's folders hold it."""

import numpy as np
import pytest
import soundfile as sf
import soxr

from tests.conftest import EXAMPLES


@pytest.fixture(scope="session")
def recording() -> np.ndarray:
    """Ten seconds of a real recording, ``(time, 2)`` at 44.1 kHz, below full scale."""
    samples, _ = sf.read(EXAMPLES / "sounds" / "pressure.flac", frames=10 * 44100, dtype="float32", always_2d=True)
    return np.repeat(samples, 3 - samples.shape[1], axis=1)[:, :2] * 0.7


@pytest.fixture(scope="session")
def write(recording):
    """Return a function that writes the recording (or a part of it) to a file, at any rate."""

    def write(path, rate=44100, start=0.0, seconds=10.0, subtype=None):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = recording[round(start * 44100) : round((start + seconds) * 44100)]
        samples = soxr.resample(part, 44100, rate) if rate != 44100 else part
        sf.write(path, samples, rate, format="OGG" if subtype == "OPUS" else None, subtype=subtype)
        return path

    return write


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder of real sound (and of things that are none), as a musician might have it."""
    folder = tmp_path_factory.mktemp("music")
    for index, name in enumerate(("pressure", "harvest_food")):
        samples, rate = sf.read(EXAMPLES / "sounds" / f"{name}.flac", frames=4 * 44100)
        sf.write(folder / f"{name}.wav", samples, rate if index else 48000)
    (folder / "broken.wav").write_text("not a sound")
    sf.write(folder / "short.wav", np.ones(1000) * 0.1, 44100)
    sf.write(folder / "silent.wav", np.zeros(88200), 44100)
    (folder / "notes.txt").write_text("buy strings")
    return folder
