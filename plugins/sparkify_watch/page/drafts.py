"""Drafts of corrected rows: what a person changes, rather than writes, before rows are replayed."""

import json
from collections.abc import Iterable
from typing import Any

from sparkify_watch.mirror.read_files import RejectedRow

_MOST = 20


def draft_corrections(rows: Iterable[RejectedRow]) -> str:
    """Return rejected rows as lines of JSON in the form that `replay_rejected` takes, as they were.

    Left out are rows whose line or text is not known, or is no JSON, and those beyond the first twenty.
    """
    drafts = (_draft(row) for row in rows)
    return "\n".join([draft for draft in drafts if draft][:_MOST])


def _draft(row: RejectedRow) -> str:
    document = _parse(row.raw_text or "")
    if row.line is None or document is None:
        return ""
    return json.dumps({"file": row.file, "line": row.line, "row": document}, ensure_ascii=False)


def _parse(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
