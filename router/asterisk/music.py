"""Generates the music on hold, so that it has no licence."""

import wave
from pathlib import Path

import numpy as np

RATE = 8000  # the trunks' rate, so that nothing is resampled
CHORD_SECONDS = 4.0
LEVEL = 0.06  # of full scale, for each note: softer than speech
# C, A minor, F, G: frequencies in Hz
CHORDS = (
    (261.6, 329.6, 392.0),
    (220.0, 261.6, 329.6),
    (174.6, 220.0, 261.6),
    (196.0, 246.9, 293.7),
)


def write_music(path: Path) -> None:
    """Write an 8 kHz mono .wav that begins and ends in silence, so that it can be looped."""
    samples = np.concatenate([_chord(notes) for notes in CHORDS])
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def _chord(notes: tuple[float, ...]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    times = np.arange(int(RATE * CHORD_SECONDS)) / RATE
    sound = np.zeros_like(times)
    for number, frequency in enumerate(notes):
        begins = times - number * 0.5  # one note after the other
        swell = np.clip(begins / 0.2, 0, 1) * np.clip((CHORD_SECONDS - times) / 0.8, 0, 1)
        sound += (
            LEVEL
            * swell
            * (np.sin(2 * np.pi * frequency * times) + 0.3 * np.sin(4 * np.pi * frequency * times))
        )
    return sound
