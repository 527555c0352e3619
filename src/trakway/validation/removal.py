"""Removal retraining: drop the examples a method names, train again, and see what happens to the target.

Where outputs have a border, as the margin of a classifier, which is above 0 where the prediction is right, removals can
flip them. Where they have none, as minus the loss of a diffusion model, their change is measured, at every timestep of
the removal, and nothing flips.

The counterfactual check of the TRAK paper (Park et al., 2023): if the examples with the highest scores carry a
prediction, training without them lowers its margin and, in the end, flips it; dropping as many at random hardly does.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from trakway.errors import UserError
from trakway.metrics.intervals import draw, interval
from trakway.report.tables import Table
from trakway.targets.entries import positions

TABLE = Table(
    section="Removal",
    caption=(
        "Change of the output and share of flipped predictions for every method, side and number of removed examples, "
        "with intervals over targets and seeds. ``targets`` counts the targets that were right before; "
        "``targets_change`` all that were tried."
    ),
    reads={
        "reference": "outputs/reference/{shard}.npy",
        "outputs": "outputs/removal/{shard}.npy",
        "rows": "subsets/removal.parquet",
        "targets": "targets/targets.parquet",
    },
    settings={
        "timesteps": "removal.timesteps",
        "seed": "seed",
        "resamples": "lds.resamples",
        "level": "lds.level",
        "border": "{border}",
        "paired": "training.paired",
    },
    beside={
        "removal_pairs": (
            "Differences in the change of the output between every two methods on the same resamples, with intervals; "
            "below 0 where the first lowers it more."
        ),
        "brittleness": (
            "The smallest number of removed top examples that flips a prediction, for every method and target; empty "
            "where none does."
        ),
        "flip_ratios": (
            "How many times as many predictions flip as when the same number of examples is removed at random."
        ),
    },
    beside_needs={"brittleness": ("border",), "flip_ratios": ("border",)},
)

COLUMNS = [
    "method", "timestep", "side", "k", "fraction", "change", "change_low", "change_high", "flipped", "flipped_low",
    "flipped_high", "targets", "seeds", "repeats", "targets_change",
]  # fmt: skip
PAIRS = [
    "method", "against", "timestep", "side", "k", "fraction", "difference", "difference_low", "difference_high",
]  # fmt: skip


class RemovalTables(NamedTuple):
    """The tables of one removal experiment."""

    removal: pd.DataFrame
    pairs: pd.DataFrame
    brittleness: pd.DataFrame


class Group(NamedTuple):
    """The margins after one kind of removal.

    Attributes:
        key: method, side, k and fraction.
        margins: (repeats × targets) means over seeds; one repeat unless the removal is random.
        random: whether the removed examples were drawn, for no target in particular.
    """

    key: dict
    margins: np.ndarray
    random: bool


def seeds_of(models: int, rows: int) -> int:
    """Return how many models were trained for each row.

    Raises:
        ValueError: they are no whole number of seeds a row.
    """
    if rows == 0 or models == 0 or models % rows:
        raise ValueError(f"{models} removal models are no whole number of seeds for {rows} rows")
    return models // rows


def read_at(rows: pd.DataFrame, timestep: int | None) -> np.ndarray:
    """Tell (bool, a value a row) which removals are read at a timestep: those of its scores and those of no timestep.

    Args:
        rows: column ``timestep``, missing where the scores belong to a whole image or examples were removed at random.
        timestep: None: those of no timestep only.
    """
    column = rows["timestep"].astype("Int64")
    whole = column.isna().to_numpy(bool)
    return whole if timestep is None else whole | column.eq(timestep).to_numpy(bool, na_value=False)


def groups(outputs: np.ndarray, rows: pd.DataFrame) -> tuple[np.ndarray, list[Group], int]:
    """Sort the outputs of the removal models by method, side and k.

    A row that removes the examples of one target is read at that target alone. A row of the random control (target -1)
    is read at every target that any method was tried on, and is a repeat of its own.

    Args:
        outputs: (rows * seeds × targets), model = row * seeds + seed.
        rows: columns method, side, k, fraction, target (-1: random), in the order of the models.

    Returns:
        The targets looked at (positions, ascending), the groups in order of appearance, and the number of seeds.

    Raises:
        ValueError: the models are no whole number of seeds a row, or a method was not tried once on every target.
    """
    seeds = seeds_of(len(outputs), len(rows))
    means = outputs.reshape(len(rows), seeds, -1).mean(axis=1)
    rows = rows.reset_index(drop=True)
    tried = np.unique(rows["target"].to_numpy())
    targets = tried[tried >= 0] if (tried >= 0).any() else np.arange(outputs.shape[1])
    found = []
    for values, part in rows.groupby(["method", "side", "k", "fraction"], sort=False, dropna=False):
        key = dict(zip(("method", "side", "k", "fraction"), values, strict=True))
        target, row = part["target"].to_numpy(), part.index.to_numpy()
        random = bool((target == -1).all())
        if random:
            margins = means[row][:, targets]
        elif np.array_equal(np.sort(target), targets):
            row = row[np.argsort(target)]
            margins = means[row, targets][None]
        else:
            raise ValueError(
                f"{key}: targets {sorted(target.tolist())} are not the {len(targets)} of the others, once each"
            )
        found.append(Group(key, margins, random))
    return targets, found, seeds


def flips(margins: np.ndarray, reference: np.ndarray, right: np.ndarray | None = None) -> np.ndarray:
    """Tell which predictions flip, among those that the reference models get right.

    Args:
        margins: (repeats × targets) mean margins after removal.
        reference: (targets,) mean margins before.
        right: bool (targets,), which are right before; None: those above 0.

    Returns:
        float64 (repeats × right targets): 1 where the margin is no longer above 0, the border included, else 0.
    """
    return (margins[:, reference > 0 if right is None else right] <= 0).astype(np.float64)


class Resamples:
    """Counts of drawn targets, reference models and repeats: the same for every method.

    What is drawn is what is independent. Each target of a method has retrainings of its own, so that drawing targets
    draws their noise of training too; drawing their two or three seeds once more would count it twice, and bias the
    flips (the mean of fewer distinct seeds flips more easily). The reference models are shared by all targets, and so
    are the repeats of the random control: they are drawn besides. With 16 targets a 95 % interval of the change holds
    the truth some 91 to 94 times in a hundred, as percentile intervals of few items do.
    """

    def __init__(self, seed: int, resamples: int):
        self.seed, self.resamples, self.drawn = seed, resamples, {}

    def shares(self, role: str, size: int) -> np.ndarray:
        """Return (size × resamples) shares that sum to 1 over the items."""
        if (role, size) not in self.drawn:
            self.drawn[role, size] = draw(self.seed, f"removal/{role}", size, self.resamples) / size
        return self.drawn[role, size]

    def means(self, values: np.ndarray, targets: np.ndarray, role: str = "repeats") -> np.ndarray:
        """Average (repeats × targets) over drawn repeats, then by the shares of ``targets``: (resamples,).

        Items of different roles are drawn independently, be they repeats or, say, reference models.
        """
        return (targets * (values.T @ self.shares(role, len(values)))).sum(axis=0)


def _share_interval(estimate: float, values: np.ndarray, targets: int, level: float) -> tuple[float, float]:
    """Return the interval of a share; where no target (or every one) flips, its open end is the exact binomial bound.

    No resample of targets that all did the same can show one that would have done otherwise.
    """
    low, high = interval(values, level)
    bound = ((1 - level) / 2) ** (1 / targets)
    if estimate == 0:
        return low, 1 - bound
    if estimate == 1:
        return bound, high
    return low, high


def evaluate(
    reference: np.ndarray,
    outputs: np.ndarray,
    rows: pd.DataFrame,
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
    timestep: int | None = None,
    border: bool = True,
    paired: bool = False,
) -> RemovalTables:
    """Measure how margins and predictions change when the examples that a method names are removed.

    Args:
        reference: (reference models × targets) margins of models trained on everything; above 0 a prediction is right.
        outputs: (rows * seeds × targets) margins of the models trained after removal, model = row * seeds + seed.
        rows: columns method, side ("top" | "bottom"), k (examples removed), fraction (of the training set), target
            (position, or -1: removed at random), one row a training subset.
        seed: the experiment's seed, for the resamples.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).
        timestep: of the outputs, to note beside them; None where they belong to the whole target.
        border: whether an output above 0 is a right prediction; without, nothing is right and nothing can flip.
        paired: whether models share their seeds over subsets: then seed j after removal is held against seed j before,
            and what the seeds have in common is in no change.

    Returns:
        ``removal``, a row for each method, side and k (``COLUMNS``). ``change``: the mean over targets of the mean
        margin after removal minus that of the reference models. ``flipped``: of the predictions that the reference
        models get right (there are ``targets`` of them), the share that is wrong after removal; before and after are
        judged by the mean margin, after by that of ``seeds`` models. Targets that were wrong before are in ``change``
        (over ``targets_change``) but not in ``flipped``: losing what supports them cannot flip them. For the random
        control each repeat is judged like a row of a method, by as many seeds, and then the ``repeats`` are averaged.

        ``pairs``, a row for each side, k and two methods (``PAIRS``): ``change`` of the first minus that of the other.

        ``brittleness``, a row for each method and target that was right before. ``k``: the smallest tried number of top
        examples whose removal flips it, empty if none does; for the random control the smallest at which half or more
        of the repeats flip it.

    Raises:
        UserError: a margin is not finite.
    """
    targets, found, seeds = groups(outputs, rows)
    reference = _require_finite("reference models", reference[:, targets])
    before = reference.mean(axis=0)
    right = (before > 0) & border
    resampled = Resamples(seed, resamples)
    target_shares = resampled.shares("targets", len(targets))
    start, reference_means = _start(reference, seeds, paired, resampled, target_shares)
    table, pairs, brittle = [], [], []
    for group in found:
        _require_finite(f"models trained after removal for {group.key}", group.margins)
        flipped = flips(group.margins, before, right)
        change = group.margins.mean() - start.mean()
        low, high = interval(resampled.means(group.margins - start, target_shares) - reference_means, level)
        row = {**group.key, "timestep": timestep, "change": change, "change_low": low, "change_high": high}
        row |= {"seeds": seeds, "repeats": len(group.margins)}
        row |= {"targets": int(right.sum()), "targets_change": len(targets)}
        if right.any():
            values = resampled.means(flipped, resampled.shares("right targets", int(right.sum())))
            row["flipped"] = flipped.mean()
            row["flipped_low"], row["flipped_high"] = _share_interval(flipped.mean(), values, int(right.sum()), level)
        table.append(row)
        if group.key["side"] != "bottom":
            for target, share in zip(targets[right], flipped.mean(axis=0), strict=True):
                brittle.append((group.key["method"], target, group.key["k"], share >= 0.5))
    for group, other in pairs_of(found):
        means = (resampled.means(one.margins, target_shares) for one in (group, other))
        low, high = interval(np.subtract(*means), level)
        row = {**group.key, "against": other.key["method"], "timestep": timestep}
        row |= {"difference": group.margins.mean() - other.margins.mean()}
        pairs.append(row | {"difference_low": low, "difference_high": high})
    removal, compared = (
        pd.DataFrame(rows, columns=columns).astype({"timestep": "Int64"})
        for rows, columns in ((table, COLUMNS), (pairs, PAIRS))
    )
    return RemovalTables(removal, compared, _brittleness(brittle))


def pairs_of(found: Sequence[Group]) -> Iterator[tuple[Group, Group]]:
    """Yield every two kinds of removal of one side and number of examples, the control among those of either side."""
    for first, second in combinations(found, 2):
        same = first.key["side"] == second.key["side"] or second.random
        if same and first.key["k"] == second.key["k"]:
            yield first, second


def _start(
    reference: np.ndarray, seeds: int, paired: bool, resampled: Resamples, target_shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray | float]:
    """Return the outputs (targets,) that changes start from, and their resampled mean beyond the drawn targets.

    Of paired models only those that share a seed with the models after removal, which draws nothing of its own.
    """
    if not paired:
        start = reference.mean(axis=0)
        return start, resampled.means(reference, target_shares, "reference models") - target_shares.T @ start
    if seeds > len(reference):
        raise UserError(
            f"removal.seeds: found {seeds} with training.paired and {len(reference)} reference models; allowed: at "
            "most removal.reference, since each seed is held against the same one before; raise removal.reference"
        )
    return reference[:seeds].mean(axis=0), 0.0


class FlipRatio(NamedTuple):
    """How many times as many predictions flip as in the control."""

    ratio: float
    low: float
    high: float
    flipped: float
    control: float
    targets: int


def flip_ratio(
    reference: np.ndarray,
    outputs: np.ndarray,
    rows: pd.DataFrame,
    method: str,
    k: int,
    *,
    seed: int,
    side: str = "top",
    control: str = "random",
    resamples: int = 1000,
    level: float = 0.95,
) -> FlipRatio:
    """Compare the share of predictions flipped by a method with that of the control, on the same drawn targets.

    Args:
        reference: as in ``evaluate``.
        outputs: as in ``evaluate``.
        rows: as in ``evaluate``.
        method: whose top (or bottom) examples were removed.
        k: how many.
        seed: the experiment's seed, for the resamples.
        side: "top" or "bottom"; of the random control every side will do.
        control: the method to compare with.
        resamples: how many bootstrap resamples.
        level: of the interval, in (0, 1).

    Returns:
        The ratio of the two shares with its interval, the shares, and the number of targets. The ratio is infinite
        where only the method flips any, and 1 where neither does.

    Raises:
        UserError: there is no such removal, or the reference models get no target right.
    """
    targets, found, _ = groups(outputs, rows)
    reference = _require_finite("reference models", reference[:, targets])
    before = reference.mean(axis=0)
    right = int((before > 0).sum())
    if right == 0:
        raise UserError(
            f"removal: the reference models get none of the {len(targets)} targets right, so that none can flip. "
            "Train longer (training.epochs) or take more targets (removal.targets)."
        )
    resampled = Resamples(seed, resamples)
    shares = resampled.shares("right targets", right)
    first, second = (flips(_find(found, name, side, k).margins, before) for name in (method, control))
    values = _ratio(resampled.means(first, shares), resampled.means(second, shares))
    ratio = float(_ratio(first.mean(), second.mean()))
    low, high = interval(values, level)
    if second.mean() == 0:  # no resample can show a flip of the control: the most that it may flip, by its own interval
        most = _share_interval(0.0, resampled.means(second, shares), right, level)[1]
        low, high = interval(resampled.means(first, shares), level)[0] / most, np.inf
    return FlipRatio(ratio, low, high, float(first.mean()), float(second.mean()), right)


def _find(found: list[Group], method: str, side: str, k: int) -> Group:
    """Return the group of a method, side and k; a random removal serves both sides."""
    same = [group for group in found if group.key["method"] == method and group.key["k"] == k]
    for group in [*(group for group in same if group.key["side"] == side), *(group for group in same if group.random)]:
        return group
    known = sorted({(group.key["method"], group.key["side"], int(group.key["k"])) for group in found})
    raise UserError(f"removal: nothing was retrained for method {method!r}, side {side!r}, k = {k}. There is: {known}.")


def _ratio(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Divide; 0 / 0 is 1 (no difference seen), anything else / 0 infinite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((first == 0) & (second == 0), 1.0, np.divide(first, second))


def _brittleness(tried: list[tuple]) -> pd.DataFrame:
    """Keep the smallest k that flips, for every method and target in order of appearance."""
    table = pd.DataFrame(tried, columns=["method", "target", "tried", "flips"])
    table["k"] = table["tried"].where(table["flips"].astype(bool))
    return table.groupby(["method", "target"], sort=False)["k"].min().astype("Int64").reset_index()


def _require_finite(what: str, margins: np.ndarray) -> np.ndarray:
    """Return ``margins`` in float64 if every one is finite."""
    if not np.isfinite(margins).all():
        raise UserError(
            f"removal: a margin of the {what} is not finite (nan or inf). Look for a model whose training diverged "
            "(tables/models.csv) and lower training.learning_rate."
        )
    return np.asarray(margins, dtype=np.float64)


def flip_ratios(
    reference: np.ndarray,
    outputs: np.ndarray,
    rows: pd.DataFrame,
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare every method's top removals with removing as many at random.

    Args:
        reference: as in ``evaluate``, like all that follow.
        outputs: after removal.
        rows: what was removed.
        seed: the experiment's seed.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).

    Returns:
        A row a method and k: method, k, ratio, ratio_low, ratio_high, flipped, control, targets; empty without a
        random control, or where the reference models get no target right.
    """
    columns = ["method", "k", "ratio", "ratio_low", "ratio_high", "flipped", "control", "targets"]
    top = rows[rows["side"] == "top"].drop_duplicates(["method", "k"])
    controls = set(rows.loc[rows["target"] < 0, "k"])
    targets, _, _ = groups(outputs, rows)
    if not (reference[:, targets].mean(axis=0) > 0).any():
        return pd.DataFrame(columns=columns)
    table = [
        (method, k, *flip_ratio(reference, outputs, rows, method, k, seed=seed, resamples=resamples, level=level))
        for method, k in top[["method", "k"]].itertuples(index=False)
        if k in controls
    ]
    return pd.DataFrame(table, columns=columns)


def evaluate_steps(
    reference: np.ndarray,
    outputs: np.ndarray,
    rows: pd.DataFrame,
    entries: pd.DataFrame,
    timesteps: Sequence[int] | None,
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
    border: bool = True,
    paired: bool = False,
) -> dict[str, pd.DataFrame]:
    """Evaluate a whole removal experiment, at every timestep on its own.

    Args:
        reference: (reference models × evaluated entries) outputs of models trained on everything.
        outputs: (rows * seeds × evaluated entries) outputs of the models trained after removal.
        rows: as in ``evaluate``, and ``timestep``: of the scores. A row with one is read at this timestep alone, a row
            without at every one.
        entries: the table of targets.
        timesteps: where to evaluate; None: the outputs of whole targets.
        seed: the experiment's seed.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).
        border: as in ``evaluate``.
        paired: as in ``evaluate``.

    Returns:
        ``removal``, ``removal_pairs`` and ``brittleness`` of ``evaluate``, and ``flip_ratios``; without a border the
        last two are empty.

    Raises:
        UserError: a target has no entry at a timestep, or an output is not finite.
    """
    options = {"seed": seed, "resamples": resamples, "level": level}
    seeds = seeds_of(len(outputs), len(rows))
    tables = {"removal": [], "removal_pairs": [], "brittleness": [], "flip_ratios": []}
    for timestep in timesteps or [None]:
        columns = positions(entries, timestep)
        here = read_at(rows, timestep)
        part = reference[:, columns], outputs[np.repeat(here, seeds)][:, columns], rows[here]
        found = evaluate(*part, timestep=timestep, border=border, paired=paired, **options)
        tables["removal"].append(found.removal)
        tables["removal_pairs"].append(found.pairs)
        tables["brittleness"].append(found.brittleness)
        ratios = flip_ratios(*part, **options)
        tables["flip_ratios"].append(ratios if border else ratios.head(0))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def make(
    reference: Mapping[str, np.ndarray],
    outputs: Mapping[str, np.ndarray],
    rows: pd.DataFrame,
    targets: pd.DataFrame,
    timesteps: Sequence[int] | None,
    seed: int,
    resamples: int,
    level: float,
    border: bool,
    paired: bool,
) -> dict[str, pd.DataFrame]:
    """Make the tables of the experiment from the outputs by shard, see `evaluate_steps`; ``targets`` is their table."""
    joined = (np.concatenate([*shards.values()]) for shards in (reference, outputs))
    options = {"seed": seed, "resamples": resamples, "level": level, "border": border, "paired": paired}
    return evaluate_steps(*joined, rows, targets, timesteps, **options)
