"""The recorder: makes one verified, measured stereo file of what Asterisk recorded of a call, and
keeps it.

It imports nothing of the router, so that encoding can run in a process of its own: it knows
nothing of calls, databases or settings, only of a pair of spool files and a storage.
"""

from recordings.conversion import Part, as_mp3, as_wav, check_converter, wav_bytes
from recordings.growth import Course
from recordings.recording import AudioWarning, Format, Recording, Side, Span, key_for
from recordings.sides import take_side
from recordings.spool import SpoolPair, discard, is_settled, keep_aside
from recordings.storage import Storage, StoredFile
from recordings.storing import recall, store_pair

__all__ = [
    "AudioWarning",
    "Course",
    "Format",
    "Part",
    "Recording",
    "Side",
    "Span",
    "SpoolPair",
    "Storage",
    "StoredFile",
    "as_mp3",
    "as_wav",
    "check_converter",
    "discard",
    "is_settled",
    "keep_aside",
    "key_for",
    "recall",
    "store_pair",
    "take_side",
    "wav_bytes",
]
