"""Opens the look-ups for visitors. Only the web process uses it, because the rules for browsers
take 30 MB.
"""

from pathlib import Path

from router.config import Settings
from router.enrichment.browsers import read_browser
from router.enrichment.geoip import Places
from router.enrichment.referrers import Referrers
from router.service.visitors.ports import VisitEnrichment


def open_enrichment(settings: Settings) -> VisitEnrichment:
    """Browsers, places and referrers."""
    # its rules are compiled by the first look-up, for which no visitor should wait
    read_browser("Mozilla/5.0")
    path = None
    if settings.places_path:
        path = Path(settings.places_path)
    places = Places(path)
    return VisitEnrichment(referrers=Referrers().find, browsers=read_browser, places=places.find)
