"""The sound file that is played in the place of the microphone, if one is."""

from pathlib import Path

import numpy as np

from audiobend.io.audiofile import probe
from audiobend.live.audio import Streaming
from audiobend.live.rings import Count, Shared
from audiobend.live.source import Source


class InputFile:
    """One file at a time, or none; `begin` plays the one that a performance begins with.

    Parameters
    ----------
    shared : Shared
    path : Path or None
    loops : bool
        Begin it again at its end; files that come later always are.

    Attributes
    ----------
    path : Path or None
        The file that is the input; None where it is a card.
    name : str
        What that file is called.
    """

    def __init__(self, shared: Shared, path: Path | None, loops: bool) -> None:
        self._shared, self._loops = shared, loops
        self._source: Source | None = None
        self._know(path, "")

    def begin(self, card: Streaming, start: int) -> None:
        """Play the file, if there is one, from that position on."""
        if self.path is not None:
            self._source = Source(self._shared, self.path, card.rate, card.in_channels, start, self._loops)

    def play(self, path: Path | None, name: str, card: Streaming) -> None:
        """Play another file, again and again; None listens to the card again.

        Raises
        ------
        AudioError
            If the file cannot be read; what is played goes on then.
        """
        shared = self._shared
        if path is not None:
            probe(path)
        self.close()
        self._know(path, name)
        if path is not None:
            now = shared[Count.PLAYED]
            start = now + max(card.rate // 10, 2 * shared[Count.BLOCK])
            # The ring still holds what was there seconds ago.
            shared.input.put(now, np.zeros((start - now, card.in_channels), np.float32))
            self._source = Source(shared, path, card.rate, card.in_channels, start, loops=True)

    @property
    def has_ended(self) -> bool:
        """Whether it has been read to its end, and all of it has been heard."""
        ends = self._shared[Count.ENDS]
        return bool(ends) and self._shared[Count.PLAYED] >= ends - 1 + self._shared[Count.DELAY]

    def close(self) -> None:
        """Stop reading."""
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def _know(self, path: Path | None, name: str) -> None:
        self.path, self.name = path, name or (path.name if path else "")
        self._shared[Count.FROM_FILE] = path is not None
