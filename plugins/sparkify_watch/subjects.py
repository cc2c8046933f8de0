"""Datasets as their records name them, and the files of their folder below include/."""

from functools import lru_cache
from pathlib import Path

from definitions.dataset import Dataset
from definitions.forms import INCLUDE
from sparkify.checks.suite import SuiteError, read_suite
from sparkify_watch.mirror.hour_records import Subject


def subject_of(dataset: Dataset) -> Subject:
    """Return what the records of a dataset are found by."""
    return Subject(
        name=dataset.name,
        staging=dataset.files_of_windows["table"],
        targets=tuple(dataset.window_loads),
        tables=dataset.tables,
        key_pattern=dataset.files_of_windows.get("key_pattern"),
        timeless=_timeless_checks(dataset),
    )


def folder_of(dataset: Dataset) -> Path:
    """Return the dataset's folder below include/."""
    found = (Path(folder) / dataset.name for folder in INCLUDE)
    return next((folder for folder in found if folder.is_dir()), Path(INCLUDE[0]) / dataset.name)


def _timeless_checks(dataset: Dataset) -> frozenset[str]:
    path = folder_of(dataset) / "quality.yaml"
    try:
        return _read_timeless(path, path.stat().st_mtime_ns)
    except OSError:
        return frozenset()


@lru_cache(maxsize=16)
def _read_timeless(path: Path, changed: int) -> frozenset[str]:  # noqa: ARG001 - what makes it another file
    try:
        suite = read_suite(path.read_text("utf-8"), path.name)
    except SuiteError:
        return frozenset()
    return frozenset(check.title for check in suite.checks if not check.uses_window)
