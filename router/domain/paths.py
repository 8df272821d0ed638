"""API paths that are passed to other systems: in webhooks, CRM settings and pages."""

from urllib.parse import quote

API = "/api/v1"
OAUTH_CALLBACK = "/oauth/callback"  # where a CRM sends a browser that has allowed our app


def recording_path(call_id: str) -> str:
    """Path of a call's recording."""
    return f"{API}/calls/{quote(call_id, safe='')}/recording"
