"""Links to recordings that need no log-in: signed, with an end, and revocable.

The signature covers the call, the end, and the number of times that the links of this recording
were revoked; the key is the installation's, and a new key revokes all links.
"""

import hmac
from datetime import UTC, datetime
from hashlib import sha256

from router.domain.calls.call import Recording

ENDINGS = {
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/webm": "webm",
    "audio/wav": "wav",
}
_LATEST = 1 << 33  # in Unix seconds; no link works for centuries


def link(pages: str, key: str, recording: Recording, until: datetime) -> str:
    """The address; `pages` is that of our pages."""
    end = int(until.timestamp())
    signature = _signature(key, recording, end)
    path = f"recordings/{recording.call_id}/{file_name(recording)}"
    return f"{pages}/{path}?until={end}&signature={signature}"


def file_name(recording: Recording) -> str:
    """Players and CRMs go by the ending."""
    return f"recording.{ENDINGS.get(recording.content_type or '', 'audio')}"


def opens(key: str, recording: Recording, until: str, signature: str, now: datetime) -> bool:
    """Whether a link with these parameters opens the recording now."""
    if not key:
        raise ValueError("links to recordings need a key")
    if not (until.isascii() and until.isdigit() and len(until) <= 10 and int(until) < _LATEST):
        return False
    wanted = _signature(key, recording, int(until))
    same = hmac.compare_digest(wanted.encode(), signature.encode())
    return same and now < datetime.fromtimestamp(int(until), UTC)


def _signature(key: str, recording: Recording, end: int) -> str:
    signed = f"{recording.call_id}\n{end}\n{recording.links_revoked}"
    return hmac.new(key.encode(), signed.encode(), sha256).hexdigest()
