"""The server: takes connections, one instance for each, until it is told to end."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

from audiobend.live.leftovers import remove_leftovers
from audiobend.server.instance import Instance
from audiobend.server.messages import Message
from audiobend.server.place import Door
from audiobend.server.studio import Studio

MOST = 64
"""Connections at a time, those that have not said hello among them."""
LEAVING = 5.0
"""Seconds for all instances to end."""


class Server:
    """Serves plugins at a socket; a context manager.

    Parameters
    ----------
    studio : Studio
    path : Path
        Of the socket.
    tell : callable
        Takes sentences, from any thread.

    Raises
    ------
    DeviceError
        See `Door`.
    """

    def __init__(self, studio: Studio, path: Path, tell: Callable[[str], None]) -> None:
        self._studio, self._tell = studio, tell
        self._door = Door(path)
        self.removed = list(remove_leftovers())
        self._lock = threading.Lock()
        self._instances: dict[int, tuple[Instance, threading.Thread]] = {}
        self._number = 0
        self._is_over = False
        self._thread = threading.Thread(target=self._accept, daemon=True, name="server")
        self._thread.start()

    @property
    def path(self) -> Path:
        """Of the socket."""
        return self._door.path

    def holds(self, load: float) -> int:
        """Return how many instances fit that take so much of a core."""
        return self._studio.holds(load)

    @property
    def instances(self) -> list[Instance]:
        """Those that have connected, in the order in which they came; not all of them play."""
        with self._lock:
            return [one for one, _ in self._instances.values()]

    def close(self) -> None:
        """End all instances, and go."""
        self._is_over = True
        with suppress(OSError):
            self._door.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(LEAVING)
        with self._lock:
            there = list(self._instances.values())
        for instance, _ in there:
            instance.stop()
        end = monotonic() + LEAVING
        for _, thread in there:
            thread.join(max(0.0, end - monotonic()))
        self._door.close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._is_over:
            try:
                connection, _ = self._door.socket.accept()
            except OSError:
                if not self._is_over:
                    threading.Event().wait(0.05)    # too many files are open, perhaps
                continue
            try:
                self._admit(connection)
            except OSError:    # it has gone already
                connection.close()

    def _admit(self, connection: socket.socket) -> None:
        self._number += 1
        instance = Instance(self._number, connection, self._studio, self._tell, lambda: self.instances)
        with self._lock:
            if len(self._instances) >= MOST:
                connection.sendall(Message("refuse", (), f"there are {MOST} connections already").packed())
                connection.close()
                return
            thread = threading.Thread(target=self._run, args=(instance,), daemon=True, name=f"plugin {self._number}")
            self._instances[self._number] = instance, thread
        thread.start()

    def _run(self, instance: Instance) -> None:
        try:
            instance.run()
        finally:
            with self._lock:
                self._instances.pop(instance.number, None)
