"""Takes one side out of a stored recording, as small files that a speech recognizer accepts."""

import shutil
import subprocess
from pathlib import Path

from recordings.encoding import diagnosis
from recordings.errors import EncoderMissing, EncoderTimedOut

# mono MP3: every server decodes it, and 25 MB, the limit of most, are 139 minutes
_CODEC = ("-ar", "16000", "-c:a", "libmp3lame", "-b:a", "24k", "-f", "mp3")
_LEAST_SECONDS = 60.0
_SLOWEST = 5  # times faster than real time, before ffmpeg is taken for hung


def take_side(
    source: Path, to: Path, *, channel: int, start: float, seconds: float, ffmpeg: str = "ffmpeg"
) -> None:
    """Write `seconds` from `start` of one channel (0: the caller, 1: the company). Raises
    EncoderMissing, DiskFull, EncoderFailed or EncoderTimedOut.
    """
    program = shutil.which(ffmpeg)
    if program is None:
        raise EncoderMissing
    command = [program, "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-ss", f"{start:.3f}", "-t", f"{seconds:.3f}", "-i", f"file:{source.absolute()}"]
    command += ["-map_metadata", "-1", "-af", f"pan=mono|c0=c{channel}", *_CODEC]
    try:
        done = subprocess.run(
            [*command, f"file:{to.absolute()}"],
            capture_output=True,
            timeout=_LEAST_SECONDS + seconds / _SLOWEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EncoderTimedOut from None
    if done.returncode:
        raise diagnosis(done.returncode, done.stderr.decode(errors="replace").strip()[-300:])
