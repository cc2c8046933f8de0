"""What stands around every page that changes something, and the pages that say what came of it."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from definitions.dataset import Dataset
from sparkify_watch.mirror import read
from sparkify_watch.page.access import ReadableDatasets, may_load
from sparkify_watch.page.airflow_api import Api
from sparkify_watch.page.answer import answer
from sparkify_watch.page.picture import Mirror
from sparkify_watch.page.runs import Refusal, Wish, start


class Frame:
    """Navigation and age of the picture, around what a page says.

    Args:
        request: what is answered.
        user: who asks.
        db: the mirror, kept as `db`.
        datasets: those that the user may read, in the navigation; kept as `datasets`.
        api: Airflow's, for the user.
    """

    def __init__(
        self, request: Request, user: GetUserDep, db: Mirror, datasets: ReadableDatasets, api: Api
    ) -> None:
        self.db, self.datasets = db, datasets
        self._request, self._user = request, user
        self._root = request.scope.get("root_path", "")
        may_look = any(may_load(request, user, each) for each in datasets)
        self._given = {"picture": read.picture(db), "datasets": datasets, "may_look": may_look}
        self._api = api

    def show(
        self, template: str, title: str, dataset: Dataset | None = None, status: int = 200, **values: Any
    ) -> Response:
        """Return a page; templates may ask for `may_load`, of its dataset, and `airflow`, the UI's root."""
        given = self._given | {"title": title, "dataset": dataset, "airflow": self._root.rpartition("/")[0]}
        given["may_load"] = dataset is not None and may_load(self._request, self._user, dataset)
        return answer(self._request, template, status, **{**given, **values})

    async def start(self, wish: Wish, fields: Mapping[str, str], dataset: Dataset | None = None) -> Response:
        """Start a run and go on to its page, or say why it was not started, and how it can be.

        Args:
            wish: for the run.
            fields: of the form that was posted, to be posted again with what the refusal offers.
            dataset: that of the page.
        """
        try:
            await start(self._api, wish)
        except Refusal as refusal:
            return self.refuse(refusal, fields, dataset)
        # See Other: the page that the browser shows can be loaded anew without posting anything again.
        return RedirectResponse(
            f"{self._root}/run/{quote(wish.dag_id)}/{quote(wish.run_id)}", status_code=303
        )

    def refuse(self, refusal: Refusal, fields: Mapping[str, str], dataset: Dataset | None = None) -> Response:
        """Return the page that says why nothing was done."""
        title, status = refusal.title, refusal.status
        return self.show("refused.html", title, dataset, status, refusal=refusal, fields=fields)


Framed = Annotated[Frame, Depends(Frame)]
"""The frame of a page."""
