"""Labels for the facts of a call. Messages are marked here and translated where they are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from router.domain.attribution.terms import Candidate, Evidence, Verdict
from router.domain.calls.call import (
    Call,
    Direction,
    Ending,
    Period,
    PeriodKind,
    Recording,
    RecordingState,
    RoutedBy,
    State,
    Transfer,
    TransferKind,
    TransferOutcome,
    endpoint,
)
from router.domain.calls.marks import MarkKind
from router.domain.calls.qualification import Sign
from router.domain.delivery.delivery import DeliveryKind, DeliveryState
from router.domain.delivery.entity import CreatedBy, EntityKind
from router.domain.delivery.templates import Part
from router.service.calls.browse import CallView
from router.web.formats import Formats


def N_(message: str) -> str:
    """Mark a message for translation."""
    return message


VERDICTS = {
    Verdict.EXACT: N_("on the site"),
    Verdict.FROZEN: N_("left the site"),
    Verdict.CONTESTED: N_("several visitors"),
    Verdict.STALE: N_("called later"),
    Verdict.STATIC: N_("static number"),
    Verdict.REPEAT: N_("repeat call"),
    Verdict.UNKNOWN: N_("unknown"),
}
EVIDENCE = {
    Evidence.ON_PAGE: N_("was on the site"),
    Evidence.FROZEN: N_("had left; the number was still reserved"),
    Evidence.ENDED: N_("the lease had expired"),
    Evidence.RETAKEN: N_("another visitor had the number by then"),
    Evidence.TAPPED: N_("tapped the number just before the call"),
    Evidence.CODE: N_("the caller gave this visit's promo code"),
    Evidence.FORM: N_("entered this phone number in a form"),
    Evidence.CALLED_BEFORE: N_("has called from this phone before"),
    Evidence.CALLED_OTHERS: N_("another visitor has called from this phone"),
    Evidence.CONTACTS: N_("viewed the contacts page"),
    Evidence.SAME_REGION: N_("the phone is from the visitor's region"),
    Evidence.OTHER_REGION: N_("the phone is from another region"),
}
DIRECTIONS = {Direction.INCOMING: N_("Incoming"), Direction.OUTGOING: N_("Outgoing")}
STATES = {State.RINGING: N_("Ringing"), State.TALKING: N_("Talking"), State.ENDED: N_("Ended")}
ENDINGS = {
    Ending.ANSWERED: N_("Answered"),
    Ending.NO_ANSWER: N_("No answer"),
    Ending.BUSY: N_("Busy"),
    Ending.REFUSED: N_("Refused"),
    Ending.ABANDONED_RINGING: N_("Hung up while ringing"),
    Ending.ABANDONED_EARLY: N_("Hung up before ringing"),
    Ending.ABANDONED: N_("Hung up while waiting"),
    Ending.LOST_IN_TRANSFER: N_("Lost in transfer"),
    Ending.UNREACHABLE: N_("Unreachable"),
    Ending.CUT: N_("Cut off"),
    Ending.NOT_LOGGED: N_("Not in the call log"),
}
REASONS: Mapping[Verdict | None, str] = {  # reasons of verdicts
    Verdict.EXACT: N_(
        "The visitor was on the site during the call, and only they were shown this number."
    ),
    Verdict.FROZEN: N_(
        "The visitor had left the site %(ago)s before the call; the number was still "
        "reserved for them."
    ),
    Verdict.STALE: N_(
        "The visitor's lease had ended %(ago)s before the call, but no other visitor is likelier."
    ),
    Verdict.CONTESTED: N_("Several visitors are about equally likely to be the caller."),
    Verdict.REPEAT: N_(
        "This phone has called before, and no visitor who had the number recently is likelier."
    ),
    Verdict.STATIC: N_("This number belongs to a channel, not to one visitor."),
    Verdict.UNKNOWN: N_("No visitor who saw this number is likely enough to be the caller."),
    None: N_("The call has not been attributed yet."),
}
ROUTED_BY = {
    RoutedBy.AGENT: N_("Ringtrace"),
    RoutedBy.DIALPLAN: N_("Asterisk, from the last known destination"),
    RoutedBy.DEFAULT: N_("the default line"),
}
SIGNS = {
    Sign.BLOCKED: N_("the caller is on the block list"),
    Sign.BURST: N_("five or more short calls to several numbers within ten minutes"),
    Sign.NEVER_LEASED: N_("no visitor was ever shown the number"),
    Sign.SILENT: N_("the caller said nothing"),
}
RULES = {"target": N_("Target calls")}  # those that every installation has
TRANSFERS = {
    TransferKind.BLIND: N_("Blind transfer"),
    TransferKind.ATTENDED: N_("Attended transfer"),
    TransferKind.PARK: N_("Call park"),
}
MARKS = {
    MarkKind.ANSWER: N_("Answered"),
    MarkKind.HOLD: N_("On hold"),
    MarkKind.TRANSFER: N_("Transfer"),
    MarkKind.PAUSE: N_("Not recorded: in transfer"),
    MarkKind.SILENCE: N_("Silence"),
    MarkKind.TALK_OVER: N_("Talk-over"),
    MarkKind.COMMENT: N_("Comment"),
    MarkKind.TAG: N_("Tag"),
    MarkKind.WORD: N_("Word"),
}
OUTCOMES = {
    TransferOutcome.ANSWERED: N_("answered by %(who)s"),
    TransferOutcome.RETURNED: N_("returned to %(who)s"),
    TransferOutcome.NO_ANSWER: N_("no answer"),
    TransferOutcome.BUSY: N_("busy"),
    TransferOutcome.DECLINED: N_("declined"),
    TransferOutcome.FAILED: N_("could not be connected"),
    TransferOutcome.ABANDONED_RINGING: N_("the caller hung up while it rang"),
    TransferOutcome.ABANDONED: N_("the caller hung up while waiting"),
}
PERIODS = {
    PeriodKind.WAIT: N_("Wait"),
    PeriodKind.TALK: N_("Talk"),
    PeriodKind.HOLD: N_("On hold"),
    PeriodKind.TRANSFER: N_("In transfer"),
}
ROLES = {"caller": N_("Caller"), "company": N_("Company"), "other_caller": N_("Another caller")}
DELIVERY_KINDS = {
    DeliveryKind.CALL_ENDED: N_("Call ended"),
    DeliveryKind.CALL_ATTRIBUTED: N_("Attribution changed"),
    DeliveryKind.CALL_QUALIFIED: N_("Target call or spam changed"),
    DeliveryKind.RECORDING_READY: N_("Recording ready"),
    DeliveryKind.MAIL_RECEIVED: N_("Mail received"),
    DeliveryKind.SALE_MADE: N_("Sale made"),
    DeliveryKind.RECEIVER_FAILING: N_("Receiver failing"),
    DeliveryKind.RECEIVER_RECOVERED: N_("Receiver recovered"),
}
DELIVERY_STATES = {
    DeliveryState.PENDING: N_("Pending"),
    DeliveryState.DONE: N_("Delivered"),
    DeliveryState.FAILED: N_("Failed"),
    DeliveryState.NEEDS_REVIEW: N_("Needs review"),
    DeliveryState.DISMISSED: N_("Dismissed"),
}
PARTS = {
    Part.TITLE: N_("Title of a deal or lead"),
    Part.CONTACT: N_("Name of a contact or company"),
    Part.NOTE: N_("Note"),
    Part.TASK: N_("Task for a missed call"),
}
ENTITY_KINDS = {
    EntityKind.CONTACT: N_("Contact"),
    EntityKind.COMPANY: N_("Company"),
    EntityKind.LEAD: N_("Lead"),
    EntityKind.DEAL: N_("Deal"),
}
CREATORS = {
    CreatedBy.US: N_("created by Ringtrace"),
    CreatedBy.NOTE: N_("note by Ringtrace"),
    CreatedBy.TELEPHONY: N_("created by the telephony"),
    CreatedBy.PERSON: N_("chosen by a person"),
    CreatedBy.API: N_("reported through the API"),
}
CAUSES = {  # Q.850
    1: N_("Number not in use"),
    3: N_("No route to the number"),
    16: N_("Normal hang-up"),
    17: N_("Busy"),
    18: N_("No response"),
    19: N_("No answer"),
    20: N_("Phone not registered"),
    21: N_("Refused"),
    22: N_("Number has changed"),
    26: N_("Answered elsewhere"),
    27: N_("Destination out of order"),
    28: N_("Number incomplete"),
    29: N_("Rejected by the other side"),
    31: N_("Normal"),
    34: N_("No free channel"),
    38: N_("Network out of order"),
    41: N_("Temporary failure"),
    42: N_("Congestion"),
    44: N_("Channel not available"),
    58: N_("No common codec"),
    88: N_("Incompatible destination"),
    102: N_("Timed out"),
    127: N_("No reason given"),
}
NO_RECORDING = {
    RecordingState.WAITING: N_("The recording is being processed and will appear here."),
    RecordingState.DISCARDED: N_("The call was not answered, so there is no recording."),
    RecordingState.MISSING: N_("There is no recording of this call."),
    RecordingState.BROKEN: N_(
        "The recording is damaged; its files are kept for the administrator."
    ),
}
WEBHOOK = N_("webhook")
TAGS = {  # tags that rules set, or that do something; others are shown as typed
    "missed": N_("missed"),
    "not needed": N_("not needed"),
    "spam": N_("spam"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Labels in one reader's language."""

    gettext: Callable[[str], str]
    formats: Formats

    def outcome(self, call: Call) -> str:
        """State or ending of a call."""
        return self.gettext(ENDINGS[call.ending] if call.ending else STATES[call.state])

    def tone(self, call: Call) -> str:
        """The colour of that: live, good, bad or quiet."""
        if call.state is not State.ENDED:
            return "live"
        if call.ending is Ending.ANSWERED:
            return "good"
        return "bad" if call.ending else "quiet"

    def transfer(self, transfer: Transfer) -> str:
        """Outcome of a transfer, and after how long."""
        if transfer.outcome is None:
            return ""
        words = self.gettext(OUTCOMES[transfer.outcome]) % {"who": transfer.answered_by or "?"}
        return f"{words} · {self.formats.clock(transfer.wait_seconds)}"

    def period(self, period: Period) -> str:
        """Kind of a period, and the persons in it."""
        people = ", ".join(dict.fromkeys(endpoint(channel) for channel in period.channels))
        name = self.gettext(PERIODS[period.kind])
        if not people:
            return name
        return f"{name}: {people}"

    def cause(self, code: int) -> str:
        """A Q.850 cause as text."""
        if code in CAUSES:
            return self.gettext(CAUSES[code])
        return self.gettext(N_("Cause %(code)s")) % {"code": code}

    def why_no_recording(self, call: Call, recording: Recording | None) -> str:
        """Why there is no recording."""
        if recording is not None:
            return self.gettext(NO_RECORDING[recording.state])
        if call.state is State.ENDED:
            return self.gettext(N_("There is no recording of this call."))
        return self.gettext(N_("The recording will appear here after the call."))

    def evidence(self, candidate: Candidate) -> str:
        """The evidence for a candidate."""
        return "; ".join(self.gettext(EVIDENCE[evidence]) for evidence in candidate.evidence)

    def why_this_verdict(self, view: CallView, channel: str | None) -> str:
        """One sentence: the reason for the verdict."""
        call, lease = view.call, view.lease
        since = {Verdict.FROZEN: "seen_at", Verdict.STALE: "ends_at"}.get(
            call.verdict or Verdict.UNKNOWN
        )
        ago = "…"
        if lease and since and call.arrived_at != getattr(lease, since):
            ago = self.formats.span(call.arrived_at - getattr(lease, since))

        values = {
            "channel": channel or "",
            "code": call.code or "",
            "ago": ago,
        }
        return self.gettext(_reason(call, channel)) % values


def _reason(call: Call, channel: str | None) -> str:
    """The message that explains a call's verdict."""
    by_code = call.code and call.visit_id
    if by_code and call.verdict not in (Verdict.EXACT, Verdict.FROZEN):
        return N_("The caller gave the promo code %(code)s, which was shown in this visit only.")

    match call.verdict:
        case Verdict.REPEAT if call.visitor_id:
            return N_("This phone has called before: it is the same visitor.")
        case Verdict.STATIC if channel:
            return N_("This number belongs to the channel “%(channel)s”, not to one visitor.")
        case Verdict.UNKNOWN if call.number is None:
            return N_("The dialled number is not a tracking number.")
        case Verdict.UNKNOWN if not call.candidates:
            return N_("No visitor was shown this number in the month before the call.")
    return REASONS[call.verdict]
