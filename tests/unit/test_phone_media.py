"""The softphone's RTP begins as that of a real phone does."""

import pytest
from pyVoIP import RTP

from router.phone.media import Media


def test_streams_begin_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Media, "start", lambda _: None)
    streams = [Media("127.0.0.1") for _ in range(8)]
    for stream in streams:
        stream.connect({8: RTP.PayloadType.PCMA}, ("127.0.0.1", 9))
        stream.socket.close()
    assert len({stream.outSSRC for stream in streams}) == 8
    assert max(stream.outSequence for stream in streams) > 1000, "pyVoIP's own begin below 100"
    assert max(stream.outTimestamp for stream in streams) > 1_000_000
