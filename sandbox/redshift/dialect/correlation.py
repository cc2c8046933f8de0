"""Correlated subqueries that Redshift cannot decorrelate: which names a subquery takes from outside."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.sql.tokens import words

# Before the parenthesis of a subquery that is an operand, and no table in FROM.
_OPERAND_WORDS = words("exists in any all some")
_OPERATORS = frozenset(("=", "<", ">", "<=", ">=", "<>", "!="))
_BEHIND_FROM = words("where group having order limit offset union intersect except minus qualify window")
# Redshift decorrelates MIN and MAX.
_AGGREGATES = words("avg count sum stddev stddev_pop stddev_samp variance var_pop var_samp listagg")
WORDS = _OPERAND_WORDS | words("count max min")


@dataclass
class Block:
    """One SELECT, or the whole statement.

    Args:
        outer: The block it is an operand of; None for a statement, a table in FROM or in WITH.
        is_in: It is what IN compares with.
        clause: The clause that is being read: ``select``, ``from`` or ``where`` and all behind it.
        relations: Whatever its FROM names at its own level: tables, aliases, and columns of conditions.
        calls: Functions of its select list.
        taken: Names before a dot behind its FROM, and where.
        has_group: It has GROUP BY.
    """

    outer: "Block | None" = None
    is_in: bool = False
    clause: str = "select"
    relations: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    taken: dict[str, int] = field(default_factory=dict)
    has_group: bool = False

    def takes(self, outer: "Block") -> int | None:
        """Where it names a relation of `outer` that neither it nor a block between them has."""
        hidden = set(self.relations)
        if self.outer is not None and self.outer is not outer:
            hidden |= self.outer.relations
        return min((at for name, at in self.taken.items() if name in outer.relations - hidden), default=None)


def undecorrelated(draft: Draft, _index: int = 0) -> int | None:
    """A name that a subquery takes from outside in a way that Redshift's guide excludes; None without one."""
    for block in _blocks(draft):
        outer = block.outer
        if outer is None:
            continue
        if outer.outer is not None and (at := block.takes(outer.outer)) is not None:
            return at  # it skips a block
        grouped = block.is_in and block.has_group and block.calls & _AGGREGATES
        if (grouped or "over" in block.calls) and (at := block.takes(outer)) is not None:
            return at
    return None


def _blocks(draft: Draft) -> Sequence[Block]:
    at_parenthesis = {-1: Block()}
    blocks = [at_parenthesis[-1]]
    for index in range(len(draft)):
        opening = draft.enclosing(index)
        block = at_parenthesis[opening]
        if draft.is_operator(index, "("):
            at_parenthesis[index] = _inner(draft, index, block)
            if at_parenthesis[index] is not block:
                blocks.append(at_parenthesis[index])
        else:
            _read(draft, index, block, own_level=_begins(draft, opening))
    return blocks


def _begins(draft: Draft, opening: int) -> bool:
    return opening < 0 or draft.word(opening + 1) in ("select", "with")


def _inner(draft: Draft, opening: int, block: Block) -> Block:
    """The block of what stands inside a parenthesis: a new one only for a query."""
    if not _begins(draft, opening):
        return block
    before = draft.word(opening - 1)
    is_operand = before in _OPERAND_WORDS or (
        opening > 0 and draft.tokens[opening - 1].kind == "operator" and draft.text(opening - 1) in _OPERATORS
    )
    return Block(block if is_operand else None, before == "in")


def _read(draft: Draft, index: int, block: Block, *, own_level: bool) -> None:
    word = draft.word(index)
    if own_level and word == "from":
        block.clause = "from"
    elif own_level and word in _BEHIND_FROM and block.clause == "from":
        block.clause = "where"
    if own_level and word == "group":
        block.has_group = True
    if block.clause == "select" and draft.is_operator(index + 1, "("):
        block.calls.add(word)
    elif block.clause == "from" and own_level and not draft.is_operator(index + 1, "."):
        block.relations.add(draft.tokens[index].name)
    elif block.clause == "where" and _is_qualifier(draft, index):
        block.taken.setdefault(draft.tokens[index].name, index)


def _is_qualifier(draft: Draft, index: int) -> bool:
    """Whether it is the ``t`` of ``t.a``, and no schema."""
    return (
        draft.tokens[index].is_name
        and draft.is_operator(index + 1, ".")
        and not draft.is_operator(index - 1, ".")
        and not draft.is_operator(index + 3, ".")
        and not draft.is_operator(index + 3, "(")
    )
