"""Makes links to recordings that need no log-in, with the key and the address of this
installation.
"""

from router.config import Settings
from router.domain.calls.recording_link import link
from router.secrets import load_secrets
from router.service.delivery.crm_recording import MakeLink


def recording_links(settings: Settings) -> MakeLink:
    """Signs with the key of the moment, so that a new key ends older links at once."""

    def key() -> str:
        return load_secrets(settings.home).recording_key

    return lambda recording, until: link(settings.url, key(), recording, until)
