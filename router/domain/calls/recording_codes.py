"""The codes of what is odd about a recording, each with its English sentence: see `codes`."""

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
