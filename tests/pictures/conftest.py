"""What tests of pictures share: a small generator, as a model and as a file, and a track."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from audiobend.networks.stylegan2_model import PictureModel, weights_fingerprint
from tests.networks.checkpoint_files import mean_of, nvlabs, small_network

RATE = 22050


@pytest.fixture(scope="session")
def small_model() -> PictureModel:
    network = small_network()
    return PictureModel("small", network, weights_fingerprint(network), mean_of(network))


@pytest.fixture
def model_file(tmp_path) -> Path:
    path = tmp_path / "net.pkl"
    path.write_bytes(nvlabs(small_network()))
    return path


@pytest.fixture(scope="session")
def track(tmp_path_factory) -> Path:
    """Two seconds: silence, then 100 Hz, then 8 kHz, then silence with one click in its middle; half a second each."""
    time = np.arange(RATE // 2) / RATE
    click = np.zeros(RATE // 2)
    click[RATE // 4 : RATE // 4 + 40] = 0.8
    parts = [time * 0, 0.5 * np.sin(2 * np.pi * 100 * time), 0.5 * np.sin(2 * np.pi * 8000 * time), click]
    path = tmp_path_factory.mktemp("tracks") / "track.wav"
    sf.write(path, np.concatenate(parts), RATE, subtype="FLOAT")
    return path
