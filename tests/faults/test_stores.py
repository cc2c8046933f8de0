"""Runs of the stores, beside those of Sparkify: dead ones, two sources, and what one keeps from the other."""

import pytest

from tests.faults.datasets import SPARKIFY, STORES
from tests.faults.runs import Run, moments
from tests.faults.story import DAY, OF_STORES, put_version, put_version_of_stores
from tests.faults.test_crashes import kill_task, others, some
from tests.faults.world import World
from tests.records import sale

OCTOBER = moments("2018-10-01", "2018-11-01")
NOVEMBER = moments("2018-11-01", "2018-12-01")
DECEMBER = moments("2018-12-01", "2019-01-01")
PENDING = "facts have taken in every change"


@pytest.mark.parametrize("task", STORES.tasks)
def test_a_task_of_stores_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest(both, task):
    kill_task(both, OF_STORES, task, some)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("task", STORES.tasks)
def test_a_task_of_stores_killed_between_any_two_statements_leaves_its_table_as_it_was(both, task):
    kill_task(both, OF_STORES, task, others)


def run_from(world: World, bucket: str, pause: str = "") -> Run:
    """Start a run of the stores over October whose source is another bucket."""
    variable, environment = "AIRFLOW_VAR_SPARKIFY_SOURCE_BUCKET", world.runner.environment
    before = dict(environment)
    environment[variable] = bucket
    try:
        return world.start(OCTOBER, dataset="stores", pause=(pause,))
    finally:
        world.runner.environment = before


@pytest.fixture
def second_bucket(both: World) -> str:
    """A bucket with other sales of the same month."""
    bucket, s3 = f"second-{both.source.bucket}", both.source.s3
    s3.create_bucket(Bucket=bucket)
    key = both.put_sales("2018-10", [sale(7, "2018-10")])
    s3.put_object(Bucket=bucket, Key=key, Body=both.objects[key])
    key = both.put_store(7)
    s3.put_object(Bucket=bucket, Key=key, Body=both.objects[key])
    both.delete(key)
    return bucket


def test_a_second_source_of_a_staging_table_is_refused_and_changes_nothing(both, second_bucket):
    put_version_of_stores(both, 0)
    both.run(OCTOBER, dataset="stores")
    assert "staging_stores holds the rows of" in run_from(both, second_bucket).fail()
    both.check()


def test_of_two_sources_that_are_staged_at_once_the_later_one_is_refused(both, second_bucket):
    """Both find an empty table; the ledger is asked again under the lock."""
    put_version_of_stores(both, 0)
    second = run_from(both, second_bucket, pause="stage_stores before LOCK 1")
    second.wait_at("stage_stores before LOCK 1")
    both.run(OCTOBER, dataset="stores")
    assert "staging_stores holds the rows of" in second.fail()
    both.check()


@pytest.mark.parametrize("back", [1, 31])
def test_a_month_that_is_mended_is_loaded_again_by_the_next_months_run(both, back):
    put_version_of_stores(both, 0)
    both.run(OCTOBER, dataset="stores")
    put_version_of_stores(both, 1)
    both.run(NOVEMBER, dataset="stores", look_back_days=back)
    both.check()


def test_a_month_beyond_the_look_back_stays_as_it_was_loaded(both):
    put_version_of_stores(both, 0)
    both.run(OCTOBER, dataset="stores")
    before = both.warehouse.contents("store_sales")
    put_version_of_stores(both, 1)
    both.run(DECEMBER, dataset="stores", look_back_days=30)
    after = both.warehouse.contents("store_sales")["store_sales"]
    assert [row for row in after if row[1] < NOVEMBER[0]] == before["store_sales"]


def test_late_months_that_a_dead_run_of_stores_staged_are_no_matter_of_sparkify(both):
    put_version(both, 0)
    both.run(DAY)
    put_version_of_stores(both, 0)
    both.run(OCTOBER, dataset="stores")
    put_version_of_stores(both, 1)
    both.start(NOVEMBER, dataset="stores", kill="load_sales before LOCK 1").die()
    assert both.pending(STORES) == 1
    ledger = both.ledger(STORES)
    both.run(DAY, tasks=(*SPARKIFY.tasks, "check_quality"))
    both.check(SPARKIFY)
    assert both.ledger(STORES) == ledger
    found = f"SELECT status FROM ops.quality_results WHERE check_name = '{PENDING}'"
    assert both.warehouse.query(found) == [("passed",)]
    both.run(NOVEMBER, dataset="stores")
    both.check()


def test_late_hours_that_a_dead_run_of_sparkify_staged_are_no_matter_of_the_stores(both):
    put_version(both, 0)
    both.run(DAY)
    put_version(both, 1)
    both.start(moments("2018-11-16", "2018-11-17"), kill="load_users before LOCK 1").die()
    ledger = both.ledger(SPARKIFY)
    put_version_of_stores(both, 0)
    both.run(OCTOBER, dataset="stores")
    both.check(STORES)
    assert both.pending(SPARKIFY) == 2
    assert both.ledger(SPARKIFY) == ledger
    both.run(moments("2018-11-16", "2018-11-17"))
    both.check()
