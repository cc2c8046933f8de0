"""Runs that load, found by the tag of their DAGs.

The Task SDK counts the runs of a DAG but lists no DAGs, and the metadata database is closed to tasks: which
DAGs carry the tag is read from the DAG files. Airflow's reader of them is imported once a task asks.
"""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from time import monotonic

from airflow.sdk import Context

_log = logging.getLogger(__name__)


def runs_under_way(context: Context, dag_file: str, tag: str) -> tuple[str, int] | None:
    """Return a DAG with runs that are under way, and how many, or None.

    Args:
        context: of the task that asks.
        dag_file: a DAG file; those beside it and below are looked at.
        tag: what DAGs that load are tagged with.
    """
    for dag_id in tagged_dags(Path(dag_file).parent, tag):
        if running := context["ti"].get_dr_count(dag_id=dag_id, states=["running"]):
            return dag_id, running
    return None


def tagged_dags(folder: Path, tag: str) -> list[str]:
    """Return the ids of the DAGs with a tag in a folder; a DAG file that is broken has none."""
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415 - no DAG file may cost that much

    with _own_alarm_kept():
        bag = DagBag(str(folder), load_op_links=False)
    for path, error in bag.import_errors.items():
        _log.warning("%s is broken and passed over: %s", path, error)
    return sorted(dag_id for dag_id, dag in bag.dags.items() if tag in dag.tags)


@contextmanager
def _own_alarm_kept() -> Iterator[None]:
    """Keep the alarm of this task's execution_timeout, which reading a DAG file replaces by its own."""
    if current_thread() is not main_thread():
        yield
        return
    handler, began = signal.getsignal(signal.SIGALRM), monotonic()
    seconds, _ = signal.getitimer(signal.ITIMER_REAL)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        # An alarm that is due by now goes off at once; 0 would be none.
        signal.setitimer(signal.ITIMER_REAL, max(seconds - (monotonic() - began), 0.001) if seconds else 0)
