"""A staging job made of an operator's arguments, for the operators that stage and those that compare."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from airflow.sdk import Context
from jinja2 import Environment, TemplateNotFound

from sparkify.failures import FatalError
from sparkify.operators.base import WarehouseOperator
from sparkify.operators.task_failures import translate_failures
from sparkify.s3.bucket_names import check_buckets
from sparkify.stage.copy_command import check_options
from sparkify.stage.job import StagingJob
from sparkify.warehouse.ledger import TaskRun

# What an operator is given; the rest of a job is its run's.
STAGING_ARGUMENTS = tuple(field.name for field in fields(StagingJob) if field.name not in ("run", "window"))


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse staging arguments that do not go together, as the DAG file is read.

    Raises:
        ValueError: the message names the argument.
    """
    if (arguments.get("key_pattern") is None) == (arguments.get("prefix") is None):
        raise ValueError("Give key_pattern or prefix: one of the two")
    if arguments["mode"] == "window" and not arguments.get("time_column"):
        raise ValueError("Mode window needs time_column")
    if arguments["mode"] == "changed_files" and not arguments.get("key_columns"):
        raise ValueError("Mode changed_files needs key_columns")
    check_options([option for option in arguments.get("copy_options", ()) if "{" not in option])


def build_staging_job(
    operator: WarehouseOperator, arguments: Mapping[str, Any], context: Context
) -> StagingJob:
    """Return what a run stages.

    Args:
        operator: whose run it is.
        arguments: STAGING_ARGUMENTS, rendered; those with a default may be missing.
        context: of the run.

    Raises:
        AirflowFailException: one bucket as source and work bucket, a prefix outside of its source, no window
            or no such jsonpaths file.
    """
    with translate_failures(f"{operator.task_id}: reading the arguments"):
        # Manifests among the source files could be taken for such, and need the right to write there.
        check_buckets(arguments["bucket"], arguments["work_bucket"])
        _check_prefix(arguments.get("prefix"), arguments.get("source_prefix"))
        jsonpaths = _read_jsonpaths(operator.get_template_env(), arguments.get("jsonpaths"))
    has_window = arguments["mode"] == "window" or "%" in (arguments.get("key_pattern") or "")
    made = {
        "run": TaskRun.of(context),
        # Redshift folds names; what ops keeps of a table must not depend on how a task writes its name.
        "table": arguments["table"].lower(),
        "window": operator.window(context) if has_window else None,
        "jsonpaths": jsonpaths,
        "region": arguments.get("region") or None,
        "look_back_days": int(arguments.get("look_back_days", 0)),
        "allow_empty": is_true(arguments.get("allow_empty", False)),
        "keep_strays": is_true(arguments.get("keep_strays", False)),
    }
    return StagingJob(**{**arguments, **made})


def is_true(flag: bool | str) -> bool:
    """Return a flag as such: a templated one arrives as text."""
    return str(flag).lower() == "true"


def _check_prefix(prefix: str | None, source_prefix: str | None) -> None:
    if source_prefix and not (prefix or "").startswith(source_prefix):
        raise FatalError(
            f"The prefix {prefix!r} does not begin with the source_prefix {source_prefix!r}:",
            "give one that does, such as a folder of the source.",
        )


def _read_jsonpaths(environment: Environment, name: str | None) -> str | None:
    """Return the jsonpaths file's text.

    It is read here because `template_ext` would take a key that ends in `.json` for a file, too.
    """
    if name is None:
        return None
    try:
        return environment.get_template(name).render()
    except TemplateNotFound as error:
        raise FatalError(f"The jsonpaths file {error} is not below the DAG's template_searchpath.") from None
