"""The codes of outcomes, each with its English sentence: of servers, our settings and deliveries.

A sentence is the key of its translations. Its parameters are named; `detail` is always what the
other system said, in its own words. Codes are stored and sent: a code keeps its meaning for ever.
"""

from enum import StrEnum
from typing import Self


def N_(sentence: str) -> str:
    """Mark a sentence for translation."""
    return sentence


class Code(StrEnum):
    """The kind of all codes."""

    template: str

    def __new__(cls, code: str, template: str) -> Self:
        """A code with its sentence."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.template = template
        return member


class AnswerCode(Code):
    """What a server answered, or that it did not."""

    TEXT = "text", "%(text)s"
    ACCEPTED = "accepted", "%(status)s %(detail)s"
    REFUSED = "refused", "%(status)s %(detail)s"
    NOT_FOUND = "not_found", "%(status)s %(detail)s"
    UNAVAILABLE = "unavailable", "%(status)s %(detail)s"
    REQUEST_REFUSED = "request_refused", "%(request)s: %(detail)s"
    REQUEST_FAILED = "request_failed", "%(request)s: %(detail)s"
    TOKEN_REJECTED = (
        "token_rejected",
        N_("the token is refused or lacks a right: %(status)s %(detail)s"),
    )
    NO_ACCESS_TOKEN = (
        "no_access_token",
        N_(
            "no access token is issued (%(detail)s): check the app, then run `ringtrace crm connect"
            " %(receiver)s`"
        ),
    )
    CONNECT_AGAIN = (
        "connect_again",
        N_(
            "access has ended or was revoked (%(detail)s): connect again with `ringtrace crm "
            "connect %(receiver)s --app`"
        ),
    )
    RENEWAL_LOST = (
        "renewal_lost",
        N_(
            "access has ended: Ringtrace was stopped while it was renewed, %(began)s: connect again"
            " with `ringtrace crm connect %(receiver)s --app`"
        ),
    )
    TOO_MANY_REQUESTS = (
        "too_many_requests",
        N_("%(system)s refuses more requests for now: %(detail)s"),
    )
    SERVER_MOVED = (
        "server_moved",
        N_(
            "%(status)s: the server has moved to %(address)s: enter the new address with "
            "`ringtrace crm change`"
        ),
    )
    NOT_ITS_API = (
        "not_its_api",
        N_("the answer is not from %(system)s's API: is the address that of the account?"),
    )
    INCOMPLETE_ANSWER = "incomplete_answer", N_("the answer of %(system)s lacks %(missing)s")
    ANSWER_TOO_LONG = "answer_too_long", N_("an answer of more than %(megabytes)s MB")
    ANSWER_IN_PIECES = "answer_in_pieces", N_("an answer in more than %(count)s pieces")
    PACKED_ANSWER = "packed_answer", N_("%(where)s: a compressed answer, which was not requested")
    NOT_HTTP = "not_http", N_("%(where)s: the answer is not HTTP, or is incomplete")
    TIMED_OUT = "timed_out", N_("no complete answer within %(seconds)s s")
    NO_CONNECTION = "no_connection", N_("no connection to %(where)s: %(detail)s")
    PROXY_REFUSED = (
        "proxy_refused",
        N_("%(where)s: the proxy refuses (%(detail)s): see RINGTRACE_HTTP_PROXY"),
    )
    CERTIFICATE_EXPIRED = (
        "certificate_expired",
        N_("%(where)s: its certificate has expired: renew it there"),
    )
    CERTIFICATE_OF_ANOTHER = (
        "certificate_of_another",
        N_("%(where)s: its certificate is for another name (%(detail)s)"),
    )
    CERTIFICATE_NOT_TRUSTED = (
        "certificate_not_trusted",
        N_(
            "%(where)s: its certificate is not trusted (%(detail)s): add the certificate authority"
            " that issued it to the system's, or name its file in RINGTRACE_CA_FILE"
        ),
    )


class SettingCode(Code):
    """What is wrong with our own settings."""

    NETWORK_SETTINGS = "network_settings", N_("the network settings cannot be used: %(detail)s")
    DATABASE_DOWN = "database_down", N_("Ringtrace's database does not answer: %(detail)s")
    SECRETS_UNREADABLE = "secrets_unreadable", N_("Ringtrace's secrets cannot be read: %(detail)s")
    SECRETS_UNWRITABLE = (
        "secrets_unwritable",
        N_("Ringtrace's secrets cannot be written: %(detail)s"),
    )
    NO_TOKEN = (
        "no_token",
        N_("'%(receiver)s' has no token: run `ringtrace crm connect %(receiver)s`"),
    )
    SETTINGS_UNUSABLE = (
        "settings_unusable",
        N_(
            "the settings of '%(receiver)s' cannot be used (%(detail)s): run `ringtrace crm "
            "connect %(receiver)s`"
        ),
    )
    OPTION_NOT_SECONDS = (
        "option_not_seconds",
        N_("the option %(option)s is '%(found)s': make it a number of seconds, or empty"),
    )
    OPTION_NOT_TIME_ZONE = (
        "option_not_time_zone",
        N_(
            "'%(found)s' is not a time zone: set the option '%(option)s' to that of the "
            "account, e.g. Europe/Moscow"
        ),
    )
    NOT_A_NUMBER = "not_a_number", N_("%(name)s is '%(found)s', but %(system)s uses only numbers")
    NO_SUCH_ID = (
        "no_such_id",
        N_("'%(found)s' is not a %(kind)s of %(system)s: IDs there are numbers"),
    )


class SendingCode(Code):
    """What became of a delivery before it was sent, or as a whole."""

    RECEIVER_REMOVED = (
        "receiver_removed",
        N_("the receiver '%(receiver)s' was removed or switched off"),
    )
    CONNECTION_REMOVED = "connection_removed", N_("the connection '%(receiver)s' was removed")
    WEBHOOK_REMOVED = "webhook_removed", N_("the webhook '%(receiver)s' was removed")
    OTHER_SITE = "other_site", N_("the receiver '%(receiver)s' now gets the calls of another site")
    CUT_OFF = "cut_off", N_("too late: %(receiver_kind)s takes this until %(until)s")
    DEADLINE = (
        "deadline",
        N_("too late: Ringtrace tried until %(until)s, %(days)s days; it can be sent again"),
    )
    NOT_DONE_IN_TIME = "not_done_in_time", N_("not done within %(seconds)s s")
    UNREADABLE_PAYLOAD = (
        "unreadable_payload",
        N_("the payload of this delivery cannot be read: %(detail)s"),
    )
    UNSTORABLE_ANSWER = (
        "unstorable_answer",
        N_("the receiver's answer cannot be stored: %(detail)s"),
    )
    INTERNAL_ERROR = "internal_error", N_("an internal error of Ringtrace: %(detail)s")
    NOTHING_TO_SEND = "nothing_to_send", N_("nothing to send")
    RECORD = "record", N_("record %(place)s")
