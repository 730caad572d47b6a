"""What moves by itself is told with the values that it has."""

import asyncio
import math
import struct

import pytest

from audiobend.bending import Bend, Output, Patch
from audiobend.bending.modulation import Modulation
from audiobend.page.frames import MODULATORS
from audiobend.page.moving import moving
from tests.page.conftest import page


def of(*movements: Modulation) -> Patch:
    bends = (Bend("fog", 3, "erode", {"radius": 4}), Bend("layer1.all.roll", 1, "roll"))
    return Patch(bends=bends, output=Output(mix=0.5), modulation=movements)


def test_a_number_stands_where_its_oscillator_puts_it_by_its_own_address():
    patch = of(Modulation("output/mix", "sine", 1.0, 0.25), Modulation("fog/radius", "triangle", 0.5, 3.0))
    found = dict(moving(patch, 0.25, -20.0))
    assert found == {"/audiobend/mix": pytest.approx(0.75), "/audiobend/bend/fog/radius": round(4 + 3 * 0.5)}
    assert dict(moving(patch, 0.75, -20.0))["/audiobend/mix"] == pytest.approx(0.25)


def test_movements_of_one_number_add_up_and_stay_in_its_range():
    patch = of(Modulation("output/mix", "square", 1.0, 0.3), Modulation("output/mix", "sine", 1.0, 1.0))
    ((address, value),) = moving(patch, 0.25, -20.0)
    assert (address, value) == ("/audiobend/mix", 1.0)
    assert moving(patch, 0.75, -20.0)[0][1] == 0.0


def test_what_follows_the_input_stands_where_its_level_is_and_what_is_off_is_not_told():
    follow, off = Modulation("output/mix", "follow", 1.0, 0.5), Modulation("output/detail", "off")
    for db, value in ((0.0, 1.0), (-30.0, 0.75), (-60.0, 0.5), (-120.0, 0.5), (-math.inf, 0.5)):
        assert moving(of(follow, off), 1.0, db) == [("/audiobend/mix", pytest.approx(value))]


@pytest.mark.slow
def test_pages_are_told_what_moves_and_see_its_values_until_it_stands_still(stage):
    lfo = "/audiobend/mix/lfo"

    async def look():
        async with page(stage) as (one, _):
            await one.say({"see": {"spectra": True}})
            await one.do([lfo, "sine", 2.0, 0.25, 0.0], ["/audiobend/mix", 0.5])
            await one.until(lambda told: told.get("modulated") == ["/audiobend/mix"])
            values = set()
            while len(values) < 5:
                frame = await one.picture(lambda data: data[0] == MODULATORS)
                values.add(struct.unpack_from("<f", frame, 16)[0])
            await one.do([lfo, "off"])
            await one.until(lambda told: told.get("modulated") == [])
            return values

    values = asyncio.run(look())
    assert all(0.25 <= value <= 0.75 for value in values)
