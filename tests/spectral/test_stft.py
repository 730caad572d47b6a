import librosa
import numpy as np
import pytest
import torch
from phase_signals import decibels

from audiobend.spectral.stft import inverse_envelope, istft, n_columns, overlap_add, stft, window


def noise(*shape: int) -> torch.Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("n_samples", [1, 255, 256, 1000, 44100, 44287])
def test_there_and_back_is_identity(n_samples):
    waveform = noise(2, n_samples)
    assert decibels(istft(stft(waveform), n_samples) - waveform, waveform) < -130


def test_equals_librosa():
    waveform = noise(2, 30007)
    theirs = librosa.stft(waveform.numpy(), n_fft=1024, hop_length=256, center=True, pad_mode="constant")
    np.testing.assert_allclose(stft(waveform).numpy(), theirs, atol=5e-6)


def test_equals_torch():
    waveform = noise(2, 30007)
    options = {"hop_length": 256, "window": torch.hann_window(1024), "center": True}
    theirs = torch.stft(waveform, 1024, pad_mode="constant", return_complex=True, **options)
    torch.testing.assert_close(stft(waveform), theirs, atol=5e-6, rtol=0)
    torch.testing.assert_close(istft(theirs), torch.istft(theirs, 1024, **options), atol=1e-6, rtol=0)


@pytest.mark.parametrize("n_samples", [0, 1, 255, 256, 1023, 44100])
def test_number_of_columns(n_samples):
    spectrum = stft(torch.zeros(n_samples))
    assert spectrum.shape == (513, n_columns(n_samples)) == (513, 1 + n_samples // 256)


def test_length_cuts_or_fills_with_silence():
    spectrum = stft(noise(5000))
    assert torch.equal(istft(spectrum, 1000), istft(spectrum)[:1000])
    longer = istft(spectrum, 9000)
    assert longer.shape == (9000,)
    assert not longer[6000:].any()
    assert istft(spectrum[:, :0], 7).tolist() == [0] * 7


def test_leading_dimensions_are_independent():
    waveform = noise(2, 3, 5000)
    torch.testing.assert_close(stft(waveform)[1, 2], stft(waveform[1, 2]))
    torch.testing.assert_close(istft(stft(waveform))[1, 2], istft(stft(waveform[1, 2])))


def test_windows_overlap_to_three_halves():
    assert torch.allclose(inverse_envelope(20)[768:-768], torch.tensor(2 / 3))
    assert window()[0] == 0
    assert window()[512] == 1


def test_overlap_add_may_be_cut_anywhere():
    spectrum = stft(noise(5000)).mT
    whole = overlap_add(spectrum)
    first, second = overlap_add(spectrum[:7]), overlap_add(spectrum[7:])
    joined = torch.cat([first[: 7 * 256], second])
    joined[7 * 256 : 7 * 256 + 768] += first[7 * 256 :]
    torch.testing.assert_close(joined, whole)
