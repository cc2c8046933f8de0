"""The page of the cluster: its state, expiry and costs, with pause and resume where they are possible."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from definitions.forms import LOADS
from sparkify_watch.cluster_state import Clusters, ClusterState, find_clusters, look_again
from sparkify_watch.page.access import may
from sparkify_watch.page.airflow_api import AirflowApi, AirflowRefusal, Api
from sparkify_watch.page.forms import Posted, PostedForm
from sparkify_watch.page.frame import Framed
from sparkify_watch.page.runs import Refusal, Wish

CLUSTER_DAG = "redshift_cluster"
_HOURS_TO_LIVE = 8
# A page does not wait for AWS; who presses a button may.
_GLANCE_SECONDS, _LOOK_SECONDS = 0.2, 8.0

_reading = requires_access_dag("GET", DagAccessEntity.RUN, CLUSTER_DAG)
_changing = requires_access_dag("POST", DagAccessEntity.RUN, CLUSTER_DAG)

router = APIRouter(prefix="/cluster")


@router.get("", dependencies=[Depends(_reading)])
def show(request: Request, user: GetUserDep, frame: Framed) -> Response:
    """Show what AWS says of the cluster; where it has not answered yet, that."""
    clusters = find_clusters(_GLANCE_SECONDS)
    return frame.show(
        "cluster.html",
        "Cluster",
        clusters=clusters,
        looked_at=clusters and clusters.looked_at.replace(tzinfo=None),
        node_hours={state.identifier: count_node_hours(state) for state in clusters.states}
        if clusters
        else {},
        may_change=may(request, user, "POST", CLUSTER_DAG),
        hours_to_live=_HOURS_TO_LIVE,
    )


@router.post("/{action}", dependencies=[Depends(_changing)])
async def change(action: Literal["pause", "resume"], form: Posted, frame: Framed, api: Api) -> Response:
    """Pause or resume a cluster: trigger the DAG that does it."""
    clusters = await run_in_threadpool(find_clusters, _LOOK_SECONDS)
    try:
        state = _choose(clusters, form.get("identifier"), action)
        if action == "pause" and not form.has("anyway"):
            await _refuse_to_disturb(api)
    except Refusal as refusal:
        return frame.refuse(refusal, form.fields)
    look_again()
    return await frame.start(_wish(action, state, form), form.fields)


def count_node_hours(state: ClusterState) -> float | None:
    """Return the node-hours of a cluster, as if it had never been paused, or None where they are unknown."""
    if state.kind != "provisioned" or state.cluster is None or state.cluster.created is None:
        return None
    return state.cluster.nodes * ((datetime.now(UTC) - state.cluster.created) / timedelta(hours=1))


def _choose(clusters: Clusters | None, identifier: str, action: str) -> ClusterState:
    """Return the cluster that is to be changed.

    Raises:
        Refusal: it cannot be, as it is now.
    """
    found = [state for state in clusters.states if state.identifier == identifier] if clusters else []
    if any(action in state.actions for state in found):
        return next(state for state in found if action in state.actions)
    why = f"it is {found[0].status} ({found[0].kind})" if found else "AWS does not show it"
    raise Refusal(
        409,
        f"This cluster cannot be {action}d now",
        f"{action.capitalize()} of {identifier or 'a cluster without a name'} is not possible: {why}.",
        "Look at the page of the cluster again: only an available cluster that redshift_cluster has made can "
        "be paused, and only a paused one resumed.",
    )


async def _refuse_to_disturb(api: AirflowApi) -> None:
    """Refuse to pause a cluster that loads are using.

    Raises:
        Refusal: a run that loads is under way.
    """
    try:
        dags = await api.get("dags", tags=LOADS, limit=100)
        running = await api.get("dags", "~", "dagRuns", state="running", limit=100)
    except AirflowRefusal:
        # Who may not see them pauses all the same: the runs try again once the cluster is back.
        return
    loading = {dag["dag_id"] for dag in dags["dags"]}
    disturbed = [run for run in running["dag_runs"] if run["dag_id"] in loading]
    if disturbed:
        run = disturbed[0]
        raise Refusal(
            409,
            "A load is under way",
            f"{len(disturbed)} runs use the cluster, such as {run['dag_run_id']} of {run['dag_id']}.",
            "Wait until they have ended. Paused under them, their tasks fail and are tried again for some "
            "minutes, then stay failed.",
            run=(run["dag_id"], run["dag_run_id"]),
            offer={"anyway": "Pause it all the same"},
        )


def _wish(action: str, state: ClusterState, form: PostedForm) -> Wish:
    conf: dict[str, str | float] = {"action": action, "identifier": state.identifier, "kind": state.kind}
    if action == "resume":
        hours = form.get("hours_to_live")
        # What is no number Airflow refuses, as it does in its own form.
        conf["hours_to_live"] = (
            float(hours) if hours.replace(".", "", 1).isdecimal() else hours or _HOURS_TO_LIVE
        )
    return Wish(
        CLUSTER_DAG, f"{action}__{state.identifier}__{form.nonce}", conf, switch_on=form.has("switch_on")
    )
