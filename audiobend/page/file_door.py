"""Files in and out: what is dropped on the page, what was rendered or recorded, patches, takes. Names, never paths."""

import itertools
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from audiobend.page.hub import Hub
from audiobend.page.lanes import lanes_of

MAX_BYTES = 256 << 20
"""Of a sound that is dropped."""
MAX_UPLOADS = 4
"""At once."""
KEPT = 8
"""Sounds that were dropped; older ones are removed."""
CHUNK = 1 << 16
ENDINGS = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".opus")


class FileDoor:
    """Takes sounds and gives files.

    Parameters
    ----------
    hub : Hub
    folder : Path
        Where sounds that are dropped go.
    """

    def __init__(self, hub: Hub, folder: Path) -> None:
        self._hub, self._folder = hub, folder
        self._numbers = itertools.count(1)
        self._n_uploads = 0

    def add_to(self, app: web.Application) -> None:
        """See `audiobend.page.server.Door`."""
        add = app.router.add_get
        app.router.add_post("/api/drop", self._drop)
        app.router.add_post("/api/input", self._input)
        app.router.add_post("/api/takes/{name}/render", self._render_take)
        add("/api/takes/{name}/timeline", self._timeline)
        add("/api/takes/{name}", self._take)
        add("/api/recordings", self._recordings)
        add("/api/recordings/{name}", self._recording)
        add("/api/jobs", self._all_jobs)
        add("/api/jobs/{number:\\d{1,9}}", self._job)
        add("/api/results/{number:\\d{1,9}}", self._result)
        add("/api/devices", self._devices)

    async def _drop(self, request: web.Request) -> web.Response:
        """``?what=input|render&name=track.wav&quality=default``, the body is the file."""
        what, name = request.query.get("what", ""), Path(request.query.get("name", "sound.wav")).name[:128]
        if what not in ("input", "render"):
            return web.Response(status=400, text="say what to do with it: what=input or what=render")
        if Path(name).suffix.lower() not in ENDINGS:
            return web.Response(status=415, text=f"{name[:64]}: is no sound that can be read; try {', '.join(ENDINGS)}")
        if (request.content_length or 0) > MAX_BYTES:
            return _too_large()
        if self._n_uploads >= MAX_UPLOADS:
            return web.Response(status=503, text="other sounds are being received; try again in a moment")
        path = await self._received(request, Path(name).suffix.lower())
        if path is None:
            return _too_large()
        if what == "input":
            return await self._play(path, name)
        number = await self._hub.ask("render", path, name, request.query.get("quality", "default"))
        return web.json_response({"job": number})

    async def _received(self, request: web.Request, ending: str) -> Path | None:
        """Write the body to a file of our own, as it comes; None where there is too much of it."""
        path = self._folder / f"dropped-{next(self._numbers)}{ending}"
        self._n_uploads += 1
        size, is_whole = 0, False
        try:
            with path.open("wb") as file:
                async for chunk in request.content.iter_chunked(CHUNK):
                    size += len(chunk)
                    if size > MAX_BYTES:
                        return None
                    file.write(chunk)
            is_whole = True
        finally:
            self._n_uploads -= 1
            if not is_whole:
                path.unlink(missing_ok=True)
        for old in sorted(self._folder.glob("dropped-*"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
        return path

    async def _input(self, request: web.Request) -> web.Response:
        """``?kind=card``: listen to the card, or the browser, again."""
        if request.query.get("kind") != "card":
            return web.Response(status=400, text="kind=card listens to the card again; a file is dropped")
        return await self._play(None, "")

    async def _play(self, path: Path | None, name: str) -> web.Response:
        """Have another input played, and tell all pages."""
        facts = await self._hub.ask("input", path, name)
        self._hub.viewers.told_of("input", facts)
        return web.json_response({"input": facts})

    async def _render_take(self, request: web.Request) -> web.Response:
        name, quality = request.match_info["name"], request.query.get("quality", "default")
        return web.json_response({"job": await self._hub.ask("render_take", name, quality)})

    async def _timeline(self, request: web.Request) -> web.Response:
        path = Path(await self._hub.ask("take", request.match_info["name"]))
        with path.open(encoding="utf-8", errors="replace") as file:
            facts = lanes_of(file)
        levels = self._hub.levels.of(request.match_info["name"])
        return web.json_response(facts | ({"levels": levels} if levels else {}))

    async def _take(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return _download(Path(await self._hub.ask("take", name)), f"{name}.jsonl", "application/x-ndjson")

    async def _recordings(self, request: web.Request) -> web.Response:
        return web.json_response(await self._hub.ask("recordings"))

    async def _recording(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return _download(Path(await self._hub.ask("recording", name)), f"{name}.wav", "audio/wav")

    async def _job(self, request: web.Request) -> web.Response:
        facts: dict[str, Any] = await self._hub.ask("job", int(request.match_info["number"]))
        return web.json_response(facts)

    async def _all_jobs(self, request: web.Request) -> web.Response:
        return web.json_response(await self._hub.ask("jobs"))

    async def _result(self, request: web.Request) -> web.StreamResponse:
        path, name = await self._hub.ask("result", int(request.match_info["number"]))
        return _download(Path(path), name, "audio/wav")

    async def _devices(self, request: web.Request) -> web.Response:
        return web.json_response(await self._hub.ask("devices"))


def _too_large() -> web.Response:
    response = web.Response(status=413, text=f"a sound may have {MAX_BYTES >> 20} MiB at most")
    response.force_close()    # what else comes is not read
    return response


def _download(path: Path, name: str, kind: str) -> web.FileResponse:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}", "Content-Type": kind}
    return web.FileResponse(path, headers=headers)
