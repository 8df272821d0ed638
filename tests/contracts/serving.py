"""Serves a contract server on this machine, by the same uvicorn that serves our own pages."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp


def _config(app: ASGIApp) -> uvicorn.Config:
    # no idle connection is closed, which on a busy machine a client would use at that moment
    return uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, timeout_keep_alive=3600
    )


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """The address of a real server of this application, on a free port, for as long as the block
    lasts.
    """
    server = uvicorn.Server(_config(app))
    with socket.socket(
        proto=socket.IPPROTO_TCP
    ) as listener:  # named, or asyncio leaves Nagle's delay on: 40 ms
        listener.bind(("127.0.0.1", 0))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not running.done():
            await asyncio.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
