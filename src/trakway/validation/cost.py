"""LDS against compute: what a method reaches with a share of the models, and the CPU seconds that it takes."""

import dataclasses
from collections.abc import Collection, Mapping

import numpy as np

from trakway.attribution import Material
from trakway.attribution.scoring import entries_of, run_method
from trakway.plan import NEEDS
from trakway.plan.tables import Table
from trakway.runtime import resources

TABLE = Table(
    section="LDS",
    caption="What each method reaches with a share of the models it is given, and the CPU seconds that it takes.",
    own_rule=True,
)

OWN_MODELS = {"image_classification": ("estimation",), "image_diffusion": ("estimation", "representations")}
"""The needs whose models are their own, by task; all others read the members."""


@dataclasses.dataclass(frozen=True)
class ModelCosts:
    """CPU seconds that all models of an experiment took: training, and what a method reads from them.

    Attributes:
        members: training of the members.
        estimation: training of the estimation bank and its outputs.
        features: projected gradients at the final checkpoints.
        checkpoints: projected gradients at all checkpoints.
        representations: representations of the members.
        norm: projected gradients of the squared norm of the prediction.
        windows: projected gradients at steps around those attributed.
        own: the needs among these whose seconds hold the training of their models, see ``OWN_MODELS``.
    """

    members: float
    estimation: float
    features: float
    checkpoints: float
    representations: float
    norm: float = 0.0
    windows: float = 0.0
    own: Collection[str] = ("estimation",)

    def of(self, name: str) -> float:
        """Return the CPU seconds behind a method that uses all its models, each trained once."""
        members = 0.0 if set(NEEDS[name]) <= set(self.own) else self.members
        return members + sum(getattr(self, need) for need in NEEDS[name])


def share_of_models(name: str, material: Material, share: float) -> tuple[Material, int, float]:
    """Return the material with a share of the models that a method needs, how many that are, and the share they make.

    A share is rounded to whole models, one at least (two subsets); a method that needs none gets 0 and the share 0. The
    estimation subsets that choose the options of other methods stay whole.
    """
    if not NEEDS[name]:
        return material, 0, 0.0
    if "estimation" in NEEDS[name]:
        whole = len(material.masks)
        count = max(2, round(share * whole))
        return material.of_subsets(count), count, count / whole
    whole = len(entries_of(name, material))
    count = max(1, round(share * whole))
    return material.of_members(count), count, count / whole


def cost_runs(
    name: str, material: Material, evaluated: int, scores: dict, shares: list[float], costs: ModelCosts, seeds: int
) -> Mapping[int, tuple[np.ndarray, float]]:
    """Score with growing shares of the models.

    Args:
        name: the method.
        material: with all models.
        evaluated: number of evaluated targets.
        scores: the ``scores`` section.
        shares: of the models, in (0, 1].
        costs: CPU seconds of all models.
        seeds: models of each estimation subset.

    Returns:
        number of models → (scores (evaluated, n), CPU seconds in all).
    """
    runs = {}
    for share in shares:
        part, count, used = share_of_models(name, material, share)
        models = count * seeds if "estimation" in NEEDS[name] else count
        if models in runs:
            continue
        # A fresh cache: each run pays for its own kernels.
        part = dataclasses.replace(part, cache={})
        out = np.empty((evaluated, material.size), np.float32)
        with resources.measured() as spent:
            run_method(name, part, evaluated, scores, out)
        runs[models] = out, costs.of(name) * used + spent["cpu_seconds"]
    return runs
