"""Errors of the softphone."""

from router.errors import RingtraceError


class PhoneError(RingtraceError):
    """The softphone failed."""


class CallRefused(PhoneError):
    """The call ended without an answer."""

    def __init__(self, status: int | None) -> None:
        self.status = status  # the SIP status of the refusal; None if we gave up first
        super().__init__(f"The call ended without an answer (SIP status {status}).")


class CallNotUp(PhoneError):
    """The call is not answered, or has ended."""


class TimeExpired(PhoneError):
    """The expected event did not happen in time."""
