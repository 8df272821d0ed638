"""The codes of transcripts that are not made, each with its English sentence: see `codes`."""

from router.domain.delivery.codes import N_, Code


class TranscriptCode(Code):
    """Why there is no transcript, or not yet."""

    NO_RECORDING = "transcript_no_recording", N_("the recording is no longer in the storage")
    STORAGE_FAILED = "transcript_storage_failed", N_("the recording cannot be read: %(detail)s")
    NOT_DECODED = "transcript_not_decoded", N_("the recording cannot be decoded: %(detail)s")
    RULE_REMOVED = "transcript_rule_removed", N_("the rule “%(rule)s” was removed")
    ENGINE_MISSING = (
        "transcript_engine_missing",
        N_("faster-whisper is not installed: `pip install 'ringtrace[transcribe]'`"),
    )
    MODEL_FAILED = "transcript_model_failed", N_("the model %(model)s cannot be used: %(detail)s")
    ENGINE_DIED = "transcript_engine_died", N_("the process of the local engine ended: %(detail)s")
    NO_TEXT = "transcript_no_text", N_("the server answered without a text: %(detail)s")
    FAULT = "transcript_fault", N_("a fault of Ringtrace: %(detail)s")
