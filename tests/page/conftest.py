"""A real performance with its page, as a process of its own, and pages without a browser."""

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

PROGRAM = Path(sys.executable).with_name("audiobend")
SOUND = Path(__file__).parents[2] / "examples" / "sounds" / "pressure.flac"
PATCH = """audiobend: 1
name: low tide
transforms:
  - {id: fog, layer: 3, transform: scalar-multiply, params: {factor: 2}, features: cluster, feature-param: 1}
  - {id: lean, layer: 1, transform: invert, on: false}
"""


class Stage:
    """``audiobend live``, started, and where its page is."""

    def __init__(self, folder: Path, bundle: Path, *words: object) -> None:
        (folder / "patch.yaml").write_text(PATCH)
        command = [PROGRAM, "live", "--model", bundle, "--backend", "torch", "--osc-port", 0, "--page-port", 0]
        command += ["--patch", "patch.yaml", "--session", "session", "--json", *words]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            list(map(str, command)), stdout=pipe, stderr=subprocess.DEVNULL, text=True, cwd=folder
        )
        self.facts = self.event("start")
        self.url = self.facts["page"]["url"]
        self.osc_port = self.facts["osc"]["port"]

    def event(self, kind: str) -> dict:
        for line in self.process.stdout:
            found = json.loads(line)
            if found["event"] == kind:
                return found
        raise AssertionError("the performance has ended")

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate()


@pytest.fixture(scope="module")
def stage(tiny_bundle, tmp_path_factory):
    """A performance of a file in a circle, without a sound card."""
    stage = Stage(tmp_path_factory.mktemp("stage"), tiny_bundle, "--no-audio", "--from", SOUND, "--loop")
    yield stage
    stage.close()


class Caller:
    """A page without a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[dict] = []
        self.pictures: list[bytes] = []
        self.numbers = 0

    async def say(self, message: object) -> None:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def do(self, *commands: list) -> dict:
        """Send commands and return the answer."""
        self.numbers += 1
        number = self.numbers
        await self.say({"n": number, "do": list(commands)})
        return await self.until(lambda one: one.get("n") == number)

    async def until(self, condition) -> dict:
        """Return the first message, also of those that came before, that is as wanted."""
        for one in self.heard:
            if condition(one):
                self.heard.remove(one)
                return one
        while True:
            message = await asyncio.wait_for(self.socket.receive(), 60)
            assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
            if message.type == aiohttp.WSMsgType.BINARY:
                self.pictures.append(message.data)
                continue
            told = json.loads(message.data)
            if condition(told):
                return told
            self.heard.append(told)

    async def told(self, address: str, *values: object) -> dict:
        """Return the message that tells that an address has values."""
        return await self.until(lambda one: [address, *values] in one.get("osc", []))

    async def picture(self, condition) -> bytes:
        """Return the next picture that is as wanted."""
        while True:
            message = await asyncio.wait_for(self.socket.receive(), 60)
            if message.type == aiohttp.WSMsgType.BINARY and condition(message.data):
                return message.data


@asynccontextmanager
async def page(stage: Stage):
    """Open a page; yields it with what it was greeted with."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{stage.url}ws", max_msg_size=0) as socket:
        caller = Caller(socket)
        greeting = await caller.until(lambda one: "hello" in one)
        yield caller, greeting


@asynccontextmanager
async def web(stage: Stage):
    """A session of HTTP for the page's server."""
    async with aiohttp.ClientSession(base_url=stage.url) as session:
        yield session
