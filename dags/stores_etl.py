"""Monthly: stores and their sales from S3 into a star on Redshift."""

from airflow.sdk import CronDataIntervalTimetable

from definitions.dataset import BUCKETS
from definitions.forms import LOADING_DAG, LoadingDag, late_after, loading_params
from definitions.stores import STORES
from sparkify import operators

with LoadingDag(
    dag_id="stores_etl",
    dag_display_name="stores_etl: load stores and sales",
    description="Stores and their monthly sales from S3 into a star on Redshift.",
    doc_md="""### What it does
Stages `store_data/` and `sales_data/` of the window's months, loads `stores` and `store_sales`, in any order.
### When it fails
Mend what the log names, clear the task. A month whose file has come or changed since is loaded again.""",
    schedule=CronDataIntervalTimetable("@monthly", timezone="UTC"),
    params=loading_params("month", look_back_days=31),
    **LOADING_DAG | late_after(days=31),
) as dag:
    create_tables = operators.CreateTablesOperator(task_id="create_tables", sql=STORES.schema)
    stage_stores = operators.StageToRedshiftOperator(
        task_id="stage_stores",
        table="staging_stores",
        mode="changed_files",
        prefix="store_data/",
        allow_empty=True,
        key_columns=["city", "brand", "location"],
        json="auto ignorecase",
        **BUCKETS,
    )
    stage_sales = operators.StageToRedshiftOperator(
        task_id="stage_sales", mode="window", look_back_days="{{ params.look_back_days }}", **STORES.staging
    )
    load_stores = operators.LoadDimensionOperator(
        task_id="load_stores", table="stores", sql="stores/stores.sql", mode="replace"
    )
    load_sales = operators.LoadFactOperator(
        task_id="load_sales",
        table="store_sales",
        sql=STORES.window_loads["store_sales"],
        time_column=STORES.window_column,
        audits=operators.Audits(unique=["store_id", "month"]),
        follows=[operators.Follow("staging_sales")],
    )
    check_quality = operators.DataQualityOperator(task_id="check_quality", checks="stores/quality.yaml")
    create_tables >> stage_stores >> load_stores >> check_quality
    create_tables >> stage_sales >> load_sales >> check_quality
