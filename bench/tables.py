"""The figures as tables of 100 columns."""

from collections.abc import Iterator, Mapping, Sequence

from bench.tasks import TASKS, Cost

Costs = Mapping[str, Cost]
"""A task's cost by its id."""


def table(title: str, sizes: Mapping[int, Costs]) -> str:
    """Return one table: a row a task, three columns a size, and how much more the largest takes."""
    return "\n".join([title, "", *_head(list(sizes)), *_rows(sizes)])


def _head(facts: Sequence[int]) -> Iterator[str]:
    yield f"{'facts before':14}" + "".join(f"{count:>25,}" for count in facts)
    yield f"{'task':14}" + f"{'statements':>11}{'db s':>7}{'all s':>7}" * len(facts) + f"{'db ratio':>9}"


def _rows(sizes: Mapping[int, Costs]) -> Iterator[str]:
    for task_id in TASKS:
        yield _row(task_id, [costs[task_id] for costs in sizes.values()])
    yield _row("total", [_total(costs) for costs in sizes.values()])


def _row(name: str, costs: Sequence[Cost]) -> str:
    figures = "".join(f"{cost.statements:>11}{cost.database:>7.3f}{cost.wall:>7.3f}" for cost in costs)
    return f"{name:14}{figures}{costs[-1].database / costs[0].database:>9.2f}"


def _total(costs: Costs) -> Cost:
    return Cost(
        [sql for cost in costs.values() for sql in cost.sent],
        sum(cost.database for cost in costs.values()),
        sum(cost.wall for cost in costs.values()),
    )
