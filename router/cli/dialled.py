"""Which endpoints a destination dials: what must not be taken away, and what doctor looks for."""

from router.domain.site import Destination


def dialled_endpoints(destination: Destination) -> frozenset[str]:
    """The endpoints of all its steps: `PJSIP/company` → company, `PJSIP/204@carrier` → carrier."""
    dialled = (part.removeprefix("PJSIP/") for step in destination.steps for part in step.dial.split("&"))
    return frozenset(part.rpartition("@")[2] for part in dialled)
