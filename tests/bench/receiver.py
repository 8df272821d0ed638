"""A receiver that notes what it takes: how many deliveries, how many twice, how many before their
elders.

`python -m tests.bench.receiver PORT`; `POST /hook` takes one, `GET /seen` tells.
"""

import asyncio
import sys
from typing import Any

import uvloop
from fastapi import FastAPI, Request

from router.web.server import Server

app = FastAPI(openapi_url=None)
seen = {"taken": 0, "twice": 0, "disorder": 0}
_last: dict[str, int] = {}


@app.post("/hook")
async def hook(request: Request) -> dict[str, str]:
    """Take one; `stream` and `place` are in its body."""
    body: dict[str, Any] = await request.json()
    place, last = body["place"], _last.get(body["stream"], -1)
    seen["taken"] += 1
    seen["twice"] += place == last
    seen["disorder"] += place < last
    _last[body["stream"]] = max(place, last)
    return {}


@app.get("/seen")
async def tell() -> dict[str, int]:
    """What was noted since the last question."""
    told = dict(seen)
    seen.update(taken=0, twice=0, disorder=0)
    _last.clear()
    return told


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Server(app, "127.0.0.1", int(sys.argv[1])).serve())
