"""A host of LV2 plugins over JACK: jalv, which tells its plugin's outputs when it is asked."""

import os
import re
import subprocess
import threading
from pathlib import Path
from queue import SimpleQueue

from tests.realtime.rig import connect, end_with_us, ports

URI = "urn:audiobend:plugin"
_TOLD = re.compile(r"status = ([\d.]+)$")


class Jalv:
    """One plugin of ``bundles`` as a JACK client of a name; ``set`` are values of its parameters."""

    def __init__(self, bundles: Path, name: str, environment: dict[str, str], **set_: float) -> None:
        self.name, self._told = name, SimpleQueue[int]()
        values = (word for symbol, value in set_.items() for word in ("-c", f"{symbol}={value}"))
        words = ["stdbuf", "-oL", "jalv", "-x", "-n", name, *values, URI]
        self._process = subprocess.Popen(
            words, env=os.environ | environment | {"LV2_PATH": str(bundles)}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=end_with_us,
        )    # fmt: skip
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        assert self.status >= 0    # it answers when its ports are there

    def _listen(self) -> None:
        for line in self._process.stdout:
            if found := _TOLD.search(line.strip()):
                self._told.put(int(float(found[1])))

    @property
    def status(self) -> int:
        """0 no server, 1 starting, 2 bent, 3 late, 4 refused."""
        self._process.stdin.write("monitors\n")
        self._process.stdin.flush()
        return self._told.get(timeout=20)

    def latency(self) -> int:
        """Samples by which its output is later than its input, as JACK knows it from the plugin."""
        words = ["jack_lsp", "-s", os.environ["JACK_DEFAULT_SERVER"], "-l", f"{self.name}:"]
        lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        return max(int(found[1]) for found in re.finditer(r"capture latency = \[ (\d+)", lines)) - self._before(lines)

    @staticmethod
    def _before(lines: str) -> int:
        """What sound has behind it already when it comes in."""
        return min(int(found[1]) for found in re.finditer(r"capture latency = \[ (\d+)", lines))

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._end(None)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._end(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def _end(self, timeout: float | None) -> None:
        self._process.wait(timeout)
        self._listener.join()    # it reads to the end before what it reads from is closed
        self._process.stdin.close()
        self._process.stdout.close()


def patch_between(card: str, *hosts: Jalv) -> None:
    """Lead a card's microphones into every plugin, and the first output of each to a speaker of its own."""
    microphones, speakers = ports(f"{card}:microphone", "output"), ports(f"{card}:speaker", "input")
    for host, speaker in zip(hosts, speakers, strict=False):
        for microphone, target in zip(microphones, ports(f"{host.name}:", "input"), strict=True):
            connect(microphone, target)
        connect(ports(f"{host.name}:", "output")[0], speaker)
