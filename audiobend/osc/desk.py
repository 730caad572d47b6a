"""The one place where the state of a performance is kept: several ask for changes, one lock puts them in order."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from time import monotonic

from audiobend.control import Command, Context, ModelLoaded, State, update_all
from audiobend.errors import AudiobendError
from audiobend.osc.parse import Message
from audiobend.osc.subscribers import Peer

OnChange = Callable[[State, State], None]
"""Called with the state before and after, in order, while the lock is held: hand it on and return at once."""

Keep = Callable[[Sequence[Command], State, float], None]
"""Called as `OnChange` is, with the commands, the state after them, and the seconds at which it was."""


Ear = Callable[[Sequence[Message], Peer], None]
"""Called with all messages that come in, whatever they mean, and who sent them; it must return at once."""


class Desk:
    """The state, its context and its lock. OSC, the page and the keyboard all change it here.

    Parameters
    ----------
    state : State
    context : Context
    on_change : callable, optional
        Hears of every change, once for all commands of one `apply`; see `OnChange`.
    keep : callable, optional
        Hears, before ``on_change``, of the commands that were carried out, of the state after them, and when.
    clock : callable, optional
        Seconds, which tell one gesture from the next; see `audiobend.control.update`.
    status : callable, optional
        Returns what ``/audiobend/status`` reports, by name: load, latency_ms, xruns, late, dropped, ...

    Attributes
    ----------
    ear : Ear or None
        Hears what comes in, for those who learn addresses; may be set at any time.

    Examples
    --------
    >>> from audiobend.bending import Patch
    >>> from audiobend.control import Set
    >>> desk = Desk(State(Patch()), Context(()), lambda before, after: print(before.mix, after.mix))
    >>> desk.apply([Set("output/mix", 0.5)])
    1.0 0.5
    [None]
    """

    def __init__(
        self,
        state: State,
        context: Context,
        on_change: OnChange = lambda before, after: None,
        status: Callable[[], Mapping[str, float]] = dict,
        clock: Callable[[], float] = monotonic,
        keep: Keep = lambda commands, after, now: None,
    ) -> None:
        self._state, self._context = state, context
        self._on_change, self._status, self._clock, self._keep = on_change, status, clock, keep
        self._lock = Lock()
        self.ear: Ear | None = None

    @property
    def state(self) -> State:
        """The state now."""
        return self._state

    @property
    def context(self) -> Context:
        """What changes are checked against now."""
        return self._context

    def status(self) -> Mapping[str, float]:
        """Return figures about the running sound, by name."""
        return self._status()

    def apply(self, commands: Sequence[Command]) -> list[AudiobendError | None]:
        """Carry out commands at one seam: whoever listens hears of them once, all together.

        Returns
        -------
        list
            For each command what was wrong with it, or None.
        """
        with self._lock:
            return self._apply(commands)

    def change_model(self, context: Context) -> None:
        """Let another model sound: its context, and a patch without what does not fit it, at one seam."""
        with self._lock:
            self._context = context
            self._apply([ModelLoaded(context.model)])

    def _apply(self, commands: Sequence[Command]) -> list[AudiobendError | None]:
        before, now = self._state, self._clock()
        self._state, outcomes = update_all(before, commands, self._context, now)
        if self._state is not before:
            self._keep([one for one, error in zip(commands, outcomes, strict=True) if error is None], self._state, now)
            self._on_change(before, self._state)
        return outcomes
