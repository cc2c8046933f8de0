"""The analysts' questions of a dataset: the `.sql` files of `include/<dataset>/analytics`.

A file begins with a comment whose first sentence is the question. `Chart: plays by hour.` in it names the
column that is drawn and the one that labels it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from definitions.dataset import Dataset
from sparkify_watch.subjects import folder_of

_CHART = re.compile(r"Chart: (\w+) by (\w+)\.")
_SENTENCE = re.compile(r"(.*?)(?:(?<=\?)|[.:])(?: |$)")
# A value that somebody has to give.
_PLACE = re.compile(r"%\(\w+\)s")


@dataclass(frozen=True, slots=True)
class Question:
    """A question that the warehouse answers.

    Args:
        name: of its file, without the ending.
        title: the question.
        note: what else the comment says.
        chart: the column that is drawn and the column of its labels, if any are.
        sql: the SELECT.
    """

    name: str
    title: str
    note: str
    chart: tuple[str, str] | None
    sql: str


def questions_of(dataset: Dataset) -> list[Question]:
    """Return the questions of a dataset that want no value from anybody, those with a chart first."""
    files = sorted((folder_of(dataset) / "analytics").glob("*.sql"))
    found = [read_question(file) for file in files]
    return sorted(
        (question for question in found if not _PLACE.search(question.sql)),
        key=lambda question: (question.chart is None, question.name),
    )


def read_question(file: Path) -> Question:
    """Return the question that a file asks."""
    text = file.read_text("utf-8")
    comment = _comment(text.splitlines())
    chart = _CHART.search(comment)
    comment = _CHART.sub("", comment).strip()
    sentence = _SENTENCE.match(comment)
    title = sentence[1] if sentence else comment
    note = comment[sentence.end() :].strip() if sentence else ""
    note = note[:1].upper() + note[1:]
    return Question(file.stem, title or file.stem, note, (chart[1], chart[2]) if chart else None, text)


def _comment(lines: Sequence[str]) -> str:
    words = []
    for line in lines:
        if not line.startswith("--"):
            break
        words.append(line.removeprefix("--").strip())
    return " ".join(words)
