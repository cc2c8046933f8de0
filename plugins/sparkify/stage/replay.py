"""Replays: what becomes of each rejected row, and which windows bring in those whose files were corrected."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from sparkify.source import SourceFile, find_keys
from sparkify.stage.corrections import Corrector
from sparkify.stage.reconciliation import join_nearest
from sparkify.stage.strays import STRAY
from sparkify.text import printable, text_table
from sparkify.warehouse import open_rows
from sparkify.warehouse.open_rows import OpenRow
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value
from sparkify.window import ALL_TIME, Window, common, merge

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_HOUR = timedelta(hours=1)
_LOOK_BACK = timedelta(days=31)
_WINDOWS = "SELECT window_start, window_end FROM ops.loads WHERE target_table = %(table)s AND window_end"
_OVERLAPPING = f"{_WINDOWS} > %(window_start)s AND window_start < %(window_end)s"
_LATEST = f"{_WINDOWS} IS NOT NULL ORDER BY window_end DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rejected rows are looked at; empty texts select all.

    Args:
        bucket: the source bucket.
        folders: the dataset's, in it.
        load_id: only those that this load left.
        file: only those of this key.
    """

    bucket: str
    folders: Sequence[str]
    load_id: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found and did.

    Args:
        rows: the open rows, each with what becomes of it.
        windows: what is to be loaded again.
        keep_strays: whether these loads must keep rows outside the time of their file aside, as before.
        left: how many rows of each file that is loaded again may stay open, by its address.
    """

    rows: Sequence[tuple[OpenRow, str]]
    windows: Sequence[Window]
    keep_strays: bool
    left: Mapping[str, int]

    def table(self, most: int = 50) -> str:
        """Return the first `most` rows, a line each, and what becomes of them."""
        headings = ("file", "line", "column", "value", "reason", "what becomes of it")
        lines = [(*map(_shown, (r.file, r.line, r.column, r.value, r.reason)), fate) for r, fate in self.rows]
        more = f"\n… and {len(lines) - most} more rows" if len(lines) > most else ""
        return text_table([headings, *lines[:most]]) + more


@dataclass(frozen=True, slots=True)
class Replayer:
    """Finds open rows, corrects their files and works out what to load again.

    Args:
        session: a fresh session; nothing is written.
        s3: lists and writes the source.
        staging: how the table of windows is staged: its `table`, and its `key_pattern`.
        selection: which rows.
        corrector: writes corrected rows.
    """

    session: Session
    s3: "S3Client"
    staging: Mapping[str, Any]
    selection: Selection
    corrector: Corrector

    def replay(self, corrections: Mapping[str, Mapping[int, bytes]]) -> Replay:
        """Correct files, unless it is a dry run, and return what is to be loaded again.

        Args:
            corrections: corrected rows by key and line.

        Raises:
            FatalError: corrections that do not fit; nothing is written.
        """
        rows = self._find_rows(corrections)
        by_file = defaultdict[str, list[OpenRow]](list)
        for row in rows:
            by_file[row.file].append(row)
        # All are looked at before one is written.
        for corrector in (replace(self.corrector, dry_run=True), self.corrector):
            for key, lines in sorted(corrections.items()):
                corrector.correct(key, lines, by_file[self._url(key)])
        fates = self._find_fates(by_file, corrections)
        again = {url: by_file[url] for url in by_file if any(fates[url, row.line] for row in by_file[url])}
        left = {url: sum(not fates[url, row.line] for row in found) for url, found in again.items()}
        strays = any(_is_kept_stray(row) for found in again.values() for row in found)
        told = [(row, fates[row.file, row.line] or "waits for its file to be corrected") for row in rows]
        return Replay(told, self._windows(again), strays, left)

    def _find_rows(self, corrections: Mapping[str, object]) -> list[OpenRow]:
        """Return the open rows of the files that corrections are for or, without any, of those selected."""
        chosen, rows = self.selection, list[OpenRow]()
        for folder in chosen.folders:
            rows += open_rows.find_open(self.session, self._url(f"{folder}/"))
        files = set(map(self._url, corrections))
        if not files:
            files = {row.file for row in rows if chosen.load_id in ("", row.load_id)}
            files &= {self._url(chosen.file)} if chosen.file else files
        return [row for row in rows if row.file in files]

    def _find_fates(
        self, by_file: Mapping[str, Sequence[OpenRow]], corrections: Mapping[str, Mapping[int, bytes]]
    ) -> dict[tuple[str, int | None], str]:
        """Return of each file and line what becomes of it; nothing where it waits."""
        present, _ = find_keys(self.s3, self.selection.bucket, map(self._key, by_file))
        files = {file.url: file for file in present}
        fates: dict[tuple[str, int | None], str] = {}
        for url, rows in by_file.items():
            lines = corrections.get(self._key(url), {})
            for row in rows:
                changed = not lines and _has_changed(files.get(url), row)
                fate = "its file has changed: will be loaded again" if changed else ""
                fates[url, row.line] = "corrected: will be loaded again" if row.line in lines else fate
        return fates

    def _windows(self, again: Mapping[str, Sequence[OpenRow]]) -> list[Window]:
        found: list[Window] = []
        for url, rows in again.items():
            period = self._period(self._key(url), rows)
            known = [row.window for row in rows if row.window and row.is_refused]
            known += self._staged(period) if period else []
            found += known or ([period] if period else self._latest())
        return join_nearest(merge(found))

    def _period(self, key: str, rows: Sequence[OpenRow]) -> Window | None:
        """Return the time that a file is named for; nothing where it has none that is known."""
        for window in {row.window for row in rows if row.window}:
            # A load looks back, too.
            around = Window(window.start - _LOOK_BACK, window.end)
            period = around.periods(self.staging["key_pattern"]).get(key)
            if period and period != ALL_TIME:
                return period
        return None

    def _staged(self, period: Window) -> list[Window]:
        return common([period], self._ask_windows(_OVERLAPPING, period.values))

    def _latest(self) -> list[Window]:
        """Return the last hour that was loaded: any run stages files that are not named by time."""
        latest = self._ask_windows(_LATEST, {})
        return [Window(max(window.start, window.end - _HOUR), window.end) for window in latest]

    def _ask_windows(self, sql: str, values: Mapping[str, Value]) -> list[Window]:
        rows = self.session.ask(sql, {"table": self.staging["table"], **values})
        return [Window(*(moment.replace(tzinfo=UTC) for moment in ends)) for ends in rows]

    def _url(self, key: str) -> str:
        return f"s3://{self.selection.bucket}/{self._key(key)}"

    def _key(self, url: str) -> str:
        return url.removeprefix(f"s3://{self.selection.bucket}/")


def _has_changed(file: SourceFile | None, row: OpenRow) -> bool:
    """Tell whether a file is, or may be, another than the one in which a row was rejected."""
    if file is None:
        return False
    # S3 tells whole seconds. One load too many does no harm.
    is_newer = file.last_modified >= row.found_at.replace(microsecond=0)
    if row.etag is None:
        return is_newer
    return file.etag != row.etag or (row.is_refused and is_newer)


def _is_kept_stray(row: OpenRow) -> bool:
    return STRAY in row.reason and not row.is_refused


def _shown(value: object) -> str:
    text = "" if value is None else printable(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
