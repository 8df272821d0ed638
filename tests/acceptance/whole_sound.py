"""Is what was sent in the recording: in order, once, from beginning to end, and on its own side?

The sound is numbered frames (`rtp.numbered`), so frames are compared one by one. A busy machine
loses frames here and there, which says nothing of the program; a fault of the program loses a
second, the end or a side.
"""

from itertools import pairwise

import numpy as np

from tests.acceptance.rtp import Samples, numbered, read_numbers

SECOND = 50  # frames
ENOUGH = 0.6  # of the frames that were sent


def faults(sound: Samples, speaker: int, sent: int) -> list[str]:
    """What is wrong with a side on which this speaker said the frames 0 to `sent` - 1."""
    return faults_of(read_numbers(sound), speaker, sent)


def faults_of(heard: list[tuple[int, int]], speaker: int, sent: int) -> list[str]:
    """The same for frames that are read already."""
    numbers = [number for who, number in heard if who == speaker]
    found = []
    if len(numbers) != len(heard):
        found.append(f"{len(heard) - len(numbers)} frames of another speaker")
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        found.append("frames are repeated or out of order")
    if len(set(numbers)) < ENOUGH * sent:
        found.append(f"only {len(set(numbers))} of {sent} frames")

    bounds = [-1, *sorted(set(numbers)), sent]
    gaps = ((later - earlier - 1, earlier + 1) for earlier, later in pairwise(bounds))
    found += [f"{lost} frames are missing from {at} on" for lost, at in gaps if lost >= SECOND]
    return found


def spoken_frames(speaker: int, count: int) -> Samples:
    """What this speaker says: the frames 0 to `count` - 1."""
    return np.concatenate([numbered(speaker, number) for number in range(count)])
