"""The ledger: which version of a file counts, whose rows a table holds, and what was staged when."""

from datetime import UTC, datetime, timedelta

import pytest

from sparkify.source import SourceFile
from sparkify.warehouse import ledger
from sparkify.warehouse.ledger import LoadRecord, TaskRun
from sparkify.window import Window

NOON = datetime(2020, 5, 1, 12, tzinfo=UTC)
NAIVE_NOON = NOON.replace(tzinfo=None)
RUN = TaskRun("dag", "run", "task")


def hours(first, last):
    return Window(NOON + timedelta(hours=first), NOON + timedelta(hours=last))


@pytest.fixture
def keep(open_session):
    """Record files as one load does, in a session of its own."""

    def keep_versions(load_id, dataset="staging_orders", **etags):
        session = open_session()
        files = [SourceFile("raw", key, etag, 1, NAIVE_NOON) for key, etag in etags.items()]
        ledger.prepare_files(session, dataset, load_id, files)
        with session.publishing(ledger.STAGED_FILES):
            known = ledger.look_up(session, dataset, "raw", prepared=True)
            ledger.record_files(session, known.versions.values())

    return keep_versions


def etags(session, **where):
    known = ledger.look_up(session, "staging_orders", "raw", **where)
    return {key: version.etag for key, version in known.versions.items()}


def test_the_version_that_was_staged_last_counts_whatever_the_clocks_say(keep, session, monkeypatch):
    keep("L1", a="old")
    monkeypatch.setattr(ledger, "utc_now", lambda: NAIVE_NOON - timedelta(days=365))
    keep("L2", a="new")
    assert etags(session) == {"a": "new"}


def test_a_version_that_comes_back_is_there_once_and_counts(keep, session):
    for load_id, etag in (("L1", "one"), ("L2", "two"), ("L3", "one")):
        keep(load_id, a=etag)
    assert etags(session) == {"a": "one"}
    rows = session.query("SELECT etag, load_id FROM ops.staged_files ORDER BY load_id")
    assert rows == [("two", "L2"), ("one", "L3")]


def test_a_prefix_is_taken_by_the_letter_and_keys_by_their_names(keep, session):
    keep("L1", **{"a_b/1": "x", "axb/1": "y", "a%/1": "z", "a_b": "w"})
    assert etags(session, prefix="a_b/") == {"a_b/1": "x"}
    assert etags(session, prefix="a%") == {"a%/1": "z"}
    assert etags(session, keys=["a%/1", "axb/1", "a_"]) == {"a%/1": "z", "axb/1": "y"}


def test_datasets_and_buckets_have_versions_of_their_own(keep, session):
    keep("L1", a="mine")
    keep("L2", dataset="staging_others", a="theirs")
    assert etags(session) == {"a": "mine"}
    assert ledger.look_up(session, "staging_orders", "cooked").versions == {}


def test_a_table_has_the_sources_that_were_staged_into_it(session):
    ledger.record_source(session, "staging_orders", "s3://raw/eu/", "L1")
    ledger.record_source(session, "staging_orders", "s3://raw/us/", "L2")
    assert sorted(ledger.look_up(session, "staging_orders", "raw").sources) == [
        "s3://raw/eu/",
        "s3://raw/us/",
    ]
    assert ledger.look_up(session, "staging_others", "raw").sources == []


def test_hours_that_were_staged_are_joined_and_only_those_of_the_table_and_the_time_asked(session):
    staged = [
        ("staging_orders", hours(0, 1)),
        ("staging_orders", hours(1, 2)),
        ("staging_orders", hours(4, 5)),
    ]
    staged += [("staging_orders", hours(8, 9)), ("staging_others", hours(5, 6)), ("staging_orders", None)]
    for table, window in staged:
        record = LoadRecord(ledger.new_load_id(), RUN, table, NAIVE_NOON, window)
        ledger.record_load(session, record)
    known = ledger.look_up(session, "staging_orders", "raw", within=hours(0, 8))
    assert known.windows == [hours(0, 2), hours(4, 5)]
    assert ledger.look_up(session, "staging_orders", "raw").windows == []


def test_loads_of_other_runs_are_told_from_those_of_the_own(session):
    before = ledger.utc_now()
    ledger.record_load(session, LoadRecord("L1", RUN, "orders", before))
    assert not ledger.other_loads(session, RUN, before)
    assert ledger.other_loads(session, TaskRun("dag", "another run", "task"), before)
    assert not ledger.other_loads(session, TaskRun("dag", "another run", "task"), NAIVE_NOON.max)


def test_load_ids_sort_as_the_loads_began():
    made = [ledger.new_load_id() for _ in range(100)]
    assert sorted(made) == made
    assert len(set(made)) == 100
