"""Who is told: the entries of one Airflow Variable."""

import logging
from dataclasses import dataclass

from airflow.sdk import Variable

VARIABLE = "sparkify_alerts"
KINDS = ("log", "webhook", "slack", "email", "sns")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver.

    Attributes:
        kind: one of KINDS.
        address: a connection id, of `email` an address, of `sns` a topic's ARN, of `log` nothing.
    """

    kind: str
    address: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.address}" if self.address else self.kind


def read_targets() -> list[Target]:
    """Return the targets that the Variable names; the log where there is none."""
    return parse_targets(Variable.get(VARIABLE, default="log") or "")


def parse_targets(text: str) -> list[Target]:
    """Return the targets of a text such as `log, slack:alerts`; what is none is logged and left out."""
    targets = []
    for entry in text.replace(",", " ").split():
        kind, _, address = entry.partition(":")
        # Of these alone the log takes no address.
        if kind in KINDS and bool(address) != (kind == "log"):
            targets.append(Target(kind, address))
        else:
            _log.error("The Variable %s has an entry that is no target: %r.", VARIABLE, entry[:60])
    return list(dict.fromkeys(targets))
