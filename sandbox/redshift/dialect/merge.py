"""MERGE in Redshift's grammar, which is narrower than PostgreSQL's."""

from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.names import Name, read_name, syntax_error
from sandbox.redshift.dialect.relations import alias_at
from sandbox.redshift.dialect.statement import Refusal


def rewrite(draft: Draft) -> None:
    """Check a MERGE, and rewrite REMOVE DUPLICATES, which PostgreSQL does not have.

    Raises:
        Refusal: It is not in Redshift's grammar.
    """
    target = read_name(draft, 2 if draft.word(1) == "into" else 1)
    using = target.last + 1
    if draft.word(using) != "using":
        raise syntax_error(draft, using, hint="Redshift's MERGE has no alias for the target.")
    level = list(draft.same_level(0, len(draft) - 1))
    on = next((at for at in level if draft.word(at) == "on"), len(draft))
    end = len(draft) - 1
    source = Span(using + 1, on - 1)
    if draft.words_at(end - 1, "remove", "duplicates"):
        _remove_duplicates(draft, target, source, Span(on + 1, end - 2))
        return
    _must_not_read_target(draft, target, source)
    _must_have_both_clauses(draft, [at for at in level if draft.word(at) == "when"])


def _must_have_both_clauses(draft: Draft, whens: list[int]) -> None:
    matched = [at for at in whens if draft.words_at(at + 1, "matched")]
    for at in whens:
        then = at + (2 if at in matched else 3)
        if draft.word(then) != "then":
            raise syntax_error(draft, then, hint="Redshift's MERGE has no further conditions.")
        if draft.word(then + 1) == "do":
            raise syntax_error(draft, then + 1)
    if len(matched) != 1 or len(whens) != 2:
        raise Refusal(
            "MERGE needs exactly one WHEN MATCHED and one WHEN NOT MATCHED clause",
            "42601",
            hint="REMOVE DUPLICATES is the form without clauses.",
        )


def _must_not_read_target(draft: Draft, target: Name, source: Span) -> None:
    if draft.is_operator(source.first, "(") and any(
        draft.tokens[at].name == target.parts[-1] for at in range(source.first, source.last + 1)
    ):
        raise Refusal("Source view/subquery in Merge statement cannot reference target table.")


def _remove_duplicates(draft: Draft, target: Name, source: Span, condition: Span) -> None:
    if draft.is_operator(source.first, "("):
        alias, _ = alias_at(draft, draft.closing(source.first) + 1)
        name = f'"{alias}"'
    else:
        read = read_name(draft, source.first)
        alias, _ = alias_at(draft, read.last + 1)
        name = f'"{alias}"' if alias else read.sql
    source_text, condition_text = draft.render(source), draft.render(condition)
    removal = ("DELETE FROM", target.sql, "USING", source_text, "WHERE", condition_text)
    insertion = ("INSERT INTO", target.sql, "SELECT", f"{name}.*", "FROM", source_text)
    draft.rewrite_all(" ".join(("WITH removed AS (", *removal, ")", *insertion)))
