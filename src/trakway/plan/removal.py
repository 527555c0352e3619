"""Which removals an experiment makes, from its settings alone."""

from collections.abc import Collection
from dataclasses import dataclass

from trakway.errors import UserError
from trakway.plan.methods import CONTROL


@dataclass(frozen=True)
class Removal:
    """One training subset of the removal experiment.

    Attributes:
        method: whose scores choose the examples to remove; ``"random"`` for the control.
        side: ``"top"`` or ``"bottom"`` of the scores; ``"random"`` for the control.
        fraction: share of the training set that is removed.
        target: position among the evaluated targets; -1 for the control, which serves every target.
        repeat: number of the control subset among those of its fraction; 0 for a method.
        timestep: of the scores; None where they belong to the whole target, and for the control.
    """

    method: str
    side: str
    fraction: float
    target: int
    repeat: int = 0
    timestep: int | None = None


def removal_rows(removal: dict, per_step: Collection[str] = ()) -> list[Removal]:
    """List the subsets of the removal experiment in their fixed order: methods as listed, then the random control.

    Args:
        removal: ``targets`` (number of targets, the first of the evaluated ones), ``fractions``, ``sides`` (of top,
            bottom), ``methods``, ``random`` (control subsets for each fraction; the name ``random`` among the methods
            adds nothing). Optionally ``full_grid`` (methods that get every fraction and side; None: all of them) and
            ``compare_fraction`` (one of the fractions): the other methods remove the top of this fraction only; and
            ``timesteps``: methods of ``per_step`` then get a subset for each of them.
        per_step: methods whose scores differ from step to step.

    Raises:
        UserError: ``full_grid`` names a method that is not in ``methods``, or ``compare_fraction`` is needed but
            not one of ``fractions``.
    """
    rows = [
        Removal(method, side, fraction, target, timestep=timestep)
        for method, grid, steps in _grids(removal, per_step)
        for fraction, side in grid
        for target in range(removal["targets"])
        for timestep in steps
    ]
    controls = [(fraction, repeat) for fraction in removal["fractions"] for repeat in range(removal["random"])]
    return rows + [Removal(CONTROL, CONTROL, fraction, -1, repeat) for fraction, repeat in controls]


def count_removal_rows(removal: dict, per_step: Collection[str] = ()) -> int:
    """Return how many training subsets the removal experiment has (each is trained ``removal["seeds"]`` times)."""
    tried = sum(len(grid) * removal["targets"] * len(steps) for _, grid, steps in _grids(removal, per_step))
    return tried + len(removal["fractions"]) * removal["random"]


def _grids(removal: dict, per_step: Collection[str]) -> list[tuple[str, list[tuple[float, str]], list[int | None]]]:
    """Return for each method its fractions and sides, and its timesteps; see `removal_rows`."""
    methods = [method for method in removal["methods"] if method != CONTROL]
    full = removal.get("full_grid")
    full = methods if full is None else full
    fractions, compared = list(removal["fractions"]), removal.get("compare_fraction")
    unknown = [method for method in full if method not in methods and method != CONTROL]
    if unknown:
        raise UserError(f"removal.full_grid: {unknown[0]!r} is not among removal.methods ({', '.join(methods)})")
    if set(methods) - set(full) and compared not in fractions:
        raise UserError(
            f"removal.compare_fraction: found {compared!r}; with full_grid it must be one of"
            f" removal.fractions ({', '.join(map(str, fractions))})"
        )
    whole = [(fraction, side) for fraction in fractions for side in removal["sides"]]
    return [
        (
            method,
            whole if method in full else [(compared, "top")],
            (removal.get("timesteps") if method in per_step else None) or [None],
        )
        for method in methods
    ]
