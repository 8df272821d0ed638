"""uvicorn, as every process of ours that serves HTTP runs it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from router.web.connection_limits import LimitedConnection, Seldom, most_connections

_seldom = Seldom()


class Server(uvicorn.Server):
    """Serves `app` until `should_exit`; signals are left to the caller. Port 0 takes a free one."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        LimitedConnection.most = most_connections()
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=3,
            server_header=False,
            http=LimitedConnection,
            ws="none",
        )
        logging.getLogger("uvicorn.error").addFilter(_seldom)
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield
