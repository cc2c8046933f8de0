"""The part of docs/quality.md that is made from the code: `python docs/quality.py` (or `make docs`)."""

import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins")]

from sparkify.checks.model import Check, Model, TableCheck, WindowedCheck  # noqa: E402 - after the path
from sparkify.checks.suite import KINDS  # noqa: E402
from sparkify.checks.table_kinds import Reference  # noqa: E402
from sparkify.checks.value_kinds import ValueCheck  # noqa: E402

PAGE = ROOT / "docs" / "quality.md"
START = "<!-- Made by docs/quality.py from plugins/sparkify/checks; change the code, then run make docs. -->"
_BASES: tuple[type[Check], ...] = (Check, TableCheck, WindowedCheck, ValueCheck)
END = "<!-- End of what docs/quality.py made. -->"


def page() -> str:
    """Return docs/quality.md with the tables between its two marks made anew."""
    text = PAGE.read_text()
    before, after = text[: text.index(START)], text[text.index(END) :]
    return f"{before}{START}\n\n{_kinds()}\n\n{_shared_fields()}\n\n{after}"


def _kinds() -> str:
    lines = ["| kind | passes when | its fields |", "|---|---|---|"]
    for kind, model in KINDS.items():
        shared = {name for base in _BASES if issubclass(model, base) for name in base.model_fields}
        fields = [_field(name, model) for name in model.model_fields if name not in shared]
        lines.append(f"| `{kind}` | {_first_line(model)} | {'; '.join(fields)} |")
    return "\n".join(lines)


def _shared_fields() -> str:
    lines = ["| kinds | fields |", "|---|---|"]
    known = {"kind"}
    for base in _BASES:
        fields = [_field(name, base) for name in base.model_fields if name not in known]
        kinds = [f"`{kind}`" for kind, model in KINDS.items() if issubclass(model, base)]
        lines.append(f"| {', '.join(kinds) if len(kinds) < len(KINDS) else 'all'} | {'; '.join(fields)} |")
        known.update(base.model_fields)
    references = [_field(name, Reference) for name in Reference.model_fields]
    lines.append(f"| `references` of `foreign_key` | {'; '.join(references)} |")
    return "\n".join(lines)


def _field(name: str, model: type[Model]) -> str:
    field = model.model_fields[name]
    shown = f"**`{name}`**" if field.is_required() else f"`{name}`"
    return f"{shown}: {field.description}"


def _first_line(model: type[Model]) -> str:
    return inspect.cleandoc(model.__doc__ or "").splitlines()[0].rstrip(".")


if __name__ == "__main__":
    PAGE.write_text(page())
