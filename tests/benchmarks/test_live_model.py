"""The measurement of the live model runs, on a history of ten copies."""

import pytest

from benchmarks import live_model


def test_it_tells_what_it_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(live_model, "APPENDS", 3)
    monkeypatch.setattr(live_model, "SEARCHES", 3)
    live_model.main(160)
    first, second, third, fourth = capsys.readouterr().out.splitlines()
    assert first.startswith("catching up: 160 events in ")
    assert second.startswith("rebuilding: 160 events in ")
    assert third.startswith("from the append's return to the visible row: median ")
    assert fourth.startswith("one search: median ")
