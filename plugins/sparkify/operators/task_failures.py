"""What goes wrong in a task, as Airflow's exceptions: the one place that tells it whether to try again."""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException

from sparkify.failures import Fatal, FatalError, diagnose, explain


@contextmanager
def translate_failures(what: str) -> Iterator[None]:
    """Raise whatever goes wrong inside as the exception by which Airflow tries the task again, or does not.

    Args:
        what: the action with its connection, for messages.

    Raises:
        AirflowFailException: the failure is fatal: no retry of the task would mend it.
        AirflowException: the failure may pass; Airflow's own retries go on from here.
    """
    try:
        yield
    except AirflowNotFoundException as error:
        raise AirflowFailException(f"{what} failed: {error}. Define this Airflow connection.") from None
    except FatalError as error:
        raise AirflowFailException(explain(error, what)) from None
    except Exception as error:
        kind = AirflowFailException if isinstance(diagnose(error), Fatal) else AirflowException
        raise kind(explain(error, what)) from error
