"""The process of the local engine: `python -m router.speech.process MODEL LANGUAGE`.

It reads the paths of audio files, one JSON string a line, and answers each with one JSON line: the
segments, or an error. It gives way to everything else, and ends with the worker that started it.
"""

import json
import os
import sys
from typing import Any

NICENESS = 15
LONGEST_PAUSE = 2.0  # seconds without speech that end a segment


def main() -> None:
    """Answer until the input ends."""
    os.nice(NICENESS)
    model_name, language = sys.argv[1:3]
    parent = os.getppid()
    # what the libraries print must not be read as an answer
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        model = _load(model_name)
    except Exception as error:  # noqa: BLE001 (their reasons are many: no such model, no network, no memory)
        _answer(answers, {"failed": f"{type(error).__name__}: {error}"})
        return
    for line in sys.stdin:
        try:
            _answer(answers, {"segments": _hear(model, json.loads(line), language, parent)})
        except Exception as error:  # noqa: BLE001 (one damaged file must not end the others)
            _answer(answers, {"error": f"{type(error).__name__}: {error}"})


def _load(name: str) -> Any:
    from faster_whisper import WhisperModel

    threads = max(1, (os.cpu_count() or 1) // 2)
    return WhisperModel(name, device="cpu", compute_type="int8", cpu_threads=threads)


def _hear(model: Any, path: str, language: str, parent: int) -> list[dict[str, Any]]:
    segments, _ = model.transcribe(
        path,
        language=language,
        vad_filter=True,
        vad_parameters={"min_silence_duration_ms": int(LONGEST_PAUSE * 1000)},
        word_timestamps=True,
        condition_on_previous_text=False,  # else one hallucination repeats itself
    )
    heard = []
    for segment in segments:
        if os.getppid() != parent:
            sys.exit("the worker is gone")
        words = []
        for word in segment.words or ():
            start, end = float(word.start), float(word.end)
            words.append({"word": word.word, "start": start, "end": end})
        heard.append(
            {
                "start": float(segment.start),
                "end": float(segment.end),
                "text": segment.text,
                "words": words,
            }
        )
    return heard


def _answer(stream: Any, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


if __name__ == "__main__":
    main()
