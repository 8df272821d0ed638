"""Which calls are worth something to the company: those talked for long enough. One rule for all
analytics.
"""

from collections.abc import Mapping

from router.domain.delivery.call_event import CallTold
from router.errors import ReceiverUnavailable
from router.receivers.http import NO_RIGHT


def target_seconds(options: Mapping[str, str]) -> float | None:
    """The option `target_seconds`; None where it is not set. Raises `ReceiverUnavailable`: a person
    has to fix it.
    """
    text = options.get("target_seconds", "")
    try:
        return float(text) if text else None
    except ValueError as error:
        reason = f"the option target_seconds is '{text}': make it a number of seconds, or empty"
        raise ReceiverUnavailable(reason, pause=NO_RIGHT) from error


def is_target(call: CallTold, seconds: float | None) -> bool:
    """Whether it was answered and talked for at least so long; never where the rule is not set."""
    return seconds is not None and call.answered and call.talk_seconds >= seconds
