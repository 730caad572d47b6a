"""What a performance begins with."""

from dataclasses import dataclass
from pathlib import Path

from audiobend.live.audio import Card, Clock, Host
from audiobend.live.dsp import MakePlayer, Wanted
from audiobend.live.player import make_player
from audiobend.spectral.live_settings import LiveSettings


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
    forks : bool
        That process is a copy of another one, see `audiobend.live.children.prepare_copies`.
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
    forks: bool = False
