"""What several DAG files say alike: arguments of their tasks, params of their forms, tags."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from sparkify_watch.alerts import CauseNotifier, LateLoadNotifier, LateRunNotifier, RunNotifier

START_DATE = datetime(2018, 11, 1, tzinfo=UTC)

INCLUDE = [str(Path(__file__).resolve().parents[up] / "include") for up in (2, 1)]
"""Where `.sql` files and their like are: beside the dags folder or, where only that is served, in it."""

READERS = "analysts"
"""The group of database users who read what is published."""

LOADS = "loads"
"""The tag of DAGs that load: while one of their runs is under way no cluster is stopped, no table reset."""

# Parts of forms, folded away below what most runs need.
SOURCE, NEW_CLUSTER, CONNECTING, REMOVAL = "Source files", "New cluster", "Who may connect", "Removal"

_OWNER = "sparkify"
OWNER_LINKS = {_OWNER: link} if (link := os.environ.get("SPARKIFY_OWNER_LINK")) else {}

DEFAULT_ARGS: dict[str, Any] = {
    "owner": _OWNER,
    # Half a minute to eight: a cluster that resumes needs minutes. What no retry mends fails at once.
    "retries": 5,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=2),
    "on_failure_callback": CauseNotifier(),
}

ALERTS: dict[str, Any] = {"on_failure_callback": RunNotifier(), "on_success_callback": RunNotifier()}
"""Who is told when runs fail, and when they succeed again: see docs/alerts.md."""

COMMON: dict[str, Any] = {
    "start_date": START_DATE,
    "catchup": False,
    "default_args": DEFAULT_ARGS,
    "template_searchpath": INCLUDE,
    **ALERTS,
    "owner_links": OWNER_LINKS,
}
"""Arguments of every DAG."""


def late_after(**interval: int) -> dict[str, Any]:
    """Return the deadline of a DAG whose scheduled runs have to be done an hour after they are due.

    Args:
        interval: at most so long is the DAG's data interval, for example `hours=1`.
    """
    deadline = DeadlineAlert(
        # It begins with the interval. The other reference, to when the run was queued, keeps runs from being
        # cleared (apache/airflow#70368).
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=timedelta(**interval) + timedelta(hours=1),
        callback=AsyncCallback(LateRunNotifier),
        name="late load",
    )
    return {"deadline": deadline}


LOADING_DAG: dict[str, Any] = {
    **COMMON,
    # What a task returns stands in its log, its asset's event and `ops`: a request less for each task.
    "default_args": DEFAULT_ARGS | {"do_xcom_push": False},
    "max_active_runs": 4,
    "tags": ["sparkify", "redshift", "etl", LOADS],
    **{name: [notifier, LateLoadNotifier()] for name, notifier in ALERTS.items()},
    **late_after(hours=1),
}
"""Those of DAGs that load by schedule, every hour."""


class LoadingDag(DAG):
    """A DAG that loads by schedule.

    Airflow 3.3.2 ends `airflow dags test` of a DAG that has a deadline with an AttributeError once the run
    has succeeded (apache/airflow#73428); where that is mended, DAG will do.
    """

    def test(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Airflow's DagRun, which the SDK has not
        """Run it once in this process, without its deadline."""
        deadline, self.deadline = self.deadline, None
        try:
            return super().test(*args, **kwargs)
        finally:
            self.deadline = deadline


def window_params(
    verb: str, note: str, default: tuple[str | None, str | None] = (None, None)
) -> dict[str, Param]:
    """Return the params of a window.

    Args:
        verb: what is done with the window, for example `load`.
        note: stands at the end of both descriptions.
        default: both ends; None where the run's data interval may give the window.
    """
    start, end = default
    return {
        "window_start": _moment(start, "Start of the window", f"First moment to {verb}. {note}"),
        "window_end": _moment(end, "End of the window", f"First moment not to {verb}. {note}"),
    }


def _moment(default: str | None, title: str, description: str) -> Param:
    kind = ["null", "string"] if default is None else "string"
    return Param(default, type=kind, format="date-time", title=title, description=description)


def loading_params(interval: str, look_back_days: int) -> dict[str, Param]:
    """Return the params of a DAG that loads a window.

    Args:
        interval: the length of its data interval, for example `hour`.
        look_back_days: the default of the param of this name.
    """
    note = (
        f"UTC. Give both ends or neither; without them the run loads its data interval, one {interval}. "
        "Leave them empty in a backfill."
    )
    return {
        **window_params("load", note),
        "look_back_days": Param(
            look_back_days,
            type="integer",
            minimum=0,
            maximum=31,
            section=SOURCE,
            title="Days to look back",
            description="Hours of that many days before the window that were loaded before and whose file has"
            " changed or come since are loaded again, too.",
        ),
    }


def cluster_params() -> dict[str, Param]:
    """Return the params of a DAG that makes and removes a cluster."""
    return {**_place_params(), **_snapshot_params()}


def _place_params() -> dict[str, Param]:
    return {
        **_kind_params(),
        "identifier": Param(
            "sparkify",
            type="string",
            pattern="^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
            maxLength=50,
            title="Cluster identifier",
            description="The cluster's name, the one in the connection redshift_default; the names of role"
            " and groups are made from it.",
        ),
        "allowed_cidr": Param(
            None,
            type=["null", "string"],
            section=CONNECTING,
            title="Allowed network",
            description="provision: the IPv4 network that may connect, such as 10.1.0.0/16; empty for the VPC"
            " that the cluster is in.",
        ),
        "allow_public_cidr": Param(
            False,
            type="boolean",
            section=CONNECTING,
            title="Allow a public network",
            description="The allowed network may be on the internet.",
        ),
    }


def _kind_params() -> dict[str, Param]:
    return {
        "kind": Param(
            "provisioned",
            type="string",
            enum=["provisioned", "serverless"],
            title="Kind",
            description="A cluster of nodes, or Redshift Serverless: a namespace and a workgroup.",
        ),
        "base_capacity": Param(
            8,
            type="integer",
            minimum=4,
            maximum=512,
            section=NEW_CLUSTER,
            title="Base capacity",
            description="A new Serverless cluster: RPUs, 4 or 8 to 512 in steps of 8.",
        ),
        "daily_rpu_hours": Param(
            16,
            type="integer",
            minimum=1,
            section=NEW_CLUSTER,
            title="RPU-hours a day",
            description="Serverless, the ceiling of its costs: once queries have used so many, they are"
            " turned off for the rest of the day.",
        ),
    }


def _snapshot_params() -> dict[str, Param]:
    return {
        "from_snapshot": Param(
            False,
            type="boolean",
            section=NEW_CLUSTER,
            title="From the last snapshot",
            description="A new cluster: restore the newest final snapshot of this cluster, if there is one.",
        ),
        "final_snapshot": Param(
            True,
            type="boolean",
            section=REMOVAL,
            title="Final snapshot",
            description="Removed: keep a snapshot, billed until it is deleted; false loses the data.",
        ),
    }
