"""Walks, sweeps, what is heard, and films as files."""

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from audiobend.bending import Patch
from audiobend.errors import PictureError
from audiobend.films.film import Film, check_film, frames
from audiobend.films.hearing import TrackLevel, hear
from audiobend.films.moves import parse_drive, parse_sweep
from audiobend.films.walk import Walk, places
from audiobend.films.writing import check_film_target, film_file
from audiobend.io.files import bears_our_mark
from audiobend.io.imagefile import to_bytes
from audiobend.picture import Painter
from audiobend.picture_files import paint_one
from audiobend.picture_recipe import Job

FOG = Patch(seed=3).add(3, "scalar-multiply", {"factor": 2.0}, id="fog", mix=0.0)


def painted(film, painter, **more):
    return list(frames(film, painter, **more))


@pytest.mark.parametrize("space", ["z", "w"])
@pytest.mark.parametrize("interpolation", ["slerp", "lerp"])
def test_a_walk_begins_and_ends_at_its_seeds(small_model, space, interpolation):
    painter = Painter(small_model)
    seen = painted(Film(Walk((1, 5, 9), space, interpolation), 1.0, 5), painter)
    expected = [paint_one(painter, Job(seed)) for seed in (1, 5, 9)]
    assert len(seen) == 5
    for frame, picture in zip((seen[0], seen[2], seen[4]), expected, strict=True):
        assert np.array_equal(frame, picture)
    assert not np.array_equal(seen[1], seen[0]) and not np.array_equal(seen[1], seen[2])


def test_a_straight_walk_in_w_mixes_styles_and_one_in_z_codes(small_model):
    painter = Painter(small_model)
    a, b = painter.styles([1]), painter.styles([5])
    torch.testing.assert_close(Walk((1, 5)).styles(painter, 0.25), a + 0.25 * (b - a))
    codes = small_model.codes([1, 5])
    between = painter.of_codes(codes[:1] + 0.25 * (codes[1:] - codes[:1]))
    torch.testing.assert_close(Walk((1, 5), "z", "lerp").styles(painter, 0.25), between)


def test_a_loop_ends_one_step_before_it_begins(small_model):
    walk = Walk((1, 5), loop=True)
    assert places(4, walk) == [0.0, 0.5, 1.0, 1.5]
    sweep = parse_sweep("fog/mix=0:1")
    seen = painted(Film(walk, 1.0, 8, (sweep,)), Painter(small_model, FOG))
    for frame in range(1, 4):    # the same styles and the same mix on the way there as on the way back
        assert np.array_equal(seen[frame], seen[8 - frame])
    assert not np.array_equal(seen[0], seen[4])


def test_a_pace_stretches_the_walk_and_not_its_length():
    walk = Walk((1, 5))
    assert places(5, walk, [0, 0, 1, 1, 0]) == [0.0, 0.0, 0.0, 0.5, 1.0]
    assert places(3, walk, [0, 0, 0]) == [0.0] * 3
    assert places(2, Walk((1,)), [1, 1]) == [0.0, 0.0]


def test_a_swept_frame_is_the_picture_of_a_patch_with_that_value(small_model):
    film = Film(Walk((4,)), 1.0, 5, (parse_sweep("fog/mix=0:1"), parse_sweep("latent/0/offset=0:4")))
    seen = painted(film, Painter(small_model, FOG))
    patch = FOG.set("fog/mix", 0.5).set("latent/0/offset", 2.0)
    assert np.array_equal(seen[2], paint_one(Painter(small_model, patch), Job(4)))
    assert np.array_equal(seen[0], paint_one(Painter(small_model), Job(4)))
    truncated = painted(Film(Walk((4,)), 1.0, 2, (parse_sweep("truncation=0:1"),)), Painter(small_model))
    assert np.array_equal(truncated[0], painted(Film(Walk((9,)), 1.0, 1), Painter(small_model).rebent(
        Patch(), truncation=0.0))[0])    # fmt: skip


def test_what_moves_by_itself_moves_with_the_films_time(small_model):
    patch = FOG.set("fog/mix", 0.5).set("fog/mix/lfo", "sine 1 0.5")
    seen = painted(Film(Walk((4,)), 1.0, 4), Painter(small_model, patch))
    for frame, mix in enumerate((0.5, 1.0, 0.5, 0.0)):
        assert np.array_equal(seen[frame], paint_one(Painter(small_model, FOG.set("fog/mix", mix)), Job(4))), frame


def test_fresh_noise_differs_from_frame_to_frame_and_is_the_same_every_time(small_model):
    patch = Patch(seed=3).add(2, "noise", {"sigma": 1.0, "fresh": 1})
    film = Film(Walk((4,)), 1.0, 3)
    seen, again = (painted(film, Painter(small_model, patch)) for _ in range(2))
    assert not np.array_equal(seen[0], seen[1])
    assert all(np.array_equal(one, other) for one, other in zip(seen, again, strict=True))


def test_features_of_a_track_are_high_where_it_sounds_so(track):
    curves = hear(track, 60, 25)
    part = {name: [curve[first : first + 9].mean() for first in (1, 14, 28)] for name, curve in curves.items()}
    silent, low, high = range(3)
    assert all(curve.min() >= 0 and curve.max() <= 1 for curve in curves.values())
    assert part["low"][low] > 0.9 > 0.2 > part["low"][high]
    assert part["high"][high] > 0.9 > 0.2 > part["high"][low]
    assert part["level"][low] > 0.9 and part["level"][high] > 0.9 and part["level"][silent] == 0
    loudest = int(curves["onsets"][40:50].argmax()) + 40
    assert loudest in (43, 44) and curves["onsets"][1:12].max() == 0    # the click is at 1.75 s
    assert all(curve[53:].max() == 0 for curve in curves.values())    # it is over


def test_silence_drives_nothing(tmp_path):
    import soundfile as sf

    sf.write(tmp_path / "s.wav", np.zeros(22050), 22050)
    assert all(curve.max() == 0 for curve in hear(tmp_path / "s.wav", 10, 10).values())


def test_a_driven_frame_has_the_value_that_is_heard(small_model, track):
    film = Film(Walk((4,)), 2.0, 10, drives=(parse_drive("level:fog/mix=0:1"),), audio=track,
                curves=hear(track, 20, 10))    # fmt: skip
    seen = painted(film, Painter(small_model, FOG))
    assert np.array_equal(seen[1], paint_one(Painter(small_model), Job(4)))
    heard = float(film.curves["level"][8])
    assert heard > 0.9
    assert np.array_equal(seen[8], paint_one(Painter(small_model, FOG.set("fog/mix", heard)), Job(4)))


def test_a_walk_driven_by_the_level_stands_still_in_silence(small_model, track):
    film = Film(Walk((4, 5)), 2.0, 10, drives=(parse_drive("level:walk=0:1"),), audio=track,
                curves=hear(track, 20, 10))    # fmt: skip
    seen = painted(film, Painter(small_model))
    assert np.array_equal(seen[0], seen[4]) and not np.array_equal(seen[8], seen[9])


def test_bends_that_follow_the_input_follow_the_track(small_model, track):
    patch = FOG.set("fog/mix/lfo", "follow 20 1.0")
    film = Film(Walk((4,)), 2.0, 10, audio=track)
    seen = painted(film, Painter(small_model, patch), level=TrackLevel(track))
    assert np.array_equal(seen[3], paint_one(Painter(small_model), Job(4)))
    heard = float(TrackLevel(track)(torch.tensor([0.9]), 20.0))
    assert heard > 0.5
    assert np.array_equal(seen[9], paint_one(Painter(small_model, FOG.set("fog/mix", heard)), Job(4)))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: parse_sweep("fog/mix"), "--sweep must be TARGET=FROM:TO"),
        (lambda: parse_sweep("fog/mix=1"), "--sweep must be"), (lambda: parse_sweep("fog/mix=0:nan"), "--sweep must"),
        (lambda: parse_drive("fog/mix=0:1"), "--drive must be FEATURE:TARGET"),
        (lambda: parse_drive("loudness:fog/mix=0:1"), "unknown feature 'loudness'"),
        (lambda: Walk((1,), "y"), "unknown walk 'y'"), (lambda: Walk(()), "one seed or more"),
        (lambda: Film(Walk((1,)), 0), "--seconds must be"), (lambda: Film(Walk((1,)), 1, 0.5), "--fps must be"),
        (lambda: Film(Walk((1,)), drives=(parse_drive("low:a/b=0:1"),)), "needs a track"),
    ],
)    # fmt: skip
def test_wrong_words_are_told(make, expected):
    with pytest.raises(PictureError, match=expected):
        make()


@pytest.mark.parametrize(
    ("sweeps", "expected"),
    [
        (["fug/mix=0:1"], "there is no bend 'fug'; did you mean 'fog'"),
        (["fog/factor=0:1e9"], "factor must be in"),
        (["fog/mix=0:1", "fog/mix=1:0"], "moved once"),
        (["latent/99/offset=0:1"], "axis must be in 0..7"),
        (["walk=0:1"], "takes as long as the film"),
        (["truncation=0:5"], "truncation must be in -2..2"),
    ],
)
def test_moves_that_fit_nothing_are_told_before_the_film_begins(small_model, sweeps, expected):
    from audiobend.errors import AudiobendError

    with pytest.raises(AudiobendError, match=expected):
        check_film(Film(Walk((1,)), sweeps=tuple(map(parse_sweep, sweeps))), Painter(small_model, FOG))


def write(path, pictures, **more):
    with film_file(path, Fraction(25), {"seed": 1}, **more) as add:
        for one in pictures:
            add(one)


@pytest.fixture
def pictures():
    y, x = np.mgrid[:32, :32] * 8
    return [np.stack([np.roll(x, i, 1), y, np.full_like(x, 90)], -1).astype(np.uint8) for i in range(12)]


def decoded(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.parametrize(("name", "near"), [("f.mp4", 6.0), ("f.gif", 4.0)])
def test_a_film_is_its_frames_and_the_same_bytes_every_time(tmp_path, pictures, name, near):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / name, pictures)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert bears_our_mark(tmp_path / "a" / name)
    seen = decoded(tmp_path / "a" / name)
    assert len(seen) == 12
    for one, other in zip(seen, pictures, strict=True):
        assert np.abs(one.astype(float) - other).mean() < near


def test_a_folder_of_png_holds_every_frame_and_replaces_our_own_film_only(tmp_path, pictures):
    write(tmp_path / "film", pictures)
    assert len(list((tmp_path / "film").glob("*.png"))) == 12
    assert np.array_equal(np.asarray(Image.open(tmp_path / "film" / "frame000003.png")), pictures[3])
    assert json.loads((tmp_path / "film" / "film.json").read_text())["frames"] == 12
    write(tmp_path / "film", pictures[:2])
    assert len(list((tmp_path / "film").iterdir())) == 3
    (tmp_path / "film" / "notes.txt").write_text("mine")
    with pytest.raises(PictureError, match="no film of audiobend's"):
        check_film_target(tmp_path / "film", overwrite=True)


@pytest.mark.parametrize("name", ["f.mp4", "f.gif", "film"])
def test_an_interrupted_film_leaves_nothing_and_the_older_one_as_it_was(tmp_path, pictures, name):
    write(tmp_path / name, pictures[:3])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(KeyboardInterrupt), film_file(tmp_path / name, Fraction(25), {}) as add:
        add(pictures[0])
        raise KeyboardInterrupt
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_track_is_heard_as_long_as_the_film_is_and_in_time(tmp_path, pictures, track):
    path = tmp_path / "f.mp4"
    write(path, pictures * 4, audio=track)    # 1.92 s
    with av.open(str(path)) as container:
        parts = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    heard = np.concatenate(parts)
    assert len(heard) / rate == pytest.approx(1.92, abs=0.1)
    first = int(np.argmax(np.abs(heard) > 0.2)) / rate
    assert first == pytest.approx(0.5, abs=0.06)    # where the track begins to sound


def test_a_stranger_is_not_overwritten(tmp_path):
    for name in ("f.mp4", "f.gif"):
        (tmp_path / name).write_bytes(b"mine")
        with pytest.raises(PictureError, match="was not written by audiobend"):
            check_film_target(tmp_path / name, overwrite=False)
        check_film_target(tmp_path / name, overwrite=True)
    with pytest.raises(PictureError, match=r"must end in .mp4 or .gif"):
        check_film_target(Path("film.avi"), overwrite=False)
    with pytest.raises(PictureError, match="does not exist"):
        check_film_target(Path("nowhere/film.mp4"), overwrite=False)


def test_frames_grow_to_the_width_that_is_asked_for(small_model):
    (frame,) = painted(Film(Walk((4,)), 1.0, 1), Painter(small_model), side=64)
    assert frame.shape == (64, 64, 3)
    assert to_bytes(torch.zeros(3, 2, 2)).dtype == frame.dtype
