"""What an alert says, to people and to programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparkify.window import Window
from sparkify_watch.alerts.memory import GOOD

VERSION = 1
"""Of the document that a webhook gets: it rises when a field changes its meaning or goes."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One change of state.

    Attributes:
        id: of the change; the same where a receiver gets it twice.
        kind: what it is about, the same in the alert and in its all-clear.
        state: `bad`, or `good` in an all-clear.
        subject: what is in that state: a DAG or a cluster.
        title: one line.
        cause: what happened.
        remedy: what to do; empty where there is nothing to do.
        since: when the state changed, ISO 8601.
        dag_id, run_id: the run that showed it.
        window: which time that run loads.
        left: in what time runs have failed that no run has loaded since.
        run_link, page_link: where to look.
    """

    id: str
    kind: str
    state: str
    subject: str
    title: str
    cause: str
    remedy: str
    since: str
    dag_id: str
    run_id: str
    window: Window | None
    left: Sequence[Window]
    run_link: str
    page_link: str

    @property
    def is_good(self) -> bool:
        """Whether it is an all-clear."""
        return self.state == GOOD

    def headline(self) -> str:
        """Return what stands above it: a subject of a mail, a first line."""
        return f"[{'all clear' if self.is_good else 'alert'}] {self.title}"

    def text(self) -> str:
        """Return it for people, a fact a line."""
        facts = {
            "Run": self.run_id,
            "Window": self.window,
            "Cause": self.cause,
            "Still not loaded": ", ".join(map(str, self.left)),
            "What to do": self.remedy,
            "Since": self.since,
            "Look at": self.run_link,
            "Warehouse": self.page_link,
        }
        return "\n".join([self.headline(), *(f"{name}: {fact}" for name, fact in facts.items() if fact)])

    def document(self) -> dict[str, Any]:
        """Return it for programs: what `schema.json` beside this file describes."""
        return {
            "version": VERSION,
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "subject": self.subject,
            "title": self.title,
            "cause": self.cause,
            "remedy": self.remedy,
            "since": self.since,
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "window": _ends(self.window) if self.window else None,
            "left": [_ends(window) for window in self.left],
            "links": {"run": self.run_link, "page": self.page_link},
        }


def _ends(window: Window) -> dict[str, str]:
    return {"start": window.start.isoformat(), "end": window.end.isoformat()}
