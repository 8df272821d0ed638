"""Every error Ringtrace raises on purpose, in one tree.

RingtraceError
├── InvalidInput            something from outside cannot be accepted as it is
├── NotFound                what was named does not exist
├── Conflict                it exists already, or is still in use
├── NotAllowed              who asks may not do this
├── TooManyAttempts         who asks must wait
├── NumbersExhausted        every number of the pool is leased
├── ConfigurationError      settings or files contradict each other; a person has to fix them
└── Unavailable             something we depend on does not answer; trying again may help
    ├── AsteriskUnavailable
    │   └── LoginRefused    Asterisk answers, but not to our name and secret
    ├── DatabaseUnavailable
    │   └── WriteUndone     a deadlock and the like: the same may succeed at once
    ├── TookTooLong         a search or report was stopped
    ├── MailboxUnavailable  a mailbox cannot be read: see `service.mail`
    └── ReceiverUnavailable an outside system did not take a delivery: see `service.delivery`

A class's docstring is its default message. HTTP codes are known to `router.web` alone.
"""


class RingtraceError(Exception):
    """Ringtrace cannot go on with this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())

    @property
    def message(self) -> str:
        """The sentence for people: what was wrong, where, and what to do."""
        return str(self.args[0])


class InvalidInput(RingtraceError):
    """A value cannot be accepted as it is."""


class NotFound(RingtraceError):
    """Nothing by that name exists here."""


class Conflict(RingtraceError):
    """It exists already, or something still uses it."""


class NotAllowed(RingtraceError):
    """You may not do this with these credentials."""


class TooManyAttempts(RingtraceError):
    """Too many attempts: wait a minute and try again."""


class NumbersExhausted(RingtraceError):
    """Every number of this pool is leased at the moment; the page keeps the company's own
    number.
    """


class ConfigurationError(RingtraceError):
    """The configuration contradicts itself."""


class Unavailable(RingtraceError):
    """Something Ringtrace depends on does not answer; it will be tried again."""


class AsteriskUnavailable(Unavailable):
    """Asterisk's manager interface does not answer."""


class LoginRefused(AsteriskUnavailable):
    """Asterisk refuses our manager name or secret: run `ringtrace doctor`."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""


class WriteUndone(DatabaseUnavailable):
    """The database has undone this write; trying again may succeed at once."""


class TookTooLong(Unavailable):
    """This took too long and was stopped: choose fewer days, or say more of the number or name."""
