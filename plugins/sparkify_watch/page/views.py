"""The pages that only show: overview, loads, quality, files, rejected rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Response
from markupsafe import Markup

from definitions import DATASETS
from sparkify_watch import charts
from sparkify_watch.mirror import read, read_files, read_quality
from sparkify_watch.page.access import ReadDataset
from sparkify_watch.page.frame import Framed
from sparkify_watch.page.summary import summarize

router = APIRouter()

PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Search = Annotated[str, Query(max_length=200)]
_DAYS = 60


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
        charts=_load_charts(read.load_days(frame.db, dataset.name, charted, _DAYS), charted),
    )


def _load_charts(days: Sequence[read.LoadDay], table: str) -> list[Markup]:
    """Draw rows and time of each day's loads of a table; a day without any is a gap of no height."""
    if not days:
        return []
    known = {each.day: each for each in days}
    first, last = days[0].day, days[-1].day
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)][-_DAYS:]
    rows = [(f"{day:%d %b}", known[day].rows_inserted if day in known else 0) for day in every]
    took = [(f"{day:%d %b}", known[day].seconds / known[day].loads if day in known else 0) for day in every]
    return [
        Markup(charts.columns(rows, f"Rows written to {table}, by the day of the load")),  # noqa: S704 - SVG of ours
        Markup(charts.columns(took, f"Seconds that a load of {table} took, by day")),  # noqa: S704
    ]


@router.get("/{dataset}/quality")
def quality(frame: Framed, dataset: ReadDataset, check: str = "", page: PageNumber = 1) -> Response:
    """Show every check with its last results, or the history of one."""
    if check:
        found = read_quality.results(frame.db, dataset.name, check, read.Place(page))
        return frame.show(
            "check.html", check, dataset, found=found, check=check, chart=_observed(found.items)
        )
    checks = read_quality.checks(frame.db, dataset.name)
    strips = {each.key: _strip(each) for each in checks}
    return frame.show("quality.html", f"Quality of {dataset.name}", dataset, checks=checks, strips=strips)


def _strip(check: read_quality.Check) -> Markup:
    """Draw the last results of a check, oldest first."""
    results = list(reversed(check.results))
    items = [(f"{each.checked_at:%Y-%m-%d %H:%M}: {each.status}", each.status) for each in results]
    bad = sum(not each.is_good for each in results)
    return Markup(charts.strip(items, f"{len(results)} last results, {bad} not passed"))  # noqa: S704


def _observed(results: Sequence[read_quality.Result]) -> Markup | None:
    """Draw what a check saw, where that is a number."""
    points: list[tuple[datetime, float]] = []
    for each in reversed(results):
        try:
            points.append((each.checked_at, float((each.observed or "").replace(",", ""))))
        except ValueError:
            continue
    positive = len(points) > 1 and all(value >= 0 for _, value in points)
    return Markup(charts.lines({"observed": points}, "What the check saw")) if positive else None  # noqa: S704


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
    found = read_files.rejected_rows(frame.db, dataset.name, load_id.strip(), q.strip(), read.Place(page))
    by_load = [(load, list(rows)) for load, rows in groupby(found.items, lambda row: row.load_id)]
    return frame.show(
        "rejected.html",
        f"Rejected rows of {dataset.name}",
        dataset,
        found=found,
        by_load=by_load,
        q=q.strip(),
        load_id=load_id.strip(),
        total=read_files.count_rejected(frame.db, dataset.name),
    )
