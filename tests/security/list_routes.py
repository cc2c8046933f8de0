"""Print every route of Airflow's API server, as its own code lists them: [method, path] of each, in JSON."""

import json
import sys
from collections.abc import Iterable, Iterator

from airflow.api_fastapi.app import create_app
from airflow.api_fastapi.execution_api.routes import execution_api_router
from starlette.routing import BaseRoute, Mount, Route

Found = Iterator[tuple[str, str]]


def routes(of: Iterable[BaseRoute], prefix: str = "") -> Found:
    for route in of:
        if isinstance(route, Mount):
            # One that serves files has no routes of its own.
            yield from (
                routes(route.routes, prefix + route.path) if route.routes else [("GET", prefix + route.path)]
            )
        elif isinstance(route, Route):
            yield from ((method, prefix + route.path) for method in route.methods or ())
        else:
            yield "WEBSOCKET", prefix + getattr(route, "path", repr(route))


if __name__ == "__main__":
    everything = [*routes(create_app().routes), *routes(execution_api_router.routes, "/execution")]
    sys.stdout.write("\n" + json.dumps(sorted(set(everything))) + "\n")
