"""moto without what the sandbox has no use for: imported before any of moto's services.

moto reads the types of EC2's instances in all regions as it is imported: 92 MB of memory and half a second.
The sandbox has networks, and no instances (`lacking`). It asks boto3's sessions for the regions of services,
which read whole models of these for it: 30 MB and half a second more. And it keeps everything that it has
ever made, so that an object that is put again and again takes memory each time.
"""

import functools
import importlib
from typing import Any

import boto3
from botocore.loaders import create_loader
from moto.core import base_backend
from moto.core.common_models import BaseModel
from moto.utilities import utils

_TABLES = ("ec2/resources/instance_types.json", "ec2/resources/instance_type_offerings/")
_load = utils.load_resource


class Regions:
    """In place of boto3's Session, of which moto wants nothing else.

    Services are named as their endpoints are, which those of the sandbox all are.
    """

    def get_available_partitions(self) -> list[str]:
        """The names of all partitions."""
        return list(_regions())

    def get_available_regions(self, service_name: str, partition_name: str = "aws") -> list[str]:
        """The regions of a partition that have a service."""
        return list(_regions()[partition_name].get(service_name, ()))


def install() -> None:
    """Leave all that out."""
    utils.load_resource = _load_resource
    BaseModel.__new__ = staticmethod(_new)  # type: ignore[method-assign]
    base_backend.Session = Regions  # type: ignore[attr-defined,assignment]
    session, boto3.Session = boto3.Session, Regions  # type: ignore[misc,assignment]
    try:
        importlib.import_module("moto.ec2.models")  # asks as it is imported
    finally:
        boto3.Session = session  # type: ignore[misc]


def _load_resource(resource: str) -> Any:  # noqa: ANN401 # JSON
    """In place of moto's load_resource."""
    return {} if resource.startswith(_TABLES) else _load(resource)


def _new(cls: type[BaseModel], *_: object, **__: object) -> BaseModel:
    """In place of BaseModel.__new__."""
    return super(BaseModel, cls).__new__(cls)


@functools.cache
def _regions() -> dict[str, dict[str, list[str]]]:
    """The regions of each service of each partition."""
    return {
        partition["partition"]: {
            name: [region for region in service["endpoints"] if region in partition["regions"]]
            for name, service in partition["services"].items()
        }
        for partition in create_loader().load_data("endpoints")["partitions"]
    }
