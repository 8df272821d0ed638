"""The codes of outcomes of analytics and webhooks, each with its English sentence: see `codes`."""

from router.domain.delivery.codes import N_, Code


class VisitorCode(Code):
    """Events that analytics are not sent."""

    VISITOR_FORGOTTEN = "visitor_forgotten", N_("not sent: the visitor is no longer known")
    LEFT_OUT_BY_RULE = "left_out_by_rule", N_("not sent, by rule")
    LEFT_OUT_SPAM = "left_out_spam", N_("not sent: the call is spam")
    LEFT_OUT_NOT_TARGET = "left_out_not_target", N_("not sent: the call is not a target call")
    COUNTED_ALREADY = (
        "counted_already",
        N_("the call was sent before and stays counted: this service cannot take it back"),
    )
    NOTHING_CHANGED = "nothing_changed", N_("nothing to correct: this service counts it as before")
    EVENT_REFUSED = "event_refused", "%(field)s: %(detail)s"


class Ga4Code(Code):
    """What became of events for Google Analytics."""

    GA4_SENT = "ga4_sent", "%(status)s: %(events)s"
    GA4_SESSION_UNKNOWN = (
        "ga4_session_unknown",
        N_("sent without a session: the session is not known"),
    )
    GA4_SESSION_LATER = (
        "ga4_session_later",
        N_("sent without a session: the known session began after the call"),
    )
    GA4_SESSION_OVER = (
        "ga4_session_over",
        N_("sent without a session: the session of %(began)s takes events for 24 h only"),
    )


class GoogleAdsCode(Code):
    """What Google made of conversions."""

    GOOGLE_REQUEST = "google_request", N_("request %(request)s: %(count)s conversions")
    GOOGLE_WORKS = "google_works", N_("Google has not reported a result yet")
    GOOGLE_SILENT = "google_silent", N_("Google reported no result")
    GOOGLE_USED = "google_used", N_("used by Google")
    GOOGLE_COUNTED_BEFORE = "google_counted_before", N_("counted by Google before: %(detail)s")
    GOOGLE_LATER = "google_later", N_("Google could not use it yet: %(detail)s")
    GOOGLE_NEVER = "google_never", N_("Google accepted it but could not use it: %(detail)s")
    GOOGLE_NO_REASON = (
        "google_no_reason",
        N_("Google accepted it but could not use it, and gives no reason"),
    )
    GOOGLE_SOME_LATER = "google_some_later", N_("Google could not use some of them yet: %(detail)s")
    GOOGLE_SOME_UNUSED = (
        "google_some_unused",
        N_("used by Google, except for some records that it does not name: %(detail)s"),
    )


class MetricaCode(Code):
    """What Metrica made of uploads."""

    METRICA_UPLOAD = "metrica_upload", N_("upload %(upload)s: %(count)s lines")
    METRICA_UPLOAD_PARTLY = (
        "metrica_upload_partly",
        N_("upload %(upload)s: %(count)s lines, of which %(passed)s passed"),
    )
    METRICA_UPLOADED_BEFORE = (
        "metrica_uploaded_before",
        N_("%(count)s uploaded by an earlier attempt"),
    )
    METRICA_WORKS = "metrica_works", N_("Metrica has not reported a result yet")
    METRICA_SILENT = "metrica_silent", N_("Metrica reported no result")
    METRICA_BOUND = "metrica_bound", N_("matched to visits by Metrica")
    METRICA_BOUND_PARTLY = "metrica_bound_partly", N_("matched to visits by Metrica, but not all")
    METRICA_NOT_BOUND = "metrica_not_bound", N_("matched to no visit by Metrica")
    METRICA_NO_VISITOR = (
        "metrica_no_visitor",
        N_("%(count)s of %(all)s lines: Metrica knows no such visitor"),
    )
    METRICA_NO_GOAL = (
        "metrica_no_goal",
        N_(
            "%(count)s of %(all)s lines: the goal is not in the counter: `ringtrace crm connect` "
            "creates it"
        ),
    )
    METRICA_INVALID = (
        "metrica_invalid",
        N_("%(count)s of %(all)s lines: Metrica's validation failed"),
    )


class WebhookCode(Code):
    """What became of a request to a webhook."""

    WEBHOOK_ADDRESS = "webhook_address", N_("the address cannot be used: %(detail)s")
    WEBHOOK_FORBIDDEN = (
        "webhook_forbidden",
        N_("%(host)s is a link-local or cloud metadata address: no webhook is sent there"),
    )
    WEBHOOK_MOVED = (
        "webhook_moved",
        N_(
            "%(status)s: the receiver has moved to %(address)s: enter the new address with "
            "`ringtrace webhook change %(receiver)s --url`"
        ),
    )
    WEBHOOK_MOVED_AWAY = (
        "webhook_moved_away",
        N_(
            "%(status)s: the receiver has moved to another server: enter its new address with"
            " `ringtrace webhook change %(receiver)s --url`"
        ),
    )
    WEBHOOK_LOGIN = (
        "webhook_login",
        N_(
            "%(status)s %(detail)s: the receiver requires a user name and password, or "
            "refuses those given: enter them with `ringtrace webhook change %(receiver)s "
            "--user NAME`"
        ),
    )
    WEBHOOK_GONE = (
        "webhook_gone",
        N_(
            "%(status)s %(detail)s: the receiver says that this address no longer exists: "
            "enter another with `ringtrace webhook change %(receiver)s --url`, or remove the "
            "webhook"
        ),
    )
