"""What several verbs let one choose from."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Profile(StrEnum):
    """How long sound may be under way, in short: less latency is more work."""

    low = "low"
    balanced = "balanced"
    studio = "studio"


class LivePhase(StrEnum):
    """Where phases come from while sound runs."""

    input = "input"
    rtisi = "rtisi"


OtherClusters = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|effect",
        help="Other clusters than the model's own: a file, or effect, where the model keeps those too.",
    ),
]
