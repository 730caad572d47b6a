"""Sound comes back as it was written, in any blocks; files that are broken or too much are one sentence."""

import os
import shutil
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from audiobend.errors import AudioError
from audiobend.io import soundwriter
from audiobend.io.audiofile import AudioInfo, AudioReader, probe, read_audio
from audiobend.io.resampling import StreamResampler
from audiobend.io.soundformats import choose_subtype
from audiobend.io.soundwriter import AudioWriter, write_audio


@pytest.fixture
def sound():
    return torch.randn(2, 30011, generator=torch.Generator().manual_seed(0)) * 0.2


# Reading and writing


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("name", "subtype", "step"),
    [
        ("a.wav", "PCM_16", 2**-15),
        ("a.wav", "PCM_24", 2**-23),
        ("a.wav", "PCM_32", 2**-24),
        ("a.wav", "FLOAT", 0),
        ("a.wav", "DOUBLE", 0),
        ("a.flac", "PCM_16", 2**-15),
        ("a.flac", "PCM_24", 2**-23),
    ],
)
def test_samples_are_rounded_to_the_nearest_step_and_no_further(
    tmp_path, sound, channels, name, subtype, step
):
    write_audio(tmp_path / name, sound[:channels], 48000, subtype=subtype)
    back, rate = read_audio(tmp_path / name)
    assert rate == 48000 and back.shape == (channels, 30011) and back.dtype == torch.float32
    assert (back - sound[:channels]).abs().max() <= step / 2
    write_audio(tmp_path / f"b{name}", back, rate, subtype=subtype)
    assert torch.equal(read_audio(tmp_path / f"b{name}")[0], back)


def test_ogg_keeps_length_and_sound(tmp_path):
    tone = 0.5 * torch.sin(2 * torch.pi * 440 * torch.arange(100001) / 44100)[None]
    write_audio(tmp_path / "a.ogg", tone, 44100)
    back, _ = read_audio(tmp_path / "a.ogg")
    assert back.shape == tone.shape
    assert (back - tone).square().mean() < 1e-4 * tone.square().mean()


def test_very_long_blocks_can_be_written_as_ogg(tmp_path):
    write_audio(tmp_path / "a.ogg", torch.zeros(2, 3_000_000), 44100)
    assert probe(tmp_path / "a.ogg").frames == 3_000_000


@pytest.mark.parametrize("block", [1, 777, 65536])
def test_blocks_joined_are_the_file(tmp_path, sound, block):
    sound = sound[:, :5001]
    with AudioWriter(tmp_path / "a.wav", 44100, 2, subtype="FLOAT") as writer:
        for part in sound.split(block, dim=-1):
            writer.write(part)
    with AudioReader(tmp_path / "a.wav", block=block) as reader:
        parts = list(reader)
    assert all(part.shape[-1] == block for part in parts[:-1])
    assert torch.equal(torch.cat(parts, dim=-1), sound)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "VORBIS"])
def test_loud_samples_are_clipped_and_never_wrap(tmp_path, subtype):
    wave = torch.tensor([[0.0, 0.999999, 1.0, 1.5, 100.0, -1.0, -1.5, -100.0, 3e38, -3e38]]).repeat(1, 1000)
    name = "a.ogg" if subtype == "VORBIS" else "a.wav"
    write_audio(tmp_path / name, wave, 44100, subtype=subtype)
    back, _ = read_audio(tmp_path / name)
    if subtype == "VORBIS":
        assert back.abs().max() < 3
    else:
        assert (back - wave.clamp(-1, 1)).abs().max() <= 2**-15


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_a_writer_may_be_closed_early_and_twice(tmp_path, name):
    with AudioWriter(tmp_path / name, 44100, 1) as writer:
        writer.write(torch.zeros(1, 0))
        writer.write(torch.zeros(1, 100))
        writer.close()
        assert probe(tmp_path / name).frames == 100
        writer.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_float_files_keep_loud_samples(tmp_path):
    wave = torch.tensor([[1.5, -100.0]])
    write_audio(tmp_path / "a.wav", wave, 44100, subtype="FLOAT")
    assert torch.equal(read_audio(tmp_path / "a.wav")[0], wave)


def test_equal_sounds_make_equal_files(tmp_path, sound, monkeypatch):
    for name in ("a.wav", "b.wav"):
        write_audio(tmp_path / name, sound, 44100, subtype="FLOAT")
    # libsndfile's peak chunk would hold the second in which the file was written.
    assert b"PEAK" not in (tmp_path / "a.wav").read_bytes()
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_samples_that_are_no_numbers_become_silence_with_one_warning(tmp_path):
    wave = np.zeros((3000, 2), dtype=np.float32)
    wave[5, 0], wave[7, 1], wave[2000, 0], wave[9, 0] = np.nan, np.inf, -np.inf, 0.5
    soundfile.write(tmp_path / "a.wav", wave, 44100, subtype="FLOAT")
    with pytest.warns(UserWarning) as caught, AudioReader(tmp_path / "a.wav", block=1000) as reader:
        back = torch.cat(list(reader), dim=-1)
    assert [str(one.message) for one in caught] == [
        f"{tmp_path}/a.wav: 3 samples were not finite and became 0"
    ]
    assert back.isfinite().all() and back.count_nonzero() == 1
    write_audio(tmp_path / "b.wav", torch.tensor([[float("nan"), float("inf"), 0.5]]), 44100)
    assert read_audio(tmp_path / "b.wav")[0].tolist() == [[0.0, 0.0, 0.5]]


@pytest.mark.parametrize(
    ("subtype", "wav", "flac"),
    [
        ("PCM_16", "PCM_16", "PCM_16"),
        ("PCM_24", "PCM_24", "PCM_24"),
        ("PCM_32", "PCM_32", "PCM_24"),
        ("FLOAT", "FLOAT", "PCM_24"),
        ("DOUBLE", "FLOAT", "PCM_24"),
        ("PCM_U8", "PCM_16", "PCM_16"),
        ("ULAW", "PCM_16", "PCM_16"),
        ("MPEG_LAYER_III", "PCM_16", "PCM_16"),
        ("VORBIS", "PCM_16", "PCM_16"),
    ],
)
def test_bit_depth_is_kept_where_the_format_can(subtype, wav, flac):
    info = AudioInfo(44100, 1, 1, "WAV", subtype)
    assert [choose_subtype(info, format) for format in ("wav", "flac", "ogg")] == [wav, flac, "VORBIS"]


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000, 192000])
@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_usual_rates_are_written(tmp_path, name, rate):
    write_audio(tmp_path / name, torch.zeros(1, 100), rate)
    assert probe(tmp_path / name).sample_rate == rate


# Great sizes


def test_sounds_over_4_gib_become_rf64_and_others_plain_wav(tmp_path, monkeypatch):
    def kind(**options):
        with AudioWriter(tmp_path / "a.wav", 44100, 2, subtype="PCM_16", **options) as writer:
            writer.write(torch.ones(2, 1000) * 0.5)
        assert torch.equal(read_audio(tmp_path / "a.wav")[0], torch.ones(2, 1000) * 0.5)
        return (tmp_path / "a.wav").read_bytes()[:4]

    assert kind(frames=1000) == b"RIFF"
    assert kind() == b"RIFF"  # of unknown length: begun as RF64, found to be small
    assert kind(frames=2**30) == b"RF64"
    monkeypatch.setattr(soundwriter, "RIFF_LIMIT", 4000)
    assert kind(frames=1000) == b"RF64"


# Broken files


def encoded(tmp_path, name, sound):
    path = tmp_path / name
    soundfile.write(path, sound.T.numpy(), 44100)
    return path


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
@pytest.mark.parametrize("name", ["a.flac", "a.mp3"])
def test_a_file_that_is_cut_off_is_an_error_and_not_a_shorter_sound(tmp_path, sound, name, share):
    path = encoded(tmp_path, name, sound.repeat(1, 4))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(AudioError, match=r"the file is damaged or cut off: its head promises \d+ samples"):
        read_audio(path)


@pytest.mark.parametrize("name", ["a.wav", "a.ogg", "a.aiff"])
def test_a_file_that_is_cut_off_gives_what_it_has_with_a_warning_where_its_head_hides_it(
    tmp_path, sound, name
):
    sound = sound.repeat(1, 4)
    path = encoded(tmp_path, name, sound)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.warns(UserWarning, match="ends before its head says so"):
        back, _ = read_audio(path)
    assert 0 < back.shape[-1] < sound.shape[-1]


@pytest.mark.parametrize("name", ["a.wav", "a.ogg", "a.aiff", "a.flac", "a.mp3"])
def test_whole_files_are_read_without_a_warning(tmp_path, sound, name):
    path = encoded(tmp_path, name, sound)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_audio(path)[0].shape == sound.shape


@pytest.mark.parametrize(
    ("name", "content", "end"),
    [
        ("a.wav", b"", "the file is empty"),
        ("a.wav", b"this is no sound", "is not a sound file that can be read (wav, flac, ogg, aiff, mp3)"),
        (
            "a.wav",
            b"RIFF\x00\x00\x00\x00WAVE",
            "is not a sound file that can be read (wav, flac, ogg, aiff, mp3)",
        ),
        ("a.flac", b"fLaC", "is not a sound file that can be read (wav, flac, ogg, aiff, mp3)"),
        ("a.raw", b"1234", "raw samples do not say their rate; convert the file to wav first"),
    ],
)
def test_what_is_no_sound_is_one_sentence(tmp_path, name, content, end):
    (tmp_path / name).write_bytes(content)
    for read in (probe, read_audio):
        with pytest.raises(AudioError) as caught:
            read(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: {end}"


def test_too_many_channels_no_samples_and_odd_rates_are_one_sentence(tmp_path):
    def sentence(samples, rate):
        soundfile.write(tmp_path / "a.wav", samples, rate)
        with pytest.raises(AudioError) as caught:
            probe(tmp_path / "a.wav")
        return str(caught.value).removeprefix(f"{tmp_path}/a.wav: ")

    assert sentence(np.zeros((9, 6)), 44100) == "sound must be mono or stereo, but the file has 6 channels"
    assert sentence(np.zeros((0, 2)), 44100) == "the file holds no sound (0 samples)"
    assert sentence(np.zeros((9, 2)), 10) == "the sample rate must be in 1000..1000000 Hz, the file says 10"


def test_bytes_at_random_never_crash(tmp_path, sound):
    source = {
        name: encoded(tmp_path, name, sound[:, :3000]).read_bytes() for name in ("a.wav", "a.flac", "a.ogg")
    }
    random = np.random.default_rng(0)
    for round in range(60):
        name = list(source)[round % 3]
        data = bytearray(source[name])
        for place in random.integers(0, min(len(data), 400), 5):
            data[place] = random.integers(256)
        (tmp_path / name).write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                back, _ = read_audio(tmp_path / name)
            except AudioError as error:
                assert "\n" not in str(error) and str(error).startswith(str(tmp_path))
            else:
                assert back.isfinite().all()


# Writing that fails


@pytest.mark.parametrize(
    ("make", "end"),
    [
        (lambda p: AudioWriter(p / "a.mp3", 44100, 2), "sound is written as wav, flac or ogg, not 'mp3'"),
        (
            lambda p: AudioWriter(p / "a", 44100, 2),
            "sound is written as wav, flac or ogg, not a name without an ending",
        ),
        (lambda p: AudioWriter(p / "a.flacc", 44100, 2), "not 'flacc'; did you mean 'flac'?"),
        (lambda p: AudioWriter(p / "a.wav", 44100, 3), "sound must be mono or stereo, not 3 channels"),
        (
            lambda p: AudioWriter(p / "a.flac", 44100, 2, subtype="FLOAT"),
            "flac files cannot hold 'FLOAT'; there are: ",
        ),
        (lambda p: AudioWriter(p / "a.ogg", 200_001, 2), "of ogg files must be in 1..200000 Hz, got 200001"),
        (lambda p: AudioWriter(p / "no" / "a.wav", 44100, 2), "does not exist"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path, make, end):
    with pytest.raises(AudioError) as caught:
        make(tmp_path)
    assert end in str(caught.value) and "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_blocks_of_another_shape_are_refused(tmp_path):
    rule = r"blocks must be \(2, time\), got a shape of \(1, 5\)"
    with pytest.raises(AudioError, match=rule), AudioWriter(tmp_path / "a.wav", 44100, 2) as writer:
        writer.write(torch.zeros(1, 5))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError])
def test_a_stopped_render_leaves_the_old_file(tmp_path, sound, failure):
    (tmp_path / "a.wav").write_text("old")
    with pytest.raises(failure), AudioWriter(tmp_path / "a.wav", 44100, 2) as writer:
        writer.write(sound)
        raise failure
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    assert (tmp_path / "a.wav").read_text() == "old"


def test_an_input_is_not_overwritten(tmp_path, sound):
    write_audio(tmp_path / "a.wav", sound, 44100)
    (tmp_path / "b.wav").hardlink_to(tmp_path / "a.wav")
    before = (tmp_path / "a.wav").read_bytes()
    with pytest.raises(AudioError, match="is also the input"):
        write_audio(tmp_path / "b.wav", sound, 44100, inputs=(tmp_path / "a.wav",))
    assert (tmp_path / "a.wav").read_bytes() == before


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    """The size limit of a process stands in for a disk without room: both fail in the same call."""
    code = """
        import resource, sys, torch
        from pathlib import Path
        from audiobend.errors import AudioError
        from audiobend.io.soundwriter import write_audio
        folder = Path(sys.argv[1])
        noise = torch.rand(2, 200_000, generator=torch.Generator().manual_seed(0)) - 0.5
        for name in ("a.wav", "a.flac", "a.ogg"):
            for limit in (0, 100, 20_000, 65_537):
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
                try:
                    write_audio(folder / name, noise, 44100)
                except AudioError as error:
                    print(str(error))
                else:
                    print("no error", name, limit)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), tmp_path], capture_output=True, text=True, check=True
    )
    reason = "the disk is full, or the file is larger than the system allows"
    assert done.stdout.splitlines() == [
        f"{tmp_path / name}: cannot be written: {reason}"
        for name in ("a.wav", "a.flac", "a.ogg")
        for _ in range(4)
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    not Path("/dev/full").exists() or os.geteuid() != 0, reason="mounting a small disk takes root"
)
def test_a_disk_that_is_really_full_is_one_sentence(tmp_path, sound):
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True
        ).returncode
    ):
        pytest.skip("this machine does not let one mount a small disk")
    try:
        with pytest.raises(AudioError, match="the disk is full"):
            write_audio(disk / "a.wav", sound, 44100)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


# Other rates


@pytest.mark.parametrize(
    "rates", [(44100, 48000), (48000, 44100), (8000, 44100), (192000, 44100), (44100, 44100)]
)
@pytest.mark.parametrize("n", [0, 1, 2, 999, 50_001])
def test_resampling_has_the_exact_length_for_any_blocks(rates, n):
    wave = torch.randn(2, n)
    outs = []
    for block in (1000, max(n, 1)):
        resampler = StreamResampler(*rates, channels=2)
        parts = [resampler.feed(part) for part in wave.split(block, dim=-1)] if n else []
        outs.append(torch.cat([*parts, resampler.flush()], dim=-1))
    assert [out.shape for out in outs] == [(2, (2 * n * rates[1] + rates[0]) // (2 * rates[0]))] * 2
    assert torch.allclose(outs[0], outs[1], atol=1e-5)


@pytest.mark.parametrize("rates", [(44100, 48000), (96000, 44100)])
def test_a_resampled_tone_is_the_tone_at_the_new_rate(rates):
    def tone(rate):
        return torch.sin(2 * torch.pi * 1000 * torch.arange(rate, dtype=torch.float64) / rate).float()[None]

    resampler = StreamResampler(*rates, channels=1)
    out = torch.cat(
        [*(resampler.feed(part) for part in tone(rates[0]).split(512, dim=-1)), resampler.flush()], dim=-1
    )
    assert (out - tone(rates[1]))[:, 1000:-1000].abs().max() < 1e-4


def test_equal_rates_pass_sound_through_and_a_stream_can_begin_again():
    wave = torch.randn(2, 1000)
    assert torch.equal(StreamResampler(44100, 44100, 2).feed(wave), wave)
    resampler = StreamResampler(44100, 22050, 2)
    first = torch.cat([resampler.feed(wave), resampler.flush()], dim=-1)
    assert torch.equal(torch.cat([resampler.feed(wave), resampler.flush()], dim=-1), first)
    resampler.feed(wave)
    resampler.reset()
    assert torch.equal(torch.cat([resampler.feed(wave), resampler.flush()], dim=-1), first)
