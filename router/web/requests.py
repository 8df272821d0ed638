"""What requests say of their address and of who sends them."""

from fastapi import Request


def query_of(request: Request) -> str:
    """The query of the address with its question mark; empty without one."""
    if not request.url.query:
        return ""
    return f"?{request.url.query}"


def client_host(request: Request) -> str:
    """The address that a request comes from; empty on a socket without one."""
    if request.client is None:
        return ""
    return request.client.host
