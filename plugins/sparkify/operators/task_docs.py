"""What a task's page says of it: the promise of its operator or step, from the docstring."""

import inspect
from collections.abc import Mapping
from typing import Any


def with_doc(described: object, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of an operator with `doc_md`, unless they have one.

    Args:
        described: a class or function whose docstring begins with what it does.
        given: the arguments.
    """
    # Only what comes before Args, Returns and Raises is for those who look at a page.
    promise, *_ = (inspect.getdoc(described) or "").split("\n\nArgs:")[0].split("\n\nReturns:")
    return {"doc_md": promise.split("\n\nRaises:")[0], **given}
