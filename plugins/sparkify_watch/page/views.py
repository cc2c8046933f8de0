"""The pages that only show: overview, loads, quality, files, rejected rows."""

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Response

from definitions import DATASETS
from sparkify_watch.mirror import read, read_files, read_quality
from sparkify_watch.page import graphs
from sparkify_watch.page.access import ReadDataset
from sparkify_watch.page.frame import Framed
from sparkify_watch.page.summary import summarize

router = APIRouter()

PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Search = Annotated[str, Query(max_length=200)]


@router.get("/")
def overview(frame: Framed) -> Response:
    """Show the tables of every dataset."""
    shown = [summarize(frame.db, each) for each in frame.datasets]
    return frame.show("overview.html", "Overview", shown=shown)


@router.get("/dag/{dag_id}")
def dag(frame: Framed, dag_id: str) -> Response:
    """Show the dataset that a DAG loads, in the tab of the DAG."""
    loaded = next((each for each in frame.datasets if each.loaded_by == dag_id), None)
    if loaded is None:
        loading = [each.loaded_by for each in DATASETS if each in frame.datasets]
        return frame.show("no_dataset.html", dag_id, loading=loading)
    return frame.show("overview.html", loaded.name.capitalize(), loaded, shown=[summarize(frame.db, loaded)])


@router.get("/{dataset}/loads")
def loads(frame: Framed, dataset: ReadDataset, table: Search = "", page: PageNumber = 1) -> Response:
    """Show what loads wrote day by day, and each of them, the newest first."""
    found = read.loads(frame.db, dataset.name, table, read.Place(page))
    charted = table or next(iter(dataset.window_loads))
    return frame.show(
        "loads.html",
        f"Loads of {dataset.name}",
        dataset,
        found=found,
        table=table,
        charted=charted,
        charts=graphs.draw_days(read.load_days(frame.db, dataset.name, charted, graphs.DAYS), charted),
    )


@router.get("/{dataset}/quality")
def quality(frame: Framed, dataset: ReadDataset, check: str = "", page: PageNumber = 1) -> Response:
    """Show every check with its last results, or the history of one."""
    if check:
        found = read_quality.results(frame.db, dataset.name, check, read.Place(page))
        return frame.show(
            "check.html", check, dataset, found=found, check=check, chart=graphs.draw_observed(found.items)
        )
    checks = read_quality.checks(frame.db, dataset.name)
    strips = {each.key: graphs.draw_results(each.results) for each in checks}
    return frame.show("quality.html", f"Quality of {dataset.name}", dataset, checks=checks, strips=strips)


@router.get("/{dataset}/files")
def files(frame: Framed, dataset: ReadDataset, q: Search = "", page: PageNumber = 1) -> Response:
    """Show the versions of source files that were staged, the newest first."""
    found = read_files.staged_files(frame.db, dataset.name, q.strip(), read.Place(page))
    total = read_files.count_files(frame.db, dataset.name)
    return frame.show(
        "files.html", f"Files of {dataset.name}", dataset, found=found, q=q.strip(), total=total
    )


@router.get("/{dataset}/rejected")
def rejected(
    frame: Framed, dataset: ReadDataset, load_id: Search = "", q: Search = "", page: PageNumber = 1
) -> Response:
    """Show the rows of source files that were not staged, those of the newest load first."""
    load_id, q = load_id.strip(), q.strip()
    found = read_files.rejected_rows(frame.db, dataset.name, load_id, q, read.Place(page))
    by_load = [(load, list(rows)) for load, rows in groupby(found.items, lambda row: row.load_id)]
    return frame.show(
        "rejected.html",
        f"Rejected rows of {dataset.name}",
        dataset,
        found=found,
        by_load=by_load,
        q=q,
        load_id=load_id,
        total=read_files.count_rejected(frame.db, dataset.name),
    )
