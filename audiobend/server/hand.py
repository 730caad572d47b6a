"""The host's hand at the desk: its parameters become changes, and each is acknowledged when it sounds."""

from collections.abc import Callable

from audiobend.live.archive import Keeping
from audiobend.live.performance import Performance
from audiobend.live.rings import Count, Shared
from audiobend.live.seam import Told
from audiobend.live.setup import Setup
from audiobend.networks.model import Model
from audiobend.osc.doors import Listening
from audiobend.server.automation import Automation, Values, commands_of


class Played(Performance):
    """A `Performance` that a host plays.

    Attributes
    ----------
    sounding : int
        Number of the newest change by which the next sample is bent.
    """

    def __init__(
        self, setup: Setup, model: Model, tell: Callable[[str], None], listening: Listening, keeping: Keeping
    ) -> None:
        self.sounding = 0
        super().__init__(setup, model, tell, listening, keeping)
        self._automation, self._values = Automation(self._shared), dict[int, float]()
        self._owed: tuple[int, int] | None = None    # a change of the host's, and ours that makes it heard
        self._refusal = ""

    def on_told(self, told: Told) -> None:
        """See `Supervisor.on_told`."""
        super().on_told(told)
        if told.kind != "skipped":
            self.sounding = max(self.sounding, told.number)

    def on_refused(self, number: int) -> None:
        """See `Supervisor.on_refused`: what cannot be heard is not waited for."""
        self.sounding = max(self.sounding, number)

    def follow(self) -> bool:
        """Do what the host has changed, and acknowledge what sounds; return whether something is still owed."""
        if (read := self._automation.read()) is not None:
            changed, values = read
            self._turn(values)
            self._owed = changed, self.number
        if self._owed is not None and self.sounding >= self._owed[1]:
            self._shared[Count.APPLIED] = self._owed[0]
            self._owed = None
        return self._owed is not None

    def _turn(self, values: Values) -> None:
        commands = commands_of(self._values, values, list(self.desk.state.scenes))
        self._values = dict(values)
        for error in self.desk.apply(commands) if commands else []:
            if error is not None and str(error) != self._refusal:    # a host says it again and again
                self._refusal = str(error)
                self._tell(self._refusal)

    @property
    def shared(self) -> Shared:
        """What host and engine share."""
        return self._shared
