"""Every row of a source file is staged, or is an error that is named and kept: documents are never lost."""

import json
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators import StageToRedshiftOperator
from sparkify.warehouse.schema import with_ops
from tests.contexts import task_context
from tests.records import event

DAY = ("2018-11-15T00:00:00", "2018-11-16T00:00:00")
KEY = "log_data/2018/11/2018-11-15-events.json"
GOOD = event("2018-11-15T09:00:00")
FIRST = datetime(2020, 5, 1, tzinfo=UTC)


def changed(**fields):
    return {name: value for name, value in {**GOOD, **fields}.items() if value is not ...}


WHOLE_FILES = {
    "seconds instead of milliseconds": (changed(ts=1542272400), "column ts (time), value '1542272400'"),
    "microseconds": (changed(ts=1542272400000000), "column ts"),
    "another day": (
        event("2018-11-20T09:00:00"),
        f"column ts (time), value '{event('2018-11-20T09')['ts']}'",
    ),
    "time under another name": (changed(ts=..., timestamp=GOOD["ts"]), "column ts"),
    "time is null": (changed(ts=None), "column ts"),
    "keys in lower case": ({name.lower(): value for name, value in GOOD.items()}, "column item_in_session"),
    "no item": (changed(itemInSession=...), "column item_in_session"),
    "wrapped in another object": ({"event": GOOD}, "column"),
}


@pytest.mark.parametrize("case", WHOLE_FILES)
def test_a_file_that_is_written_otherwise_fails_with_its_first_line_and_changes_nothing(
    warehouse, source, run_etl, capsys, case
):
    document, named = WHOLE_FILES[case]
    before = event("2018-11-14T09:00:00")
    source.put_events("2018-11-14", [before])
    assert run_etl(("2018-11-14T00:00:00", "2018-11-15T00:00:00")).state == "success"
    ledger = "SELECT key FROM ops.staged_files ORDER BY key"
    contents, known = warehouse.contents(), warehouse.query(ledger)
    source.put(KEY, "".join(json.dumps(document) + "\n" for _ in range(3)))
    assert run_etl(DAY).state == "failed"
    shown = capsys.readouterr().out
    assert f"{KEY} line 1" in shown
    assert named in shown
    assert warehouse.contents() == contents
    assert warehouse.query(ledger) == known


def test_strays_are_kept_aside_where_the_run_says_so(warehouse, source, run_etl):
    stray = event("2018-11-20T09:00:00", itemInSession=2)
    source.put_events("2018-11-15", [GOOD, stray])
    assert run_etl(DAY, keep_strays=True).state == "success"
    assert warehouse.counts()["staging_events"] == 1
    [kept] = warehouse.query('SELECT file, line, "column", value, raw_text FROM ops.rejected_rows')
    assert kept[:4] == (f"s3://{source.bucket}/{KEY}", 2, "ts", str(stray["ts"]))
    assert json.loads(kept[4]) == stray


def test_a_song_prefix_under_which_there_is_nothing_fails_the_run(warehouse, source, run_etl, capsys):
    source.put_events("2018-11-15", [GOOD])
    source.put_song("TRAAA1", song_id="SO1")
    assert run_etl(DAY, song_prefix="song_data/typo/", allow_no_songs=False).state == "failed"
    assert "holds no file whose key begins with song_data/typo/" in capsys.readouterr().out


@dataclass
class Mixture:
    """Documents of any kind in a few files, and what must become of them."""

    files: dict[str, list[str]]
    kinds: dict[tuple[str, int], str]


def mix(numbers: random.Random, in_windows: bool) -> Mixture:
    kinds = ["good"] * 6 + ["bad", "keyless"] + (["stray", "timeless"] if in_windows else [])
    mixture, ids = Mixture({}, {}), iter(range(1, 1000))
    for day in range(numbers.randint(1, 4)):
        start = FIRST + timedelta(days=day)
        key = f"orders/{start:%Y-%m-%d}.json"
        lines = mixture.files[key] = []
        for _ in range(numbers.choice([0, 1, 5, 12])):
            kind = numbers.choice(kinds) if numbers.random() < 0.4 else "good"
            at = start + timedelta(minutes=numbers.randrange(1440), days=5 if kind == "stray" else 0)
            document = {"id": next(ids), "at": f"{at:%Y-%m-%d %H:%M:%S}", "cents": 1}
            match kind:
                case "bad":
                    document["cents"] = "one"
                case "keyless":
                    document["id"] = None
                case "timeless":
                    del document["at"]
            lines += [""] * numbers.randint(0, 1)
            lines.append(json.dumps(document))
            mixture.kinds[key, len(lines)] = kind
    return mixture


@pytest.fixture
def staging_orders(warehouse):
    warehouse.execute(
        "DROP TABLE IF EXISTS staging_orders",
        "DROP SCHEMA IF EXISTS ops CASCADE",
        *with_ops(
            ["CREATE TABLE staging_orders (id INTEGER, at TIMESTAMP, cents INTEGER, load_id VARCHAR(64))"]
        ),
    )
    yield warehouse
    warehouse.execute("DROP TABLE staging_orders")


def stage(source, mode: str, max_errors: int, keep_strays: bool) -> None:
    files = (
        {"key_pattern": "orders/%Y-%m-%d.json", "time_column": "at"}
        if mode == "window"
        else {"prefix": "orders/"}
    )
    operator = StageToRedshiftOperator(
        task_id="stage",
        table="staging_orders",
        bucket=source.bucket,
        work_bucket="sparkify-work",
        mode=mode,
        key_columns=["id"],
        max_errors=max_errors,
        keep_strays=keep_strays,
        **files,
    )
    operator.execute(task_context("2020-05-01T00:00:00+00:00", "2020-05-20T00:00:00+00:00"))


KEPT = 'SELECT file, line, "column" FROM ops.rejected_rows'
LOST = {"bad": "cents", "keyless": "id", "timeless": "at", "stray": "at"}


@pytest.mark.parametrize("seed", range(24))
def test_documents_are_staged_or_kept_as_rejected_or_the_load_fails_and_changes_nothing(
    staging_orders, source, seed
):
    numbers = random.Random(seed)
    mode = numbers.choice(["window", "window", "changed_files", "append", "replace"])
    mixture = mix(numbers, in_windows=mode == "window")
    for key, lines in mixture.files.items():
        source.put(key, "\n".join(lines) + "\n" * numbers.randint(0, 1))
    keep_strays = numbers.random() < 0.5
    count = Counter(mixture.kinds.values())
    errors = count.total() - count["good"] - (count["stray"] if keep_strays else 0)
    max_errors = numbers.choice([0, max(errors - 1, 0), errors, errors + 1])
    if errors > max_errors:
        with pytest.raises(AirflowFailException, match=r"orders/2020-05-\d\d.json line \d+"):
            stage(source, mode, max_errors, keep_strays)
        for table in ("staging_orders", "ops.staged_files", "ops.rejected_rows", "ops.loads"):
            assert staging_orders.query(f"SELECT * FROM {table}") == []
        return
    for _ in range(2):
        stage(source, mode, max_errors, keep_strays)
        assert staging_orders.query("SELECT COUNT(*) FROM staging_orders") == [(count["good"],)]
        expected = {
            (f"s3://{source.bucket}/{key}", line, LOST[kind])
            for (key, line), kind in mixture.kinds.items()
            if kind != "good"
        }
        assert set(staging_orders.query(KEPT)) == expected
        assert len(staging_orders.query(KEPT)) + count["good"] == count.total()
