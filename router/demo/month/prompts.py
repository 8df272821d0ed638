"""Asterisk's recorded prompts, which people say in invented calls: their sound and their text."""

import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from router.phone.speech import Samples

CALLER_SAYS = (
    "all-circuits-busy-now", "auth-thankyou", "cannot-complete-as-dialed", "goodbye", "hello",
    "im-sorry", "pbx-invalid", "please-try-again", "priv-callpending", "privacy-incorrect",
    "something-terribly-wrong", "ss-noservice", "telephone-number", "vm-goodbye", "vm-mailboxfull",
    "vm-nonumber", "vm-num-i-have", "vm-sorry",
)  # fmt: skip
COMPANY_SAYS = (
    "auth-thankyou", "check-number-dial-again", "demo-nomatch", "dir-nomatch",
    "feature-not-avail-line", "goodbye", "hello", "im-sorry", "info-about-last-call",
    "number-not-answering", "one-moment-please", "please-try-call-later", "pls-hold-while-try",
    "priv-introsaved", "privacy-prompt", "queue-thankyou", "queue-youarenext",
    "sorry-youre-having-problems", "transfer", "vm-dialout", "vm-msgsaved", "vm-nobodyavail",
)  # fmt: skip
_TEXTS = "core-sounds-en.txt"
_DOCUMENTATION = "doc/asterisk-core-sounds-en"  # where Debian has the texts
_NOT_SAID = re.compile(r"\[[^]]*\]|\([^)]*\)|\.\.\.")
_DEEPER = 1.13  # the caller's voice; all prompts are spoken by one person


def prompts_in(directory: Path, names: Iterable[str]) -> list[Path]:
    """Those of these prompts that are installed."""
    files = (directory / f"{name}.wav" for name in names)
    return [path for path in files if path.exists()]


def read_texts(directory: Path) -> dict[str, str]:
    """What each prompt says, by its name; empty if the list of texts is not installed."""
    for path in _places(directory):
        if path.exists():
            written = path.read_bytes()
            if path.suffix == ".gz":
                written = gzip.decompress(written)
            return dict(_texts(written.decode("utf-8", "replace")))
    return {}


def deeper(samples: Samples) -> Samples:
    """The same words in the caller's voice."""
    places = np.arange(0, len(samples) - 1, 1 / _DEEPER)
    lower = np.interp(places, np.arange(len(samples)), samples)
    quieter: Samples = (lower * 0.7).astype(np.int16)
    return quieter


def _places(directory: Path) -> Iterator[Path]:
    yield directory / _TEXTS
    for above in directory.parents:
        yield above / _DOCUMENTATION / f"{_TEXTS}.gz"
        yield above / _DOCUMENTATION / _TEXTS


def _texts(written: str) -> Iterator[tuple[str, str]]:
    for line in written.splitlines():
        name, colon, text = line.partition(":")
        said = " ".join(_NOT_SAID.sub(" ", text).split()).replace(" i ", " I ")
        if colon and said and not name.startswith(";"):
            yield name, said[0].upper() + said[1:]
