"""Every mistake is one sentence on standard error, exit status 2, and leaves no file behind."""

import os
import pickle
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch

SOUND = Path(__file__).parents[2] / "examples" / "sounds" / "pressure.flac"
RATE = 44100


def tone(path: Path, seconds: float = 0.3, amplitude: float = 0.5) -> Path:
    samples = amplitude * np.sin(np.arange(int(seconds * RATE)) / 20)
    sf.write(path, samples, RATE, subtype="FLOAT" if path.suffix == ".wav" else None)
    return path


def patch_of(entry: str) -> str:
    return f"audiobend: 1\ntransforms:\n  - {entry}\n"


def fails(audiobend, sentence: str, *words, keeps: set[str] | None = None) -> None:
    before = {path.name for path in Path().iterdir()}
    status, output, error = audiobend(*words)
    assert status == 2
    assert output == ""
    assert sentence in error
    assert error.count("\n") == 1
    assert error.startswith("audiobend: ")
    assert "Traceback" not in error
    assert {path.name for path in Path().iterdir()} == before


@pytest.fixture
def sound(tmp_path) -> Path:
    return tone(tmp_path / "in.wav")


def test_missing_file(audiobend, tiny_bundle):
    fails(audiobend, "nowhere.wav", "render", "nowhere.wav", "--model", tiny_bundle)


def test_text_named_wav(audiobend, tiny_bundle):
    Path("notes.wav").write_text("dear diary")
    fails(audiobend, "is not a sound file", "render", "notes.wav", "--model", tiny_bundle)


def test_empty_file(audiobend, tiny_bundle):
    Path("empty.wav").touch()
    fails(audiobend, "the file is empty", "render", "empty.wav", "--model", tiny_bundle)


def test_no_samples(audiobend, tiny_bundle):
    sf.write("none.wav", np.zeros(0), RATE)
    fails(audiobend, "no sound", "render", "none.wav", "--model", tiny_bundle)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated_flac(audiobend, tiny_bundle, share):
    data = SOUND.read_bytes()
    Path("cut.flac").write_bytes(data[: int(len(data) * share)])
    fails(audiobend, "damaged or cut off", "render", "cut.flac", "--model", tiny_bundle)


def test_folder_for_a_file(audiobend, tiny_bundle):
    Path("folder.wav").mkdir()
    fails(audiobend, "folder", "render", "folder.wav", "--model", tiny_bundle)


def test_five_channels(audiobend, tiny_bundle):
    sf.write("many.wav", np.zeros((100, 5)), RATE)
    fails(audiobend, "mono or stereo", "render", "many.wav", "--model", tiny_bundle)


def test_samples_that_are_not_numbers_become_silence_with_a_warning(audiobend, tiny_bundle, sound):
    samples = sf.read(sound)[0]
    samples[100:200] = np.nan
    samples[300] = np.inf
    sf.write("nan.wav", samples, RATE, subtype="FLOAT")
    status, _, error = audiobend("render", "nan.wav", "--model", tiny_bundle)
    assert status == 0
    assert "warning: nan.wav: 101 samples were not finite" in error
    assert error.count("\n") == 1
    assert np.isfinite(sf.read("nan.bent.wav")[0]).all()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (patch_of("{layer: 3, transform: erodd}"), "transforms[0]: unknown transform 'erodd'; did you mean 'erode'?"),
        (patch_of("{layer: 9, transform: ablate}"), "transforms[0]: layer 9: this model has layers"),
        (patch_of("{layer: 3, transform: ablate, features: cluster, feature-param: 7}"), "cluster 7"),
        (patch_of("{layer: 3, transform: rotate, params: {angle: 400}}"), "angle must be in 0..360 degrees, got 400"),
        (patch_of("{layer: 3, transform: rotate, params: {angle: .nan}}"), "nan, which is not a number"),
        (patch_of("{layer: 3, transform: rotate, params: {angel: 4}}"), "did you mean 'angle'?"),
        (patch_of("{layer: 3, transfrom: rotate}"), "did you mean 'transform'?"),
        ("audiobend: 9\ntransforms: []\n", "audiobend"),
        ("transforms: [", "YAML"),
        ("just words", "patch"),
        ("\x00\x01\x02", "patch.yaml"),
    ],
)
def test_wrong_patch(audiobend, tiny_bundle, sound, text, sentence):
    Path("patch.yaml").write_text(text)
    fails(audiobend, sentence, "render", sound, "--patch", "patch.yaml", "--model", tiny_bundle)
    fails(audiobend, sentence, "check", "patch.yaml", "--model", tiny_bundle)


def test_yaml_bomb(audiobend, tiny_bundle, sound):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    Path("bomb.yaml").write_text("\n".join(lines))
    fails(audiobend, "bomb.yaml", "render", sound, "--patch", "bomb.yaml", "--model", tiny_bundle)


def test_yaml_that_wants_to_run_something(audiobend, tiny_bundle, sound, tmp_path):
    Path("evil.yaml").write_text(f"!!python/object/apply:os.system ['touch {tmp_path}/owned']")
    fails(audiobend, "evil.yaml", "render", sound, "--patch", "evil.yaml", "--model", tiny_bundle)
    assert not (tmp_path / "owned").exists()


class Payload:
    def __reduce__(self):
        return os.system, ("touch owned",)


def test_pickle_instead_of_weights(audiobend, tiny_bundle, sound, tmp_path):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "evil")
    with (bundle / "weights.safetensors").open("wb") as file:
        pickle.dump(Payload(), file)
    fails(audiobend, "no safetensors file", "render", sound, "--model", bundle)
    torch.save({"a": Payload()}, tmp_path / "model.pt")
    fails(audiobend, "a pickle may run anything", "render", sound, "--model", tmp_path / "model.pt")
    assert not Path("owned").exists()


def edit(folder: Path, old: str, new: str) -> None:
    text = (folder / "model.yaml").read_text()
    assert old in text
    (folder / "model.yaml").write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda folder: edit(folder, "scale_db: 11.63", "scale_db: 0"), "scale_db must be in 0..1000 dB, got 0"),
        (lambda folder: edit(folder, "sample_rate: 44100", "sample_rate: 22050"), "codec must have"),
        (lambda folder: edit(folder, "fingerprint: ", "fingerprint: ffff"), "are of two models"),
        (lambda folder: (folder / "weights.safetensors").unlink(), "the weights are missing"),
        (lambda folder: (folder / "model.yaml").write_text("a: ["), "cannot be read as YAML"),
        (lambda folder: (folder / "model.yaml").write_text("a: 1"), "needs 'audiobend-model: 1'"),
        (lambda folder: edit(folder, "width: 0.0625", "width: 0.125"), "do not fit the architecture"),
        (
            lambda folder: (folder / "clusters.yaml").write_text(
                (folder / "clusters.yaml").read_text().replace("fingerprint: ", "fingerprint: ffff")
            ),
            "these clusters are for",
        ),
    ],
)
def test_damaged_model(audiobend, tiny_bundle, sound, tmp_path, change, sentence):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "damaged")
    change(bundle)
    fails(audiobend, sentence, "render", sound, "--model", bundle)


def test_unknown_model(audiobend, sound):
    fails(audiobend, "no such model", "render", sound, "--model", "corpus-quater")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--set", "fgo/radius=3"], "did you mean 'fog'?"),
        (["--set", "fog/radios=3"], "did you mean 'radius'?"),
        (["--set", "fog/radius=9999"], "radius must be in"),
        (["--set", "fog/radius=wide"], "'wide'"),
        (["--set", "fog"], "needs BEND/PARAM=VALUE"),
        (["--set", "fog=3"], "needs BEND/PARAM=VALUE"),
        (["--mix", "1.5"], "--mix"),
        (["--detail", "-1"], "--detail"),
        (["--quality", "super"], "--quality"),
        (["--iterations", "-1"], "--iterations"),
        (["--plot", "picture.exe"], "png, svg or pdf"),
        (["--colour", "red"], "--colour"),
        (["out.wav", "--format", "flac"], "the name says wav but --format says flac"),
    ],
)
def test_wrong_option(audiobend, tiny_bundle, sound, words, sentence):
    Path("patch.yaml").write_text(patch_of("{id: fog, layer: 3, transform: erode, params: {radius: 1}}"))
    fails(audiobend, sentence, "render", sound, "--patch", "patch.yaml", "--model", tiny_bundle, *words)


@pytest.mark.parametrize("target", ["in.wav", "./in.wav", "link.wav", "hard.wav"])
def test_output_equal_to_input(audiobend, tiny_bundle, sound, target):
    Path("link.wav").symlink_to(sound)
    os.link(sound, "hard.wav")
    before = sound.read_bytes()
    fails(audiobend, "is also the input", "render", sound, target, "--model", tiny_bundle, "--overwrite")
    assert sound.read_bytes() == before


@pytest.mark.parametrize("target", ["nowhere/out.wav", "in.wav/out.wav", "/proc/out.wav", "out.xyz", "out"])
def test_unwritable_output(audiobend, tiny_bundle, sound, target):
    fails(audiobend, target, "render", sound, target, "--model", tiny_bundle)


def test_output_folder_that_is_a_file(audiobend, tiny_bundle, sound):
    Path("taken").write_text("")
    fails(audiobend, "taken", "render", sound, "--out-dir", "taken", "--model", tiny_bundle)


def test_two_inputs_for_one_output(audiobend, tiny_bundle, tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        tone(tmp_path / folder / "in.wav")
    fails(audiobend, "two of the inputs", "render", "a/in.wav", "b/in.wav", "--out-dir", "c", "--model", tiny_bundle)


@pytest.mark.slow
def test_full_disk(tiny_bundle, tmp_path):
    source = tone(tmp_path / "in.wav", seconds=3)

    def small_files_only() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [sys.executable, "-c", "from audiobend.cli import main; main()", "render", str(source), "out.wav"]
    result = subprocess.run(
        [*command, "--model", str(tiny_bundle)],
        cwd=tmp_path, capture_output=True, text=True, preexec_fn=small_files_only,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("audiobend: out.wav: cannot be written: the disk is full")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_ctrl_c_leaves_no_file(audiobend, tiny_bundle, sound, monkeypatch):
    from audiobend import rendering

    def stop(*_args, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(rendering.Engine, "flush", stop)
    status, _, error = audiobend("render", sound, "--model", tiny_bundle)
    assert (status, error) == (130, "audiobend: stopped\n")
    assert [path.name for path in Path().iterdir()] == ["in.wav"]
