"""Runs that people start from the page, each at most once, and why one is not started."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sparkify_watch.page.airflow_api import AirflowApi, AirflowRefusal

_UNDER_WAY = ("queued", "running")
_LOOKS = (0.0, 0.1, 0.3, 0.6)
"""Seconds between looks for the run of a form that was sent twice."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A run that somebody wants.

    Args:
        dag_id: of which DAG.
        run_id: its name; a form that is posted twice wishes for the same one.
        conf: its params.
        switch_on: the DAG is to be switched on if it is paused.
    """

    dag_id: str
    run_id: str
    conf: Mapping[str, Any]
    switch_on: bool = False


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """Why nothing was done.

    Args:
        status: of HTTP.
        title: what it is, in a few words.
        reason: what has happened.
        remedy: what to do.
        run: DAG and name of a run to look at, if there is one.
        offer: a box to tick that would change the answer, with its label: name and text.
    """

    status: int
    title: str
    reason: str
    remedy: str
    run: tuple[str, str] | None = None
    offer: Mapping[str, str] = field(default_factory=dict)


async def start(api: AirflowApi, wish: Wish) -> None:
    """Start a run.

    Raises:
        Refusal: it was not started; the refusal says why and what to do.
    """
    try:
        dag = await api.get("dags", wish.dag_id)
        if dag["is_paused"] and not wish.switch_on:
            raise _explain_paused(wish)
        await _refuse_twin(api, wish)
        if dag["is_paused"]:
            # First: who may not do that has no run that waits for it either.
            await api.send("PATCH", "dags", wish.dag_id, document={"is_paused": False})
        await _trigger(api, wish)
    except AirflowRefusal as refusal:
        if refusal.status >= 500:
            # A busy metadata database may fail one of two that come at once: the other's run is there soon.
            await _refuse_again(api, wish)
        raise _explain(wish, refusal) from None


async def _refuse_again(api: AirflowApi, wish: Wish) -> None:
    """Refuse what the same form has started, or does within a second.

    Raises:
        Refusal: it has.
    """
    for seconds in _LOOKS:
        await asyncio.sleep(seconds)
        with suppress(AirflowRefusal):
            await api.get("dags", wish.dag_id, "dagRuns", wish.run_id)
            raise _explain_twice(wish)


async def _refuse_twin(api: AirflowApi, wish: Wish) -> None:
    """Refuse what a run that has not ended does already, whoever has started it.

    Raises:
        Refusal: there is such a run.
    """
    found = await api.get("dags", wish.dag_id, "dagRuns", state=_UNDER_WAY, order_by="-id", limit=100)
    for run in found["dag_runs"]:
        if run["dag_run_id"] == wish.run_id:
            raise _explain_twice(wish)
        if _holds(run["conf"], wish.conf):
            raise Refusal(
                409,
                "It is under way already",
                f"A run of {wish.dag_id} that is {run['state']} does just that.",
                "Wait for it to end; its page says how far it is.",
                run=(wish.dag_id, run["dag_run_id"]),
            )


def _holds(conf: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    return all(_plain((conf or {}).get(name)) == _plain(value) for name, value in wanted.items())


def _plain(value: Any) -> Any:  # noqa: ANN401 - any param
    """Return a time as a time, however it is written, and all else as it is."""
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value


async def _trigger(api: AirflowApi, wish: Wish) -> None:
    document = {
        "dag_run_id": wish.run_id,
        "logical_date": None,
        "conf": dict(wish.conf),
        "note": "Started from the page Warehouse.",
    }
    await api.send("POST", "dags", wish.dag_id, "dagRuns", document=document)


def _explain_paused(wish: Wish) -> Refusal:
    return Refusal(
        409,
        "The DAG is switched off",
        f"{wish.dag_id} is paused in Airflow: a run would wait until somebody switches it on.",
        "Tick the box to switch it on. A DAG with a schedule then also goes on with its newest interval.",
        offer={"switch_on": f"Switch on {wish.dag_id}"},
    )


def _explain_twice(wish: Wish) -> Refusal:
    return Refusal(
        409,
        "It was started already",
        f"This form was sent before, and its run of {wish.dag_id} was started then.",
        "Look at that run. To run it once more, open the page anew.",
        run=(wish.dag_id, wish.run_id),
    )


def _explain(wish: Wish, refusal: AirflowRefusal) -> Refusal:
    """Return what Airflow says in words that tell what to do."""
    if refusal.status == 409:
        return _explain_twice(wish)
    title, remedy = _REMEDIES.get(refusal.status, ("Airflow has refused it", "Try again in a minute."))
    return Refusal(refusal.status, title, f"Airflow says: {refusal.detail}", remedy)


_REMEDIES = {
    400: ("A value is not as it has to be", "Go back, correct the value and send the form again."),
    401: ("You are not logged in", "Log in to Airflow and open the page again."),
    403: ("You may not do this", "Ask who looks after Airflow for a role that may trigger this DAG."),
    404: (
        "Airflow does not know the DAG",
        "It reads the DAG files every few minutes: try again then, or look at its list of import errors.",
    ),
    422: ("A value is not as it has to be", "Go back, correct the value and send the form again."),
}
