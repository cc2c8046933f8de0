"""The shape of sparkify_etl with tasks that do nothing: what Airflow itself takes for a run."""

from datetime import UTC, datetime

from airflow.sdk import DAG, BaseOperator, Context, CronDataIntervalTimetable


class NothingOperator(BaseOperator):
    """Do nothing, in a process of its own: Airflow would not even start an EmptyOperator."""

    def execute(self, context: Context) -> None:
        """Return at once."""


with DAG(
    dag_id="empty_etl",
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=4,
) as dag:
    nothing = {
        task_id: NothingOperator(task_id=task_id)
        for task_id in (
            "create_tables",
            "stage_events",
            "stage_songs",
            "load_users",
            "load_time",
            "load_artists",
            "load_songs",
            "load_songplays",
            "check_quality",
        )
    }
    nothing["create_tables"] >> [nothing["stage_events"], nothing["stage_songs"]]
    nothing["stage_events"] >> [nothing["load_users"], nothing["load_time"]]
    nothing["stage_songs"] >> nothing["load_artists"] >> nothing["load_songs"]
    (
        [nothing["load_users"], nothing["load_time"], nothing["load_songs"]]
        >> nothing["load_songplays"]
        >> nothing["check_quality"]
    )
