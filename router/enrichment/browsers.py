"""What a request's User-Agent says of the browser: ua-parser's rules, and robots by a maintained
list of crawlers.

A User-Agent is written by a stranger: it is cut before any rule sees it, and ua-parser's engine in
Rust matches in linear time, so that no text can delay a page.
"""

from dataclasses import dataclass
from functools import lru_cache

import ua_parser
from crawleruseragents import is_crawler

MAX_USER_AGENT = 512  # characters; those of browsers have up to 300, those of apps rarely more
REMEMBERED = 8192  # user agents; a site sees a few thousand different ones a day

_DESKTOPS = frozenset(
    {"Windows", "Mac OS X", "Linux", "Chrome OS", "Ubuntu", "Fedora", "Debian", "FreeBSD"}
)
_PHONES = frozenset({"iOS", "Android", "Windows Phone", "HarmonyOS", "KaiOS", "BlackBerry OS"})
# Renderers whose cache serves a page to search engines for days; the list of crawlers does not have
# them.
_RENDERERS = ("prerender", "rendertron", "splash safari")
_TABLETS = ("iPad", "Tablet", "Kindle", "Silk/", "PlayBook")


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """The browser of a visit; names in English, without versions."""

    device: str = "other"  # desktop · mobile · tablet · other
    browser: str | None = None
    system: str | None = None
    robot: bool = False


@lru_cache(maxsize=REMEMBERED)
def read_browser(user_agent: str) -> Browser:
    """The browser in a User-Agent header. A request without one is a robot's: every browser
    sends it. Never raises.
    """
    text = user_agent[:MAX_USER_AGENT]
    read = ua_parser.parse(text)
    browser = read.user_agent.family if read.user_agent else None
    system = read.os.family if read.os else None
    spider = read.device is not None and read.device.family == "Spider"
    if (
        spider
        or not text.strip()
        or is_crawler(text)
        or any(name in text.casefold() for name in _RENDERERS)
    ):
        return Browser(browser=browser, system=system, robot=True)
    return Browser(device=_device(text, system), browser=browser, system=system)


def _device(text: str, system: str | None) -> str:
    mobile = "Mobi" in text
    if any(word in text for word in _TABLETS) or (
        system == "Android" and not mobile and "TV" not in text
    ):
        return "tablet"
    if mobile or system in _PHONES:
        if "TV" not in text:
            return "mobile"
        return "other"
    if system in _DESKTOPS and "TV" not in text:
        return "desktop"
    return "other"
