"""An empty endpoint of the same framework and server as ours, the limit of `site`.

`python -m tests.bench.empty PORT`
"""

import asyncio
import sys

import uvloop
from fastapi import FastAPI, Request

from router.web.server import Server

app = FastAPI(openapi_url=None)


@app.post("/empty")
async def empty(request: Request) -> dict[str, str]:
    """Take the body, answer with nothing of use."""
    await request.body()
    return {}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Server(app, "127.0.0.1", int(sys.argv[1])).serve())
