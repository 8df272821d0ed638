"""The codes of what is odd about a recording and of why there is none: see `codes`."""

from router.domain.delivery.codes import N_, Code


class RecordingCode(Code):
    """Each is a `recordings.AudioWarning` by the same name."""

    CALLER_MISSING = "caller_missing", N_("the caller's side was not recorded")
    COMPANY_MISSING = "company_missing", N_("the company's side was not recorded")
    CALLER_SILENT = "caller_silent", N_("no speech on the caller's side")
    COMPANY_SILENT = "company_silent", N_("no speech on the company's side")
    CALLER_ENDS = "caller_ends", N_("no sound on the caller's side from %(position)s to the end")
    COMPANY_ENDS = "company_ends", N_("no sound on the company's side from %(position)s to the end")
    CUT_SAMPLE = "cut_sample", N_("a side ends in the middle of a sample")
    SIDES_DIFFER = "sides_differ", N_("the sides differ in length by more than a second")
    LONGER_THAN_TALK = "longer_than_talk", N_("longer than the talk time")
    MUCH_SHORTER_THAN_TALK = "much_shorter_than_talk", N_("less than half of the talk time")
    CLIPPED = "clipped", N_("a side is overdriven")


class NoRecordingCode(Code):
    """Why a call has no recording, or has none yet."""

    NOTHING_WRITTEN = (
        "nothing_written",
        N_("Asterisk ended before it wrote any audio: it keeps up to two seconds in memory"),
    )
    NO_SOUND = "no_sound", N_("neither side sent any sound, or the disk was full")
    SPOOL_MISSING = (
        "spool_missing",
        N_("the spool has neither side of this recording, and the storage has no finished one"),
    )
    BROKEN_SPOOL = "broken_spool", N_("the spool files hold no usable audio; they were kept aside")
    NOT_A_FILE = "not_a_file", N_("%(file)s is not a plain file; it was kept aside")
    OTHER_FORMAT = (
        "other_format",
        N_("%(file)s is a %(format)s file, not raw 8 kHz samples; it was kept aside"),
    )
    INVALID_NAME = (
        "invalid_name",
        N_(
            "the CEL log contains an invalid file name: it may have letters, digits, dots, "
            "underscores and hyphens only"
        ),
    )
    SPOOL_BUSY = "spool_busy", N_("another worker is processing this recording")
    SPOOL_UNREADABLE = (
        "spool_unreadable",
        N_(
            "the spool cannot be used (%(detail)s): check that the worker's user may read and "
            "remove Asterisk's files"
        ),
    )
    STILL_GROWING = (
        "still_growing",
        N_("Asterisk wrote to the spool files while they were being encoded"),
    )
    DISK_FULL = "disk_full", N_("there is no space left on the disk: free some, nothing was lost")
    DISK_RESERVED = (
        "disk_reserved",
        N_("only %(megabytes)s MB are free at %(path)s: the recording stays in the spool"),
    )
    ENCODER_MISSING = (
        "encoder_missing",
        N_("the program ffmpeg was not found: install it or set its path"),
    )
    ENCODER_FAILED = (
        "encoder_failed",
        N_("ffmpeg ended with status %(status)s without a whole file: %(detail)s"),
    )
    ENCODER_TIMED_OUT = (
        "encoder_timed_out",
        N_("ffmpeg did not finish in time and was stopped"),
    )
    STORAGE_FAILED = "storage_failed", N_("the storage failed with %(key)s: %(detail)s")
    STORED_COPY_DIFFERS = (
        "stored_copy_differs",
        N_("the storage returned other bytes than were stored; that copy was deleted"),
    )
    NOT_STORED = "not_stored", N_("the storage does not have the file that it accepted")
    FILE_UNUSABLE = "file_unusable", N_("a file of the recording cannot be used: %(detail)s")
