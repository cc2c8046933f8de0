"""What policies say of one permission.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from sandbox.aws.access import conditions
from sandbox.aws.access.conditions import Context

Statement = Mapping[str, Any]


class Answer(Enum):
    """What policies of one kind say."""

    ALLOW = "allow"
    DENY = "deny"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Ask:
    """A permission that a request needs.

    Args:
        action: ``service:Action``, as policies name it.
        resource: The ARN, or ``*`` where the action has none.
        context: Values by condition key.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)


def answer(documents: Iterable[str], ask: Ask) -> Answer:
    """What policies say: a denial counts before whatever allows.

    Args:
        documents: The policies' JSON texts.
        ask: The permission.
    """
    found = Answer.NOTHING
    for statement in (statement for document in documents for statement in statements(document)):
        if not _is_about(statement, ask):
            continue
        if statement["Effect"] == "Deny":
            return Answer.DENY
        found = Answer.ALLOW
    return found


@lru_cache(maxsize=256)
def statements(document: str) -> tuple[Statement, ...]:
    """A policy's statements; none of what is no policy, which IAM takes where moto does not look."""
    try:
        found = json.loads(document)["Statement"]
    except (KeyError, RecursionError, TypeError, ValueError):
        return ()
    return tuple(one for one in (found if isinstance(found, list) else [found]) if "Effect" in one)


def texts(value: object) -> list[str]:
    """An element that may be a text or a list of them."""
    return [str(text) for text in value] if isinstance(value, list) else [str(value)]


def _is_about(statement: Statement, ask: Ask) -> bool:
    known = {key.lower(): values for key, values in ask.context.items()}

    def named(element: str, text: str) -> bool:
        patterns = [conditions.resolve(pattern, known) for pattern in texts(statement[element])]
        if element.endswith("Action"):
            patterns, text = [pattern.lower() for pattern in patterns], text.lower()
        return any(conditions.matches(pattern, text) for pattern in patterns)

    for element, text in (("Action", ask.action), ("Resource", ask.resource)):
        if element in statement and not named(element, text):
            return False
        if f"Not{element}" in statement and named(f"Not{element}", text):
            return False
    return conditions.holds(statement.get("Condition", {}), ask.context)
