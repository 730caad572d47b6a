"""A server of python-osc as its own documentation has it, for `osc_campaign.py` to compare with.

    python benchmarks/osc_stock.py blocking|threading|asyncio

It prints its port, and answers /audiobend/ping with /audiobend/pong, /audiobend/gain with the value set last, and
/audiobend/count with how many other messages its handlers were called for.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import AsyncIOOSCUDPServer, BlockingOSCUDPServer, ThreadingOSCUDPServer

from benchmarks.osc import LONG_NAME, addresses

KINDS = ("blocking", "threading", "asyncio")


def dispatcher() -> Dispatcher:
    made, kept = Dispatcher(), {"gain": 0.0, "count": 0}

    def gain(_: str, *args: Any) -> Any:
        if not args:
            return "/audiobend/gain", kept["gain"]
        kept["gain"] = args[0]
        return None

    def count(_: str, *args: Any) -> None:
        kept["count"] += 1

    made.map("/audiobend/ping", lambda _, *args: ("/audiobend/pong", *args))
    made.map("/audiobend/gain", gain)
    made.map("/audiobend/count", lambda _, *args: ("/audiobend/count", kept["count"]))
    for address in [*addresses(), f"/audiobend/bend/{LONG_NAME}/mix"]:
        made.map(address, count)
    return made


def main(kind: str) -> None:
    here = ("127.0.0.1", 0)
    if kind == "asyncio":
        asyncio.run(serve_asyncio())
        return
    server = {"blocking": BlockingOSCUDPServer, "threading": ThreadingOSCUDPServer}[kind](here, dispatcher())
    print(server.server_address[1], flush=True)
    server.serve_forever()


async def serve_asyncio() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await AsyncIOOSCUDPServer(("127.0.0.1", 0), dispatcher(), loop).create_serve_endpoint()
    print(transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
