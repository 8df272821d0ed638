"""Labels for the filters of calls."""

from collections.abc import Mapping
from typing import Any

from router.web.words import ENDINGS, N_, STATES, VERDICTS

FILTERS = {  # names of filters
    "site_id": N_("Site"),
    "number": N_("Tracking number"),
    "caller": N_("Caller"),
    "source": N_("Source"),
    "campaign": N_("Campaign"),
    "term": N_("Term"),
    "channel": N_("Traffic channel"),
    "destination_id": N_("Destination"),
    "employee": N_("Employee"),
    "ending": N_("Outcome"),
    "verdict": N_("Visitor"),
    "state": N_("State"),
    "tag": N_("Tag"),
    "visitor_id": N_("Visitor ID"),
    "wait": N_("Wait"),
    "talk": N_("Talk"),
    "silence": N_("Longest silence"),
    "talk_over": N_("Talk-over"),
    "probability": N_("Probability"),
    "score": N_("Score"),
    "first": N_("First call"),
    "reviewed": N_("Reviewed"),
    "recorded": N_("Recording"),
    "commented": N_("Comments"),
    "entity": N_("CRM record"),
}
YES, NO, NOT_SET = N_("yes"), N_("no"), N_("not known")
VALUES: Mapping[str, Mapping[Any, str]] = {  # of filters with few values
    "ending": ENDINGS,
    "verdict": VERDICTS,
    "state": STATES,
}
