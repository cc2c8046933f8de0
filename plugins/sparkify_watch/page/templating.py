"""Jinja as pages and the report use it: everything is escaped, and a name that is not there is an error."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sparkify.text import printable
from sparkify_watch.page import words


def make_environment(folder: Path) -> Environment:
    """Return the environment of the templates in a folder, with the filters of `words`."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(words.FILTERS)
    return environment


def _shown(value: object) -> object:
    """Return what a template writes: what others have written, without what would steer whoever reads it."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return printable(value, keep="\n\t")
