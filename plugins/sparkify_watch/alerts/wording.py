"""What alerts say of each kind."""

from dataclasses import dataclass

from sparkify_watch.alerts.alert import Alert
from sparkify_watch.alerts.memory import GOOD, Memory
from sparkify_watch.alerts.runs import Run
from sparkify_watch.alerts.states import CLUSTER_EXPIRY, FAILED_RUN, LATE_LOAD, QUALITY_ERROR, windows_left


@dataclass(frozen=True)
class Words:
    """The words of one kind: what is bad, what is good again, and what to do meanwhile."""

    bad: str
    good: str
    remedy: str


WORDS = {
    FAILED_RUN: Words(
        "a run failed",
        "runs succeed again",
        "Mend what the cause names, then clear the failed task: the run goes on from there.",
    ),
    QUALITY_ERROR: Words(
        "data quality checks failed",
        "its data pass the checks again",
        "Look at the rows that the checks name, mend the source or the load, then clear the load tasks of the"
        " run: they load its window again, and the checks run again.",
    ),
    LATE_LOAD: Words(
        "a load is late",
        "the late load has come",
        "Open the run and see which task is under way: its log says what it waits for. If none is, look"
        " whether the scheduler runs and its workers are free.",
    ),
    CLUSTER_EXPIRY: Words(
        "the cluster is about to expire",
        "the cluster is out of danger, or gone",
        "To keep it, trigger redshift_cluster with the action provision (of a provisioned one also resume)"
        " and another hours_to_live. Else redshift_reaper removes or pauses it.",
    ),
}


def describe(  # noqa: PLR0917 - what an alert is made of
    subject: str, memory: Memory, last_heard: str, cause: str, run: Run, page_link: str = ""
) -> Alert:
    """Return the alert for a target that last heard of another state.

    Args:
        subject: the DAG or the cluster.
        memory: with the state to tell of.
        last_heard: the state that the target knows of.
        cause: what the run that showed it says.
        run: that run.
        page_link: where to look; the run's own page of the warehouse where it is empty.
    """
    is_good = memory.state == GOOD
    kind = last_heard if is_good else memory.state
    words = WORDS[kind]
    return Alert(
        id=f"{subject}/{kind}/{memory.change}",
        kind=kind,
        state="good" if is_good else "bad",
        subject=subject,
        title=f"{subject}: {words.good if is_good else words.bad}",
        cause=cause,
        remedy="" if is_good else words.remedy,
        since=memory.since,
        dag_id=run.dag_id,
        run_id=run.run_id,
        window=run.window,
        left=windows_left(memory) if kind in (FAILED_RUN, QUALITY_ERROR) else [],
        run_link=run.link,
        page_link=page_link or run.page_link,
    )
