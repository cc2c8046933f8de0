"""The heat map of hours, and the answers to the analysts' questions."""

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from sparkify_watch.drawing import draw_answer
from sparkify_watch.mirror.answers import answers_of
from sparkify_watch.page import grid
from sparkify_watch.page.access import ReadDataset, may_load
from sparkify_watch.page.frame import Framed
from sparkify_watch.page.grid import Pick
from sparkify_watch.page.sheets import make_sheet, tell_picked
from sparkify_watch.units import Unit

router = APIRouter()


@router.get("/{dataset}/hours")
def hours(
    request: Request,
    user: GetUserDep,
    frame: Framed,
    dataset: ReadDataset,
    *,
    month: str = "",
    year: str = "",
    start: str = "",
    end: str = "",
) -> Response:
    """Show what has become of each hour; a range of them is picked by its first and its last."""
    pick = Pick.of(Unit(dataset.interval), start, end)
    sheet = make_sheet(frame.db, dataset, pick, month, year)
    return frame.show(
        "hours.html",
        f"{dataset.interval.capitalize()}s of {dataset.name}",
        dataset,
        sheet=sheet,
        pick=pick,
        picked=tell_picked(sheet, pick),
        may_load=may_load(request, user, dataset),
        marks=grid.MARKS,
        words=grid.WORDS,
    )


@router.get("/{dataset}/answers")
def answers(frame: Framed, dataset: ReadDataset) -> Response:
    """Show what the warehouse answers to the analysts' questions."""
    found = [(each, Markup(draw_answer(each))) for each in answers_of(frame.db, dataset)]  # noqa: S704 - SVG of ours
    return frame.show("answers.html", f"Answers of {dataset.name}", dataset, answers=found)
