"""Pages see the state, change it by the addresses of OSC, and stay in step with each other and with OSC."""

import asyncio
from functools import partial

import pytest

from audiobend.osc.client import OscClient
from tests.page.conftest import page, web

pytestmark = pytest.mark.slow
FOG = "/audiobend/bend/fog"


def test_a_page_is_greeted_with_the_model_the_sound_and_the_state(stage):
    async def look():
        async with page(stage) as (_, greeting), web(stage) as session:
            about = await (await session.get("/api/about")).json()
            return greeting, about, await (await session.get("/api/table")).json()

    greeting, about, table = asyncio.run(look())
    assert greeting["hello"] == about
    layers = {one["name"]: one for one in about["model"]["layers"]}
    assert len(layers["3"]["clusters"]) == 2
    assert layers["3"]["clusters"][0].keys() == {"id", "label", "features", "dead"}
    assert {"erode", "invert"} <= {one["name"] for one in about["model"]["transforms"]}
    assert about["input"] == {"kind": "file", "name": "pressure.flac"}
    assert sum(one["ms"] for one in about["latency"]["parts"]) == pytest.approx(about["latency"]["total_ms"], abs=0.1)
    state = greeting["state"]
    assert [bend["id"] for bend in state["bends"]][:2] == ["fog", "lean"]
    fog = state["bends"][0]
    assert (fog["address"], fog["switch"], fog["features"]) == (FOG, f"{FOG}/on", "cluster 1")
    assert fog["params"] == {"factor": 2.0} and state["addresses"][f"{FOG}/factor"] == [2.0]
    paths = {one["path"] for one in table["addresses"]}
    assert {"/audiobend/mix", "/audiobend/bend/{id}/mix", "/audiobend/scene/pad"} <= paths


def test_two_pages_and_osc_stay_in_step_and_know_who_it_was(stage):
    async def play():
        async with page(stage) as (one, _), page(stage) as (two, _):
            assert (await one.do([f"{FOG}/mix", 0.25])) == {"n": 1, "ok": True}
            mine, others = await one.told(f"{FOG}/mix", 0.25), await two.told(f"{FOG}/mix", 0.25)
            assert (mine["from"], others["from"]) == ("me", "page")
            with OscClient("127.0.0.1", stage.osc_port) as osc:
                osc.send(f"{FOG}/mix", (0.75,))
                assert (await one.told(f"{FOG}/mix", 0.75))["from"] == "osc"
                assert (await two.told(f"{FOG}/mix", 0.75))["from"] == "osc"
                await two.do([f"{FOG}/mix", 0.5])
                await one.told(f"{FOG}/mix", 0.5)
                (answer,) = osc.request(f"{FOG}/mix")
                assert answer.args == (0.5,)

    asyncio.run(play())


def test_what_cannot_be_done_is_answered_by_its_address_and_the_rest_is_done(stage):
    async def play():
        async with page(stage) as (one, _):
            return await one.do(
                ["/audiobend/detail", 0.5], ["/audiobend/bend/frog/mix", 1], [f"{FOG}/mix", 7], ["/audiobend/detail"]
            )

    answer = asyncio.run(play())
    assert [(address, code) for address, code, _ in answer["fail"]] == [
        ("/audiobend/bend/frog/mix", 404), (f"{FOG}/mix", 400)
    ]
    assert "did you mean '/audiobend/bend/fog'" in answer["fail"][0][2]
    assert answer["answers"] == [["/audiobend/detail", 0.5]]


def test_a_cell_makes_a_bend_and_pages_hear_of_the_new_chain_as_a_whole(stage):
    cell = "/audiobend/layer/2/cluster/0/erode"

    async def play():
        async with page(stage) as (one, _), page(stage) as (two, _):
            await one.do([cell, 1])
            state = (await two.until(lambda told: "state" in told))["state"]
            bend = state["bends"][-1]
            assert (bend["address"], bend["switch"], bend["on"]) == (cell, cell, True)
            added = await one.do(["/audiobend/chain/add", "3", "erode", "random 0.25 7"])
            id = added["answers"][0][1]
            state = (await two.until(lambda told: "state" in told and id in told["state"]["order"]))["state"]
            assert state["bends"][-1]["features"] == "random 0.25 7"
            await one.do(["/audiobend/chain/order", f"{id} fog"])
            state = (await two.until(lambda told: "state" in told and told["state"]["order"][0] == id))["state"]
            await one.do(["/audiobend/chain/remove", id])
            await two.until(lambda told: "state" in told and id not in told["state"]["order"])
            await one.do(["/audiobend/undo"])
            await two.until(lambda told: "state" in told and told["state"]["order"][0] == id)

    asyncio.run(play())


def test_scenes_are_saved_renamed_and_morphed_on_a_pad(stage):
    async def play():
        async with page(stage) as (one, _):
            for name, factor in zip("abcd", (0, 1, 2, 3), strict=True):
                await one.do([f"{FOG}/factor", factor], ["/audiobend/scene/save", name])
            answer = await one.do(["/audiobend/scene/pad", "a", "b", "c", "d", 0.5, 0.5], [f"{FOG}/factor"])
            assert answer["answers"][-1] == [f"{FOG}/factor", 1.5]
            await one.told("/audiobend/scene/pad", "a", "b", "c", "d", 0.5, 0.5)
            answer = await one.do(["/audiobend/scene/pad/x", 1], [f"{FOG}/factor"])
            assert answer["answers"][-1] == [f"{FOG}/factor", 2.0]
            await one.do(["/audiobend/scene/rename", "d", "high tide"])
            await one.until(
                lambda told: "state" in told and [s["name"] for s in told["state"]["scenes"]][-1] == "high tide"
            )

    asyncio.run(play())


def test_a_page_that_comes_back_finds_all_as_it_was(stage):
    async def play():
        async with page(stage) as (one, _):
            await one.do(["/audiobend/gain", -3.5])
        async with page(stage) as (_, greeting):
            return greeting["state"]

    assert asyncio.run(play())["addresses"]["/audiobend/gain"] == [-3.5]


def test_a_page_that_learns_hears_any_address(stage):
    async def play():
        async with page(stage) as (one, _), page(stage) as (two, _):
            await one.say({"learn": True})
            await one.do(["/audiobend/ping", 1])    # what was said before is done
            with OscClient("127.0.0.1", stage.osc_port) as osc:
                osc.send("/some/fader", (0.25, "x"))
                told = await one.until(lambda told: "heard" in told)
                assert told["heard"] == ["/some/fader", 0.25, "x", "127.0.0.1"]
                await one.say({"learn": False})
                await one.do(["/audiobend/ping", 2])
                osc.send("/other/fader", (1.0,))
                osc.request("/audiobend/ping", (1,))
            await one.do(["/audiobend/ping", 3])
            assert not any("heard" in told for told in [*one.heard, *two.heard])

    asyncio.run(play())


def test_figures_come_by_themselves(stage):
    async def look():
        async with page(stage) as (one, _):
            return await one.until(lambda told: "status" in told)

    status = asyncio.run(look())["status"]
    assert status.keys() >= {"load", "xruns", "late_blocks", "seconds", "latency_ms", "bypass", "in_db", "out_db"}


def is_played(before: float, is_less: bool, told: dict) -> bool:
    """Whether a message tells that sound is bent, sooner than before or not."""
    status = told.get("status", {})
    return bool(status.get("is_bent")) and (status["latency_ms"] < before - 1) is is_less


def test_another_profile_is_played_where_no_take_is_recorded_and_wishes_that_cannot_be_are_taken_back(stage):
    async def play():
        async with page(stage) as (one, greeting):
            before = greeting["hello"]["latency"]["total_ms"]
            refused = await one.do(["/audiobend/profile", "lo"])
            assert refused["fail"][0][1] == 409 and "did you mean 'low'" in refused["fail"][0][2]
            await one.do(["/audiobend/input", "nobody"])    # no card is played through
            await one.told("/audiobend/input", "nobody")
            await one.told("/audiobend/input", greeting["state"]["addresses"]["/audiobend/input"][0])
            await one.do(["/audiobend/take/start", "of one engine"])
            await one.do(["/audiobend/profile", "low"])
            await one.told("/audiobend/profile", "low")
            await one.told("/audiobend/profile", "balanced")
            await one.do(["/audiobend/take/stop"])
            for profile, is_less in (("low", True), ("balanced", False)):
                await one.do(["/audiobend/profile", profile])
                one.heard.clear()
                await one.until(partial(is_played, before, is_less))
                async with web(stage) as session:
                    assert (await (await session.get("/api/about")).json())["profile"] == profile

    asyncio.run(play())
