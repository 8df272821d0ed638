"""Labels for the filters of calls."""

from collections.abc import Mapping
from typing import Any

from router.domain.calls.columns import Column
from router.web.words import DIRECTIONS, ENDINGS, N_, STATES, VERDICTS

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
    "scored": N_("Scored employee"),
    "ending": N_("Outcome"),
    "verdict": N_("Visitor"),
    "state": N_("State"),
    "direction": N_("Direction"),
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
    "target": N_("Target call"),
    "spam": N_("Spam"),
    "to_review": N_("Review asked for"),
    "keys": N_("Keys pressed"),
    "entity": N_("CRM record"),
    "hours": N_("Time of day"),
}
YES, NO, NOT_SET = N_("yes"), N_("no"), N_("not known")
VALUES: Mapping[str, Mapping[Any, str]] = {  # of filters with few values
    "ending": ENDINGS,
    "verdict": VERDICTS,
    "state": STATES,
    "direction": DIRECTIONS,
}
COLUMNS = {  # names of columns
    Column.TIME: N_("Time"),
    Column.CALLER: N_("Caller"),
    Column.NUMBER: N_("Number"),
    Column.SOURCE: N_("Source"),
    Column.VERDICT: N_("Visitor"),
    Column.ENDING: N_("Outcome"),
    Column.WAIT: N_("Wait"),
    Column.TALK: N_("Talk"),
    Column.TAGS: N_("Tags"),
    Column.SITE: N_("Site"),
    Column.CAMPAIGN: N_("Campaign"),
    Column.TERM: N_("Term"),
    Column.CHANNEL: N_("Traffic channel"),
    Column.DESTINATION: N_("Destination"),
    Column.EMPLOYEE: N_("Employee"),
    Column.PROBABILITY: N_("Probability"),
    Column.SCORE: N_("Score"),
    Column.FIRST: N_("First call"),
    Column.REVIEWED: N_("Reviewed"),
    Column.TARGET: N_("Target call"),
    Column.SPAM: N_("Spam"),
    Column.SILENCE: N_("Longest silence"),
    Column.TALK_OVER: N_("Talk-over"),
    Column.HOLD: N_("On hold"),
    Column.DIRECTION: N_("Direction"),
    Column.ID: N_("Call ID"),
}
ORDERS = {  # names of orders, by what addresses say
    "": N_("Newest first"),
    "time.up": N_("Oldest first"),
    "wait": N_("Longest wait first"),
    "wait.up": N_("Shortest wait first"),
    "talk": N_("Longest talk first"),
    "talk.up": N_("Shortest talk first"),
    "silence": N_("Longest silence first"),
    "talk_over": N_("Most talk-over first"),
    "probability": N_("Most probable visitor first"),
    "probability.up": N_("Least probable visitor first"),
    "score": N_("Highest score first"),
    "score.up": N_("Lowest score first"),
}
VIEWS = {  # names of the built-in views
    "missed-today": N_("Missed today"),
    "not-reviewed": N_("Not reviewed"),
    "long-silence": N_("Long silence"),
    "new-callers": N_("New callers"),
}
