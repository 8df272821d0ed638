"""Which calls are target calls: those with enough talk time. All analytics services use the same
rule.
"""

from collections.abc import Mapping

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.codes import SettingCode
from router.receivers.http import NO_RIGHT
from router.service.delivery.outcomes import ReceiverUnavailable


def target_seconds(options: Mapping[str, str]) -> float | None:
    """The option `target_seconds`; None if it is not set. Raises `ReceiverUnavailable` if a
    person has to fix it.
    """
    text = options.get("target_seconds", "")
    try:
        return float(text) if text else None
    except ValueError as error:
        raise ReceiverUnavailable(
            SettingCode.OPTION_NOT_SECONDS, pause=NO_RIGHT, option="target_seconds", found=text
        ) from error


def is_target(call: CallEvent, seconds: float | None) -> bool:
    """Whether the call was answered and the talk was long enough; False if no length is set."""
    return seconds is not None and call.answered and call.talk_seconds >= seconds
