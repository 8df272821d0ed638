"""The recorder: makes one verified, measured stereo file of what Asterisk recorded of a call, and
keeps it.

It stands alone so that encoding can run in its own process and be trusted on its own: it knows
nothing of calls, databases or settings, only of a pair of spool files and a shelf.
"""

from recordings.recording import AudioWarning, Format, Recording, Side, key_for
from recordings.shelf import Shelf, Shelved
from recordings.shelving import recall, shelve
from recordings.spool import SpoolPair, discard, is_settled, keep_aside

__all__ = [
    "AudioWarning",
    "Format",
    "Recording",
    "Shelf",
    "Shelved",
    "Side",
    "SpoolPair",
    "discard",
    "is_settled",
    "keep_aside",
    "key_for",
    "recall",
    "shelve",
]
