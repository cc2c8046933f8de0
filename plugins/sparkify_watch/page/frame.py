"""What stands around every page: the navigation, and how old the picture is."""

from typing import Annotated, Any

from fastapi import Depends, Request, Response

from definitions.dataset import Dataset
from sparkify_watch.mirror import read
from sparkify_watch.page.access import ReadableDatasets
from sparkify_watch.page.answer import answer
from sparkify_watch.page.picture import Mirror


class Frame:
    """A page about to be shown.

    Args:
        request: what is answered.
        db: the mirror.
        datasets: those that the user may read: they are in the navigation.
    """

    def __init__(self, request: Request, db: Mirror, datasets: ReadableDatasets) -> None:
        self.db, self.datasets = db, datasets
        self._request = request

    def show(
        self, template: str, title: str, dataset: Dataset | None = None, status: int = 200, **values: Any
    ) -> Response:
        """Return the page.

        Args:
            template: in the folder `templates`.
            title: its heading.
            dataset: the one that it is about, if it is about one.
            status: of HTTP.
            **values: what the template shows.
        """
        given = {"title": title, "dataset": dataset, "datasets": self.datasets, **values}
        return answer(self._request, template, status, picture=read.picture(self.db), **given)


Framed = Annotated[Frame, Depends(Frame)]
"""The frame of a page."""
