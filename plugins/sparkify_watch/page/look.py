"""The button "Look now": the warehouse is asked although the picture is young, or although that wakes it."""

from typing import Annotated

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse

from sparkify_watch.mirror.keeper import Keeper
from sparkify_watch.page.access import ReadableDatasets, may_load
from sparkify_watch.page.forms import Posted
from sparkify_watch.page.picture import keeper

router = APIRouter()

# Most pictures are taken by then; the page says so of those that are not.
_WAIT = 5.0


def _wants_somebody_who_loads(request: Request, user: GetUserDep, datasets: ReadableDatasets) -> None:
    """Refuse who may load nothing: a workgroup that is woken costs money."""
    if not any(may_load(request, user, each) for each in datasets):
        raise HTTPException(403, "Only those who may load may have the warehouse looked at.")


@router.post("/look", dependencies=[Depends(_wants_somebody_who_loads)])
def look(request: Request, form: Posted, mirror: Annotated[Keeper, Depends(keeper)]) -> RedirectResponse:
    """Have the warehouse looked at, and go back to the page that asked for it."""
    mirror.look(forced=True, wait=_WAIT)
    here = form.get("here")
    # No address of elsewhere: a path of this page, which begins with one slash.
    path = here if here.startswith("/") and not here.startswith(("//", "/\\")) else "/"
    return RedirectResponse(request.scope.get("root_path", "") + path, status_code=303)
