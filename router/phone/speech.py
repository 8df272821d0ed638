"""Recorded human speech for a softphone: 8 kHz, 16 bit, mono."""

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from router.errors import ConfigurationError

Samples = NDArray[np.int16]

RATE = 8000
PAUSE_SECONDS = 0.3  # pause between two files


def read_speech(files: Iterable[Path]) -> Samples:
    """Read these wav files and join them. Raises `ConfigurationError` for a file that is not 8
    kHz, 16 bit, mono.
    """
    pieces: list[Samples] = []
    for path in files:
        try:
            with wave.open(str(path)) as file:
                shape = (file.getframerate(), file.getsampwidth(), file.getnchannels())
                pieces.append(np.frombuffer(file.readframes(file.getnframes()), dtype="<i2"))
        except (OSError, wave.Error, EOFError) as error:
            raise ConfigurationError(f"{path} is not a wav file: {error}") from error
        if shape != (RATE, 2, 1):
            raise ConfigurationError(f"{path} is not 8 kHz, 16 bit, mono")
        pieces.append(np.zeros(int(RATE * PAUSE_SECONDS), dtype=np.int16))
    return np.concatenate(pieces)


def speaks(samples: Samples, level: int = 300) -> float:
    """Seconds of sound: 20 ms frames that are louder than `level` (root mean square)."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(np.float64)
    if not frames.size:
        return 0.0
    return float(np.count_nonzero(np.sqrt((frames**2).mean(axis=1)) > level) * 0.02)
