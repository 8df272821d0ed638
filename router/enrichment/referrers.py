"""Sources of visits: search engines, social networks, messengers, maps and others, by host or by
the word in a UTM label.

Most come from the data set of Snowplow's referer-parser, which is put beside this file when the
package is built (`referers.json`, from the release that pyproject.toml names; `make referrers`
fetches a newer one). `referrers.toml` adds what it lacks or what has another name in Russia, and
takes precedence.
"""

import json
import tomllib
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

HERE = Path(__file__).parent

Known = tuple[str, str]  # name and kind

# The data set's names of kinds; its "unknown" is not used.
_KINDS = {"search": "search", "social": "social", "email": "mail", "paid": "ads"}


class Referrers:
    """Looks up `yandex.ru`, `yandex.ru/maps` or a label's `vk_ads` → (name, kind) in lower case, or
    None.
    """

    def __init__(self, folder: Path = HERE) -> None:
        named = tomllib.loads((folder / "referrers.toml").read_text(encoding="utf-8"))
        self._apart = frozenset(named.pop("apart")["hosts"])
        self.groups = (_supplement(named), *_data_set(folder / "referers.json"))
        self.find = lru_cache(maxsize=8192)(self._find)

    def _find(self, text: str) -> Known | None:
        host, _, path = text.lower().removeprefix("www.").partition("/")
        places = _widening(host, path)
        hits = (
            (place, known[place]) for known in self.groups for place in places if place in known
        )
        return next((hit for place, hit in hits if self._fits(host, place, hit)), None)

    def _fits(self, host: str, place: str, known: Known) -> bool:
        """Whether the entry for `place` applies to `host` below it.

        A search engine's other hosts are other services: docs.google.com is not Google's search.
        The same applies to all hosts of companies that are listed separately.
        """
        if known[1] == "search":
            return place.startswith(host.removeprefix("m.")) or "search" in place
        return place.startswith(host) or place not in self._apart


def _widening(host: str, path: str) -> list[str]:
    """Keys to look up: the host with its whole path, with ever shorter paths, alone, then the
    domains above it.
    """
    paths = []
    if path:
        parts = accumulate(path.split("/"), lambda path, step: f"{path}/{step}")
        paths = [f"{host}/{part}" for part in parts]
    labels = host.split(".")
    above = [".".join(labels[i:]) for i in range(1, len(labels) - 1)]
    return [*reversed(paths[:3]), host, *above]


def _supplement(kinds: dict[str, dict[str, list[str]]]) -> dict[str, Known]:
    """The entries of `referrers.toml`: by host, by host and path, by word and by name."""
    named = [
        (kind, name, places) for kind, names in kinds.items() for name, places in names.items()
    ]
    return {place: (name, kind) for kind, name, places in named for place in [name, *places]}


def _data_set(file: Path) -> tuple[dict[str, Known], dict[str, Known]]:
    """The entries of `referers.json`: by host and by name."""
    kinds = json.loads(file.read_text(encoding="utf-8"))
    entries = [
        (name.lower().rstrip("!"), _KINDS[kind], about["domains"])
        for kind, names in kinds.items()
        if kind in _KINDS
        for name, about in names.items()
    ]
    hosts = {
        host.lower().removeprefix("www.").rstrip("/"): (name, kind)
        for name, kind, domains in entries
        for host in domains
    }
    return hosts, {name: (name, kind) for name, kind, _ in entries}
