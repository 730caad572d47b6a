"""What several tests share: a small network that is there without any training, and real music."""

import signal
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from tests import parts

# Small networks run slower on several threads, above all on a busy machine.
torch.set_num_threads(1)

EXAMPLES = Path(__file__).parents[1] / "examples"

TOGETHER = (
    "tests/realtime/",    # sound servers are few
    "tests/server/", "tests/plugin/",
    "tests/page/test_audio", "tests/page/test_files", "tests/page/test_pictures", "tests/page/test_state",
    "tests/e2e/test_page.py", "tests/e2e/test_page_looks.py",
    "tests/e2e/test_cluster_command.py", "tests/e2e/test_catalog_command.py",
)    # fmt: skip
"""With ``-n 2``, tests that share something dear run one after the other in one process."""
SOUND_SERVERS = ("tests/realtime/", "tests/e2e/test_page_played.py", "tests/plugin/test_jalv.py")
"""These too: all that plays through a sound server."""

SLOW = (
    "tests/server/", "tests/plugin/", "tests/export/test_contract.py", "tests/export/test_pictures.py",
    "tests/pictures/test_picture_clusters.py", "tests/pictures/test_projection.py", "tests/train/test_packing.py",
    "tests/e2e/test_cluster_command.py", "tests/e2e/test_shipped_model.py", "tests/live/test_warming.py",
    "tests/live/test_takes.py",
)    # fmt: skip
"""Files that take seconds as a whole, and are left out of the fast part as tests marked slow are."""


@pytest.hookimpl(tryfirst=True)    # before those that are not asked for are left out
def pytest_collection_modifyitems(items) -> None:
    """Mark what is slow by where it lies."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Tests leave the user's cache and session alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIOBEND_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("AUDIOBEND_SESSION", str(tmp_path_factory.mktemp("session")))
        yield


def pytest_configure(config) -> None:
    """Fetch a sound server and OSC peers where that is possible; once, also where several processes run tests."""
    if not hasattr(config, "workerinput"):
        parts.fetch()
    with suppress(ValueError):    # not the main thread
        # In the background of a shell Ctrl-C is ignored, and so it would be by all that tests start.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Deal tests out by the function (of thousands of portions each costs), but for those that belong together."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith(SOUND_SERVERS):
                return SOUND_SERVERS[0]
            return next((start for start in TOGETHER if nodeid.startswith(start)), nodeid.partition("[")[0])

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def tiny_network():
    """A spectrogram VAE of a sixteenth of the width, with random weights and batch-norm statistics."""
    from audiobend.networks import SpectrogramVAE

    torch.manual_seed(0)
    network = SpectrogramVAE(width=0.0625).train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(4, 1, 128, 513))
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def tiny_model(tiny_network):
    """A model around the small network: it puts out noise, which is enough for everything but fidelity."""
    from audiobend.bending import Clusters
    from audiobend.networks import for_inference
    from audiobend.networks.model import Model
    from audiobend.spectral.codec import SpectrogramCodec

    labels = {
        layer.name: torch.arange(layer.n_features) % 2 for layer in tiny_network.layers() if layer.n_features > 1
    }
    axes = torch.eye(512)[:32]
    clusters = Clusters.from_labels(labels, fingerprint="0" * 16)
    return Model("tiny", for_inference(tiny_network), SpectrogramCodec(), "0" * 16, axes, clusters)


@pytest.fixture(scope="session")
def music() -> torch.Tensor:
    """Four seconds of a real recording, stereo, 44.1 kHz: ``(2, 176400)``."""
    import soundfile as sf

    samples, _ = sf.read(EXAMPLES / "sounds" / "next_to_you.flac", frames=4 * 44100, dtype="float32")
    return torch.from_numpy(samples.T.copy())


@pytest.fixture(scope="session")
def tiny_bundle(tiny_network, tmp_path_factory) -> Path:
    """The small network as a bundle on disk, with clusters."""
    from audiobend.bending import Clusters
    from audiobend.io.clusterfile import save_clusters
    from audiobend.io.modelbundle import save_model, weights_fingerprint
    from audiobend.spectral.codec import SpectrogramCodec

    folder = tmp_path_factory.mktemp("models") / "tiny"
    facts = {"training": {"tracks": 0}, "metrics": {"model": {"lsd_all": 99.0}}}
    save_model(folder, tiny_network, SpectrogramCodec(), torch.eye(512)[:32], facts)
    labels = {
        layer.name: torch.arange(layer.n_features) % 2 for layer in tiny_network.layers() if layer.n_features > 1
    }
    names = {3: {0: "low band", 1: "air"}}
    save_clusters(Clusters.from_labels(labels, names, weights_fingerprint(folder)), folder / "clusters.yaml")
    return folder


@pytest.fixture
def audiobend(capsys, monkeypatch, tmp_path):
    """Run the command line in an empty folder; returns exit status, standard output and standard error."""
    import sys

    import audiobend.cli as cli

    monkeypatch.chdir(tmp_path)

    def run(*words) -> tuple[int, str, str]:
        cli._shown.clear()
        monkeypatch.setattr(sys, "argv", ["audiobend", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        output = capsys.readouterr()
        return int(stop.value.code or 0), output.out, output.err

    return run
