"""The page's application."""

from airflow.api_fastapi.core_api.security import requires_authenticated
from fastapi import Depends, FastAPI
from starlette.exceptions import HTTPException

from sparkify_watch.page import actions, hours, look, static, views
from sparkify_watch.page.headers import SecureHeaders
from sparkify_watch.page.stopped import explain
from sparkify_watch.page.tokens import know_user


def make_app() -> FastAPI:
    """Return the application; each of its routes wants a login, its files too."""
    made = FastAPI(
        title="Warehouse",
        dependencies=[Depends(requires_authenticated()), Depends(know_user)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    # In this order: `views` has the routes with one part and any name in it.
    for router in (static.router, look.router, actions.router, hours.router, views.router):
        made.include_router(router)
    made.add_middleware(SecureHeaders)
    made.add_exception_handler(HTTPException, explain)
    return made


app = make_app()
