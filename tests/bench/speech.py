"""Recorded human speech of any length as raw A-law, what SIPp's rtp_stream plays."""

import audioop
from pathlib import Path

import numpy as np

from router.asterisk.process import find_installation
from router.phone.speech import read_speech

_RATE = 8000
_SAYS = {
    "caller": ("demo-congrats", "demo-instruct", "vm-goodbye"),
    "company": ("vm-intro", "vm-options", "demo-moreinfo", "auth-thankyou"),
}


def speech(directory: Path, who: str, seconds: float) -> Path:
    """A file of `seconds` of `who` ('caller' or 'company') speaking."""
    recorded = find_installation().speech
    assert recorded is not None, "install asterisk-core-sounds-en-wav"
    said = np.asarray(
        read_speech(path for name in _SAYS[who] if (path := recorded / f"{name}.wav").exists())
    )
    samples = np.resize(said, int(seconds * _RATE)).astype(np.int16)
    path = directory / f"{who}.alaw"
    path.write_bytes(audioop.lin2alaw(samples.tobytes(), 2))
    return path
