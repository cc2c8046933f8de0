"""The answers to the analysts' questions, asked again when something was loaded since."""

import json
import math
import re
import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from definitions.dataset import Dataset
from sparkify.failures import DatabaseFailure, describe, is_transient
from sparkify.text import printable
from sparkify.warehouse.ledger import utc_now
from sparkify.warehouse.session import Session
from sparkify_watch.mirror.schema import moment, stamp
from sparkify_watch.mirror.store import Store
from sparkify_watch.questions import Question, questions_of

MOST_ROWS = 200
"""How many rows of an answer are kept."""

SECONDS = 3
"""How long the warehouse may take for one."""

_CANCELLED = "57014"
# Asking never takes more than a twentieth of the time.
_PAUSE = 20
_LIMITED = re.compile(r"\bLIMIT\s+\d+\s*;?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A question and its last answer.

    Args:
        name: of the question.
        title: the question.
        note: what else is said of it.
        chart: the column that is drawn and the column of its labels, if any are.
        columns: of the answer.
        rows: of the answer, MOST_ROWS at most, each value as JSON knows it.
        asked_at: when it was answered, naive UTC; None if it never was.
        problem: why it is not newer, or an empty text.
    """

    name: str
    title: str
    note: str
    chart: tuple[str, str] | None
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    asked_at: datetime | None
    problem: str


def ask_questions(session: Session, store: Store, datasets: Sequence[Dataset]) -> None:
    """Ask the questions of datasets that were loaded since they were asked.

    Args:
        session: with no transaction open, and a time limit for statements.
        store: where the answers are kept, and what says which loads there were.
        datasets: whose questions are asked.
    """
    for dataset in datasets:
        with store.reading() as db:
            newest = _newest_load(db, dataset)
            known = _known(db, dataset)
        questions = questions_of(dataset)
        _forget(store, dataset, known.keys() - {question.name for question in questions})
        due = [each for each in questions if newest and _is_due(known.get(each.name), each, newest)]
        if due:
            session.execute(f"SET statement_timeout TO {int(SECONDS * 1000)}")
            session.commit()
        for question in due:
            _ask(session, store, dataset, question, newest)


def answers_of(db: sqlite3.Connection, dataset: Dataset) -> list[Answer]:
    """Return each question of a dataset, with its last answer as far as there is one."""
    known = _known(db, dataset)
    return [_answer(question, known.get(question.name)) for question in questions_of(dataset)]


def _answer(question: Question, known: sqlite3.Row | None) -> Answer:
    row = [known[name] for name in ("columns", "rows", "asked_at", "problem")] if known else None
    columns, rows, asked_at, problem = row or (None, None, None, None)
    return Answer(
        question.name,
        question.title,
        question.note,
        question.chart,
        json.loads(columns or "[]"),
        json.loads(rows or "[]"),
        moment(asked_at),
        problem or "",
    )


def _known(db: sqlite3.Connection, dataset: Dataset) -> dict[str, sqlite3.Row]:
    rows = db.execute("SELECT * FROM answers WHERE dataset = ?", (dataset.name,))
    return {row["name"]: row for row in rows}


def _newest_load(db: sqlite3.Connection, dataset: Dataset) -> str | None:
    newest = [
        db.execute("SELECT MAX(load_id) FROM loads WHERE target_table = ?", (table,)).fetchone()[0]
        for table in dataset.tables
    ]
    return max(filter(None, newest), default=None)


def _is_due(row: sqlite3.Row | None, question: Question, newest: str | None) -> bool:
    if row is None:
        return True
    if row["after_load"] == newest and row["question"] == question.sql:
        return False
    tried_at = moment(row["tried_at"])
    return tried_at is None or (utc_now() - tried_at).total_seconds() > row["seconds"] * _PAUSE


def _ask(session: Session, store: Store, dataset: Dataset, question: Question, newest: str | None) -> None:
    began = time.monotonic()
    try:
        columns, rows = session.ask_named(bounded(question.sql))
    except Exception as error:
        failure = describe(error)
        if failure is None or is_transient(error):
            raise
        found = {"problem": _reason(failure)}
    else:
        found = {
            "columns": json.dumps(columns),
            "rows": json.dumps([[_plain(value) for value in row] for row in rows[:MOST_ROWS]]),
            "asked_at": stamp(utc_now()),
            "problem": "",
        }
    found |= {"after_load": newest or "", "question": question.sql, "tried_at": stamp(utc_now())}
    _keep(store, dataset, question.name, {**found, "seconds": time.monotonic() - began})


def _reason(failure: DatabaseFailure) -> str:
    if failure.sqlstate == _CANCELLED:
        return f"It took the warehouse longer than {SECONDS} seconds, and the page waits no longer."
    return printable(f"The warehouse refused it: {failure.message}")


def bounded(sql: str) -> str:
    """Return a SELECT that gives hardly more rows than are kept."""
    text = sql.strip().rstrip(";")
    return text if _LIMITED.search(text) else f"{text}\nLIMIT {MOST_ROWS + 1}"


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a driver gives
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal | float):
        number = float(value)
        return number if math.isfinite(number) else str(value)
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def _keep(store: Store, dataset: Dataset, name: str, found: Mapping[str, Any]) -> None:
    """Keep an answer; one that could not be had leaves the one before as it is."""
    with store.writing() as db:
        db.execute("INSERT OR IGNORE INTO answers (dataset, name) VALUES (?, ?)", (dataset.name, name))
        places = ", ".join(f"{column} = ?" for column in found)
        values = (*found.values(), dataset.name, name)
        db.execute(f"UPDATE answers SET {places} WHERE dataset = ? AND name = ?", values)


def _forget(store: Store, dataset: Dataset, names: Collection[str]) -> None:
    """Forget answers to what is no longer asked."""
    if names:
        with store.writing() as db:
            rows = [(dataset.name, name) for name in names]
            db.executemany("DELETE FROM answers WHERE dataset = ? AND name = ?", rows)
