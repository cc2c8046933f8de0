"""The page "Warehouse" of Airflow's web UI: an entry of the navigation and a tab of every DAG."""

import gc
import sys
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import cached_property
from typing import Any

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PREFIX = "/warehouse"


class WarehousePage:
    """The page's application, imported when the API server is first asked for it.

    Airflow imports plugins in every process, each task's too, which need neither FastAPI nor the pages.
    """

    @cached_property
    def _app(self) -> Any:  # noqa: ANN401 - FastAPI, which is not imported yet
        # The datasets are defined there; what runs DAGs has it on its path, and the API server may not.
        if (folder := conf.get_mandatory_value("core", "dags_folder")) not in sys.path:
            sys.path.append(folder)
        from sparkify_watch.page.app import app  # noqa: PLC0415 - as said above

        _spare_what_stays()
        return app

    @property
    def routes(self) -> Sequence[Any]:
        """Its routes, for whoever lists those of the API server."""
        routes: Sequence[Any] = self._app.routes
        return routes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._app(scope, receive, send)


def _spare_what_stays() -> None:
    """Keep what is in memory now, Airflow itself, out of later collections: a full one stopped everybody."""
    gc.collect()
    gc.freeze()


class WarehousePagePlugin(AirflowPlugin):
    """Adds the page."""

    name = "warehouse_page"
    fastapi_apps: list[Any] = [  # noqa: RUF012 - the base class has it so
        {"app": WarehousePage(), "url_prefix": PREFIX, "name": "warehouse"}
    ]
    external_views: list[Any] = [  # noqa: RUF012
        {
            "name": "Warehouse",
            "href": f"{PREFIX}/",
            "destination": "nav",
            "url_route": "warehouse",
            "category": "browse",
        },
        {
            "name": "Warehouse",
            "href": f"{PREFIX}/dag/{{DAG_ID}}",
            "destination": "dag",
            "url_route": "warehouse_of_dag",
        },
    ]
