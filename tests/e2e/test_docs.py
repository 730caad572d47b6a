"""What the documentation says is what the program does."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import soundfile

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_transform_reference_is_fresh():
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "transforms.md").read_text() == module.reference()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_patches_in_the_documentation_load(page):
    from audiobend.io.patchfile import parse_patch

    for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL):
        if "transforms:" in block or "resolution:" in block:
            parse_patch(block)


@pytest.mark.slow
def test_the_training_tutorial_runs_from_sound_to_model_to_render(audiobend, tiny_bundle, tmp_path):
    """Word for word, but from a tiny model, for two steps, and with a PCA of a few windows."""
    page = (ROOT / "docs" / "training.md").read_text()
    (tmp_path / "my_sound").mkdir()
    for name, source in (("song", "pressure"), ("rain", "harvest_food"), ("voice", "next_to_you")):
        samples, rate = soundfile.read(ROOT / "examples" / "sounds" / f"{source}.flac", frames=3 * 44100)
        soundfile.write(tmp_path / "my_sound" / f"{name}.wav", samples, rate)
    (patch,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "my_patch.yaml").write_text(patch)
    smaller = {
        "--start-from corpus-quarter": f"--start-from {tiny_bundle}",
        "--minutes 10": "--steps 2 --batch-size 4",
        "--pca my_sound": "--pca my_sound --pca-windows 16 --windows 4",
    }
    commands = re.findall(r"^audiobend (.*)$", "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL)), re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["dataset", "train", "layers", "render", "eval", "render"]
    for command in commands:
        for before, after in smaller.items():
            command = command.replace(before, after)
        status, _, error = audiobend(*shlex.split(command))
        assert status == 0, f"{command}: {error}"
    made = {path.name for path in tmp_path.iterdir()}
    assert {"models", "unbent.wav", "bent.wav", "pictures"} <= made
    bent, unbent = (soundfile.read(tmp_path / name)[0] for name in ("bent.wav", "unbent.wav"))
    assert bent.shape == unbent.shape == (3 * 44100, *bent.shape[1:])
    assert abs(bent - unbent).max() > 1e-3


def test_every_command_in_the_training_guide_exists(audiobend):
    """What is not run above (it takes hours, or a GPU) at least has its verbs and options."""
    page = (ROOT / "docs" / "training.md").read_text()
    commands = {(verb, option) for verb, option in _options(page)}
    assert ("train", "--devices") in commands
    for verb in {verb for verb, _ in commands}:
        status, text, _ = audiobend(*verb.split(), "--help")
        assert status == 0
        missing = [option for one, option in commands if one == verb and option not in text]
        assert not missing, f"audiobend {verb} has no {', '.join(missing)}"


def _options(page: str) -> list[tuple[str, str]]:
    found = []
    for line in re.findall(r"^audiobend (.*)$", page, re.MULTILINE):
        verb = re.match(r"(dataset \w+|\w+)", line).group()
        found += [(verb, option) for option in re.findall(r"--[\w-]+", line)]
    return found
