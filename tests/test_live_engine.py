"""The live engine: same sound whatever the blocks, an exact latency, no clicks, nothing that harms an ear."""

import itertools

import numpy as np
import pytest
import torch

from audiobend.bending import TRANSFORMS, Modulation, Patch, WeightBend
from audiobend.errors import AudiobendError
from audiobend.live_engine import LiveEngine, LiveSettings
from tests.live_reference import whole

PROFILES = ("low", "balanced", "studio")
EVERY_MODE = [(name, phase) for name in PROFILES for phase in ("input", "rtisi")]
BENDS = Patch(seed=3).add(2, "scalar-multiply", {"factor": 1.5}).add(3, "rotate", {"angle": 30}, mix=0.5)
CLEAR = Patch().set("output/detail", 1.0)


def play(engine, samples, size=512):
    blocks = [samples[:, i : i + size] for i in range(0, samples.shape[1], size)]
    return np.concatenate([engine.process(block) for block in blocks], axis=1)


def decibels(error, signal):
    return 20 * np.log10(np.linalg.norm(error) / np.linalg.norm(signal))


@pytest.fixture
def sound(music):
    """Two and a half seconds, stereo."""
    return music[:, :110_250].numpy()


@pytest.mark.parametrize(("phase", "n_channels"), [("input", 2), ("rtisi", 1)])
def test_block_sizes_do_not_matter(tiny_model, sound, phase, n_channels):
    patch = BENDS.set("output/detail", 0.3).set("output/mix", 0.8)
    settings = LiveSettings(phase=phase, n_channels=n_channels)
    samples = sound[:n_channels, :40_000]
    expected = play(LiveEngine(tiny_model, patch, settings), samples)
    for size, n in ((1, 12_000), (63, 24_000), (64, 24_000), (257, 40_000), (4096, 40_000), (40_000, 40_000)):
        out = play(LiveEngine(tiny_model, patch, settings), samples[:, :n], size)
        assert out[:, -2000:].any() and np.array_equal(out, expected[:, :n]), size


@pytest.mark.parametrize(
    ("name", "n_channels"), [pytest.param("low", 2, marks=pytest.mark.slow), ("balanced", 1), ("studio", 1)]
)
def test_unbent_sound_is_what_the_whole_sound_gives(tiny_model, sound, name, n_channels):
    settings = LiveSettings.profile(name, n_channels=n_channels)
    engine = LiveEngine(tiny_model, Patch(), settings)
    samples = sound[:n_channels, :40_000] * np.float32(0.3)
    live = play(engine, samples)[:, engine.latency :]
    expected = whole(tiny_model, Patch(), torch.from_numpy(samples), settings).numpy()[:, : live.shape[1]]
    assert np.abs(expected).max() > 0.01
    assert np.abs(live - expected).max() <= 1e-4


@pytest.mark.parametrize(("stride", "look_ahead"), [(8, 3), pytest.param(5, 12, marks=pytest.mark.slow), (32, 1)])
def test_bent_and_modulated_sound_is_what_the_whole_sound_gives(tiny_model, sound, stride, look_ahead):
    patch = BENDS.replace(
        modulation=(Modulation(f"{BENDS.bends[1].id}/angle", rate_hz=2.0, depth=20.0),),
        weights=(WeightBend(4, "centre-tap"),),
    ).set("output/detail", 0.5)
    settings = LiveSettings(stride=stride, look_ahead=look_ahead, n_channels=2)
    engine = LiveEngine(tiny_model, patch, settings)
    samples = sound[:, :32_000] * np.float32(0.3)
    live = play(engine, samples)[:, engine.latency :]
    expected = whole(tiny_model, patch, torch.from_numpy(samples), settings).numpy()[:, : live.shape[1]]
    assert np.abs(live - expected).max() <= 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize(("name", "most_ms"), [("low", 75), ("balanced", 140), ("studio", 260)])
@pytest.mark.parametrize("phase", ["input", "rtisi"])
def test_latency_is_within_its_promise_and_the_sum_of_its_parts(tiny_model, name, phase, most_ms):
    engine = LiveEngine(tiny_model, Patch(), LiveSettings.profile(name, phase=phase))
    assert engine.latency / 44.1 <= most_ms
    assert engine.latency == sum(engine.latency_parts().values())


@pytest.mark.parametrize(("name", "phase"), EVERY_MODE)
@pytest.mark.parametrize("size", [64, 441])
def test_a_click_comes_out_exactly_the_latency_later(tiny_model, name, phase, size):
    at = 34_000    # a window is full by then
    click = np.zeros((1, at + 14_000), np.float32)
    click[0, at] = 0.5
    for patch in (CLEAR, CLEAR.set("output/mix", 0.0)):
        if phase == "rtisi" and patch is CLEAR:
            continue    # a phase that is found again may be off by a few samples
        engine = LiveEngine(tiny_model, patch, LiveSettings.profile(name, phase=phase))
        out = play(engine, click, size)
        assert np.abs(out[0]).argmax() == at + engine.latency
        assert np.abs(out[0, at + engine.latency] - 0.5) < 1e-4


@pytest.mark.parametrize("name", PROFILES)
def test_a_click_through_found_phases_comes_out_near_the_latency(tiny_model, name):
    at = 34_000
    click = np.zeros((1, at + 14_000), np.float32)
    click[0, at] = 0.5
    engine = LiveEngine(tiny_model, CLEAR, LiveSettings.profile(name, phase="rtisi"))
    assert abs(int(np.abs(play(engine, click)[0]).argmax()) - at - engine.latency) <= 128


@pytest.mark.parametrize("n_channels", [1, 2])
def test_full_detail_without_bends_is_the_input(tiny_model, sound, n_channels):
    engine = LiveEngine(tiny_model, CLEAR, LiveSettings(n_channels=n_channels))
    samples = sound[:n_channels] + np.float32(0.01)    # the input's own offset stays
    out = play(engine, samples)
    late = samples[:, : -engine.latency]
    assert decibels(out[:, engine.latency :] - late, late) < -100


@pytest.mark.parametrize("phase", ["input", "rtisi"])
def test_later_input_never_changes_earlier_output(tiny_model, sound, phase):
    settings = LiveSettings(phase=phase)
    cut, sound = 40_000, sound[:1, :60_000]
    other = sound.copy()
    other[:, cut:] = np.random.default_rng(0).normal(size=other[:, cut:].shape).astype(np.float32)
    one, two = (play(LiveEngine(tiny_model, BENDS, settings), x) for x in (sound, other))
    assert np.array_equal(one[:, :cut], two[:, :cut])
    assert not np.array_equal(one[:, cut:], two[:, cut:])


def test_bypass_is_the_input_bit_for_bit(tiny_model, sound):
    engine = LiveEngine(tiny_model, BENDS.set("output/gain_db", 12.0), LiveSettings(n_channels=2))
    before = play(engine, sound[:, :44_100])
    engine.set_controls(bypass=True)
    out = np.concatenate([before, play(engine, sound[:, 44_100:])], axis=1)
    ramp = 44_100 + 5 * 256 + 512
    assert np.array_equal(out[:, ramp:], sound[:, ramp - engine.latency : -engine.latency])
    assert not np.array_equal(out[:, 40_000:44_100], sound[:, 40_000 - engine.latency : 44_100 - engine.latency])
    engine.set_controls(bypass=False)
    out = play(engine, sound)
    assert not np.array_equal(out[:, 40_000:], sound[:, 40_000 - engine.latency : -engine.latency])


def test_dry_is_the_input_bit_for_bit(tiny_model, sound):
    engine = LiveEngine(tiny_model, BENDS.set("output/mix", 0.0), LiveSettings(n_channels=2))
    out = play(engine, sound)
    assert np.array_equal(out[:, engine.latency :], sound[:, : -engine.latency])


def test_mix_lies_between_dry_and_wet_and_gain_is_in_decibels(tiny_model, sound):
    samples = sound[:, :60_000] * np.float32(0.1)
    wet, half, louder = (
        play(LiveEngine(tiny_model, patch, LiveSettings(n_channels=2)), samples)
        for patch in (BENDS, BENDS.set("output/mix", 0.5), BENDS.set("output/gain_db", -6.0))
    )
    latency = LiveSettings().latency
    dry = np.concatenate([np.zeros((2, latency), np.float32), samples], axis=1)[:, : wet.shape[1]]
    np.testing.assert_allclose(half, (wet + dry) / 2, atol=1e-5)
    np.testing.assert_allclose(louder, wet * 10 ** (-6 / 20), rtol=1e-4, atol=1e-6)


# ---- no clicks


def jumps(samples):
    """Second differences, ``(time,)``."""
    return np.abs(np.diff(samples, 2, axis=-1, prepend=samples[:, :1], append=samples[:, -1:])).max(axis=0)


def largest_jump_at(samples, seams, music=None):
    """Return the largest jump within 16 samples of a seam, over the sound's own.

    Its own is the largest within 1024 samples around the seam; and that of the music without any change, if given,
    because a drum may be hit at a seam.
    """
    all_jumps, ratios = jumps(samples), []
    own = np.zeros_like(all_jumps) if music is None else jumps(music)
    for seam in seams:
        around = np.concatenate([all_jumps[seam - 1024 : seam - 16], all_jumps[seam + 17 : seam + 1024]])
        ratios.append(all_jumps[seam - 16 : seam + 17].max() / max(around.max(), own[seam - 1024 : seam + 1024].max()))
    return max(ratios)


@pytest.fixture(scope="session")
def shipped_model():
    from audiobend.io.modelbundle import load_model

    return load_model("corpus-quarter")


def toggled(engine, samples, patches, every):
    """Set the patches in turn; return the output and where each change begins to be heard."""
    out, seams = [], []
    window = engine.settings.stride * 256
    late = window + engine.latency_parts()["phase"] + engine.latency_parts()["limiter"]
    assert every % window == 0
    for i, patch in zip(range(0, samples.shape[1] - every, every), patches, strict=False):
        engine.set_patch(patch)
        out.append(engine.process(samples[:, i : i + every]))
        seams.append(i + late)
    return np.concatenate(out, axis=1), [seam for seam in seams if seam > 8192]


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["input", "rtisi"])
def test_switching_every_transform_on_and_off_200_times_does_not_click(shipped_model, phase):
    import soundfile as sf

    from tests.conftest import EXAMPLES

    samples, _ = sf.read(EXAMPLES / "sounds" / "pressure.flac", dtype="float32", always_2d=True)
    every = 2 * 8 * 256
    samples = np.resize(samples.T[0], (1, 204 * every))
    names = itertools.cycle(sorted(TRANSFORMS))
    on_and_off = (
        patch for i, name in zip(range(100), names, strict=False) for patch in (Patch().add(1 + i % 5, name), Patch())
    )
    engine = LiveEngine(shipped_model, Patch(), LiveSettings(phase=phase))
    out, seams = toggled(engine, samples, on_and_off, every)
    assert len(seams) >= 197
    unchanged = play(LiveEngine(shipped_model, Patch(), LiveSettings(phase=phase)), samples[:, : out.shape[1]])
    assert largest_jump_at(out, seams, unchanged) <= 1.2


def test_the_measure_of_clicks_finds_a_click(sound):
    spliced = sound[:1].copy()
    spliced[:, 50_000:] *= -1
    assert largest_jump_at(spliced, [50_000]) > 1.5 or np.abs(spliced[0, 50_000]) < 0.02
    assert largest_jump_at(np.where(np.arange(sound.shape[1]) < 50_000, sound[:1], sound[:1] + 0.2), [50_000]) > 1.5
    assert largest_jump_at(sound[:1], range(10_000, 100_000, 4000)) <= 1.2


def test_swaps_of_model_and_patch_and_turned_controls_do_not_click(tiny_model, shipped_model, sound):
    engine = LiveEngine(shipped_model, BENDS, LiveSettings())
    samples = np.tile(sound[:1], 3)
    changes = itertools.cycle(
        [
            lambda: engine.set_model(tiny_model),
            lambda: engine.set_patch(Patch().add(3, "negate")),
            lambda: engine.set_controls(mix=0.0),
            lambda: engine.set_controls(detail=1.0),
            lambda: engine.set_model(shipped_model, BENDS),
            lambda: engine.set_controls(bypass=True),
            lambda: engine.set_controls(gain_db=-20.0),
            lambda: engine.set_controls(bypass=False),
            lambda: engine.set_controls(gain_db=0.0),
            lambda: engine.panic(),
        ]
    )
    out, changed = [], []
    for i in range(0, samples.shape[1] - 8192, 8192):
        next(changes)()
        out.append(engine.process(samples[:, i : i + 8192]))
        changed.append(i)
    # Bypass is heard after a hop, mix and gain 220 samples later, a patch or a model from the next window on.
    heard = [i + late for i in changed for late in (256, 256 + 220, 2048 + 220)]
    out = np.concatenate(out, axis=1)
    # Where it is silent, as after a panic, there is nothing to measure.
    audible = [seam for seam in heard if seam > 8192 and np.abs(out[0, seam - 1024 : seam + 1024]).max() > 0.01]
    assert len(audible) > 50
    assert largest_jump_at(out, audible) <= 1.2


# ---- safety


class Broken:
    """A backend whose bent windows are what no ear should hear."""

    name = "broken"

    def __init__(self, value):
        self.value = value

    def prepare(self, plan, columns=slice(0, 128)):
        pass

    def reconstruct(self, x, plan, times=None, call=0, columns=slice(0, 128)):
        bent = x[:, :, columns].clone()
        bent[..., ::3] = self.value
        return bent, x[:, :, columns].clone()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 60 / 11.63, 1e30])
@pytest.mark.parametrize("phase", ["input", "rtisi"])
@pytest.mark.parametrize("limiter", [True, False])
def test_whatever_comes_out_of_the_network_the_output_stays_finite_and_under_full_scale(
    tiny_model, sound, value, phase, limiter
):
    patch = BENDS.set("output/gain_db", 24.0).set("output/limiter", limiter)
    engine = LiveEngine(tiny_model, patch, LiveSettings(phase=phase, n_channels=2), backend=Broken(value))
    out = play(engine, sound[:, :24_000])
    assert np.isfinite(out).all() and out.any()
    assert np.abs(out).max() < 1


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e38])
def test_bad_input_samples_do_no_lasting_harm(tiny_model, sound, bad):
    engine = LiveEngine(tiny_model, CLEAR, LiveSettings(n_channels=2))
    sound = sound[:, :66_000]
    harmed = sound.copy()
    harmed[:, 20_000:20_003] = bad
    out = play(engine, harmed)
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 1
    late = sound[:, 40_000 - engine.latency : -engine.latency]
    assert decibels(out[:, 40_000:] - late, late) < -90


def test_silence_gives_silence_also_after_sound(tiny_model, sound):
    engine = LiveEngine(tiny_model, BENDS, LiveSettings(n_channels=2))
    assert not play(engine, np.zeros((2, 30_000), np.float32)).any()
    assert play(engine, sound[:, :40_000]).any()
    tail = play(engine, np.zeros((2, 44_100), np.float32))
    assert np.abs(tail[:, -10_000:]).max() < 1e-5    # what is left is the blocker's memory of an offset


def test_an_offset_that_bends_make_is_taken_away(tiny_model, sound):
    from audiobend.spectral.guard import OffsetBlocker

    dry = np.tile(sound[:1], 2)
    wet = np.float32(0.5) * dry + np.float32(0.3)
    out = OffsetBlocker(1, 44100).feed(wet, dry)
    assert abs(out[:, -44_100:].mean() - wet[:, -44_100:].mean() + 0.3) < 0.02


def test_panic_is_silent_then_comes_back_clean(tiny_model, sound):
    engine, fresh = (LiveEngine(tiny_model, BENDS, LiveSettings()) for _ in range(2))
    loud = np.clip(sound[:1] * 8, -1, 1)
    play(engine, loud[:, : 40 * 2048])
    engine.panic()
    silence = play(engine, np.zeros((1, 64 * 256), np.float32))
    assert not silence[:, 4 * 256 :].any()
    play(fresh, np.zeros((1, 64 * 256), np.float32))
    after, clean = (play(one, sound[:1]) for one in (engine, fresh))
    assert decibels(after - clean, clean) < -60


def test_reset_begins_again(tiny_model, sound):
    engine = LiveEngine(tiny_model, BENDS, LiveSettings(phase="rtisi"))
    first = play(engine, sound[:1, :33_333])
    engine.reset()
    assert np.array_equal(play(engine, sound[:1, :33_333]), first)


def test_a_change_of_patch_is_heard_within_a_stride(tiny_model, sound):
    still, changed = (LiveEngine(tiny_model, Patch(), LiveSettings()) for _ in range(2))
    for engine in (still, changed):
        play(engine, sound[:1, :60_000])
    changed.set_patch(changed.prepare(BENDS))
    one, two = (play(engine, sound[:1, 60_000:]) for engine in (still, changed))
    differs = np.flatnonzero((one != two).any(axis=0))
    assert differs[0] <= 8 * 256 + 256 + 220


def test_controls_take_the_place_of_the_patch_until_the_next_one(tiny_model, sound):
    engine = LiveEngine(tiny_model, BENDS, LiveSettings(n_channels=2))
    engine.set_controls(mix=0.0)
    out = play(engine, sound)
    assert np.array_equal(out[:, 20_000:], sound[:, 20_000 - engine.latency : -engine.latency])
    engine.set_patch(BENDS)
    assert not np.array_equal(play(engine, sound)[:, 20_000:], sound[:, 20_000 - engine.latency : -engine.latency])


def test_quiet_and_loud_sound_come_out_as_quiet_and_as_loud(tiny_model, sound):
    """The slow input gain is taken off again."""
    loud, quiet = (
        play(LiveEngine(tiny_model, BENDS, LiveSettings()), level * sound[:1]) for level in map(np.float32, (0.5, 0.05))
    )
    assert 19 < decibels(loud[:, 50_000:], quiet[:, 50_000:]) < 21


@pytest.mark.parametrize(
    ("words", "make"),
    [
        ("stride", lambda model: LiveSettings(stride=0)),
        ("look_ahead", lambda model: LiveSettings(look_ahead=100)),
        ("phase", lambda model: LiveSettings(phase="pghi")),
        ("phase_look_ahead", lambda model: LiveSettings(phase="rtisi", phase_look_ahead=2)),
        ("n_channels", lambda model: LiveSettings(n_channels=3)),
        ("latency", lambda model: LiveSettings.profile("lowest")),
        ("block", lambda model: LiveEngine(model, Patch()).process(np.zeros((2, 64), np.float32))),
        ("mix", lambda model: LiveEngine(model, Patch()).set_controls(mix=1.5)),
        ("layer", lambda model: LiveEngine(model, Patch()).set_patch(Patch().add(9, "ablate"))),
    ],
)
def test_wrong_settings_are_refused_in_a_sentence(tiny_model, words, make):
    with pytest.raises(AudiobendError, match=words):
        make(tiny_model)


@pytest.mark.slow
def test_memory_and_alignment_hold_over_a_long_run(tiny_model, sound):
    import gc
    import tracemalloc

    engine = LiveEngine(tiny_model, CLEAR.set("output/mix", 0.5), LiveSettings())
    samples = np.tile(sound[:1], 2)
    play(engine, samples)
    tracemalloc.start()
    for _ in range(10):    # what replaces older objects counts as new
        play(engine, samples)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        out = play(engine, samples)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before - out.nbytes
    tracemalloc.stop()
    assert grown < 250_000    # an array kept of each block would be more
    looped = np.roll(samples, engine.latency, axis=1)
    assert decibels(out - looped, looped) < -90


@pytest.mark.parametrize("target", ["output/gain_db", "output/mix"])
def test_a_movement_that_is_switched_on_or_off_does_not_click(tiny_model, target):
    t = np.arange(66_150) / 44_100
    tone = (0.2 * np.sin(2 * np.pi * 100 * t)).astype(np.float32)[None]
    patch = CLEAR.add(5, "negate", mix=0.5)
    depth = -20.0 if target == "output/gain_db" else -0.9
    engine = LiveEngine(tiny_model, patch, LiveSettings())
    out = [play(engine, tone[:, :22_050])]
    for shape in ("square", "off"):
        patch = patch.set(f"{target}/lfo", (shape, 0.1, depth))
        engine.set_patch(patch)
        out.append(play(engine, tone[:, :22_050]))
    quiet = play(LiveEngine(tiny_model, CLEAR.add(5, "negate", mix=0.5), LiveSettings()), tone[:, :22_050])
    step = np.abs(np.diff(np.concatenate(out, axis=1)))[:, 30_000:].max()
    assert step < 1.5 * np.abs(np.diff(quiet)).max() + 0.01
