"""Links from tasks in Airflow's web UI to what they did: on the page Warehouse, in AWS's console."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from sparkify_watch.links import LINKS


class WarehouseLinksPlugin(AirflowPlugin):
    """Adds the links to the operators that they name."""

    name = "warehouse_links"
    operator_extra_links: list[Any] = [*LINKS]  # noqa: RUF012 - the base class has it so
