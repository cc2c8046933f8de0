"""What is known of one subject and who was told: enough to tell each change of state once."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

GOOD = "good"

# A receiver that did not answer is asked no more for so long: many runs that end together wait for it once.
_REST = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The state of a subject, such as the runs of one DAG, and what each target has heard of it.

    A change is told by comparing: a target that last heard another state is owed this one. Whatever was lost
    on the way, because a process ended or a receiver was away, is thereby told when the subject is next
    looked at, if it still holds.

    Attributes:
        state: GOOD, or the kind of alert.
        change: how many times the state has changed.
        since: when it did last, ISO 8601.
        open: what is behind the state or left over from it, each with when it came up.
        told: the last state that each target has heard, where that is not GOOD.
        silent: since when each target has not answered.
    """

    state: str = GOOD
    change: int = 0
    since: str = ""
    open: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Memory":
        """Return what `write` gave; of a text that is none, a new memory."""
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError):
            return cls()

    def write(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self))

    def turned(self, state: str, at: datetime) -> "Memory":
        """Return it with a state, the same one or another."""
        if state == self.state:
            return self
        # Whoever was silent at the last change is asked at once about this one.
        return replace(self, state=state, change=self.change + 1, since=at.isoformat(), silent={})

    def last_heard(self, target: str) -> str:
        """Return the state that a target knows of."""
        return self.told.get(target, GOOD)

    def is_owed(self, target: str, at: datetime) -> bool:
        """Tell whether a target has to hear of the state now."""
        silent = self.silent.get(target)
        rests = silent is not None and at - datetime.fromisoformat(silent) < _REST
        return self.last_heard(target) != self.state and not rests

    @property
    def is_settled(self) -> bool:
        """Whether nobody is owed anything, whoever the targets are."""
        return self.state == GOOD and not self.told

    def heard(self, target: str) -> "Memory":
        """Return it after a target has heard the state."""
        others = {name: state for name, state in self.told.items() if name != target}
        told = others if self.state == GOOD else {**others, target: self.state}
        return replace(
            self, told=told, silent={name: at for name, at in self.silent.items() if name != target}
        )

    def without_others(self, targets: Collection[str]) -> "Memory":
        """Return it without targets that are none any more: they would be owed something for ever."""
        return replace(
            self,
            told={name: state for name, state in self.told.items() if name in targets},
            silent={name: at for name, at in self.silent.items() if name in targets},
        )

    def not_heard(self, target: str, at: datetime) -> "Memory":
        """Return it after a target has not answered."""
        return replace(self, silent={**self.silent, target: at.isoformat()})
