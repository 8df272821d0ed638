"""Errors of recordings, by what the caller can do about them.

RecordingError
├── InvalidName            the caller's mistake: nothing was touched
├── SpoolMissing           neither spool nor storage has it: nothing to do again
├── NoSound                the spool pair is untouched and empty: discard it once Asterisk has surely closed it
├── BrokenSpool            kept aside in ``<spool>/broken``: a person has to look
│   ├── NotAFile
│   └── OtherFormat
├── NotStored
├── OutsideRecording
└── Retryable              the spool pair is untouched: the same call may succeed later
    ├── SpoolBusy
    ├── SpoolUnreadable
    ├── StillGrowing
    ├── DiskFull
    ├── EncoderMissing
    ├── EncoderFailed
    ├── EncoderTimedOut
    └── StorageFailed
        └── StoredCopyDiffers
"""  # noqa: E501

from inspect import getdoc


class RecordingError(Exception):
    """The recording could not be handled."""

    def __init__(self, message: str | None = None, **facts: str | int) -> None:
        super().__init__(message or getdoc(type(self)))
        self.facts = facts  # what the message names


class InvalidName(RecordingError):
    """A recording's name or key may hold letters, digits, dot, underscore and hyphen only."""


class SpoolMissing(RecordingError):
    """The spool holds neither side of this recording, and the storage has no finished one."""


class NoSound(RecordingError):
    """Neither side sent any sound, or the disk was full."""


class BrokenSpool(RecordingError):
    """The spool files hold no usable audio; they were kept aside."""


class NotAFile(BrokenSpool):
    """A spool file is a link, a pipe or a directory."""


class OtherFormat(BrokenSpool):
    """A spool file has another format than raw 8 kHz samples."""


class NotStored(RecordingError):
    """The storage has no recording under this key."""


class OutsideRecording(RecordingError):
    """The bytes asked for begin after the end of the recording."""


class Retryable(RecordingError):
    """The recording could not be handled now; its spool files are untouched, try again later."""


class SpoolBusy(Retryable):
    """Another worker is handling this recording."""


class SpoolUnreadable(Retryable):
    """The spool cannot be used; check that the worker's user may read and remove Asterisk's
    files.
    """


class StillGrowing(Retryable):
    """Asterisk wrote to the spool files while they were being encoded."""


class DiskFull(Retryable):
    """There is no space left on the disk; free some, nothing was lost."""


class EncoderMissing(Retryable):
    """The program ffmpeg was not found; install it or set its path."""


class EncoderFailed(Retryable):
    """ffmpeg ended without a whole file."""


class EncoderTimedOut(Retryable):
    """ffmpeg did not finish in time and was stopped."""


class StorageFailed(Retryable):
    """The storage cannot be reached, or refused."""


class StoredCopyDiffers(StorageFailed):
    """What the storage gives back is not what was put on it; that copy was deleted."""
