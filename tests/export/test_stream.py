"""An exported file against the live engine: the same sound, the same turns of the knobs, the first sample again."""

import numpy as np
import pytest
import torch

from audiobend.bending import LatentBend, Modulation, Patch, WeightBend
from audiobend.bending.features import Range
from audiobend.control import Context, State
from audiobend.export.synthesis import Synthesis
from audiobend.live_engine import LiveSettings
from audiobend.osc.desk import Desk
from audiobend.spectral.sliding import SlidingSynthesis
from tests.export.conftest import compiled, live, played, written
from tests.osc.conftest import Talk

EXACT = 1e-4
EVERYTHING = "fog/radius,fog/mix,fog/on,dust/factor,output/detail,output/mix,output/gain_db"
SIZES = (256, 512, 1024, 2048, 4096, 8192)

MOVED = Patch(
    seed=3,
    modulation=tuple(
        Modulation(target, lfo, rate, depth, phase)
        for target, lfo, rate, depth, phase in (
            ("fog/radius", "sine", 1.3, 2.0, 0.0),
            ("lean/angle", "triangle", 0.7, 40.0, 0.3),
            ("lean/mix", "square", 2.1, 0.4, 0.1),
            ("dust/factor", "random", 5.0, 0.7, 0.0),
            ("dust/factor", "follow", 4.0, 0.5, 0.0),
            ("output/mix", "follow", 3.0, 0.4, 0.0),
            ("output/gain_db", "sine", 3.0, 3.0, 0.25),
            ("output/detail", "sine", 2.0, 0.3, 0.0),
        )
    ),
    bends=Patch()
    .add(3, "erode", {"radius": 1}, id="fog", mix=0.8)
    .add(3, "rotate", {"angle": 30}, id="lean", mix=0.5)
    .add(2, "scalar-multiply", {"factor": 1.2}, id="dust")
    .bends,
).set("output/mix", 0.5).set("output/detail", 0.5)
DEEP = Patch(
    seed=1,
    latent=(
        LatentBend("offset", {"axis": 3, "amount": 0.7}),
        LatentBend("scale", {"axis": 1, "factor": 2.0}),
        LatentBend("invert", {"axis": 2}),
        LatentBend("noise", {"sigma": 0.3}),
    ),
    weights=(WeightBend(4, "centre-tap"),),
    bends=Patch()
    .add("e2", "blur", {"sigma": 0.8})
    .add("z", "invert", mix=0.2)
    .add(4, "roll", {"x": 0.2})
    .add(5, "smooth")
    .bends,
)
PATCHES = {
    "nothing": Patch(),
    "moved": MOVED,
    "deep": DEEP,
    "last layer": Patch().add(5, "dilate", {"radius": 2}),
    "kernels": Patch(weights=(WeightBend("e2", "centre-tap"),)).add(1, "negate", mix=0.5),
    "loud": Patch().add(4, "scalar-multiply", {"factor": 4.0}).set("output/gain_db", 12.0),
    "bare": Patch().add(3, "invert").set("output/limiter", False).set("output/match_level", False),
    "noise": Patch(seed=4).add(2, "noise", {"sigma": 0.5}).add(3, "shuffle", mix=0.7).add(3, "normalise", mix=0.5),
    "fresh noise": Patch(seed=4).add(3, "noise", {"sigma": 0.5, "fresh": 1}, features=Range(1, 6)),
}


@pytest.mark.parametrize(("profile", "n_channels"), [("low", 2), ("balanced", 1)])
def test_a_file_plays_what_the_live_engine_plays(tiny_model, fog, sound, profile, n_channels):
    settings, samples = LiveSettings.profile(profile, n_channels=n_channels), sound[:n_channels, :60_000]
    expected = live(tiny_model, fog, samples, settings)
    assert expected.abs().max() > 0.01
    assert (played(compiled(tiny_model, fog, settings), samples) - expected).abs().max() <= EXACT


@pytest.mark.slow
def test_the_shipped_model_plays_as_it_does_live(shipped, fog, music):
    expected = live(shipped, fog, music, LiveSettings(n_channels=2))
    assert expected.abs().max() > 0.1
    assert (played(compiled(shipped, fog, LiveSettings(n_channels=2)), music) - expected).abs().max() <= EXACT


@pytest.mark.slow
@pytest.mark.parametrize("name", PATCHES)
def test_whatever_a_patch_says(tiny_model, sound, name):
    samples = sound[:1, :60_000]
    expected = live(tiny_model, PATCHES[name], samples)
    assert expected.abs().max() > 0.01
    assert (played(compiled(tiny_model, PATCHES[name]), samples) - expected).abs().max() <= EXACT


@pytest.mark.slow
@pytest.mark.parametrize(("stride", "look_ahead"), [(8, 3), (4, 12), (16, 16)])
def test_any_stride_and_look_ahead(tiny_model, fog, sound, stride, look_ahead):
    settings, samples = LiveSettings(stride, look_ahead), sound[:1, :50_000]
    expected = live(tiny_model, fog, samples, settings)
    assert (played(compiled(tiny_model, fog, settings), samples) - expected).abs().max() <= EXACT


def test_block_sizes_do_not_matter(tiny_model, fog, sound):
    module, samples = compiled(tiny_model, fog), sound[:1, :30_000]
    expected = played(module, samples)
    for size in (1000, 63, 8192):
        module.reset()
        assert torch.equal(played(module, samples, size), expected), size


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_minute_of_music_in_a_bare_interpreter(tiny_model, fog, minute, bare, tmp_path):
    file = written(tiny_model, fog, tmp_path / "fog.ts")
    expected = live(tiny_model, fog, minute)
    assert expected.abs().max() > 0.05
    assert (bare(file, minute, SIZES) - expected).abs().max() <= EXACT


def test_reset_brings_the_first_sample_back(tiny_model, sound):
    module, samples = compiled(tiny_model, MOVED), sound[:1, :40_000]
    first = played(module, samples)
    assert not torch.equal(played(module, samples), first)
    module.reset()
    assert torch.equal(played(module, samples), first)
    assert module.set_reset(1) == 0
    assert torch.equal(played(module, samples), first)


def test_reset_forgets_what_the_two_halves_heard(tiny_model, fog, sound):
    module = compiled(tiny_model, fog)
    x, places = sound[None, :1, : 5 * 2048], torch.randn(1, 16, 5, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode(), torch.jit.optimized_execution(False):
        first = module.encode(x), module.decode(places)
        again = module.encode(x), module.decode(places)
        module.reset()
        fresh = module.encode(x), module.decode(places)
    for one, other, reset in zip(first, again, fresh, strict=True):
        assert not torch.equal(one, other)
        assert torch.equal(one, reset)


@pytest.mark.parametrize(
    ("address", "attribute", "value"),
    [
        ("/audiobend/bend/fog/radius", "fog_radius", 3),
        ("/audiobend/bend/fog/mix", "fog_mix", 0.1),
        ("/audiobend/bend/fog/on", "fog_on", 0),
        ("/audiobend/bend/dust/factor", "dust_factor", -2.0),
        ("/audiobend/detail", "output_detail", 0.9),
        ("/audiobend/mix", "output_mix", 0.25),
        ("/audiobend/gain", "output_gain_db", -12.0),
    ],
)
@pytest.mark.slow
def test_an_attribute_sounds_as_the_same_osc_message(shipped, fog, sound, address, attribute, value):
    desk = Desk(State(fog, model=shipped.name), Context.of_model(shipped))
    Talk(desk)(address, value)
    after, samples = desk.state.patch, sound[:1, :50_000]
    assert after != fog
    at = 20_480
    expected = live(shipped, fog, samples, changes=[(at, after)])
    plain = live(shipped, fog, samples)
    assert (expected - plain).abs().max() > 1e-3
    module = compiled(shipped, fog, None, EVERYTHING)
    first = played(module, samples[:, :at])
    assert getattr(module, f"set_{attribute}")(value) == 0
    heard = torch.cat([first, played(module, samples[:, at:])], dim=1)
    assert (heard - expected).abs().max() <= EXACT


def test_a_bend_that_is_off_can_be_switched_on(tiny_model, fog, sound):
    off, samples = fog.set("dust/on", False), sound[:1, :40_000]
    module = compiled(tiny_model, off, None, "dust/on")
    assert (played(module, samples) - live(tiny_model, off, samples)).abs().max() <= EXACT
    module.reset()
    module.set_dust_on(1)
    assert (played(module, samples) - live(tiny_model, fog, samples)).abs().max() <= EXACT


def test_a_click_comes_out_exactly_the_latency_later(tiny_model):
    clear = Patch().set("output/detail", 1.0)
    for profile in ("low", "balanced"):
        settings = LiveSettings.profile(profile)
        module = compiled(tiny_model, clear, settings)
        assert module.get_latency() == settings.latency
        samples = torch.zeros(1, 20_000)
        samples[0, 3000] = 0.5
        out = played(module, samples)
        assert int(out.abs().argmax()) == 3000 + module.get_latency()


def test_what_is_not_a_number_is_silence_and_nothing_is_louder_than_full_scale(tiny_model, sound):
    wild = Patch().add(3, "scalar-multiply", {"factor": 10.0}).set("output/gain_db", 24.0)
    samples = sound[:1, :30_000].clone()
    samples[0, 5000:5003] = torch.tensor([torch.nan, torch.inf, -torch.inf])
    samples[0, 9000] = 1e30
    out = played(compiled(tiny_model, wild), samples)
    assert out.isfinite().all()
    assert out.abs().max() < 1


@pytest.mark.parametrize("shape", [(1, 2, 512), (2, 1, 512), (1, 512)])
def test_blocks_of_another_shape_are_refused(tiny_model, fog, shape):
    with pytest.raises(Exception, match="a block must be"):
        compiled(tiny_model, fog)(torch.zeros(shape))


@pytest.mark.slow
@pytest.mark.parametrize(("profile", "n_channels"), [("low", 1), ("balanced", 2)])
def test_found_phases_fit_as_well_as_the_live_engines(tiny_model, sound, profile, n_channels):
    clear, samples = Patch().set("output/detail", 1.0), sound[:n_channels]
    settings = LiveSettings.profile(profile, phase="rtisi", n_channels=n_channels)
    module = compiled(tiny_model, clear, settings)

    def convergence(out):
        """Relative error of the magnitudes, in dB, of what should be the input."""
        window = torch.hann_window(1024)
        lag = settings.latency
        ours, theirs = (
            torch.stft(one, 1024, 256, window=window, center=False, return_complex=True).abs()
            for one in (out[:, lag + 8192 :], samples[:, 8192 : samples.shape[1] - lag])
        )
        return float(20 * ((ours - theirs).norm() / theirs.norm()).log10())

    ours, engine = convergence(played(module, samples)), convergence(live(tiny_model, clear, samples, settings))
    assert ours < -12
    assert ours < engine + 3


def test_found_phases_do_not_click_at_the_edges_of_strides(tiny_model):
    time = torch.arange(110_250) / 44100
    chord = sum(0.05 * torch.sin(2 * torch.pi * f * time) for f in (220.0, 277.2, 329.6, 1100.0, 3333.0))[None]
    settings = LiveSettings(phase="rtisi")
    out = played(compiled(tiny_model, Patch().set("output/detail", 1.0), settings), chord)[0, 20_000:]
    bend, first = out.diff().diff().abs(), (settings.latency - 20_000) % 2048

    def sharpest(offset):
        """The sharpest corner within 16 samples of places a stride apart, the usual one of them."""
        starts = range(first + 2048 + offset - 16, len(bend) - 32, 2048)
        return torch.stack([bend[start : start + 32].max() for start in starts]).quantile(0.95)

    assert sharpest(0) < 1.2 * sharpest(1024)


def test_places_are_what_the_network_codes(tiny_model, sound):
    module = compiled(tiny_model, Patch())
    x = sound[None, :1, : 30 * 2048]
    with torch.inference_mode(), torch.jit.optimized_execution(False):
        places = module.encode(x)
    assert places.shape == (1, 16, 30)
    assert places[..., 20:].std() > 0
    twice = compiled(tiny_model, Patch())
    with torch.inference_mode(), torch.jit.optimized_execution(False):
        halves = torch.cat([twice.encode(x[..., : 10 * 2048]), twice.encode(x[..., 10 * 2048 :])], dim=2)
    assert torch.equal(halves, places)


def test_sound_is_made_from_places_and_the_patch_bends_it(tiny_model, fog):
    places = torch.randn(1, 16, 12, generator=torch.Generator().manual_seed(1)) * 3
    with torch.inference_mode(), torch.jit.optimized_execution(False):
        plain = compiled(tiny_model, Patch()).decode(places)
        bent = compiled(tiny_model, fog).decode(places)
    assert plain.shape == (1, 1, 12 * 2048)
    assert plain.abs().max() > 1e-3
    assert (plain - bent).abs().max() > 1e-3
    parts = compiled(tiny_model, Patch())
    with torch.inference_mode(), torch.jit.optimized_execution(False):
        halves = torch.cat([parts.decode(places[..., :5]), parts.decode(places[..., 5:])], dim=2)
    assert torch.equal(halves, plain)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_bins_without_a_phase_get_the_live_engines(n_channels):
    generator = torch.Generator().manual_seed(0)
    ours, engine = torch.jit.script(Synthesis(n_channels, 8, None)), SlidingSynthesis(n_channels, None)
    for hop in (8, 16, 24):
        magnitude = torch.rand(n_channels, 8, 513, generator=generator)
        spectrum = torch.randn(n_channels, 8, 513, generator=generator, dtype=torch.complex64)
        spectrum[:, ::2, ::3] = 0
        assert torch.allclose(ours(magnitude, spectrum, hop), engine.feed(magnitude, spectrum, hop), atol=1e-6)


def test_fresh_noise_is_new_in_every_window_and_alike_after_a_reset(tiny_model, sound):
    patch = Patch(seed=2).add(3, "noise", {"sigma": 0.5, "fresh": 1})
    module, samples = compiled(tiny_model, patch), sound[:1, :30_000]
    first = played(module, samples)
    frozen = played(compiled(tiny_model, patch.set(f"{patch.bends[0].id}/fresh", 0)), samples)
    assert (first - frozen).abs().max() > 1e-3
    module.reset()
    assert torch.equal(played(module, samples), first)


@pytest.mark.slow
def test_many_attributes_at_once(tiny_model, fog, sound, bare, tmp_path):
    file = written(tiny_model, fog, tmp_path / "fog.ts")
    samples = sound[:1, :40_000]
    turns = [("fog_radius", 4), ("dust_factor", 0.5), *(("output_mix", float(x)) for x in np.linspace(0, 1, 5))]
    changes = [(4096 * (n + 1), name, value) for n, (name, value) in enumerate(turns)]
    assert (bare(file, samples, (512,), changes) - bare(file, samples, (512,))).abs().max() > 1e-3
