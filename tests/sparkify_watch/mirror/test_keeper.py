"""Who refreshes the mirror, when, and what a page says when it could not be."""

import fcntl
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

from definitions import DATASETS
from sparkify.warehouse.ledger import utc_now
from sparkify_watch.mirror import keeper as keeping
from sparkify_watch.mirror import read
from sparkify_watch.mirror.keeper import Keeper
from sparkify_watch.mirror.refresh import note
from sparkify_watch.mirror.schema import stamp
from sparkify_watch.mirror.store import Store
from tests.sparkify_watch.records import DAY, load

LONG = 60


class Warehouse:
    """A warehouse that counts who looks at it and answers when it is let."""

    def __init__(self):
        self.looks, self.asked, self.reason = 0, [], ""
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.error = ConnectionRefusedError("nobody listens")

    @contextmanager
    def connect(self):
        self.looks += 1
        assert self.may_answer.wait(LONG)
        raise self.error
        yield

    def reason_not_to_ask(self, forced):
        self.asked.append(forced)
        return self.reason

    def keeper(self, store):
        return Keeper(store, DATASETS, lambda: "w", self.connect, self.reason_not_to_ask)


@pytest.fixture
def gone():
    return Warehouse()


def picture(store):
    with store.reading() as db:
        return read.picture(db)


def test_it_brings_what_the_warehouse_has(ops, connect, store, gone):
    ops.add("loads", load(DAY))
    Keeper(store, DATASETS, lambda: "w", connect, gone.reason_not_to_ask).look(wait=LONG)
    with store.reading() as db:
        assert len(read.loads(db, "sparkify").items) == 1
    assert picture(store).problem == ""
    assert utc_now() - picture(store).at < timedelta(seconds=LONG)


def test_a_warehouse_that_is_gone_is_told_with_the_remedy_and_the_old_picture_stays(gone, store):
    note(store, picture_at=stamp(DAY))
    gone.keeper(store).look(wait=LONG)
    shown = picture(store)
    assert shown.problem.startswith(
        "Looking into the warehouse failed: ConnectionRefusedError: nobody listens"
    )
    assert shown.at == DAY
    assert shown.tried_at is not None


def test_it_is_not_asked_again_so_soon_by_this_process_or_another(gone, store):
    first, second = gone.keeper(store), gone.keeper(Store(store.path))
    for keeper in (first, first, second):
        keeper.look(wait=LONG)
    assert gone.looks == 1


def test_it_is_asked_again_when_the_picture_is_old(gone, store, monkeypatch):
    monkeypatch.setattr(keeping, "SECONDS", 0)
    keeper = gone.keeper(store)
    for _ in range(3):
        keeper.look(wait=LONG)
    assert gone.looks == 3


def test_a_person_may_have_it_asked_at_once(gone, store):
    keeper = gone.keeper(store)
    keeper.look(wait=LONG)
    keeper.look(forced=True, wait=LONG)
    assert gone.looks == 2
    assert gone.asked == [False, True]


def test_what_must_not_be_asked_is_not_connected_to(gone, store):
    gone.reason = "The cluster sparkify is paused."
    gone.keeper(store).look(wait=LONG)
    assert gone.looks == 0
    assert picture(store).problem == "The cluster sparkify is paused."


def test_nobody_waits_for_a_refresh_that_another_page_has_begun(gone, store):
    gone.may_answer.clear()
    keeper = gone.keeper(store)
    keeper.look()
    keeper.look(wait=LONG)
    assert picture(store).tried_at is None
    gone.may_answer.set()
    keeper.look(forced=True, wait=LONG)
    assert gone.looks == 1
    assert picture(store).tried_at is not None


def test_only_one_process_at_a_time_looks(gone, store):
    picture(store)
    with store.path.with_name("refresh.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        gone.keeper(store).look(forced=True, wait=LONG)
        assert gone.looks == 0
    gone.keeper(store).look(forced=True, wait=LONG)
    assert gone.looks == 1


def test_whatever_goes_wrong_is_told_and_no_page_fails(gone, store):
    gone.error = ValueError("\x1b[31mred")
    gone.keeper(store).look(wait=LONG)
    assert "ValueError: \\x1b[31mred" in picture(store).problem
