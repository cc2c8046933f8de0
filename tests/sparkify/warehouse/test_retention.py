"""Forgetting rows beside loads, with connections that break, and what counts as forgotten then."""

import logging
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators import Follow
from sparkify.warehouse.ledger import TaskRun, utc_now
from sparkify.warehouse.retention import Forgetting, StagedTable, forgotten_time, known_time
from sparkify.warehouse.tries import run_load
from sparkify.window import Window
from tests.sandbox.redshift.endpoint_clients import admin_rows, connect_redshift
from tests.sparkify.orders import ids, load_orders, order, put_orders, stage_orders

PATTERN = "orders/%Y-%m-%d.json"
RUN = TaskRun("maintenance", "run", "forget")
DAYS = [datetime(2020, 5, day, tzinfo=UTC) for day in range(1, 6)]
FOLLOWS = [Follow("staging_orders")]
log = logging.getLogger("tests")


def ends(day, days=1):
    return [moment.isoformat() for moment in (day, day + timedelta(days=days))]


def load_day(source, conn_id, day, days=1):
    stage_orders(source, conn_id, *ends(day, days), prefix=None, key_pattern=PATTERN)
    load_orders(conn_id, *ends(day, days), follows=FOLLOWS)


def forgetting(before=DAYS[3], settled=None):
    staged = StagedTable("staging_orders", "at", PATTERN)
    return Forgetting(staged, before.replace(tzinfo=None), settled or utc_now(), RUN)


@pytest.fixture
def loaded(orders, source):
    """Five days of an order each, staged and loaded at once."""
    for number, day in enumerate(DAYS, 1):
        put_orders(source, day.strftime(PATTERN), order(number, day.isoformat()))
    load_day(source, "redshift_default", DAYS[0], 5)
    return orders


def state(warehouse):
    """Rows, what counts as staged, and the mark; without ids and times of loads."""
    windows = "SELECT window_start, window_end FROM ops.loads WHERE target_table = 'staging_orders'"
    mark = warehouse.query("SELECT forgotten_before FROM ops.retention")
    return ids(warehouse), ids(warehouse, "orders"), warehouse.query(windows), mark


class BreakingLog:
    """Ends the session on the server before its statement of a number."""

    def __init__(self, sandbox, at):
        self.sandbox, self.left, self.pid = sandbox, at, None

    def debug(self, message, *args):
        if self.pid and self.left == 0:
            admin_rows(self.sandbox, "SELECT pg_terminate_backend(%s, 5000)", self.pid)
        self.left -= 1

    def info(self, message, *args):
        pass

    warning = info


def forget_broken(sandbox, warehouse, at):
    """Forget over a connection that breaks at a statement; return whether it did, and what was there then."""
    breaking, states = BreakingLog(sandbox, at), []

    def connect():
        breaking.pid = None
        if breaking.left < 0:
            states.append(state(warehouse))
        connection = connect_redshift(sandbox)
        cursor = connection.cursor()
        cursor.execute("SELECT pg_backend_pid()")
        breaking.pid = cursor.fetchone()[0] if breaking.left >= 0 else None
        connection.rollback()
        return connection

    run_load(connect, lambda session: forgetting().forget(session, log), what="x", log=breaking, journal=[])
    return breaking.left < 0, states


@pytest.mark.long
def test_wherever_the_connection_breaks_it_ends_the_same_and_never_stands_in_between(
    sandbox, loaded, source, monkeypatch
):
    monkeypatch.setattr("sparkify.warehouse.tries.time.sleep", lambda _: None)
    at, broken, breaks = 0, True, 0
    while broken:
        broken, states = forget_broken(sandbox, loaded, at)
        for rows, facts, windows, marks in [*states, state(loaded)]:
            assert facts == [1, 2, 3, 4, 5]
            since = datetime(2020, 5, rows[0])
            assert min(start for start, _ in windows if start) == since
            assert marks == ([] if rows[0] == 1 else [(since,)])
        assert ids(loaded) == [4, 5]
        breaks += len(states)
        # Everything comes back for the next break.
        loaded.execute(
            "DELETE FROM ops.retention", "UPDATE ops.loads SET window_start = NULL, window_end = NULL"
        )
        load_day(source, "redshift_default", DAYS[0], 5)
        at += 1
    assert breaks > 20


def test_what_is_forgotten_is_the_time_before_the_mark_that_nothing_has_staged_again(loaded, source, session):
    every = [Window(DAYS[0] - timedelta(days=365), DAYS[4])]
    assert forgotten_time(session, ["staging_orders"], every) == []
    session.commit()
    forgetting().forget(session, log)
    assert forgotten_time(session, ["staging_orders", "staging_others"], every) == [
        Window(every[0].start, DAYS[3])
    ]
    assert known_time(session, "staging_orders", every) == [Window(DAYS[3], DAYS[4])]
    session.commit()
    stage_orders(source, "redshift_default", *ends(DAYS[1]), prefix=None, key_pattern=PATTERN)
    assert known_time(session, "staging_orders", every) == [
        Window(DAYS[1], DAYS[2]),
        Window(DAYS[3], DAYS[4]),
    ]


def test_a_table_that_follows_nothing_forgotten_is_loaded_as_ever(loaded, session, conn_id):
    forgetting().forget(session, log)
    load_orders(conn_id, *ends(DAYS[4]), follows=FOLLOWS)
    assert ids(loaded, "orders") == [1, 2, 3, 4, 5]
    with pytest.raises(AirflowFailException, match="retention has removed them: orders was left as it is"):
        load_orders(conn_id, *ends(DAYS[2], 3), follows=FOLLOWS)
    assert ids(loaded, "orders") == [1, 2, 3, 4, 5]


def test_facts_never_lose_a_row_whatever_is_loaded_while_rows_are_forgotten(loaded, source, sandbox):
    def load(seed):
        chance = random.Random(seed)
        for _ in range(6):
            # What was forgotten between its staging and its loading is refused.
            with suppress(AirflowFailException):
                load_day(source, "redshift_default", chance.choice(DAYS), chance.randint(1, 3))

    def forget(session):
        seen.append([row[0] for row in session.query("SELECT id FROM orders ORDER BY id")])
        return forgetting().forget(session, log)

    def forget_again_and_again():
        while not all(run.done() for run in runs):
            run_load(
                lambda: connect_redshift(sandbox, user=sandbox.loader), forget, what="x", log=log, journal=[]
            )

    runs, seen = [], []
    with ThreadPoolExecutor(3) as pool:
        runs += [pool.submit(load, seed) for seed in (1, 2)]
        forget_again_and_again()
        for run in runs:
            run.result()
    assert seen
    assert set(map(tuple, seen)) == {(1, 2, 3, 4, 5)}
    load_day(source, "redshift_default", DAYS[0], 5)
    assert ids(loaded) == ids(loaded, "orders") == [1, 2, 3, 4, 5]
