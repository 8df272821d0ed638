"""Which calls are target calls for analytics: by Ringtrace's rules, or by their talk time. One rule
for all analytics.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.codes import SettingCode
from router.receivers.http import NO_RIGHT
from router.service.delivery.outcomes import ReceiverUnavailable
from router.service.delivery.qualified import BY_RULES, ONLY, TARGET_CALLS

OPTION = {
    TARGET_CALLS: (
        f"{BY_RULES}: target calls are those of the rules and people of Ringtrace; "
        f"{ONLY}: the same, and no other calls are sent (default: by target_seconds)"
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRule:
    """What makes a target call."""

    seconds: float | None = None  # of talk
    by_rules: bool = False

    @property
    def is_set(self) -> bool:
        """Whether there are target calls."""
        return self.by_rules or self.seconds is not None

    def counts(self, call: CallEvent) -> bool:
        """Whether this is one; never where the rule is not set."""
        if self.by_rules:
            return call.target
        return self.seconds is not None and call.answered and call.talk_seconds >= self.seconds


def target_rule(options: Mapping[str, str]) -> TargetRule:
    """The options `target_calls` and `target_seconds`. Raises `ReceiverUnavailable`: a person has
    to fix them.
    """
    text, seconds = options.get("target_seconds", ""), None
    try:
        if text:
            seconds = float(text)
    except ValueError as error:
        raise ReceiverUnavailable(
            SettingCode.OPTION_NOT_SECONDS, pause=NO_RIGHT, option="target_seconds", found=text
        ) from error
    return TargetRule(seconds=seconds, by_rules=options.get(TARGET_CALLS) in {BY_RULES, ONLY})
