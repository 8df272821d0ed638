"""Sounds for the recorder's tests, as 8 kHz 16-bit samples, and the pairs of spool files made of
them.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recordings import SpoolPair

RATE = 8000
PCAP = Path("/usr/share/sip-tester/g711a.pcap")
Sound = NDArray[np.int16]


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE), dtype=np.int16)


def idle(seconds: float) -> Sound:
    """A telephone's silence in A-law: never exactly zero."""
    return np.resize(np.array([8, -8], dtype=np.int16), round(seconds * RATE))


def tone(seconds: float, *, hertz: float = 1000, dbfs: float = -20) -> Sound:
    """A steady sine; dbfs is its root mean square."""
    peak = 32767 * 10 ** (dbfs / 20) * 2**0.5
    turns = np.arange(round(seconds * RATE)) * hertz / RATE
    return np.clip(peak * np.sin(2 * np.pi * turns), -32768, 32767).astype(np.int16)


def noise(seconds: float, *, dbfs: float = -40, seed: int = 1) -> Sound:
    """White noise."""
    samples = np.random.default_rng(seed).normal(
        0, 32768 * 10 ** (dbfs / 20), round(seconds * RATE)
    )
    return np.clip(samples, -32768, 32767).astype(np.int16)


def babble(seconds: float, *, dbfs: float = -20) -> Sound:
    """A voice without words: four syllables a second, their loudness rising and falling by 40
    dB.
    """
    times = np.arange(round(seconds * RATE)) / RATE
    loudness = 10 ** (-2 * np.cos(np.pi * 4 * times) ** 2)
    return (noise(seconds, dbfs=dbfs, seed=2) * loudness).astype(np.int16)


def spoken(text: str) -> Sound:
    """A sentence by espeak-ng."""
    with tempfile.TemporaryDirectory() as directory:
        wav = Path(directory) / "spoken.wav"
        subprocess.run(["espeak-ng", "-w", str(wav), text], check=True)
        return decoded(wav)[:, 0]


def recorded_human() -> Sound:
    """Seven seconds of a person on a real telephone line: the A-law packets that sip-tester
    brings.
    """
    capture, position, sound = PCAP.read_bytes(), 24, b""
    while position < len(capture):
        size = int.from_bytes(capture[position + 8 : position + 12], "little")
        sound += capture[position + 16 + 14 + 20 + 8 + 12 : position + 16 + size]
        position += 16 + size
    command = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-f",
        "alaw",
        "-ar",
        "8000",
        "-i",
        "-",
        "-f",
        "s16le",
        "-",
    ]
    return np.frombuffer(
        subprocess.run(command, input=sound, capture_output=True, check=True).stdout, "<i2"
    )


def decoded(file: Path, *, channels: int = 1, rate: int = RATE) -> Sound:
    """What ffmpeg hears in a file: one row a sample, one column a channel."""
    command = ["ffmpeg", "-loglevel", "error", "-i", str(file), "-f", "s16le"]
    command += ["-ac", str(channels), "-ar", str(rate), "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, "<i2").reshape(-1, channels)


def level(sound: Sound) -> float:
    """Root mean square in dB below full scale; -200 for digital silence."""
    return float(20 * np.log10(max(np.sqrt(np.mean(sound.astype(float) ** 2)) / 32768, 1e-10)))


def spool_pair(
    directory: Path,
    caller: Sound | bytes | None,
    company: Sound | bytes | None,
    name: str = "pbx-1768912345.42",
) -> SpoolPair:
    """Write a pair as MixMonitor does; None leaves a side out."""
    directory.mkdir(parents=True, exist_ok=True)
    pair = SpoolPair(directory=directory, name=name)
    for path, sound in ((pair.caller, caller), (pair.company, company)):
        if sound is not None:
            path.write_bytes(bytes(sound))
    return pair
