"""Rejected rows that are corrected and replayed: killed anywhere, beside other loads, again and again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.faults.child import CORRECT
from tests.faults.reference import Window
from tests.faults.runs import Run, moments
from tests.faults.test_crashes import Choice, others, some
from tests.faults.world import World
from tests.records import event, sale

DAY = moments("2018-11-15", "2018-11-16")
NOVEMBER = moments("2018-11-01", "2018-12-01")
OPEN = "SELECT line FROM ops.rejected_rows UNION ALL SELECT line FROM ops.refused_rows"


@dataclass
class Rejections:
    """Files of one window with a row that no load takes, each time another, and the row as it ought to be.

    Args:
        dataset: whose.
        window: what loads the file.
        key: the file.
        staged_by: the task that stages it.
        is_refused: whether a load fails because of the row, or leaves it out.
    """

    dataset: str
    window: Window
    key: str
    staged_by: str
    is_refused: bool
    number: int = 0

    def rows(self) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
        """The file's rows with the row that is rejected, and with the right one."""
        if self.dataset == "stores":
            right = sale(0, "2018-11", actual=self.number)
            return [right, {**sale(1, "2018-11"), "actual": "many"}], [right, sale(1, "2018-11")]
        right = event("2018-11-15T10:30:00", sessionId=2, itemInSession=self.number)
        first = event("2018-11-15T09:30:00", itemInSession=self.number)
        return [first, {**right, "ts": event("2018-11-20T10:30:00")["ts"]}], [first, right]

    def put(self, world: World) -> None:
        """Write the next file, and load it."""
        self.number += 1
        world.put(self.key, self.body(rejected=True))
        run = world.start(self.window, dataset=self.dataset)
        if self.is_refused:
            assert "cannot be staged" in run.fail()
            world.versions.pop()
        else:
            run.finish()
        assert world.warehouse.query(OPEN) == [(2,)]
        # What readers may see from now on.
        world.versions.append((self.key, self.body(rejected=False)))

    def params(self) -> dict[str, object]:
        given = {"file": self.key, "line": 2, "row": self.rows()[1][1]}
        empty = dict.fromkeys(("load_id", "file", "corrections_key"))
        return {**empty, "dataset": self.dataset, "corrections": json.dumps(given), "dry_run": False}

    def assert_corrected(self, world: World) -> None:
        body = world.source.s3.get_object(Bucket=world.source.bucket, Key=self.key)["Body"].read()
        assert body == self.body(rejected=False)
        world.objects[self.key] = body

    def correct(self, world: World) -> None:
        world.run(self.window, dataset=self.dataset, tasks=(CORRECT,), params=self.params())
        self.assert_corrected(world)

    def body(self, *, rejected: bool) -> bytes:
        rows = self.rows()[0 if rejected else 1]
        return "".join(json.dumps(row) + "\n" for row in rows).encode()


def of_events() -> Rejections:
    return Rejections(
        "sparkify", DAY, "log_data/2018/11/2018-11-15-events.json", "stage_events", is_refused=False
    )


def of_sales() -> Rejections:
    return Rejections(
        "stores", NOVEMBER, "sales_data/2018/2018-11-sales.json", "stage_sales", is_refused=True
    )


def assert_replayed(world: World, files: Rejections) -> None:
    world.check()
    assert world.warehouse.query(OPEN) == []
    [(settled,)] = world.warehouse.query("SELECT COUNT(*) FROM ops.settled_rows")
    assert settled == files.number


def kill_correction(world: World, files: Rejections, choice: Choice) -> None:
    """Kill the task that corrects a file at the chosen points; run it again, and load."""
    correcting = {"dataset": files.dataset, "tasks": (CORRECT,)}
    files.put(world)
    points = world.run(files.window, params=files.params(), **correcting).points
    assert f"{CORRECT} before PUTOBJECT 1" in points
    files.assert_corrected(world)
    world.run(files.window, dataset=files.dataset)
    for point in choice(points):
        files.put(world)
        world.start(files.window, params=files.params(), kill=point, **correcting).die()
        assert world.warehouse.query(OPEN) == [(2,)], point
        files.correct(world)
        world.run(files.window, dataset=files.dataset)
        assert_replayed(world, files)


def kill_load(world: World, files: Rejections, choice: Choice) -> None:
    """Kill the load that takes a corrected row in at the chosen points, and run it again."""
    files.put(world)
    files.correct(world)
    points = world.run(files.window, dataset=files.dataset).points
    for point in choice([point for point in points if point.startswith(f"{files.staged_by} ")]):
        files.put(world)
        files.correct(world)
        world.start(files.window, dataset=files.dataset, kill=point).die()
        has_happened = "after PUBLISH" in point or "ANALYZE" in point
        settled = world.warehouse.query("SELECT COUNT(*) FROM ops.settled_rows")
        assert settled == [(files.number - 1 + has_happened,)], point
        assert world.warehouse.query(OPEN) == ([] if has_happened else [(2,)]), point
        world.run(files.window, dataset=files.dataset)
        assert_replayed(world, files)


def kill_refusal(world: World, files: Rejections, choice: Choice) -> None:
    """Kill the load that is refused at the chosen points, and run it again: what it says is kept once."""

    def refused(**plan: str) -> Run:
        files.number += 1
        world.put(files.key, files.body(rejected=True))
        world.versions.pop()
        return world.start(files.window, dataset=files.dataset, **plan)

    refused().fail()
    run = refused()
    run.fail()
    # How often the system views are asked for reasons depends on when they have them.
    points = [p for p in run.points if p.startswith(f"{files.staged_by} before") and " SELECT " not in p]
    for point in choice([point for point in points if " COMMIT " not in point]):
        refused(kill=point).die()
        assert world.warehouse.query(OPEN) == [(2,)], point
        assert world.warehouse.query("SELECT * FROM staging_sales") == [], point
        world.start(files.window, dataset=files.dataset).fail()
        assert world.warehouse.query(OPEN) == [(2,)], point
    world.put(files.key, files.body(rejected=False))
    world.run(files.window, dataset=files.dataset)
    files.number = 1
    assert_replayed(world, files)


BOTH = [of_events, pytest.param(of_sales, marks=pytest.mark.long)]


def around_writes(points: Sequence[str]) -> list[str]:
    return [point for point in points if "OBJECT" in point and "GET" not in point and "HEAD" not in point]


@pytest.mark.parametrize("make", BOTH)
def test_a_correction_that_is_killed_around_its_writes_is_made_once_by_the_next(both, make):
    kill_correction(both, make(), around_writes)


@pytest.mark.parametrize("make", BOTH)
def test_a_replay_that_is_killed_leaves_its_row_open_and_a_rerun_settles_it_once(both, make):
    kill_load(both, make(), some)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kill", [kill_correction, kill_load])
@pytest.mark.parametrize("make", [of_events, of_sales])
def test_a_replay_killed_between_any_two_statements_takes_its_row_in_once(both, make, kill):
    kill(both, make(), others)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_load_that_is_refused_and_killed_stages_nothing_and_says_why_when_it_runs_again(both):
    kill_refusal(both, of_sales(), list)


@pytest.mark.parametrize("is_first", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_replay_beside_an_hourly_load_of_the_same_file_takes_its_row_in_once(world, is_first):
    files = of_events()
    files.put(world)
    hour = world.start(moments("2018-11-15T10", "2018-11-15T11"), pause=("stage_events before LOCK 1",))
    hour.wait_at("stage_events before LOCK 1")
    files.correct(world)
    if not is_first:
        hour.finish()
        world.run(files.window)
    else:
        world.run(files.window)
        hour.finish()
    assert_replayed(world, files)


@pytest.mark.long
def test_a_window_that_is_loaded_again_keeps_the_corrected_row(world):
    files = of_events()
    files.put(world)
    files.correct(world)
    world.run(files.window, files.window, moments("2018-11-15T10", "2018-11-15T11"))
    assert_replayed(world, files)
    assert len(world.warehouse.query("SELECT * FROM songplays")) == 2
