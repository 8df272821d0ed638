"""The invented company's receivers: one takes all, one refuses some, one is out of order."""

import zlib

from fastapi import FastAPI, Request, Response

PATH = "/month"


def serve(app: FastAPI) -> None:
    """Add them to a server."""
    app.add_api_route(PATH + "/{receiver}", _take, methods=["POST"])


async def _take(request: Request, receiver: str) -> Response:
    key = request.headers.get("webhook-id", "")
    if receiver == "demo-messenger":
        return Response("Down for maintenance", 503)
    if receiver == "demo-stock" and zlib.crc32(key.encode()) % 5 == 0:
        return Response("Unknown branch", 422)
    return Response("OK")
