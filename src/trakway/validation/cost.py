"""LDS against compute: what a method reaches with a share of the models, and the CPU seconds that it takes."""

from collections.abc import Mapping

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.scoring import entries_of, run_method
from trakway.plan.methods import Chosen
from trakway.report.tables import Table
from trakway.runtime import resources

TABLE = Table(
    section="LDS",
    caption="What each method reaches with a share of the models it is given, and the CPU seconds that it takes.",
    own_rule=True,
)


def share_of_models(chosen: Chosen, material: Material, share: float) -> tuple[Material, int, float]:
    """Return the material with a share of the models that a method needs, how many that are, and the share they make.

    A share is rounded to whole models, one at least (two subsets); a method that needs none gets 0 and the share 0. The
    estimation subsets that choose the options of other methods stay whole.
    """
    if "estimation" in chosen.method.reads:
        whole = len(material.estimation.masks)
        count = max(2, round(share * whole))
        return material.of_subsets(count), count, count / whole
    whole = len(entries_of(chosen, material))
    if whole == 0:
        return material, 0, 0.0
    count = max(1, round(share * min(whole, chosen.members or whole)))
    return material.of_members(count), count, count / whole


def cost_runs(
    chosen: Chosen, material: Material, evaluated: int, shares: list[float], seconds: float, seeds: int
) -> Mapping[int, tuple[np.ndarray, float | None]]:
    """Score with growing shares of the models.

    Args:
        chosen: the method.
        material: with all models.
        evaluated: number of evaluated targets.
        shares: of the models, in (0, 1].
        seconds: CPU seconds that all its models took: their training, each model's once, and what the method reads.
        seeds: models of each estimation subset.

    Returns:
        number of models → (scores (evaluated, n), CPU seconds in all; of an array of scores what its makers say).
    """
    runs = {}
    for share in shares:
        part, count, used = share_of_models(chosen, material, share)
        models = count * seeds if "estimation" in chosen.method.reads else count
        if models in runs:
            continue
        # A fresh cache: each run pays for its own kernels.
        out = np.empty((evaluated, material.size), np.float32)
        with resources.measured() as spent:
            run_method(chosen, part.replace(cache={}), evaluated, out)
        own = seconds * used + spent["cpu_seconds"]
        runs[models] = out, own if chosen.scores is None else chosen.cpu_seconds
    return runs
