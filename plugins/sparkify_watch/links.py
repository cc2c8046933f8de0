"""Links of tasks in Airflow's web UI: to their rows on the page, and to their cluster in AWS's console.

They are made when somebody looks at a task, in the API server: neither operators nor tasks know of them.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from airflow.configuration import conf
from airflow.sdk import BaseHook, BaseOperatorLink
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

PAGE = "/warehouse"


class _Link(BaseOperatorLink):
    """A link of the operators that are named in `for_operators`."""

    for_operators: tuple[str, ...] = ()
    title = ""

    @property
    def name(self) -> str:
        """The text on the button."""
        return self.title

    @property
    def operators(self) -> list[type["BaseOperator"]]:  # type: ignore[override]
        """The operators, imported when the API server asks: plugins are read in every process."""
        from sparkify import operators  # noqa: PLC0415

        return [getattr(operators, name) for name in self.for_operators]


class LoadsLink(_Link):
    """To the loads that a task has committed: their windows, rows and files."""

    for_operators = ("StageToRedshiftOperator", "LoadFactOperator", "LoadDimensionOperator")
    title = "Rows of this task"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002
        """Return the address of the loads."""
        return _page_of(ti_key)


class RejectedLink(_Link):
    """To the rows that a staging task has not taken."""

    for_operators = ("StageToRedshiftOperator",)
    title = "Rejected rows"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002
        """Return the address of the rows."""
        found = _page_of(ti_key)
        return f"{found}#rejected" if found else ""


class QualityLink(_Link):
    """To the results of the checks of a task."""

    for_operators = ("DataQualityOperator",)
    title = "Results of these checks"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002
        """Return the address of the results."""
        return _page_of(ti_key)


class ConsoleLink(_Link):
    """To the cluster of a task in AWS's console, where its queries are; none where it is not on AWS."""

    for_operators = (*LoadsLink.for_operators, *QualityLink.for_operators)
    title = "Queries in the AWS console"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002
        """Return the address of the cluster or workgroup, empty without one."""
        from sparkify_watch.cluster_state import find_named, find_region  # noqa: PLC0415 - they import boto3

        named = find_named(str(getattr(operator, "conn_id", "") or "redshift_default"))
        region = find_region(named)
        if named is None or not region or _is_elsewhere():
            return ""
        # UNCONFIRMED: AWS documents no address within its console.
        page, key = _CONSOLE[named.kind]
        home = f"https://{region}.{_domain_of(region)}/redshiftv2/home?region={region}"
        return f"{home}#{page}?{key}={quote(named.identifier)}"


LINKS = (LoadsLink(), RejectedLink(), QualityLink(), ConsoleLink())
"""Every link."""

_CONSOLE = {
    "provisioned": ("cluster-details", "cluster"),
    "serverless": ("serverless-workgroup", "workgroup"),
}


def _page_of(key: "TaskInstanceKey") -> str:
    """Return the address of the page that shows what a task did, empty where the DAG is of no dataset."""
    from definitions import DATASETS  # noqa: PLC0415 - it is there where DAGs are

    found = [each for each in DATASETS if key.dag_id.startswith(f"{each.name}_")]
    if not found:
        return ""
    # Of a mapped task every index has records of its own (TaskRun.of).
    task_id = key.task_id if key.map_index < 0 else f"{key.task_id}[{key.map_index}]"
    query = urlencode({"dag_id": key.dag_id, "run_id": key.run_id, "task_id": task_id})
    return f"{_root()}{PAGE}/{found[0].name}/task?{query}"


def _root() -> str:
    return urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")


def _domain_of(region: str) -> str:
    if region.startswith("cn-"):
        return "console.amazonaws.cn"
    return "console.amazonaws-us-gov.com" if region.startswith("us-gov-") else "console.aws.amazon.com"


def _is_elsewhere() -> bool:
    """Tell whether the connection to AWS leads to another address, of which AWS's console shows nothing."""
    try:
        extra: dict[str, Any] = BaseHook.get_connection("aws_default").extra_dejson
    except AirflowNotFoundException:
        return False
    return bool(extra.get("endpoint_url"))
