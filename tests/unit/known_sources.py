"""One site and the sources that it knows, for tests that read addresses."""

from router.domain.visitors.site import SourceRule
from router.domain.visitors.sources import Source, read_source

OWN = ["shop.ru"]
KNOWN = {
    "google.com": ("google", "search"),
    "google": ("google", "search"),
    "yandex.ru": ("yandex", "search"),
    "yandex": ("yandex", "search"),
    "yandex.ru/maps": ("yandex maps", "maps"),
    "vk.com": ("vk", "social"),
    "vk": ("vk", "social"),
    "instagram.com": ("instagram", "social"),
    "youtube": ("youtube", "video"),
    "t.me": ("telegram", "messenger"),
    "mail.google.com": ("gmail", "mail"),
    "chatgpt.com": ("chatgpt", "assistant"),
    "ozon": ("ozon", "shopping"),
    "pay.bank.ru": ("bank", "errand"),
    "odd.example": ("odd", "a kind nobody knows"),
}


def read(url: str, referrer: str | None = None, rules: tuple[SourceRule, ...] = ()) -> Source:
    return read_source(url, referrer, OWN, rules, KNOWN.get)
