"""dbt's project `dbt/project` against the endpoint: built twice, as every project is after its first day."""

import json

import pytest

from tests.clients.environments import FOLDER, attempt

PROJECT = FOLDER / "dbt" / "project"
DAYS = ["--event-time-start", "2018-11-28", "--event-time-end", "2018-11-30"]


class Dbt:
    """The project's folder and where dbt writes what it did."""

    def __init__(self, environment, target):
        self.environment, self.target = environment, target

    def build(self, *words):
        """Build; returns what failed (not what was skipped for it) and why, and how much was done."""
        done = self.run("build", *DAYS, *words)
        results = self.written("run_results.json")["results"]
        bad = [one for one in results if one["status"] not in ("success", "pass", "skipped")]
        failed = {one["unique_id"]: f"{one['status']}: {one['message']}" for one in bad}
        assert bool(failed) == bool(done.returncode), done.stdout
        return failed, len(results)

    def run(self, *words):
        folders = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", self.target]
        words = ["dbt", *words, *map(str, folders), "--log-path", str(self.target / "logs")]
        return attempt("dbt", words, self.environment)

    def written(self, name):
        path = self.target / name
        read = json.loads(path.read_text())
        path.unlink()
        return read


@pytest.fixture(scope="module")
def dbt(client_environment, raw, tmp_path_factory):
    return Dbt(client_environment(), tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="module")
def first(dbt):
    return dbt.build()


@pytest.fixture(scope="module")
def second(first, dbt):
    return dbt.build("--vars", "{second: true}")


def test_the_first_build_makes_every_seed_model_snapshot_and_passes_every_test(first, sample, warehouse):
    failed, done = first
    assert failed == {}
    assert done > 20
    for model in ("by_merge", "by_delete_insert", "by_day"):
        assert warehouse(f"SELECT COUNT(*) FROM dbt_marts.{model}") == [(len(sample.plays),)], model
    assert warehouse("SELECT name FROM dbt_ref.countries ORDER BY id") == [
        ("Åland",),
        ('Two, "quoted"',),
        ("back\\slash",),
    ]


def test_the_second_build_leaves_what_is_unchanged_as_it_was(second, sample, warehouse):
    assert second[0] == {}
    for model in ("by_merge", "by_delete_insert", "by_day"):
        assert warehouse(f"SELECT COUNT(*), COUNT(DISTINCT play_id) FROM dbt_marts.{model}") == [
            (len(sample.plays), len(sample.plays))
        ], model
    users = len({event["userId"] for event in sample.events} - {""})
    assert warehouse("SELECT COUNT(*) FROM dbt_snapshots.users_by_check") == [(users,)]


def test_the_second_build_follows_a_changed_schema(second, warehouse):
    columns = "SELECT \"column\" FROM pg_table_def WHERE schemaname = 'dbt_marts' AND tablename = '{}'"
    warehouse("SET search_path TO dbt_marts")
    assert ("extra",) in warehouse(columns.format("by_append"))
    assert warehouse("SELECT COUNT(*), COUNT(extra) FROM by_append") == [(20, 10)]
    synced = warehouse(columns.format("by_sync"))
    warehouse("RESET search_path")
    assert ("level",) in synced
    assert ("gone",) not in synced


def test_a_snapshot_ends_rows_that_are_gone_and_begins_changed_ones_anew(second, warehouse):
    assert warehouse(
        "SELECT id, COUNT(*), COUNT(dbt_valid_to) FROM dbt_snapshots.countries_by_time GROUP BY 1 ORDER BY 1"
    ) == [(1, 2, 1), (2, 1, 1), (3, 2, 1)]


def test_descriptions_are_kept_as_comments(second, warehouse):
    assert warehouse("SELECT obj_description('dbt_marts.dim_users'::regclass)") == [("It's the users",)]
    assert warehouse(
        "SELECT description FROM pg_description WHERE objoid = 'dbt.stg_plays'::regclass AND objsubid = 1"
    ) == [("the play's key",)]


def test_the_catalog_names_every_relation_with_its_columns(second, dbt):
    assert dbt.run("docs", "generate").returncode == 0
    catalog = dbt.written("catalog.json")
    assert not catalog["errors"]
    users = catalog["nodes"]["model.plays.dim_users"]
    assert list(users["columns"]) == ["user_id", "first_name", "last_name", "gender"]
    assert users["columns"]["user_id"]["type"] == "integer"
    assert users["metadata"]["comment"] == "It's the users"
    assert users["stats"]["diststyle"]["value"] == "ALL"
    assert "song_id" in catalog["nodes"]["model.plays.stg_songs"]["columns"]
    assert set(catalog["sources"]) == {"source.plays.raw.staging_events", "source.plays.raw.staging_songs"}


def test_freshness_is_asked_of_a_source(dbt):
    dbt.run("source", "freshness")
    [found] = dbt.written("sources.json")["results"]
    assert (found["status"], found["max_loaded_at"][:7]) == ("warn", "2018-11")


def test_metadata_come_from_show_commands_where_datasharing_is_on(second, dbt, sample, warehouse):
    failed, _ = dbt.build("--select", "stg_plays", "by_merge", "--target", "sharing")
    assert failed == {}
    assert warehouse("SELECT COUNT(*) FROM dbt_marts.by_merge") == [(len(sample.plays),)]
