"""A subject looked at again: its memory brought up to date, and those told who have not heard."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

from airflow.sdk import Variable
from airflow.sdk.execution_time import task_runner

from sparkify_watch.alerts.alert import Alert
from sparkify_watch.alerts.delivery import deliver
from sparkify_watch.alerts.memory import Memory
from sparkify_watch.alerts.targets import read_targets

PREFIX = "sparkify_alerts_memory_"
"""Of the Airflow Variables that hold the memories, before the subject."""

_DESCRIPTION = "What the alerts have told of this, and to whom. Delete it, and they begin anew."

# Several deadlines may be missed at once, in threads of one triggerer.
_ONE_AT_A_TIME = Lock()

_log = logging.getLogger(__name__)

Change = Callable[[Memory, datetime], Memory]
Describe = Callable[[Memory, str], Alert]


def tell(subject: str, change: Change, describe: Describe) -> None:
    """Bring a subject's memory up to date and tell those who last heard of another state.

    The new state is kept before anybody is told, and who has heard it after that: a process that ends
    between the two has somebody told again rather than never.

    Args:
        subject: names the memory.
        change: what happened to it.
        describe: makes the alert of the memory for a target that last heard of the given state.
    """
    if not hasattr(task_runner, "SUPERVISOR_COMMS"):
        _log.debug("Run by hand (airflow dags test): nobody is told of %s.", subject)
        return
    with _ONE_AT_A_TIME:
        known = _read(subject)
        memory = _keep(subject, known, change(known, datetime.now(UTC)))
        if not memory.is_settled:
            _keep(subject, memory, _tell_owed(memory, describe))


def _tell_owed(memory: Memory, describe: Describe) -> Memory:
    """Tell the targets that are owed the state; return the memory with what came of it."""
    now, targets = datetime.now(UTC), {str(target): target for target in read_targets()}
    memory = memory.without_others(targets)
    owed = {name: target for name, target in targets.items() if memory.is_owed(name, now)}
    alerts = {target: describe(memory, memory.last_heard(name)) for name, target in owed.items()}
    taken = deliver(alerts)
    for name, target in owed.items():
        memory = memory.heard(name) if target in taken else memory.not_heard(name, datetime.now(UTC))
    return memory


def _read(subject: str) -> Memory:
    return Memory.read(Variable.get(PREFIX + subject, default=""))


def _keep(subject: str, before: Memory, after: Memory) -> Memory:
    if after != before:
        Variable.set(PREFIX + subject, after.write(), _DESCRIPTION)
    return after
