"""``make demo`` from an empty home: what a newcomer sees."""

import re
from collections.abc import Callable

import pytest

from sandbox.demo import demo, month
from sandbox.demo.sample import Request
from sandbox.parts.settings import Settings

EVENTS, SONGS = 3_000, 40


@pytest.fixture
def settings(new_settings: Callable[[], Settings], monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(month, "SAMPLE", Request(events=EVENTS, songs=SONGS))
    monkeypatch.setenv("COLUMNS", "100")
    return new_settings()


def test_the_demo_fills_the_warehouse_twice_and_explains_a_failure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert demo.main(settings) == 0
    first, progress = capfd.readouterr()
    assert demo.main(settings) == 0
    second, _ = capfd.readouterr()
    monkeypatch.setattr(demo, "DAG_ID", "no_such_dag")
    assert demo.main(settings) == 1
    failure, _ = capfd.readouterr()

    for text in (first, second):
        assert re.search(rf"^staging_events +{EVENTS:,}  ", text, re.MULTILINE)
        assert re.search(rf"^songs +{SONGS}  ", text, re.MULTILINE)
        assert re.search(r"^Quality: (\d+) of \1 checks passed$", text, re.MULTILINE)
        assert "make down" in text
        assert "█" in text
    assert set(re.findall(r"^\w+_data/", first, re.MULTILINE)) == {"song_data/", "log_data/"}
    assert set(re.findall(r"^\w+_data/", second, re.MULTILINE)) == {"log_data/"}
    assert "as generated before" in second
    assert f"{SONGS + 30:,} unchanged" in second
    assert re.search(r"^  stage_events: \d+\.\d s$", progress, re.MULTILINE)

    log = settings.logs_dir / "demo.log"
    assert f"The log: {log}" in failure
    assert "Dag 'no_such_dag' could not be found" in failure
    assert settings.password not in first + second + failure + log.read_text()
