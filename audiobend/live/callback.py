"""What happens in a callback of the sound card: copies and counters, nothing that could ever wait."""

from time import sleep

import numpy as np

from audiobend.live.rings import CHANNELS, FADE, Count, Samples, Shared


class Callback:
    """Move one block from the card into the input ring, and one from the output ring to the card.

    Where the engine is not there in time the block is dry: the input ring, `Count.DELAY` samples back, so that what
    is heard stays in time. Bent and dry sound are cross-faded over `FADE` samples in both directions; that is why the
    engine is asked to be as far ahead.

    Parameters
    ----------
    in_channels : int
        Channels of the input ring that carry sound.

    Notes
    -----
    With `Count.WAITS` it waits for the engine instead of playing dry: for clocks that are not real time.
    """

    def __init__(self, shared: Shared, in_channels: int) -> None:
        self._shared, self._counts = shared, shared.counts
        self._in_channels = in_channels
        self._is_bent = self._began = False
        self._rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(FADE) + 0.5) / FADE)).astype(np.float32)[:, None]
        self._tail = np.zeros((FADE, CHANNELS), dtype=np.float32)

    def __call__(self, captured: Samples | None, played: Samples, flagged: bool = False) -> None:
        """Take a captured block ``(time, channel)``, if a card delivers one, and fill the block to be played.

        Where a file is the input, what is captured is left alone.
        """
        counts = self._counts
        position, n = int(counts[Count.PLAYED]), len(played)
        if captured is not None and not counts[Count.FROM_FILE]:
            self._shared.input.put(position, captured)
            counts[Count.CAPTURED] = position + n
        if counts[Count.DELAY] == 0:
            played.fill(0)    # the engine's latency is not known yet: dry sound could not be aligned
        else:
            self._fill(position, played)
        if counts[Count.KEEPS]:
            self._shared.kept.put(position, played, CHANNELS)
        counts[Count.PLAYED] = position + n
        counts[Count.CALLBACKS] += 1
        counts[Count.XRUNS] += flagged
        if n > counts[Count.BLOCK]:
            counts[Count.BLOCK] = n

    def _fill(self, position: int, played: Samples) -> None:
        was_bent, self._is_bent = self._is_bent, self._is_there(position, position + len(played) + FADE)
        source = self._shared.output if self._is_bent else self._shared.input
        if self._is_bent:
            source.get(position, played)
        else:
            source.get(position - int(self._counts[Count.DELAY]), played, self._in_channels)
        if was_bent != self._is_bent:
            self._cross_fade(position, played, was_bent)
        self._counts[Count.IS_BENT] = self._is_bent
        self._began = self._began or self._is_bent
        if self._began and not self._is_bent:
            self._counts[Count.LATE] += 1
            self._counts[Count.LATE_SAMPLES] += len(played)

    def _is_there(self, position: int, end: int) -> bool:
        """Whether the output ring holds all samples from ``position`` to ``end``."""
        counts = self._counts
        if counts[Count.WAITS]:
            self._wait(end)
        # `VALID` is written before `WRITTEN` and so must be read after it.
        is_written = counts[Count.RESET] == counts[Count.WAS_RESET] and counts[Count.WRITTEN] >= end
        return bool(is_written and counts[Count.VALID] <= position)

    def _wait(self, end: int) -> None:
        counts = self._counts
        while counts[Count.READY] and not counts[Count.STOP]:
            if counts[Count.RESET] == counts[Count.WAS_RESET] and counts[Count.WRITTEN] >= end:
                return
            sleep(0.0002)

    def _cross_fade(self, position: int, played: Samples, from_bent: bool) -> None:
        """Begin the block with what was heard before."""
        n = min(FADE, len(played))
        before = self._tail[:n, : played.shape[1]]
        if from_bent:
            self._shared.output.get(position, before)
        else:
            self._shared.input.get(position - int(self._counts[Count.DELAY]), before, self._in_channels)
        played[:n] = before + self._rise[:n] * (played[:n] - before)
