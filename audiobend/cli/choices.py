"""What several verbs let one choose from."""

from enum import StrEnum


class Profile(StrEnum):
    """How long sound may be under way, in short: less latency is more work."""

    low = "low"
    balanced = "balanced"
    studio = "studio"


class LivePhase(StrEnum):
    """Where phases come from while sound runs."""

    input = "input"
    rtisi = "rtisi"
