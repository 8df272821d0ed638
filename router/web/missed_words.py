"""Labels of missed callers. Messages are marked here and translated where they are shown."""

from router.domain.calls.missed import MissedState
from router.web.words import N_

STATES = {
    MissedState.WAITING: N_("Waiting for a call back"),
    MissedState.NOT_ANSWERED: N_("Called back, not answered"),
    MissedState.NOT_REACHED: N_("Not reached"),
    MissedState.CALLED_BACK_SOON: N_("Called back within 20 minutes"),
    MissedState.CALLED_BACK: N_("Called back within 23 hours"),
    MissedState.CALLED_BACK_LATE: N_("Called back later"),
    MissedState.RANG_AGAIN: N_("Rang again and got through"),
    MissedState.NOT_NEEDED: N_("No call back needed"),
}
TONES = {
    MissedState.WAITING: "live",
    MissedState.NOT_ANSWERED: "tried",
    MissedState.NOT_REACHED: "bad",
    MissedState.CALLED_BACK_SOON: "soon",
    MissedState.CALLED_BACK: "later",
    MissedState.CALLED_BACK_LATE: "quiet",
    MissedState.RANG_AGAIN: "good",
    MissedState.NOT_NEEDED: "quiet",
}
