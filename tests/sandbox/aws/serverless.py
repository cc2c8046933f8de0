"""What the tests of Redshift Serverless do with it."""

import uuid
from typing import Any

from tests.sandbox.aws.clusters import World


def serverless(world: World) -> Any:
    return world.client("redshift-serverless")


def new_name() -> str:
    return f"s-{uuid.uuid4().hex[:12]}"


def make_namespace(world: World, **settings: Any) -> str:
    """A new namespace that is available."""
    name = new_name()
    serverless(world).create_namespace(namespaceName=name, **settings)
    world.time.pass_phase()
    return name


def make_workgroup(world: World, **settings: Any) -> str:
    """A new workgroup that is available, with a namespace of the same name."""
    name = make_namespace(world)
    serverless(world).create_workgroup(workgroupName=name, namespaceName=name, **settings)
    world.time.pass_phase()
    return name


def status_of(world: World, kind: str, name: str) -> str | None:
    """The status of a namespace or workgroup; None where there is none of that name."""
    found = getattr(serverless(world), f"list_{kind}s")()[f"{kind}s"]
    statuses = {one[f"{kind}Name"]: str(one["status"]) for one in found}
    return statuses.get(name)
