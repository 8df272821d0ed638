"""What can go wrong on the softphone."""

from router.errors import RingtraceError


class PhoneError(RingtraceError):
    """The softphone failed."""


class CallRefused(PhoneError):
    """The call ended without an answer."""

    def __init__(self, status: int | None) -> None:
        self.status = status  # the SIP status that says why; None when we gave up first
        super().__init__(f"The call ended without an answer (SIP status {status}).")


class CallNotUp(PhoneError):
    """The call is not answered, or has ended."""


class TimeExpired(PhoneError):
    """What was waited for did not happen in time."""
