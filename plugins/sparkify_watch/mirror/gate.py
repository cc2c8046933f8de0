"""Whether the warehouse may be asked now."""

from definitions.forms import LOADS
from sparkify_watch.cluster_state import may_connect


def reason_not_to_ask(forced: bool) -> str:
    """Return why the warehouse must not be asked, such as `the cluster is paused`, or an empty text.

    It never wakes anything: what sleeps stays asleep, unless a person says so.

    Args:
        forced: a person has pressed "Look now".
    """
    admission = may_connect(is_awake=_is_load_under_way)
    return "" if forced and admission.can_be_asked else admission.reason


def _is_load_under_way() -> bool:
    """Tell whether a run of a DAG that loads is running, as Airflow records it."""
    from airflow.models.dag import DagTag  # noqa: PLC0415 - a report needs none of that
    from airflow.models.dagrun import DagRun  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415

    tagged = select(DagTag.dag_id).where(DagTag.name == LOADS)
    with create_session() as session:
        running = select(DagRun.id).where(DagRun.state == "running", DagRun.dag_id.in_(tagged)).limit(1)
        return session.scalar(running) is not None
