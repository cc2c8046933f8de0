"""What changes something: loads and replays. Airflow itself decides who may, and writes down who did."""

from datetime import UTC, datetime

from fastapi import APIRouter, Response

from sparkify.window import Window, WindowError
from sparkify_watch.page import backfills, cluster, progress, task
from sparkify_watch.page.access import RunDataset
from sparkify_watch.page.forms import Posted, PostedForm
from sparkify_watch.page.frame import Framed
from sparkify_watch.page.runs import Refusal, Wish

REPLAY = "replay_rejected"
_REPLAYED = ("load_id", "file", "corrections", "corrections_key")

router = APIRouter()
for _part in (progress, task, cluster, backfills):
    router.include_router(_part.router)


@router.post("/{dataset}/load")
async def load(dataset: RunDataset, form: Posted, frame: Framed) -> Response:
    """Load a window: trigger the DAG that loads the dataset."""
    try:
        window = _read_window(form)
    except WindowError as error:
        return frame.refuse(_explain(error), form.fields, dataset)
    times = (f"{moment:%Y-%m-%dT%H:%M}" for moment in (window.start, window.end))
    wish = Wish(
        dataset.loaded_by,
        f"window__{'_to_'.join(times)}__{form.nonce}",
        {"window_start": window.start.isoformat(), "window_end": window.end.isoformat()},
        switch_on=form.has("switch_on"),
    )
    return await frame.start(wish, form.fields, dataset)


@router.post("/{dataset}/replay")
async def replay(dataset: RunDataset, form: Posted, frame: Framed) -> Response:
    """Let rejected rows come in: trigger the DAG that replays them."""
    conf = {"dataset": dataset.name, "dry_run": form.has("dry_run")}
    conf |= {name: form.get(name) for name in _REPLAYED if form.has(name)}
    wish = Wish(REPLAY, f"replay__{dataset.name}__{form.nonce}", conf, switch_on=form.has("switch_on"))
    return await frame.start(wish, form.fields, dataset)


def _read_window(form: PostedForm) -> Window:
    """Return the window of a form.

    Raises:
        WindowError: a time is missing or is none, or the window is empty or reversed.
    """
    try:
        return Window(*(_read_time(form, name) for name in ("window_start", "window_end")))
    except OverflowError:
        raise WindowError("One end of the window is no time in UTC.") from None


def _read_time(form: PostedForm, name: str) -> datetime:
    """Return a time, of UTC unless it says otherwise: a browser's field for times has no zone."""
    try:
        moment = datetime.fromisoformat(form.get(name))
    except ValueError:
        raise WindowError(f"{name} {form.get(name)!r} is no time such as 2018-11-01T00:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _explain(error: WindowError) -> Refusal:
    return Refusal(
        400,
        "There is no such window",
        str(error).partition(" Trigger with params")[0],
        "Go back and give both ends, in UTC: the first moment to load and, later, the first one not to load.",
    )
