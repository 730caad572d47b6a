"""Every instance has a page: what is turned there is heard in the host and kept in its project."""

import asyncio
import socket
from types import SimpleNamespace

import aiohttp
import numpy as np
import psutil
import pytest

from audiobend.bending import Patch
from audiobend.server.project import Project, parse_project, project_text
from tests.page.conftest import page, web
from tests.server.plugin import Plugin, until

FOG = Patch(name="tide").add(3, "erode", {"radius": 2}, id="fog")


def told_of(server, plugin: Plugin) -> dict:
    """What the server tells of an instance, once it tells of it."""
    found = []

    def is_told() -> bool:
        found[:] = [one for one in server.told[-1].get("instances", ()) if one["instance"] == plugin.number]
        return bool(found)

    until(is_told)
    return found[0]


def stage_of(server, plugin: Plugin) -> SimpleNamespace:
    return SimpleNamespace(url=told_of(server, plugin)["page"]["url"])


def pages_of(pid: int) -> list[psutil.Process]:
    """Processes that the server itself has begun, Python's own keeper of memory and the one engines come from apart."""
    ours = psutil.Process(pid).children()
    return [one for one in ours if "spawn_main" in " ".join(one.cmdline())]


def a_free_port(n: int = 1) -> int:
    """A port after which some more are free too, most probably."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return min(one.getsockname()[1], 65000 - n)


def test_it_shows_the_instance_and_turns_it(server, tiny_bundle, song):
    with server.plugin(state=project_text(Project(str(tiny_bundle), patch=FOG))) as plugin:
        plugin.ready()
        before = plugin.bounce(song)

        async def turn():
            async with page(stage_of(server, plugin)) as (one, greeting):
                assert [bend["id"] for bend in greeting["state"]["bends"]] == ["fog"]
                assert greeting["hello"]["latency"]["samples"] == plugin.latency
                assert (await one.do(["/audiobend/bend/fog/radius", 5]))["ok"]
                assert (await one.do(["/audiobend/macro/3/bind", "fog/radius"]))["ok"]

        asyncio.run(turn())
        until(lambda: plugin.states and "radius: 5" in plugin.states[-1] and "macros" in plugin.states[-1])
        assert not np.array_equal(plugin.bounce(song), before)
        kept = parse_project(plugin.states[-1], Project(str(tiny_bundle))).patch
        assert [(one.number, one.target) for one in kept.macros] == [(3, "fog/radius")]


def test_what_serves_it_begins_with_the_first_visitor_and_ends_with_the_instance(server):
    with server.plugin() as plugin:
        plugin.ready()
        before, stage = {one.pid for one in pages_of(server.pid)}, stage_of(server, plugin)

        async def visit():
            async with web(stage) as session:
                return await (await session.get("/")).text()

        assert "<title>" in asyncio.run(visit())
        (serving,) = (one for one in pages_of(server.pid) if one.pid not in before)
    until(lambda: not serving.is_running())
    with pytest.raises(aiohttp.ClientConnectionError):
        asyncio.run(visit())


def test_a_sound_that_is_dropped_on_it_does_not_take_the_place_of_the_track(server):
    with server.plugin() as plugin:
        plugin.ready()

        async def drop():
            async with web(stage_of(server, plugin)) as session:
                answer = await session.post("/api/drop?what=input&name=beep.wav", data=b"RIFF" * 100)
                return answer.status, await answer.text()

        status, text = asyncio.run(drop())
        assert status == 409
        assert "the track is the input: put the sound on it, in the host" in text


def test_a_plugin_that_begins_anew_keeps_its_page_and_its_port_for_osc(start):
    osc, pages = a_free_port(8), a_free_port(8)
    server = start("--osc-port", str(osc), "--page-port", str(pages))
    first, second = server.plugin(), server.plugin(block=256)
    places = [(one.port, told_of(server, one)["page"]["url"]) for one in (first, second)]
    assert len(set(places)) == 2
    for _ in range(5):
        first.ready().close()
        first = server.plugin()
        assert first.port == places[0][0]
        assert told_of(server, first)["page"]["url"] == places[0][1]
    first.close()
    second.close()


def test_what_cannot_be_kept_is_refused_and_not_offered(server):
    with server.plugin() as plugin:
        plugin.ready()

        async def record():
            async with page(stage_of(server, plugin)) as (one, greeting):
                assert greeting["state"]["can_record"] is False
                answers = [await one.do([f"/audiobend/{what}/start", "x"]) for what in ("take", "recording")]
                return [answer["fail"][0][2] for answer in answers]

        for sentence in asyncio.run(record()):
            assert sentence.endswith("recorded into a session's folder, and there is none here")


def test_there_is_none_where_none_is_wanted(start):
    server = start("--no-page")
    with server.plugin() as plugin:
        plugin.ready()
        assert told_of(server, plugin)["page"] is None
