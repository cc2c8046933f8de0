"""A DAG with a deadline that `airflow dags test` can run."""

from typing import Any

from airflow.sdk import DAG


class DeadlineDag(DAG):
    """A DAG whose `test()` passes over its deadline.

    Airflow 3.3.2 ends a run of `airflow dags test` that has succeeded with an AttributeError where its DAG
    has one (apache/airflow#73428). Where that is mended, DAG will do.
    """

    def test(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Airflow's DagRun, which the SDK has not
        """Run it once in this process, as DAG does."""
        deadline, self.deadline = self.deadline, None
        try:
            return super().test(*args, **kwargs)
        finally:
            self.deadline = deadline
