"""Cards by name or number; every mistake is one sentence with the way out."""

import pytest

from audiobend.errors import DeviceError
from audiobend.live.audio import Card, choose_pair
from audiobend.live.devices import Cards, Device, choose, sentence
from audiobend.live.doctor import examine

MICROPHONE = Device(0, "Built-in Microphone", "Core Audio", 1, 0, 44100, is_default_input=True)
SPEAKERS = Device(1, "Built-in Output", "Core Audio", 0, 2, 44100, is_default_output=True)
SCARLETT = Device(2, "Scarlett 2i2 USB", "Core Audio", 2, 2, 48000)
JACK = Device(3, "system", "JACK Audio Connection Kit", 2, 2, 48000, None, None, True, True)
CARDS = Cards((MICROPHONE, SPEAKERS, SCARLETT, JACK), 0, 1)


@pytest.mark.parametrize(
    ("wanted", "direction", "found"),
    [
        (None, "input", MICROPHONE), (None, "output", SPEAKERS), ("2", "input", SCARLETT), (2, "output", SCARLETT),
        ("scarlett", "input", SCARLETT), ("Built-in Output", "output", SPEAKERS), ("built-in", "input", MICROPHONE),
    ],
)
def test_a_card_is_found_by_name_part_number_or_default(wanted, direction, found):
    assert choose(CARDS, wanted, direction) is found


@pytest.mark.parametrize(
    ("wanted", "direction", "words"),
    [
        ("Scarlet 2i4", "input", "did you mean 'Scarlett 2i2 USB'"),
        ("9", "input", "there is no device 9; there are 0..3"),
        ("1", "input", "device 1, Built-in Output, has no input"),
        ("built-in output", "input", "this device has no input"),
        ("zzz", "output", "there are: Built-in Output, Scarlett 2i2 USB, system"),
    ],
)
def test_a_wrong_name_is_a_sentence_with_the_nearest_right_one(wanted, direction, words):
    with pytest.raises(DeviceError, match=r"audiobend devices|did you mean|there are") as error:
        choose(CARDS, wanted, direction)
    assert words in str(error.value)


def test_one_named_card_brings_its_other_direction_or_that_of_its_system():
    assert choose_pair(CARDS, Card(input="scarlett")) == (SCARLETT, SCARLETT)
    assert choose_pair(CARDS, Card(output="system")) == (JACK, JACK)
    assert choose_pair(CARDS, Card(input="Built-in Microphone")) == (MICROPHONE, SPEAKERS)
    assert choose_pair(CARDS, Card(file_channels=2)) == (None, SPEAKERS)
    assert choose_pair(CARDS, Card(host="JACK Audio Connection Kit")) == (JACK, JACK)


def test_no_card_at_all_says_what_to_do():
    with pytest.raises(DeviceError, match="--no-audio"):
        choose(Cards(()), None, "input")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9997, "cannot run at 96000 Hz; leave out --sample-rate, or take 48000"),
        (-9998, "cannot open 2 and 2 channels"),
        (-9993, "belong to two systems (Core Audio and JACK Audio Connection Kit)"),
        (-9985, "in use by another program"),
        (-9999, "cannot be opened: Unanticipated host error"),
    ],
)
def test_portaudio_errors_become_sentences(code, words):
    error = Exception("Unanticipated host error [PaErrorCode -9999]", code)
    assert words in sentence(error, MICROPHONE, JACK, 96000, (2, 2))


def test_doctor_finds_what_is_wrong_and_says_the_fix():
    def none() -> Cards:
        raise DeviceError("the PortAudio library is missing; install it with: apt-get install libportaudio2")

    findings = {one.what: one for one in examine(cards=none)}
    assert not findings["PortAudio"].is_well
    assert findings["PortAudio"].fix.startswith("install it with")
    assert findings["model corpus-quarter"].is_well
    odd = {one.what: one for one in examine(cards=lambda: Cards((MICROPHONE, JACK), 0, 3))}
    assert "44100 and 48000" in odd["sample rate"].found.replace("48000 and 44100", "44100 and 48000")
    assert all(one.fix for one in odd.values() if not one.is_well)
