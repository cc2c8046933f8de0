"""Statements that were given to the Data API, and how long they are remembered."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.aws.data_api.messages import Values, missing, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.aws.data_api.results import Result

# Management Guide, "Considerations when calling the Amazon Redshift Data API": results are kept for 24 hours,
# 500 statements may be active. A token's eight hours are from there, too.
_KEPT_SECONDS = 24 * 3600.0
_TOKEN_SECONDS = 8 * 3600.0
ACTIVE = 500
# So many are remembered here, and so many bytes of results.
_STATEMENTS = 2000
_RESULT_BYTES = 1 << 30

ENDED = frozenset(("FINISHED", "FAILED", "ABORTED"))


@dataclass(eq=False)
class Run:
    """One SQL statement on its way: SUBMITTED, PICKED, STARTED, and then one of `ENDED`."""

    id: str
    sql: str
    status: str = "SUBMITTED"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated: datetime = field(default_factory=lambda: datetime.now(UTC))
    nanoseconds: int = -1
    error: str | None = None
    rows: int = -1
    query_id: int = 0
    result: "Result | None" = None

    def become(self, status: str, error: str | None = None) -> None:
        """Enter a status."""
        self.status, self.error, self.updated = status, error, datetime.now(UTC)

    def describe(self) -> Values:
        """What the API tells of a statement and of one of a batch."""
        return {
            "Id": self.id,
            "QueryString": self.sql,
            "Status": self.status,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "Duration": self.nanoseconds,
            "Error": self.error,
            "ResultRows": self.rows,
            "ResultSize": self.result.size if self.result else (0 if self.status == "FINISHED" else -1),
            "RedshiftQueryId": self.query_id,
            "HasResultSet": self.result is not None,
        }


@dataclass(frozen=True)
class Request:
    """What ExecuteStatement or BatchExecuteStatement was asked for.

    Args:
        owner: The IAM identity whose statement it is: a user's ARN, or a role's.
        caller: The caller's ARN, a role's with its session.
        region: Where.
        target: ``ClusterIdentifier`` or ``WorkgroupName``, and whatever names the login.
        database: The database.
        name: Its StatementName.
        parameters: Its named parameters.
        atomic: Whether it is one transaction; None of a single statement.
    """

    owner: str
    caller: str
    region: str
    target: Values
    database: str
    name: str
    parameters: list[dict[str, str]]
    atomic: bool | None


class Statement:
    """A statement, or a batch of them, with what has become of it.

    Args:
        request: What was asked for.
        texts: The SQL.
    """

    def __init__(self, request: Request, texts: list[str]) -> None:
        self.request = request
        self.is_batch = request.atomic is not None
        self.run = Run(str(uuid.uuid4()), "" if self.is_batch else texts[0])
        self.parts = [Run(f"{self.id}:{number}", sql) for number, sql in enumerate(texts, 1)]
        if not self.is_batch:
            self.parts = [self.run]
        self.backend = 0
        self.cancelled = False
        self.ended = threading.Event()
        self.born = time.monotonic()

    @property
    def id(self) -> str:
        """Its identifier."""
        return self.run.id

    def describe(self) -> Values:
        """DescribeStatement's answer."""
        answer = self.run.describe() | self.request.target
        answer |= {"Database": self.request.database, "RedshiftPid": self.backend, "ResultFormat": "JSON"}
        answer["QueryParameters"] = self.request.parameters or None
        if self.is_batch:
            answer |= {
                "SubStatements": [part.describe() for part in self.parts],
                "ExecutionMode": "TRANSACTION" if self.request.atomic else "AUTO_COMMIT",
                "HasResultSet": any(part.result for part in self.parts),
                "QueryString": None,
            }
        return answer

    def summary(self) -> Values:
        """Its place in ListStatements."""
        told = self.run.describe() | self.request.target
        return told | {
            "StatementName": self.request.name or None,
            "QueryString": None if self.is_batch else self.run.sql,
            "QueryStrings": [part.sql for part in self.parts] if self.is_batch else None,
            "IsBatchStatement": self.is_batch,
            "QueryParameters": self.request.parameters or None,
            "ResultFormat": "JSON",
        }

    def forget(self) -> None:
        """Remove its results."""
        for part in self.parts:
            if part.result:
                part.result.remove()


class Book:
    """The statements of this process, oldest first; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statements: dict[str, Statement] = {}
        self._tokens: dict[tuple[str, str], tuple[float, Values, Statement]] = {}

    def add(self, statement: Statement, token: str, values: Values) -> Statement:
        """Keep a new statement; where its token was used before, that statement is given instead.

        Raises:
            RefusalError: The token came with other values, or too many statements are active.
        """
        with self._lock:
            self._expire()
            key = (statement.request.owner, token)
            if token and key in self._tokens:
                _, former, known = self._tokens[key]
                if former != values:  # the code and words are UNCONFIRMED
                    raise refuse("ValidationException", "The ClientToken was used with other parameters.")
                return known
            active = sum(not one.ended.is_set() for one in self._statements.values())
            if active >= ACTIVE:
                message = f"Active statements exceeded the allowed quota ({ACTIVE})."
                raise refuse("ActiveStatementsExceededException", message)
            self._statements[statement.id] = statement
            if token:
                self._tokens[key] = (statement.born, values, statement)
            return statement

    def of(self, owner: str) -> "Iterable[Statement]":
        """An identity's statements, newest first."""
        with self._lock:
            self._expire()
            found = list(self._statements.values())
        return [one for one in reversed(found) if one.request.owner == owner]

    def find(self, identifier: str, owner: str) -> tuple[Statement, Run | None]:
        """A statement and, where the identifier ends in ``:n``, that one of a batch.

        Raises:
            RefusalError: This identity has no such statement.
        """
        whole, _, number = identifier.partition(":")
        with self._lock:
            self._expire()
            statement = self._statements.get(whole)
        if statement is None or statement.request.owner != owner:
            raise missing("Query does not exist.")
        if not number:
            return statement, None
        if not (statement.is_batch and 1 <= int(number) <= len(statement.parts)):
            raise missing("Query does not exist.")
        return statement, statement.parts[int(number) - 1]

    def _expire(self) -> None:
        """Forget what is too old, or too much."""
        now = time.monotonic()
        ended: list[Statement] = [one for one in self._statements.values() if one.ended.is_set()]
        size = sum(part.result.size for one in ended for part in one.parts if part.result)
        surplus = len(self._statements) - _STATEMENTS
        for one in ended:
            if one.born > now - _KEPT_SECONDS and surplus <= 0 and size <= _RESULT_BYTES:
                break
            size -= sum(part.result.size for part in one.parts if part.result)
            surplus -= 1
            one.forget()
            del self._statements[one.id]
        self._tokens = {key: value for key, value in self._tokens.items() if value[0] > now - _TOKEN_SECONDS}


def matches(statement: Statement, wanted: dict[str, Any]) -> bool:
    """Whether ListStatements with these parameters shows a statement."""
    target, request = statement.request.target, statement.request
    # API reference, ListStatements: "By default, only finished statements are shown."
    status = wanted.get("Status", "FINISHED")
    return (
        status in ("ALL", statement.run.status)
        and request.name.startswith(wanted.get("StatementName", ""))
        and wanted.get("Database") in (None, request.database)
        and wanted.get("ClusterIdentifier") in (None, target.get("ClusterIdentifier"))
        and wanted.get("WorkgroupName") in (None, target.get("WorkgroupName"))
    )
