"""Pure Data without a window, played from here: by names of the patch that is open, and with plain OSC."""

import os
import socket
import subprocess
import threading
import time
from queue import Queue

from audiobend.osc.clients.pd_canvas import Canvas, escaped
from tests.osc.ports import free_port


def driver(port, osc_port, listen_to=()):
    """A patch that does what lines on a TCP port say.

    ``to NAME VALUE`` sends to a name; ``set PARTS...`` and then ``value VALUES...`` send OSC; what comes to the names
    of ``listen_to`` is printed.
    """
    canvas = Canvas()
    line = canvas.obj(f"netreceive {port}")
    kind = canvas.chain(line, canvas.obj("route to set value"))
    to = canvas.obj("list prepend")
    canvas.cord(kind, 0, to, 0)
    canvas.chain(to, canvas.msg("\\; \\$1 \\$2"))
    path, message = canvas.obj("list prepend set"), canvas.obj("oscformat")
    canvas.cord(kind, 1, path, 0)
    canvas.chain(path, canvas.obj("list trim"), message)
    canvas.cord(kind, 2, message, 0)
    net = canvas.obj("netsend -u -b")
    canvas.chain(canvas.obj("loadbang"), canvas.msg(f"connect 127.0.0.1 {osc_port}"), net)
    canvas.chain(message, canvas.obj("list prepend send"), canvas.obj("list trim"), net)
    for name in listen_to:
        canvas.chain(canvas.obj(f"r {name}"), canvas.obj(f"print {name}"))
    return canvas


class Pd:
    """Pure Data with patches open; lines that it prints are in `printed`.

    Parameters
    ----------
    folder : Path
    osc_port : int
        Where `osc` sends to.
    patches : dict of name to text
    listen_to : sequence of str
    words : sequence of str
        More options for the program.
    add : callable, optional
        Is handed the driver's canvas, to put more into it.
    """

    def __init__(self, folder, osc_port, patches=None, listen_to=(), words=("-noaudio",), add=lambda canvas: None):
        self.port, self.printed = free_port(socket.SOCK_STREAM), Queue()
        canvas = driver(self.port, osc_port, listen_to)
        add(canvas)
        files = {"driver.pd": canvas.text} | (patches or {})
        for name, text in files.items():
            (folder / name).write_text(text)
        opened = [word for name in files for word in ("-open", str(folder / name))]
        self._process = subprocess.Popen(["pd", "-nogui", "-nomidi", "-stderr", *words, *opened],
                                         stderr=subprocess.PIPE, text=True, env=os.environ.copy())
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._line = self._connected()

    def _read(self):
        for line in self._process.stderr:
            self.printed.put(line.rstrip("\n"))

    def _connected(self):
        until = time.monotonic() + 30
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                assert time.monotonic() < until, "Pure Data did not start"
                time.sleep(0.05)

    def to(self, name, value):
        """Send a value to a name of a patch."""
        self._say(f"to {name} {value}")

    def osc(self, address, *args):
        """Send a message."""
        self._say(f"set {' '.join(address.strip('/').split('/'))}")
        self._say(f"value {' '.join(map(str, args))}".rstrip())

    def _say(self, text):
        self._line.sendall(f"{escaped(text)};\n".encode())

    def until_printed(self, *lines, seconds=20):
        """Wait until lines have been printed, in any order."""
        missing, until = set(lines), time.monotonic() + seconds
        while missing:
            missing.discard(self.printed.get(timeout=max(0.01, until - time.monotonic())))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._line.close()
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stderr.close()
