"""The second dataset: whatever comes when, the same stores and sales; and what all datasets share."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from definitions.stores import STORES
from sandbox.demo.sample import Request
from sandbox.demo.sample.stores import write_stores
from sparkify.warehouse.schema import with_ops
from tests.system.conftest import ROOT, execute

MONTHS = [f"2018-{month:02}-01T00:00:00" for month in range(9, 13)]
WINDOWS = list(itertools.pairwise(MONTHS))
AUTUMN = (MONTHS[0], MONTHS[-1])
PARIS = {"city": "Paris", "brand": "Lumio", "location": "Centre_Ville"}
LYON = PARIS | {"city": "Lyon"}


def dag_of(file, dag_id):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags" / file)).dags[dag_id]


@pytest.fixture(scope="module")
def dag():
    return dag_of("stores_etl.py", "stores_etl")


@pytest.fixture
def stores(warehouse):
    """A warehouse without the dataset's tables."""
    drops = [f"DROP TABLE IF EXISTS {table} CASCADE" for table in STORES.tables]
    warehouse.execute(*drops)
    yield warehouse
    warehouse.connection.rollback()
    warehouse.execute(*drops)


@pytest.fixture
def load(dag, stores, source):
    """Run every task of the DAG over a window."""
    numbers = itertools.count()

    def load(window):
        params = {name: param.value for name, param in dag.params.items()}
        params |= {"window_start": f"{window[0]}Z", "window_end": f"{window[1]}Z"}
        run_id = f"run_{next(numbers)}"
        return {task.task_id: execute(task, params, run_id) for task in dag.topological_sort()}

    return load


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    write_stores(folder, Request(start=date(2018, 9, 1), days=91))
    return folder


def put_sample(source, folder):
    for path in sorted(folder.rglob("*.json")):
        source.put(path.relative_to(folder).as_posix(), path.read_bytes())


def put_store(source, store, **more):
    fields = {name.capitalize(): value for name, value in (store | more).items()}
    source.put(f"store_data/{store['city']}.json", json.dumps(fields))


def put_sales(source, month, *sales):
    lines = [{**store, "month": f"{month}-01 00:00:00", "budget": 100, "actual": n} for store, n in sales]
    source.put(f"sales_data/{month[:4]}/{month}-sales.json", "".join(json.dumps(one) + "\n" for one in lines))


def contents(warehouse):
    found = {}
    for table in STORES.tables:
        rows = warehouse.query(f"SELECT * FROM {table}")
        found[table] = sorted((row[:-1] if table.startswith("staging") else row for row in rows), key=repr)
    return found


def actual(warehouse):
    sales = """
        SELECT stores.city, store_sales.month, store_sales.actual
        FROM store_sales LEFT JOIN stores ON store_sales.store_id = stores.store_id"""
    return {(city, f"{month:%Y-%m}"): int(sold) for city, month, sold in warehouse.query(sales)}


def quality(warehouse):
    return sorted(
        warehouse.query("SELECT check_name, status FROM ops.quality_results WHERE status <> 'passed'")
    )


def test_a_sample_becomes_a_star_in_which_every_sale_has_its_store(load, stores, source, sample):
    put_sample(source, sample)
    done = load(AUTUMN)
    assert {table: len(rows) for table, rows in contents(stores).items()} == {
        "staging_stores": 40,
        "staging_sales": 120,
        "stores": 40,
        "store_sales": 120,
    }
    assert None not in {city for city, _ in actual(stores)}
    assert done["check_quality"] == {"passed": 3, "failed": 0, "warned": 0, "errors": 0}
    files = [json.loads(path.read_text()) for path in (sample / "store_data").iterdir()]
    assert sorted(row[0] for row in stores.query('SELECT "25_35_yo" FROM stores')) == sorted(
        store["25_35_yo"] for store in files
    )


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (2, 1, 0)], ids=str)
def test_months_in_any_order_give_what_one_run_over_all_of_them_gives(load, stores, source, sample, order):
    put_sample(source, sample)
    for number in order:
        load(WINDOWS[number])
    by_month = contents(stores)
    stores.execute(*(f"DROP TABLE {table} CASCADE" for table in STORES.tables), "DROP SCHEMA ops CASCADE")
    load(AUTUMN)
    assert contents(stores) == by_month


def test_runs_at_the_same_time_give_the_same_tables(dag, load, stores, source, sample):
    put_sample(source, sample)
    load(AUTUMN)
    once = contents(stores)
    stores.execute(*(f"DELETE FROM {table}" for table in STORES.tables), "DROP SCHEMA ops CASCADE")
    stores.execute(*with_ops(()))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(load, WINDOWS))
    assert contents(stores) == once


def test_a_second_run_changes_nothing(load, stores, source, sample):
    put_sample(source, sample)
    load(AUTUMN)
    before = contents(stores)
    done = load(AUTUMN)
    assert contents(stores) == before
    assert done["stage_stores"]["files"] == done["load_stores"]["rows_inserted"] == 0


def test_a_store_whose_file_comes_after_its_sales_has_them(load, stores, source):
    put_store(source, PARIS)
    put_sales(source, "2018-11", (PARIS, 90), (LYON, 80))
    load(WINDOWS[2])
    assert actual(stores) == {("Paris", "2018-11"): 90, (None, "2018-11"): 80}
    assert quality(stores) == [("foreign_key store_sales(store_id) -> stores(store_id)", "failed")]
    put_store(source, LYON)
    load(WINDOWS[1])
    assert actual(stores) == {("Paris", "2018-11"): 90, ("Lyon", "2018-11"): 80}


def test_sales_without_any_store_file_are_loaded(load, stores, source):
    put_sales(source, "2018-11", (PARIS, 90))
    load(WINDOWS[2])
    assert actual(stores) == {(None, "2018-11"): 90}


def test_a_store_file_that_has_changed_changes_the_store_alone(load, stores, source):
    put_sales(source, "2018-11", (PARIS, 90))
    for registers in (4, 9):
        put_store(source, PARIS, nb_cash_register=registers)
        load(WINDOWS[2])
        assert stores.query("SELECT city, nb_cash_register FROM stores") == [("Paris", registers)]
    assert actual(stores) == {("Paris", "2018-11"): 90}


def test_a_month_that_was_corrected_afterwards_is_loaded_again_by_the_next_month(load, stores, source):
    put_sales(source, "2018-10", (PARIS, 70), (LYON, 60))
    load(WINDOWS[1])
    put_sales(source, "2018-10", (PARIS, 71))
    put_sales(source, "2018-11", (PARIS, 90))
    load(WINDOWS[2])
    months = stores.query("SELECT month, actual FROM store_sales ORDER BY month")
    assert months == [(datetime(2018, 10, 1), 71), (datetime(2018, 11, 1), 90)]


def test_the_same_line_twice_is_one_sale_and_two_figures_for_one_month_are_refused(load, stores, source):
    put_sales(source, "2018-11", (PARIS, 90), (PARIS, 90))
    load(WINDOWS[2])
    assert actual(stores) == {(None, "2018-11"): 90}
    put_sales(source, "2018-11", (PARIS, 90), (PARIS, 91))
    with pytest.raises(AirflowFailException, match=r"values of \(store_id, month\) come more than once"):
        load(WINDOWS[2])
    assert actual(stores) == {(None, "2018-11"): 90}


def reset(**params):
    task = dag_of("warehouse_reset.py", "warehouse_reset").get_task("reset_tables").prepare_for_execution()
    instance = SimpleNamespace(dag_id="reset", run_id="r", task_id="reset", get_dr_count=lambda **_: 0)
    context = {"ti": instance, "params": {"action": "empty", "tables": [], "confirmation": "", **params}}
    task.render_template_fields(context)
    return task.execute(context)


@pytest.mark.parametrize(
    "tables", [["store_sales"], ["stores"], ["staging_sales", "staging_stores"], list(STORES.tables)], ids=str
)
def test_what_was_emptied_comes_back_with_a_run(load, stores, source, sample, tables):
    put_sample(source, sample)
    load(AUTUMN)
    before = contents(stores)
    assert reset(tables=tables, confirmation=" ".join(tables)) == tables
    assert contents(stores) == before | {table: [] for table in tables}
    load(AUTUMN)
    assert contents(stores) == before


def test_a_dataset_is_emptied_where_the_other_one_was_never_loaded(load, stores, source, run_etl):
    put_sales(source, "2018-11", (PARIS, 90))
    load(WINDOWS[2])
    with pytest.raises(AirflowFailException, match=r"songplays.* does not exist"):
        reset(tables=["songplays"], confirmation="songplays")
    assert reset(tables=["store_sales"], confirmation="store_sales") == ["store_sales"]
    assert actual(stores) == {}


def test_tables_of_every_dataset_are_made_anew(load, stores, source):
    put_sales(source, "2018-11", (PARIS, 90))
    load(WINDOWS[2])
    assert {"songplays", *STORES.tables, "ops.loads"} <= set(
        reset(action="recreate", confirmation="sparkify")
    )
    assert contents(stores) == {table: [] for table in STORES.tables}
    load(WINDOWS[2])
    assert actual(stores) == {(None, "2018-11"): 90}


def test_its_reconciliation_names_the_months_that_differ(load, stores, source):
    compare = dag_of("reconcile.py", "stores_reconcile").get_task("compare")
    params = {"window_start": f"{AUTUMN[0]}Z", "window_end": f"{AUTUMN[1]}Z", "reload": True}
    for month in ("2018-09", "2018-10", "2018-11"):
        put_sales(source, month, (PARIS, 90))
    load(AUTUMN)
    assert execute(compare, params, "compare_1") == []
    put_sales(source, "2018-09", (PARIS, 91))
    stores.execute("DELETE FROM store_sales WHERE month = '2018-11-01'")
    windows = execute(compare, params, "compare_2")
    assert [window["window_start"][:19] for window in windows] == [MONTHS[0], MONTHS[2]]
    for window in windows:
        load((window["window_start"][:19], window["window_end"][:19]))
    assert execute(compare, params, "compare_3") == []


def test_its_folders_are_uploaded(stores, source, sample):
    upload = dag_of("upload_source.py", "upload_source").get_task("upload")
    done = execute(upload, {"folder": str(sample), "bucket": ""}, "upload")
    assert done["uploaded"] == 43
    keys = {entry["Key"] for entry in source.s3.list_objects_v2(Bucket=source.bucket)["Contents"]}
    assert {"store_data/store-001.json", "sales_data/2018/2018-11-sales.json"} <= keys


def test_it_is_six_files_of_at_most_120_lines_and_no_python_of_operators():
    files = [ROOT / "dags" / "stores_etl.py", ROOT / "dags" / "definitions" / "stores.py"]
    # Beside them, what nothing needs that loads it: the questions that the warehouse page answers.
    files += sorted(path for path in (ROOT / "include" / "stores").iterdir() if path.is_file())
    assert len(files) == 6
    assert sum(len(path.read_text().splitlines()) for path in files) <= 120
    plugins = (ROOT / "plugins").rglob("*.py")
    assert not [path for path in plugins if "store_sales" in path.read_text()]
