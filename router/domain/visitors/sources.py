"""Reads the source of a visit from the landing address and the referrer.

Priority: UTM tags, then the click IDs of advertising systems, then the referrer. A page opened from
the site itself, or on return from payment or log-in, has no source: it continues a visit.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import unquote

from router.domain.visitors.channels import Kind, channel_of
from router.domain.visitors.site import SourceRule
from router.domain.visitors.url import Address, clean, host_of, read_address, within
from router.domain.visitors.visit import DIRECT, Visit

NONE, NOT_SET = "(none)", "(not set)"

Referrers = Callable[[str], tuple[str, str] | None]
"""A host (`yandex.ru`), a host with a path (`yandex.ru/maps`) or a word from a label (`yandex`) → (name, kind)."""  # noqa: E501

# Source and medium of each click ID, used without UTM tags. The most certain first: Facebook adds
# its own to every link, paid or not, so any other click ID is the advertisement's.
CLICK_IDS: Mapping[str, tuple[str, str]] = {
    "gclid": ("google", "cpc"),
    "gbraid": ("google", "cpc"),
    "wbraid": ("google", "cpc"),
    "dclid": ("google", "cpm"),
    "yclid": ("yandex", "cpc"),
    "ymclid": ("yandex.market", "cpc"),
    "msclkid": ("bing", "cpc"),
    "rb_clickid": ("vk", "cpc"),
    "vkclid": ("vk", "cpc"),
    "ttclid": ("tiktok", "cpc"),
    "twclid": ("twitter", "cpc"),
    "li_fat_id": ("linkedin", "cpc"),
    "epik": ("pinterest", "cpc"),
    "sccid": ("snapchat", "cpc"),
    "rdt_cid": ("reddit", "cpc"),
    "obclid": ("outbrain", "cpc"),
    "tblci": ("taboola", "cpc"),
    "gad_source": ("google", "cpc"),  # what is left where a browser removes the others
    "ysclid": ("yandex", "organic"),  # Yandex puts it on its organic results
    "srsltid": ("google", "organic"),  # Google's free product listings
    "igshid": ("instagram", "social"),
    "igsh": ("instagram", "social"),
    "fbclid": ("facebook", "social"),
}

_KINDS = frozenset(Kind)
_PAID_MEDIUMS = frozenset({"cpc", "cpm"})
_MEDIUMS: Mapping[str, str] = {
    Kind.SEARCH: "organic",
    Kind.SOCIAL: "social",
    Kind.VIDEO: "video",
    Kind.MESSENGER: "social",
    Kind.MAIL: "email",
    Kind.ADS: "cpm",
    Kind.ASSISTANT: "ai-assistant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The source of a visit; texts are cleaned and cut, source and medium are in lower case."""

    source: str = DIRECT
    medium: str = NONE
    campaign: str | None = None
    term: str | None = None
    content: str | None = None
    channel: str = "Direct"
    click_ids: dict[str, str] = field(default_factory=dict)
    path: str = "/"
    landing: str | None = None
    referrer: str | None = None
    within: bool = False  # the browser came from a page of the site itself, or back from an errand
    # an untagged link from an unknown host: may be a bank or a log-in page
    plain: bool = False

    @property
    def direct(self) -> bool:
        """Whether the visitor came directly."""
        return self.source == DIRECT


def read_source(
    url: str,
    referrer: str | None,
    own_hosts: Collection[str],
    rules: Sequence[SourceRule],
    referrers: Referrers,
    errand_hosts: Collection[str] = (),
) -> Source:
    """Where a visit that begins at `url` came from. Never raises.

    `own_hosts` are the site's own, as hosts or as origins; those below them are its own too.
    `rules` name the channel before GA4's do. From `errand_hosts` and those below them visitors
    come back as from the places of `Kind.ERRAND`.
    """
    page, sender = read_address(url), read_address(referrer)
    known = _known(sender, referrers, errand_hosts)
    own = _own(sender, page, own_hosts)
    # The previous page may have ended before its first message, or waited for consent: its source
    # is this visit's.
    labels = page.labels
    if own and not labels:
        labels = sender.labels
    inside = own or (known is not None and known[1] == Kind.ERRAND)
    # a redirect that loses the referrer may hand it on in the address
    if inside or not sender.host:
        sender = read_address(labels.get("utm_referrer"))
        if _own(sender, page, own_hosts):
            sender = Address()
        known = _known(sender, referrers, errand_hosts)

    read = replace(_source(labels, page, sender, known), within=inside)
    channel = _named_by_rule(read, rules)
    plain = bool(sender.host) and known is None and channel is None and not _labelled(labels)
    if known is None or known[0] != read.source:
        known = referrers(read.source)
    return replace(read, channel=channel or _channel(read, known), plain=plain)


def _source(
    labels: Mapping[str, str], page: Address, sender: Address, known: tuple[str, str] | None
) -> Source:
    source, medium = _origin(labels, sender, known)
    return Source(
        source=source,
        medium=medium,
        campaign=clean(labels.get("utm_campaign") or labels.get("utm_id")) or None,
        term=clean(labels.get("utm_term")) or None,
        content=clean(labels.get("utm_content")) or None,
        click_ids={name: labels[name] for name in CLICK_IDS if name in labels},
        path=page.path or "/",
        landing=page.text or None,
        referrer=sender.text or None,
    )


def brings_new_source(visit: Visit, source: Source) -> bool:
    """Whether a page that came with `source` begins a new visit, although the visitor was here a
    moment ago.

    Another advertisement, search engine or click on the same advertisement does. Direct visits,
    pages of the site itself and plain links from unknown hosts do not: visitors who pay or log in
    elsewhere return from hosts that are on no list.
    """
    if source.direct or source.within or source.plain:
        return False
    before = (
        visit.source or DIRECT,
        visit.medium or NONE,
        visit.campaign,
        visit.term,
        visit.content,
    )
    if before != (source.source, source.medium, source.campaign, source.term, source.content):
        return True
    paid = [name for name in source.click_ids if CLICK_IDS[name][1] in _PAID_MEDIUMS]
    return any(visit.click_ids.get(name) != source.click_ids[name] for name in paid)


def _own(sender: Address, page: Address, own_hosts: Collection[str]) -> bool:
    if not sender.host:
        return False
    hosts = filter(None, (page.host, *map(_host_of_own, own_hosts)))
    return any(within(sender.host, host) for host in hosts)


@lru_cache(maxsize=4096)
def _host_of_own(own: str) -> str:
    return read_address(own).host or host_of(own)


def _known(
    sender: Address, referrers: Referrers, errand_hosts: Collection[str]
) -> tuple[str, str] | None:
    if not sender.host:
        return None
    if any(within(sender.host, host_of(host)) for host in errand_hosts):
        return sender.host, Kind.ERRAND
    return referrers(sender.host + sender.path.rstrip("/")) or referrers(sender.host)


def _origin(
    labels: Mapping[str, str], sender: Address, known: tuple[str, str] | None
) -> tuple[str, str]:
    """Source and medium, in lower case."""
    source, medium = (
        clean(labels.get("utm_source", "").lower()),
        clean(labels.get("utm_medium", "").lower()),
    )
    clicked = next((implied for name, implied in CLICK_IDS.items() if name in labels), None)
    sent = (sender.host, "referral")
    if known:
        sent = (known[0].lower(), _MEDIUMS.get(known[1], "referral"))
    if clicked and (clicked[1] in _PAID_MEDIUMS or not known):
        guess = clicked
    elif sender.host:
        guess = sent
    elif source or medium or "utm_campaign" in labels:
        guess = (NOT_SET, NOT_SET)
    else:
        return DIRECT, NONE
    if source and guess != clicked and guess[0] != source:
        return source, medium or NOT_SET
    return source or guess[0], medium or guess[1]


def _labelled(labels: Mapping[str, str]) -> bool:
    return any(
        name in CLICK_IDS or (name.startswith("utm_") and name != "utm_referrer") for name in labels
    )


def _named_by_rule(read: Source, rules: Sequence[SourceRule]) -> str | None:
    """The channel of the site's first matching rule."""
    for rule in rules:
        text = getattr(read, rule.field) or ""
        if rule.text.casefold() in unquote(text).casefold():
            return clean(rule.channel)
    return None


def _channel(read: Source, known: tuple[str, str] | None) -> str:
    kind = None
    if known and known[1] in _KINDS:
        kind = Kind(known[1])
    return channel_of(read.source, read.medium, (read.campaign or "").lower(), kind)
