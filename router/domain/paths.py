"""Paths of the API that other systems are given: in webhooks, in CRMs' settings, in pages."""

from urllib.parse import quote

API = "/api/v1"


def recording_path(call_id: str) -> str:
    """Where a call's recording is, below the server's address."""
    return f"{API}/calls/{quote(call_id, safe='')}/recording"
