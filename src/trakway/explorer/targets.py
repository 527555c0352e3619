"""Targets: what is explained, with its entries, the outputs of models there, and the LDS of every method."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from trakway.explorer.examples import cut
from trakway.metrics.intervals import bootstrap_lds, interval
from trakway.targets.table import groups


def listed(table: pd.DataFrame, classes: Sequence[str], words: Mapping[str, Sequence] | None) -> list[dict]:
    """Return the evaluated targets in order.

    Args:
        table: of targets.
        classes: names of labels.
        words: of the test split (`trakway.explorer.examples.words_of`), for targets that are of it; None: of none.

    Returns:
        For each: ``target`` (number), ``kind``, ``label`` and ``caption`` (null for none), ``text`` and ``pair`` where
        there are any, ``of`` (the sample of which it is the same under another caption), ``entries``: lists of
        position, timestep (null: the whole) and patch ("": all of it).
    """
    table = table.reset_index(names="position")
    found = []
    for number, part in table[table["role"] == "evaluation"].groupby("target", sort=True):
        first = part.iloc[0]
        one = {
            "target": number,
            "kind": first["kind"],
            "label": classes[first["label"]] if first["label"] >= 0 else None,
            "caption": cut(first["caption"]) or None,
            "of": first["row"] if first["kind"] == "exchanged" else None,
            "entries": [[e.position, None if pd.isna(e.timestep) else e.timestep, e.patch] for e in part.itertuples()],
        }
        if words is not None and first["kind"] == "test":
            one |= {name: words[name][first["row"]] for name in ("text", "pair") if name in words}
        found.append(one)
    return found


def lds_of_entries(table: pd.DataFrame, lds: pd.DataFrame, methods: Sequence[str]) -> np.ndarray:
    """Return the LDS of every evaluated entry and method, NaN where there is none: (entries × methods).

    Args:
        table: of targets.
        lds: the table ``lds_targets``: kind, timestep, method, target, lds.
        methods: their names, in order.
    """
    place = {name: column for column, name in enumerate(methods)}
    found = np.full((len(table), len(methods)), np.nan)
    numbers = table["target"].to_numpy()
    for group in groups(table):
        at = lds["timestep"].isna() if group.timestep is None else lds["timestep"] == group.timestep
        rows = lds[at & (lds["kind"] == group.kind)]
        entry = dict(zip(numbers[group.positions], group.positions, strict=True))
        for row in rows[rows["method"].isin(methods)].itertuples():
            found[entry[row.target], place[row.method]] = row.lds
    return found


def lds_intervals(
    predictions: Sequence[np.ndarray], outputs: np.ndarray, *, seed: int, resamples: int, level: float
) -> np.ndarray:
    """Return the interval of each target's own LDS over subsets, drawn anew: (methods × 2).

    Args:
        predictions: of one entry by every method, (subsets,) each.
        outputs: mean over seeds, (subsets,).
        seed: the experiment's seed.
        resamples: how many.
        level: in (0, 1).
    """
    columns = [np.asarray(values)[:, None] for values in predictions]
    samples = bootstrap_lds(columns, np.asarray(outputs)[:, None], seed=seed, resamples=resamples)
    return np.array([interval(values, level) for values in samples])


def methods_at(methods: Sequence[str], timestep: int | None, steps_only: Collection[str]) -> list[str]:
    """Return the methods that mean something at a timestep, None for a whole example."""
    return [name for name in methods if timestep is not None or name not in steps_only]
