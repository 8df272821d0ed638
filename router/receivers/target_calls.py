"""Which calls are worth something to the company: those talked for long enough. One rule for all
analytics.
"""

from collections.abc import Mapping

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.codes import SettingCode
from router.receivers.http import NO_RIGHT
from router.service.delivery.outcomes import ReceiverUnavailable


def target_seconds(options: Mapping[str, str]) -> float | None:
    """The option `target_seconds`; None where it is not set. Raises `ReceiverUnavailable`: a person
    has to fix it.
    """
    text = options.get("target_seconds", "")
    try:
        return float(text) if text else None
    except ValueError as error:
        raise ReceiverUnavailable(
            SettingCode.OPTION_NOT_SECONDS, pause=NO_RIGHT, option="target_seconds", found=text
        ) from error


def is_target(call: CallEvent, seconds: float | None) -> bool:
    """Whether it was answered and talked for at least so long; never where the rule is not set."""
    return seconds is not None and call.answered and call.talk_seconds >= seconds
