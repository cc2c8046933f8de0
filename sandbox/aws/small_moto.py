"""moto without what the sandbox has no use for: imported before any of moto's services.

moto reads the types of EC2's instances in all regions as it is imported: 92 MB of memory and half a second.
The sandbox has networks, and no instances (`lacking`).
"""

from typing import Any

from moto.utilities import utils

_TABLES = ("ec2/resources/instance_types.json", "ec2/resources/instance_type_offerings/")
_load = utils.load_resource


def install() -> None:
    """Leave the tables out."""
    utils.load_resource = _load_resource


def _load_resource(resource: str) -> Any:  # noqa: ANN401 # JSON
    """In place of moto's load_resource."""
    return {} if resource.startswith(_TABLES) else _load(resource)
