"""The channel that a source belongs to: Google Analytics 4's default channel groups, word for word.

Names and order of rules are the same as in GA4, so that reports can be compared. Source:
https://support.google.com/analytics/answer/9756891. A data set says which sources are search
engines, shops and so on; kinds that GA4 does not have fall into the group that GA4 would choose.
"""

import re
from enum import StrEnum


class Kind(StrEnum):
    """What a known referrer is."""

    SEARCH = "search"
    SOCIAL = "social"
    VIDEO = "video"
    SHOPPING = "shopping"  # marketplaces and price comparison
    MESSENGER = "messenger"
    MAPS = "maps"  # with company profiles
    BOARD = "board"  # classified advertisements, orders and reviews: Avito, Profi, Zoon
    MAIL = "mail"
    ADS = "ads"  # an advertising network's own host
    ASSISTANT = "assistant"  # ChatGPT and its like
    ERRAND = "errand"  # payment or log-in elsewhere: a return continues the visit


DIRECT, CROSS_NETWORK, UNASSIGNED, REFERRAL = "Direct", "Cross-network", "Unassigned", "Referral"

_PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*")
_SHOP = re.compile(r".*(([^a-df-z]|^)shop|shopping).*")
_EMAIL = re.compile(r"e[-_ ]?mail")
_SOCIAL = re.compile(r"social|social-network|social-media|sm|social network|social media")
_PUSH = re.compile(r".*push|.*mobile.*|.*notification.*")
_DISPLAY = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_SOCIAL_KINDS = frozenset({Kind.SOCIAL, Kind.MESSENGER})


def channel_of(source: str, medium: str, campaign: str, kind: Kind | None) -> str:
    """The default channel group of a visit; all words in lower case, `kind` is the source's."""
    if source == "(direct)" and medium in {"(none)", "(not set)"}:
        return DIRECT
    if "cross-network" in campaign:
        return CROSS_NETWORK
    if medium == "ai-assistant":
        return "AI Assistant"
    shopping = kind is Kind.SHOPPING or _SHOP.fullmatch(campaign) is not None
    if _PAID.fullmatch(medium):
        return _paid(medium, kind, shopping)
    if medium in _DISPLAY:
        return "Display"
    if shopping:
        return "Organic Shopping"
    return _unpaid(source, medium, kind)


def _paid(medium: str, kind: Kind | None, shopping: bool) -> str:
    if shopping:
        return "Paid Shopping"
    if kind is Kind.SEARCH:
        return "Paid Search"
    if kind in _SOCIAL_KINDS:
        return "Paid Social"
    if kind is Kind.VIDEO:
        return "Paid Video"
    if medium in _DISPLAY:
        return "Display"
    return "Paid Other"


def _unpaid(source: str, medium: str, kind: Kind | None) -> str:
    rules = (
        ("Organic Social", kind in _SOCIAL_KINDS or _SOCIAL.fullmatch(medium)),
        ("Organic Video", kind is Kind.VIDEO or "video" in medium),
        ("Organic Search", kind is Kind.SEARCH or medium == "organic"),
        (REFERRAL, medium in {"referral", "app", "link"}),
        ("Email", _EMAIL.fullmatch(source) or _EMAIL.fullmatch(medium)),
        ("Affiliates", medium == "affiliate"),
        ("Audio", medium == "audio"),
        ("SMS", "sms" in {source, medium}),
        ("Mobile Push Notifications", source == "firebase" or _PUSH.fullmatch(medium)),
    )
    return next((name for name, fits in rules if fits), UNASSIGNED)
