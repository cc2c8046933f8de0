"""The pages that only show: overview, loads, quality, files, rejected rows."""

from fastapi import APIRouter, Request, Response

from definitions import DATASETS
from sparkify_watch.mirror import read
from sparkify_watch.page.access import ReadableDatasets, ReadDataset
from sparkify_watch.page.answer import answer
from sparkify_watch.page.picture import Mirror

router = APIRouter()


@router.get("/")
def overview(request: Request, db: Mirror, datasets: ReadableDatasets) -> Response:
    """Show every dataset's tables."""
    shown = [(each, read.table_states(db, each.published)) for each in datasets]
    return answer(
        request,
        "overview.html",
        title="Overview",
        picture=read.picture(db),
        datasets=datasets,
        shown=shown,
    )


@router.get("/dag/{dag_id}")
def dag(request: Request, db: Mirror, datasets: ReadableDatasets, dag_id: str) -> Response:
    """Show the dataset that a DAG loads, in the tab of the DAG."""
    loaded = [each for each in datasets if each.loaded_by == dag_id]
    shown = [(each, read.table_states(db, each.published)) for each in loaded]
    return answer(
        request,
        "overview.html" if shown else "no_dataset.html",
        title=dag_id,
        picture=read.picture(db),
        datasets=datasets,
        dataset=loaded[0] if loaded else None,
        shown=shown,
        loading=[each.loaded_by for each in DATASETS if each in datasets],
    )


@router.get("/{dataset}/loads")
def loads(
    request: Request, db: Mirror, dataset: ReadDataset, datasets: ReadableDatasets, before: str = ""
) -> Response:
    """Show the newest loads of a dataset."""
    found = read.loads(db, dataset.tables, before=before or None)
    return answer(
        request,
        "loads.html",
        title=f"Loads of {dataset.name}",
        picture=read.picture(db),
        datasets=datasets,
        dataset=dataset,
        loads=found,
    )
