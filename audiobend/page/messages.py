"""What pages and the performance say to one another: requests, what came of them, and news. Plain data."""

from dataclasses import dataclass, field
from typing import Any

from audiobend.errors import ControlError
from audiobend.osc.encode import Sent
from audiobend.osc.parse import MAX_ADDRESS, MAX_ARGUMENTS, MAX_MESSAGES, MAX_TEXT, Message

Line = list[Sent]
"""An address and its values."""


@dataclass(frozen=True)
class Outcome:
    """What came of a request: failures ``[address, code, sentence]`` and answers ``[address, value, ...]``."""

    fails: list[Line] = field(default_factory=list)
    answers: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class News:
    """What has changed: lines with the page that changed them (0 where OSC did), and what the state is like now.

    ``state`` is None where the chain, the scenes and the takes are as before; ``model`` where the model is.
    """

    lines: list[tuple[int, Line]]
    state: dict[str, Any] | None = None
    model: dict[str, Any] | None = None


def messages_of(given: object) -> list[Message]:
    """Return the messages of a request ``[[address, value, ...], ...]``; `ControlError` where it is none.

    >>> messages_of([["/audiobend/mix", 0.5]])
    [Message(address='/audiobend/mix', args=(0.5,), problem='')]
    """
    if not isinstance(given, list) or len(given) > MAX_MESSAGES:
        raise ControlError(f"a request must be a list of up to {MAX_MESSAGES} lists, each an address and its values")
    return [_message(one) for one in given]


def _message(given: object) -> Message:
    if not isinstance(given, list) or not given or len(given) > MAX_ARGUMENTS or not isinstance(given[0], str):
        raise ControlError("each command must be a list of an address and its values")
    address, *args = given
    if len(address) > MAX_ADDRESS or not all(_is_argument(one) for one in args):
        raise ControlError(f"{address[:80]}: values must be numbers or text of up to {MAX_TEXT} letters")
    return Message(address, tuple(args))


def _is_argument(value: object) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return -(2**63) <= value < 2**63
    return isinstance(value, float | bool) or (isinstance(value, str) and len(value) <= MAX_TEXT)
