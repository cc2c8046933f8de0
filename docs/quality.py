"""The part of docs/quality.md that is made from the code: `python docs/quality.py` (or `make docs`)."""

import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins")]

from sparkify.checks.model import Check, Model, TableCheck  # noqa: E402 - after the path
from sparkify.checks.suite import KINDS  # noqa: E402
from sparkify.checks.table_kinds import Reference  # noqa: E402

PAGE = ROOT / "docs" / "quality.md"
START = "<!-- Made by docs/quality.py from plugins/sparkify/checks; change the code, then run make docs. -->"
END = "<!-- End of what docs/quality.py made. -->"


def page() -> str:
    """Return docs/quality.md with the tables between its two marks made anew."""
    text = PAGE.read_text()
    before, after = text[: text.index(START)], text[text.index(END) :]
    return f"{before}{START}\n\n{_kinds()}\n\n{_shared_fields()}\n\n{after}"


def _kinds() -> str:
    lines = ["| kind | passes when | its fields |", "|---|---|---|"]
    for kind, model in KINDS.items():
        fields = [_field(name, model) for name in model.model_fields if name not in TableCheck.model_fields]
        lines.append(f"| `{kind}` | {_first_line(model)} | {'; '.join(fields)} |")
    return "\n".join(lines)


def _shared_fields() -> str:
    lines = ["| kinds | fields |", "|---|---|"]
    every = [_field(name, Check) for name in Check.model_fields if name != "kind"]
    rows = [_field(name, TableCheck) for name in TableCheck.model_fields if name not in Check.model_fields]
    table_kinds = ", ".join(f"`{kind}`" for kind, model in KINDS.items() if issubclass(model, TableCheck))
    lines.append(f"| all | {'; '.join(every)} |")
    lines.append(f"| {table_kinds} | {'; '.join(rows)} |")
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
