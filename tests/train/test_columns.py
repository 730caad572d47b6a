"""Columns from the cache and from the sound file are the same, and always those of the file as it is now."""

import os
import pickle
import shutil
import tracemalloc

import numpy as np
import psutil
import pytest
import soundfile as sf
import torch

from audiobend.errors import AudioError, TrainingError
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.spectral.stft import stft
from audiobend.train.cache import ColumnCache
from audiobend.train.columns import StreamedColumns
from audiobend.train.decode import magnitude_blocks
from audiobend.train.sounds import find_sounds
from audiobend.train.tracks import even_windows, load_tracks, mean_spectrum
from audiobend.train.windows import WindowSampler

KINDS = [
    ("x.wav", 44100, None), ("x.wav", 48000, None), ("x.flac", 96000, None), ("x.aiff", 22050, None),
    ("x.wav", 44101, None), ("x.wav", 8000, None), ("x.ogg", 44100, None), ("x.ogg", 48000, None),
    ("x.opus", 48000, "OPUS"), ("x.mp3", 44100, None), ("x.mp3", 48000, None),
]    # fmt: skip


@pytest.fixture
def kept(tmp_path):
    return ColumnCache(tmp_path / "kept", gb=1)


@pytest.fixture
def none_kept(tmp_path):
    return ColumnCache(tmp_path / "none kept", gb=0)


def load(path, cache, report=lambda _: None):
    return load_tracks(find_sounds([path]), report, cache=cache)[0]


@pytest.mark.parametrize(("name", "rate", "subtype"), KINDS)
def test_streamed_windows_are_those_of_the_cache(tmp_path, write, kept, none_kept, name, rate, subtype):
    path = write(tmp_path / "music" / name, rate, subtype=subtype)
    cached, streamed = load(path, kept), load(path, none_kept)
    assert not isinstance(cached.columns, StreamedColumns)
    assert isinstance(streamed.columns, StreamedColumns)
    n = len(cached.columns)
    assert len(streamed.columns) == n
    everything = cached.columns[:].astype(np.float32)
    for start in (0, 1, 50, n // 2, n - 129, n - 128):
        difference = np.abs(streamed.columns[start : start + 128] - everything[start : start + 128])
        assert difference.max() <= (0.0 if rate == 44100 else 0.1)
    np.testing.assert_allclose(streamed.mean_db, cached.mean_db, atol=0.01)


@pytest.mark.parametrize("rate", [44100, 48000])
def test_columns_are_the_spectrogram_of_the_whole_file(tmp_path, write, kept, rate):
    import soxr

    path = write(tmp_path / "x.wav", rate)
    samples, _ = sf.read(path, dtype="float32")
    mono = soxr.resample(samples.mean(axis=1), rate, 44100) if rate != 44100 else samples.mean(axis=1)
    magnitude = stft(torch.from_numpy(mono)).abs()
    expected = SpectrogramCodec().to_db(magnitude, float(magnitude.max())).T.numpy()
    columns = load(path, kept).columns[:]
    assert columns.shape == expected.shape
    assert columns.max() == pytest.approx(0, abs=0.04)
    assert np.abs(columns - expected).max() < 0.12


def test_slices_of_streamed_columns_are_those_of_an_array(tmp_path, write, kept, none_kept):
    path = write(tmp_path / "x.wav")
    array, streamed = load(path, kept).columns[:], load(path, none_kept).columns
    for part in (slice(None), slice(-128, None), slice(5, 5), slice(1700, 99999), slice(99999, None)):
        assert np.array_equal(streamed[part], array[part])
    with pytest.raises(IndexError):
        streamed[::2]


def test_cached_columns_are_used_again(tmp_path, write, kept, monkeypatch):
    path = write(tmp_path / "x.wav")
    before = load(path, kept).columns[:]
    monkeypatch.setattr("audiobend.train.columns.magnitude_blocks", None)    # nothing is decoded any more
    assert np.array_equal(load(path, kept).columns[:], before)


def test_the_index_of_streamed_sounds_is_used_again(tmp_path, write, none_kept, monkeypatch):
    path = write(tmp_path / "x.wav")
    before = load(path, none_kept)
    monkeypatch.setattr("audiobend.train.columns.magnitude_blocks", None)
    after = load(path, none_kept)
    assert np.array_equal(after.columns[:], before.columns[:])
    assert np.array_equal(after.mean_db, before.mean_db)


def test_a_file_that_changed_gets_new_columns(tmp_path, write, kept):
    path = write(tmp_path / "x.wav", seconds=4)
    before = load(path, kept).columns[:]
    write(path, start=3, seconds=4)    # the same size
    os.utime(path, ns=(0, 1))
    assert not np.array_equal(load(path, kept).columns[:], before)


@pytest.mark.parametrize("damage", ["cut", "emptied", "zeroed", "nonsense", "removed", "index cut", "index nonsense"])
def test_damaged_columns_are_made_anew(tmp_path, write, kept, damage):
    path = write(tmp_path / "x.wav")
    before = load(path, kept).columns[:].copy()
    [columns], [index] = kept.folder.glob("*.npy"), kept.folder.glob("*.json")
    content = columns.read_bytes()
    match damage:
        case "cut":
            columns.write_bytes(content[: len(content) // 2])
        case "emptied":
            columns.write_bytes(b"")
        case "zeroed":
            columns.write_bytes(content[:128] + bytes(len(content) - 128))
        case "nonsense":
            columns.write_bytes(b"nonsense" * 100)
        case "removed":
            columns.unlink()
        case "index cut":
            index.write_bytes(index.read_bytes()[:1000])
        case "index nonsense":
            index.write_text('{"n_columns": "many", "mean_db": 3}')
    assert np.array_equal(load(path, kept).columns[:], before)
    assert columns.read_bytes() == content


def test_nothing_half_written_is_left_where_a_sound_fails(tmp_path, write, kept, monkeypatch):
    path, said = write(tmp_path / "music" / "x.wav"), []
    write(tmp_path / "music" / "y.wav", start=1)

    def damaged(source):
        yield from magnitude_blocks(source)
        if source == path:
            raise AudioError(f"{source}: is damaged: lost sync")

    monkeypatch.setattr("audiobend.train.columns.magnitude_blocks", damaged)
    tracks = load_tracks(find_sounds([tmp_path / "music"]), said.append, cache=kept)
    assert [track.name for track in tracks] == ["y"]
    assert said == [f"left out {path}: is damaged: lost sync"]
    assert sorted(file.suffix for file in kept.folder.iterdir()) == [".json", ".npy"]


def test_a_cache_that_cannot_be_written_is_said_once_and_sounds_are_streamed(tmp_path, write):
    (tmp_path / "file").write_text("in the way")
    for start in range(2):
        write(tmp_path / "music" / f"{start}.wav", start=start, seconds=3)
    said = []
    cache = ColumnCache(tmp_path / "file" / "cache", gb=1)
    tracks = load_tracks(find_sounds([tmp_path / "music"]), said.append, cache=cache)
    assert all(isinstance(track.columns, StreamedColumns) for track in tracks)
    assert len(said) == 1
    assert "sounds are read from their files instead" in said[0]


def test_short_sounds_are_kept_first_and_the_budget_holds(tmp_path, write):
    for seconds in (2, 3, 9, 8):
        write(tmp_path / "music" / f"{seconds}.wav", start=0.1 * seconds, seconds=seconds)
    cache = ColumnCache(tmp_path / "cache", gb=0.0012)    # 5 s are 0.9 MB
    tracks = load_tracks(find_sounds([tmp_path / "music"]), cache=cache)
    assert [track.name for track in tracks if not isinstance(track.columns, StreamedColumns)] == ["2", "3"]
    assert sum(path.stat().st_size for path in cache.folder.glob("*.npy")) <= 1.2e6


def test_columns_used_longest_ago_make_room(tmp_path, write):
    cache = ColumnCache(tmp_path / "cache", gb=0.0025)
    paths = [write(tmp_path / f"{index}.wav", start=index, seconds=5) for index in range(4)]
    keys = [cache.key(path) for path in paths]
    for index in (0, 1):
        load(paths[index], cache)
        for file in cache.folder.glob(f"{keys[index]}.*"):
            os.utime(file, (1000 + index, 1000 + index))
    load(paths[0], cache)    # used again
    load(paths[2], cache)
    assert [cache.holds(key) for key in keys] == [True, False, True, False]


def test_never_more_than_half_of_the_free_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 600))
    assert ColumnCache(tmp_path / "cache", gb=1).budget() == 300


def test_streamed_tracks_survive_pickling(tmp_path, write, none_kept):
    track = load(write(tmp_path / "x.wav"), none_kept)
    assert torch.equal(even_windows(pickle.loads(pickle.dumps(track)), 3), even_windows(track, 3))


def test_a_sound_that_vanishes_during_training_is_one_sentence(tmp_path, write, none_kept):
    path = write(tmp_path / "x.wav")
    track = load(path, none_kept)
    track.columns.files = type(track.columns.files)()    # as another process would find it
    path.unlink()
    with pytest.raises(TrainingError, match=r"x\.wav: can no longer be read"):
        track.columns[:128]


def test_progress_reaches_the_end_and_never_goes_back(tmp_path, write, kept):
    for index in range(3):
        write(tmp_path / "music" / f"{index}.wav", start=index, seconds=4)
    seen = []
    load_tracks(find_sounds([tmp_path / "music"]), cache=kept, on_progress=lambda *pair: seen.append(pair))
    done = [pair[0] for pair in seen]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(seen[-1][1]) == pytest.approx(12)


@pytest.mark.slow
def test_two_hours_are_analysed_and_sampled_in_flat_memory(tmp_path, none_kept):
    """Two hours are 7.6 GB decoded (float32, stereo, 48 kHz, twice) and 1.3 GB of columns."""
    minute = np.random.default_rng(0).normal(0, 0.05, (60 * 48000, 2)).astype(np.float32)
    path = tmp_path / "long.flac"
    with sf.SoundFile(path, "w", 48000, 2) as file:
        for _ in range(120):
            file.write(minute)
    sounds = find_sounds([path])
    load_tracks(sounds, cache=none_kept)    # libraries take their memory the first time
    for index in none_kept.folder.glob("*.json"):
        index.unlink()
    process, peak = psutil.Process(), []
    before = process.memory_info().rss
    tracemalloc.start()
    tracks = load_tracks(
        sounds, cache=none_kept, on_progress=lambda *_: peak.append(process.memory_info().rss - before)
    )
    sampler = WindowSampler(tracks, 8, seed=0)
    for _ in range(10):
        sampler.batch()
        peak.append(process.memory_info().rss - before)
    mean_spectrum(tracks)
    _, python_peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tracks[0].seconds == pytest.approx(7200, abs=0.1)
    assert max(peak) < 150e6
    assert python_peak < 150e6
