"""Turns two streamed sides into one stereo file that every browser plays and seeks; alone knows
pydub.

pydub joins each block of the two sides to stereo, and ffmpeg is fed through a pipe. pydub's own
`export` is not used: it holds the whole call in memory, writes it to a temporary WAV file first,
reads the encoded file back, knows no deadline, and cannot tell a full disk from a broken file.
"""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydub import AudioSegment

from recordings.errors import DiskFull, EncoderFailed, EncoderMissing, EncoderTimedOut, Retryable
from recordings.recording import SAMPLE_RATE, Format
from recordings.spool import Samples

Blocks = Iterable[tuple[Samples, Samples]]

# 16 kHz: the lowest rate of MPEG-2 Layer III; MP3 at 8 kHz (MPEG-2.5) is refused by some browsers.
_CODEC = {
    # Constant bit rate with an Info header: any second is found by arithmetic, over HTTP ranges
    # too. Joint stereo would let one party be heard, faintly, on the other's side.
    Format.MP3: ("-c:a", "libmp3lame", "-b:a", "48k", "-joint_stereo", "0", "-f", "mp3"),
    # Below 48 kbit/s, or tuned for speech, Opus too mixes the sides.
    Format.OPUS: ("-c:a", "libopus", "-b:a", "48k", "-application", "audio", "-f", "ogg"),
}
_FULL = ("No space left on device", "Disk quota exceeded", "File too large")
# times faster than real time, before it is taken for hung; one weak core does a hundred
_SLOWEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """How to encode: the format, the ffmpeg to run, and when to give it up (None: by the call's
    length).
    """

    format: Format = Format.MP3
    ffmpeg: str = "ffmpeg"
    timeout_seconds: float | None = None

    def encode(self, blocks: Blocks, *, to: Path, seconds: float) -> None:
        """Encode pairs of (caller, company) blocks of 8 kHz samples to one stereo file, the caller
        left.

        The same samples give the same bytes. `seconds` is the length that must come out. `to` is
        replaced; what it holds after an error is not usable. Raises DiskFull, EncoderMissing,
        EncoderFailed or EncoderTimedOut.
        """
        program = shutil.which(self.ffmpeg)
        if program is None:
            raise EncoderMissing
        # an ffmpeg that outlived its killed parent may still hold the old file
        to.unlink(missing_ok=True)
        limit = self.timeout_seconds or 60 + seconds / _SLOWEST
        with (
            _started(program, to, self.format) as process,
            _killed_after(process, limit) as expired,
        ):
            report, complaint = _feed(process, blocks)
        if expired.is_set():
            raise EncoderTimedOut
        if process.returncode or not _is_whole(to, report, seconds):
            raise diagnosis(process.returncode, complaint.decode(errors="replace").strip())


def _started(program: str, to: Path, format: Format) -> subprocess.Popen[bytes]:  # noqa: A002
    command = [program, "-nostdin", "-hide_banner", "-loglevel", "error", "-xerror", "-y"]
    command += ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "2", "-i", "pipe:0"]
    command += ["-map_metadata", "-1", "-fflags", "+bitexact", "-ar", "16000", *_CODEC[format]]
    command += ["-progress", "pipe:1", "-stats_period", "3600", f"file:{to.absolute()}"]
    # Its own session: Ctrl-C in the terminal is for us, who then end it, not for an encoding in
    # mid-way.
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        bufsize=0,  # what a killed ffmpeg never took must not be flushed to it again
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "LC_ALL": "C"},
    )


@contextmanager
def _killed_after(process: subprocess.Popen[bytes], seconds: float) -> Iterator[threading.Event]:
    """Kill the process when its time is over, which sets the event, and in any case on leaving."""
    expired = threading.Event()

    def give_up() -> None:
        expired.set()
        process.kill()

    deadline = threading.Timer(seconds, give_up)
    deadline.start()
    try:
        yield expired
    finally:
        deadline.cancel()
        process.kill()


def _feed(process: subprocess.Popen[bytes], blocks: Blocks) -> tuple[bytes, bytes]:
    """Pipe all blocks in, and give what ffmpeg reports and complains of when it has ended.

    That it ends before it has taken them all is no error here: its exit status tells more.
    """
    assert process.stdin
    for caller, company in blocks:
        stereo = AudioSegment.from_mono_audiosegments(_segment(caller), _segment(company))
        try:
            _write_all(process.stdin, stereo.raw_data)
        except BrokenPipeError:
            break
    return process.communicate()


def _write_all(pipe: IO[bytes], content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[pipe.write(rest) :]


def _segment(samples: Samples) -> AudioSegment:
    return AudioSegment(samples.tobytes(), sample_width=2, frame_rate=SAMPLE_RATE, channels=1)


def _is_whole(file: Path, report: bytes, seconds: float) -> bool:
    """Compare ffmpeg's closing report with the disk and the input: it may end well with a file cut
    short.
    """
    facts = dict(line.split("=", 1) for line in report.decode().split() if "=" in line)
    try:
        written, length = int(facts["total_size"]), int(facts["out_time_us"]) / 1e6
        return (
            facts["progress"] == "end"
            and file.stat().st_size == written
            and length >= seconds - 0.05
        )
    except (KeyError, ValueError, FileNotFoundError):
        return False


def diagnosis(status: int, complaint: str) -> Retryable:
    """What ffmpeg's end means."""
    if status == -signal.SIGXFSZ or any(words in complaint for words in _FULL):
        return DiskFull()
    return EncoderFailed(
        f"ffmpeg ended with status {status}: {complaint or 'the file is not whole'}",
        status=status,
        detail=complaint,
    )
