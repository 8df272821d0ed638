"""Speech to play in tests and measures to hear it again: is all of it there, where, and how loud.

Everything is 8 kHz, mono, int16. Coding (A-law, MP3) changes samples but keeps the course of the
loudness, so `contains` compares waveforms first coarsely, then sample by sample.
"""

import audioop
import struct
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
RATE = 8000
_HEARD = 0.8  # a piece that is there, and not merely something like it
_MISSING = 3  # half-seconds one after the other
CALLER_PCAP = Path("/usr/share/sip-tester/g711a.pcap")


def from_pcap(path: Path = CALLER_PCAP) -> Samples:
    """Speech from a capture of one RTP stream of PCMA over Ethernet, packets in order."""
    data, at, payloads = path.read_bytes(), 24, []
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        ip = data[at + 16 + 14 : at + 16 + length]
        udp = ip[4 * (ip[0] & 15) :]
        payloads.append(udp[8 + 12 :])
        at += 16 + length
    return np.frombuffer(audioop.alaw2lin(b"".join(payloads), 2), np.int16)


def from_sln(path: Path) -> Samples:
    """A headerless recording as Asterisk writes it."""
    data = path.read_bytes()
    return np.frombuffer(data[: len(data) // 2 * 2], np.int16)


def spoken(text: str, voice: str = "en") -> Samples:
    """`text` as espeak-ng says it: speech of any length, unlike any other text's."""
    done = subprocess.run(
        ["espeak-ng", "-v", voice, "--stdout", text],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    resampled = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", "-", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"],
        check=True,
        capture_output=True,
        input=done.stdout,
    )
    return np.frombuffer(resampled.stdout, np.int16)


def to_alaw(speech: Samples, path: Path) -> Path:
    """Write `speech` as raw A-law, what SIPp's rtp_stream plays."""
    path.write_bytes(audioop.lin2alaw(speech.tobytes(), 2))
    return path


def loudness(samples: Samples) -> npt.NDArray[np.float64]:
    """RMS of each whole second, as a fraction of full scale: speech is above 0.01, silence below
    0.001.
    """
    seconds = samples[: len(samples) // RATE * RATE].reshape(-1, RATE).astype(np.float64) / 32768
    rms: npt.NDArray[np.float64] = np.sqrt((seconds**2).mean(axis=1))
    return rms


def contains(haystack: Samples, needle: Samples) -> tuple[float, float]:
    """Where `needle` is heard in `haystack`: (offset in seconds, score).

    The score is the mean over the needle's half-seconds of speech of their own best correlation
    within 1.2 s of their place behind the one before: 1 is identical, above 0.8 is the same
    speech, whole, after A-law and MP3; unrelated speech is below 0.2, and half of it missing gives
    0.5.
    """
    offset, scores = _pieces(haystack, needle)
    return offset, float(np.mean(scores)) if scores else 0.0


def is_whole(haystack: Samples, needle: Samples) -> bool:
    """Whether all of `needle` is heard: most of it, and nothing is missing for longer than a busy
    machine stands still, at the beginning and the end either.
    """
    _, scores = _pieces(haystack, needle)
    heard = "".join("x" if score > 0.5 else " " for score in scores)
    return bool(scores) and float(np.mean(scores)) > 0.6 and " " * _MISSING not in heard


def _pieces(haystack: Samples, needle: Samples) -> tuple[float, list[float]]:
    if len(haystack) < RATE // 2 or len(needle) < RATE // 2:
        return 0.0, []
    hay, pin = haystack.astype(np.float64), needle.astype(np.float64)
    offset = int(_correlation(hay, pin).argmax()) - len(pin) + 1
    margin, piece = 6 * RATE // 5, RATE // 2
    padded = np.concatenate([np.zeros(len(pin) + margin), hay, np.zeros(len(pin) + margin)])
    floor = 0.1 * np.sqrt((pin**2).mean())
    # sound that is lost draws the rest nearer; what Asterisk waits for, up to 500 ms, puts it off
    scores: list[float] = []
    lost = 0
    for at in range(0, len(pin) - piece + 1, piece):
        part = pin[at : at + piece]
        if np.sqrt((part**2).mean()) > floor:
            start = min(max(offset + at + len(pin) - lost, 0), len(padded) - piece - 2 * margin)
            score, place = _best(padded[start : start + piece + 2 * margin], part)
            scores.append(score)
            lost += margin - place if score > _HEARD else 0
    return offset / RATE, scores


def _best(around: npt.NDArray[np.float64], part: npt.NDArray[np.float64]) -> tuple[float, int]:
    energy = np.concatenate([[0.0], np.cumsum(around**2)])  # exact: samples are whole numbers
    norms = np.sqrt((energy[len(part) :] - energy[: -len(part)]) * (part**2).sum())
    likeness = np.correlate(around, part, "valid") / np.maximum(norms, 1.0)
    return float(likeness.max()), int(likeness.argmax())


def _correlation(
    hay: npt.NDArray[np.float64], pin: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Full cross-correlation by FFT; index 0 is the needle's end at the haystack's start."""
    size = 1 << (len(hay) + len(pin) - 2).bit_length()
    product = np.fft.rfft(hay, size) * np.fft.rfft(pin[::-1], size)
    return np.fft.irfft(product, size)[: len(hay) + len(pin) - 1]
