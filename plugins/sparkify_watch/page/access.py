"""Who may see and do what: Airflow's login, and its permissions for the DAG that loads a dataset."""

from collections.abc import Callable
from typing import Annotated, Literal

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, HTTPException, Request

from definitions import DATASETS
from definitions.dataset import Dataset

_BY_NAME = {dataset.name: dataset for dataset in DATASETS}


def may_read(request: Request, user: GetUserDep, dataset: Dataset) -> bool:
    """Tell whether a user may read the runs of the DAG that loads a dataset."""
    return may(request, user, "GET", dataset.loaded_by)


def may_load(request: Request, user: GetUserDep, dataset: Dataset) -> bool:
    """Tell whether a user may trigger the DAG that loads a dataset."""
    return may(request, user, "POST", dataset.loaded_by)


def may(request: Request, user: GetUserDep, method: Literal["GET", "POST"], dag_id: str) -> bool:
    """Tell whether a user may read (GET) or trigger (POST) runs of a DAG."""
    try:
        requires_access_dag(method, DagAccessEntity.RUN, dag_id)(request, user)
    except HTTPException:
        return False
    return True


def _for_dataset(method: str) -> Callable[..., Dataset]:
    def find(request: Request, user: GetUserDep, dataset: str) -> Dataset:
        found = _BY_NAME.get(dataset)
        if found is None:
            raise HTTPException(404, f"There is no dataset {dataset!r}.")
        requires_access_dag(method, DagAccessEntity.RUN, found.loaded_by)(request, user)  # type: ignore[arg-type]
        return found

    return find


ReadDataset = Annotated[Dataset, Depends(_for_dataset("GET"))]
"""The dataset that a route's path names, for a user who may read the runs of the DAG that loads it."""

RunDataset = Annotated[Dataset, Depends(_for_dataset("POST"))]
"""The same, for a user who may trigger that DAG."""


def _readable(request: Request, user: GetUserDep) -> list[Dataset]:
    return [dataset for dataset in DATASETS if may_read(request, user, dataset)]


ReadableDatasets = Annotated[list[Dataset], Depends(_readable)]
"""The datasets that a user may read."""
