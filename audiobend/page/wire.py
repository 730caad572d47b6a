"""What goes over the page's WebSocket, as text and as bytes. Pure."""

import json
import math
from typing import Any

from audiobend.page.messages import Outcome


def text_of(message: dict[str, Any]) -> str:
    """Return a message as JSON; numbers that JSON lacks are null."""
    try:
        return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_finite(message), ensure_ascii=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def reply(number: object, outcome: Outcome) -> str:
    """Return the answer to a request: ``ok`` where nothing failed, what failed, and what was asked for."""
    message: dict[str, Any] = {"n": number, "ok": True} if not outcome.fails else {"n": number, "fail": outcome.fails}
    return text_of(message | ({"answers": outcome.answers} if outcome.answers else {}))


def refusal(number: object, sentence: str) -> str:
    """Return the answer to what is no request."""
    return text_of({"n": number, "fail": [["", 400, sentence]]})
