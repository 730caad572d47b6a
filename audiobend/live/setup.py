"""What a performance begins with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audiobend.live.audio import Card, Clock, Host
from audiobend.live.children import Child
from audiobend.live.dsp import MakePlayer, Wanted, run_dsp
from audiobend.live.player import make_player
from audiobend.spectral.live_settings import LiveSettings


@dataclass(frozen=True)
class Begun:
    """An engine's process, and what it was begun with."""

    child: Child
    wanted: Wanted


def begin_engine(make: MakePlayer, wanted: Wanted, settings: LiveSettings) -> Begun:
    """Begin an engine's process."""
    return Begun(Child(run_dsp, make, wanted, settings), wanted)


@dataclass(frozen=True)
class Setup:
    """All that a performance begins with.

    Attributes
    ----------
    wanted : Wanted
    settings : LiveSettings
    card : Card, Clock or Host
    profile : "low", "balanced" or "studio"
    cushion_ms : float or None
        How far the engine is ahead of the card; None leaves it to the profile.
    source : Path or None
        A file in the place of the microphone.
    loops : bool
        Play it again and again.
    record : Path or None
        Where what is played goes.
    waits : bool
        The card waits for the engine: for clocks that are not real time.
    make : function
        Makes the engine, in its own process.
    begin : function
        Begins that process; or hands one over that has begun already with other settings of the patch.
    """

    wanted: Wanted
    settings: LiveSettings
    card: Card | Clock | Host
    profile: str = "balanced"
    cushion_ms: float | None = None
    source: Path | None = None
    loops: bool = False
    record: Path | None = None
    waits: bool = False
    make: MakePlayer = make_player
    begin: Callable[[MakePlayer, Wanted, LiveSettings], Begun] = begin_engine
