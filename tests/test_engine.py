"""The engine: same sound whatever the portions, silence stays silence, and the input comes back when asked for."""

import pytest
import torch

from audiobend.bending import Patch, WeightBend
from audiobend.engine import Engine, Settings
from audiobend.spectral.level import LoudestBin

INPUT = Settings(phase="input")
FAST = Settings(quality="fast")


def reference_of(waveform):
    meter = LoudestBin(len(waveform))
    meter.feed(waveform)
    return meter.flush()


def run(model, waveform, patch=None, settings=FAST, size=None, reference=None):
    plan = model.resolve(patch or Patch())
    engine = Engine(model, plan, len(waveform), reference or reference_of(waveform), settings)
    parts = [engine.feed(part) for part in waveform.split(size or max(1, waveform.shape[-1]), dim=-1)]
    return torch.cat([*parts, engine.flush()], dim=-1)


def decibels(error, signal):
    return float(20 * torch.log10(error.norm() / signal.norm()))


@pytest.mark.parametrize("size", [997, 4096, 50_000])
def test_portions_do_not_matter(tiny_model, music, size):
    patch = Patch(seed=3).add(2, "ablate").add(3, "rotate", {"angle": 30}, mix=0.5).set("output/detail", 0.3)
    assert torch.equal(run(tiny_model, music, patch, size=size), run(tiny_model, music, patch))


@pytest.mark.parametrize("n_samples", [1, 255, 256, 1024, 33_333])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_output_is_as_long_as_the_input(tiny_model, music, n_samples, n_channels):
    waveform = music[:n_channels, :n_samples]
    assert run(tiny_model, waveform, Patch().add(1, "invert")).shape == waveform.shape


@pytest.mark.parametrize("phase", ["input", "auto"])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_full_detail_without_bends_is_the_input(tiny_model, music, phase, n_channels):
    waveform = music[:n_channels]
    result = run(tiny_model, waveform, Patch().set("output/detail", 1.0), Settings(phase=phase))
    assert decibels(result - waveform, waveform) < -100


def test_full_detail_keeps_what_lies_far_under_the_floor(tiny_model):
    time = torch.arange(88_200) / 44_100
    waveform = (torch.sin(2764.6 * time) * 10 ** (-time * 3))[None]    # fades to -120 dB
    result = run(tiny_model, waveform, Patch().set("output/detail", 1.0), INPUT)
    assert decibels((result - waveform)[:, 66_150:], waveform[:, 66_150:]) < -60


def test_dry_is_the_input_bit_for_bit(tiny_model, music):
    patch = Patch().add(2, "invert").set("output/mix", 0.0)
    assert torch.equal(run(tiny_model, music, patch), music)


def test_mix_is_between_dry_and_wet(tiny_model, music):
    patch = Patch().add(2, "ablate").set("output/limiter", "off")
    wet, half = run(tiny_model, music, patch), run(tiny_model, music, patch.set("output/mix", 0.5))
    torch.testing.assert_close(half, (wet + music) / 2, rtol=0, atol=1e-5)


def test_gain_is_in_decibels(tiny_model, music):
    patch = Patch().add(2, "ablate").set("output/limiter", "off")
    plain, louder = run(tiny_model, music, patch), run(tiny_model, music, patch.set("output/gain_db", 6.0))
    torch.testing.assert_close(louder, plain * 10 ** (6 / 20), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("patch", [Patch(), Patch().add(3, "erode", {"radius": 2}), Patch().add(2, "invert")])
def test_silence_in_gives_silence_out(tiny_model, patch):
    assert run(tiny_model, torch.zeros(2, 50_000), patch).eq(0).all()


def test_what_lies_under_the_floor_is_silent_unless_detail_asks_for_it(tiny_model):
    time = torch.arange(132_300) / 44_100
    waveform = torch.sin(2764.6 * time)[None] * torch.where(time < 1, 1.0, 1e-6)
    tail = run(tiny_model, waveform, settings=INPUT)[:, 50_000:]
    assert tail.eq(0).all()
    kept = run(tiny_model, waveform, Patch().set("output/detail", 1.0), INPUT)[:, 50_000:]
    assert decibels(kept - waveform[:, 50_000:], waveform[:, 50_000:]) < -40


def test_two_performances_of_one_model_do_not_meet(tiny_model, music):
    plan = tiny_model.resolve(Patch().add(2, "ablate").add("e1", "invert"))
    bent, unbent = (Engine(tiny_model, p, 2, 30.0, INPUT) for p in (plan, tiny_model.resolve(Patch())))
    inside = []

    class Nosy:
        def __getattr__(self, name):
            return getattr(plan, name)

        def apply(self, layer, x, *, times=None, call=0):
            inside.append(unbent._network(torch.zeros(1, 2, 513, 128))[0])    # while the other one is being bent
            return plan.apply(layer, x, times=times, call=call)

    bent.plan = Nosy()
    bent._network(torch.zeros(1, 2, 513, 128))
    assert len(inside) == 2
    assert torch.equal(inside[0], unbent._network(torch.zeros(1, 2, 513, 128))[0])


def test_silence_inside_a_sound_stays_silent_where_nothing_is_bent(tiny_model, music):
    waveform = music.clone()
    waveform[:, 44_100:132_300] = 0
    result = run(tiny_model, waveform, settings=INPUT)
    assert result[:, 46_200:130_000].eq(0).all()
    assert float(result[:, :40_000].abs().max()) > 0


def test_a_very_quiet_sound_stays_as_quiet(tiny_model, music):
    patch = Patch().add(2, "ablate").set("output/limiter", "off")
    loud, quiet = run(tiny_model, music, patch, INPUT), run(tiny_model, music / 1024, patch, INPUT)
    assert decibels(quiet * 1024 - loud, loud) < -60


def test_unbent_sound_is_as_loud_as_the_input(tiny_model, music):
    matched, unmatched = (
        run(tiny_model, music, Patch().set("output/match_level", on), INPUT) for on in ("on", "off")
    )
    assert abs(decibels(matched, music)) < abs(decibels(unmatched, music))


def test_numbers_that_are_none_inside_the_network_do_not_reach_the_ear(tiny_model, music):
    class Broken:
        def __init__(self, plan):
            self.patch, self.value, self.apply_latent = plan.patch, plan.value, plan.apply_latent
            self.layers, self.steps, self.is_empty, self.follows = frozenset({3}), {}, False, False

        def apply(self, layer, x, *, times=None, call=0):
            broken = x.clone()
            broken[-1] = float("nan")    # the last window of every batch
            return broken

    engine = Engine(tiny_model, Broken(tiny_model.resolve(Patch())), 2, reference_of(music), FAST)
    magnitudes = []
    engine._resynthesis.feed = lambda magnitude, _: magnitudes.append(magnitude) or magnitude.new_zeros(2, 0)
    engine.feed(music)
    magnitude = torch.cat(magnitudes, dim=-1)
    assert magnitude.isfinite().all()
    assert float(magnitude.max()) > 0    # the other windows are still heard


def test_modulated_mix_moves_without_steps(tiny_model, music):
    from audiobend.bending.modulation import Modulation

    patch = Patch(
        modulation=(Modulation("output/mix", lfo="sine", rate_hz=2.0, depth=0.5),)
    ).set("output/mix", 0.5).set("output/limiter", "off").add(2, "ablate")
    wet = run(tiny_model, music, patch.replace(modulation=()).set("output/mix", 1.0))
    moving = run(tiny_model, music, patch)
    share = ((moving - music) / (wet - music))[:, ((wet - music).abs() > 1e-2).all(0)]
    assert float(share.min()) < 0.1
    assert float(share.max()) > 0.9
    assert torch.equal(moving, run(tiny_model, music, patch, size=1000))


def test_encoder_latent_and_decoder_can_be_bent_together(tiny_model, music):
    patch = Patch().add("e2", "ablate").add("z", "scalar-multiply", {"factor": 2.0}).add(4, "offset", {"delta": 0.2})
    plain = run(tiny_model, music, settings=INPUT)
    assert decibels(run(tiny_model, music, patch, INPUT) - plain, plain) > -40


def test_kernels_are_bent_in_a_copy(tiny_model, music):
    before = run(tiny_model, music)
    bent = run(tiny_model, music, Patch(weights=(WeightBend(3, "centre-tap"),)))
    assert not torch.equal(bent, before)
    assert torch.equal(run(tiny_model, music), before)
