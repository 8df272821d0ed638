"""Keys that are pressed on telephones during a call (DTMF).

Only those of the company's phones are kept: a caller may type the number of a card.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.domain.calls.call import Call

KEYS = frozenset("0123456789*#ABCD")
PAUSE = timedelta(seconds=3)  # between two groups
MOST = 200  # characters of one call


@dataclass(frozen=True, slots=True, kw_only=True)
class PressedKey:
    """A key on the phone of a channel."""

    channel: str
    at: datetime
    key: str


def with_keys(call: Call, pressed: Iterable[PressedKey]) -> Call:
    """The call with the keys of the company's phones, in groups, each group once: an extension of
    the dialplan repeats what its phone pressed.
    """
    company = {leg.channel for leg in call.legs if leg.role == "company"}
    by_channel: dict[str, list[PressedKey]] = {}
    for one in sorted(pressed, key=lambda one: (one.at, one.key)):
        if one.channel in company and one.key in KEYS:
            by_channel.setdefault(one.channel, []).append(one)

    groups: list[tuple[datetime, str]] = []
    for keys in by_channel.values():
        groups += _groups(keys)
    texts = dict.fromkeys(text for _, text in sorted(groups))
    return replace(call, keys=" ".join(texts)[:MOST])


def _groups(keys: Iterable[PressedKey]) -> list[tuple[datetime, str]]:
    groups: list[tuple[datetime, str]] = []
    last: datetime | None = None
    for one in keys:
        if last is not None and one.at - last <= PAUSE:
            begun, text = groups[-1]
            groups[-1] = (begun, text + one.key)
        else:
            groups.append((one.at, one.key))
        last = one.at
    return groups
