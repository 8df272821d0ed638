"""The line on a company's page: one script, made of the bundle and the site's own configuration.

Both come in one answer, so that a page waits for one request alone before it asks for numbers. The
script is public and contains only what is on the company's pages anyway.
"""

import gzip
import hashlib
import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from router.domain.page_spelling import parts
from router.domain.visitors.site import Pool, Site
from router.domain.visitors.sources import CLICK_IDS
from router.web.deps import StoreOf, app_state_of
from router.web.middleware import let_pages, preflight

router = APIRouter()
BUNDLE = Path(__file__).parent / "static" / "site.js"
CACHED = "public, max-age=300"
OWN_CACHED = "private, max-age=300"
# The script's text is ASCII between its quotes; these would end it, or the element of someone who
# inlines it.
_UNSAFE = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&'"}


@router.get("/site/{site_id}.js", include_in_schema=False)
async def script(request: Request, store: StoreOf, site_id: str) -> Response:
    """The script of a site. Raises `NotFound`."""
    async with store.read_inline() as session:
        site = await session.get(Site, site_id)
        pools = await session.find(Pool, site_id=site_id)
    public_url = app_state_of(request).web.url
    base = public_url or str(request.base_url)
    plain, packed, etag = _script(
        BUNDLE.stat().st_mtime_ns, written(configuration(site, pools, base.rstrip("/")))
    )
    let_pages(request, "*")
    # Without a public URL the script names the host of this request, which others must not get.
    cached = CACHED if public_url else OWN_CACHED
    headers = {"ETag": etag, "Cache-Control": cached, "Vary": "Accept-Encoding"}
    if etag in [
        known.strip().removeprefix("W/")
        for known in request.headers.get("if-none-match", "").split(",")
    ]:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            packed, media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"}
        )
    return Response(plain, media_type="text/javascript", headers=headers)


@router.options("/site/{site_id}.js", include_in_schema=False)
async def may_fetch(request: Request, site_id: str) -> Response:
    """Answer a browser whose page adds headers of its own to every request."""
    let_pages(request, "*")
    return Response(status_code=204, headers=preflight(request, "GET"))


def configuration(site: Site, pools: list[Pool], base: str) -> dict[str, Any]:
    """What the script has to know, in the words of `frontend/src/site/configuration.ts`.

    `base` is our address, for a script that cannot see where it came from: combined with others, or
    inlined.
    """
    return {
        "site": site.id,
        "pools": [
            {
                "id": pool.id,
                "replaces": [asdict(parts(number)) for number in pool.replaces],
                "selector": pool.selector,
                "on_request": pool.on_request,
            }
            # the first rival is shown
            for pool in sorted(pools, key=lambda pool: (not pool.regions, pool.id))
        ],
        "exclude": site.exclude,
        "consent": site.consent,
        "base": base,
        "labels": sorted(CLICK_IDS),
        "landing": [rule.text for rule in site.source_rules if rule.field == "landing"],
    }


def snippet(address: str, site_id: str) -> str:
    """The line for every page of a site, with the server's address.

    A script element of ours would hold back the page's `load` event for as long as we do not
    answer; a request does not. So the script is fetched first, and its element finds it in the
    browser's cache. The line has none of `<&`, which XHTML and editors of text change.
    """
    return (
        f'<script data-ringtrace="">fetch('
        f"{written(f'{address}/site/{site_id}.js')}).then(function(r){{if(r.ok)return "
        "r.text().then(function(){var "
        "s=document.createElement('script');s.crossOrigin='anonymous';s.src=r.url;"
        "document.head.appendChild(s)})}).catch(function(){})</script>"
    )


def written(value: Any) -> str:
    """JSON that is safe inside a script element."""
    return json.dumps(value, separators=(",", ":")).translate(_UNSAFE)


@lru_cache(maxsize=256)
def _script(_built: int, configured: str) -> tuple[bytes, bytes, str]:
    """The whole script, the same packed, and its ETag."""
    plain = BUNDLE.read_bytes().rstrip() + f"({configured});\n".encode()
    return plain, gzip.compress(plain, 9, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
