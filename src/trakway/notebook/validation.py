"""Judge scores by models that were trained on random subsets: outputs, the linear datamodeling score."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from trakway.errors import UserError
from trakway.metrics.lds import LdsTables, by_subset, predicted
from trakway.metrics.lds import evaluate as evaluate_lds
from trakway.notebook.models import Models
from trakway.notebook.session import undisturbed
from trakway.notebook.training import check_masks
from trakway.outputs.evaluation import ensemble_outputs
from trakway.tasks import Task


@undisturbed()
def evaluate(task: Task, models: Models) -> np.ndarray:
    """Return the output f of every model on every target: float64 (models, targets).

    Raises:
        UserError: an output is not finite.
    """
    loaded = ((files[-1], models[i]) for i, files in enumerate(models.files))
    return ensemble_outputs(task, loaded, len(models), task.test_size)[0]


def lds(
    scores: Mapping[str, Any],
    masks: np.ndarray,
    outputs: np.ndarray,
    *,
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
) -> pd.DataFrame:
    """Measure scores by the linear datamodeling score: how well they rank what retraining on subsets gives.

    Args:
        scores: by a name of your choice, arrays (targets, n): of `trakway.score`, or of any other program; positive
            where training on the example raises the target's output.
        masks: bool (subsets, n): the subsets that the bank's models were trained on.
        outputs: (subsets × seeds, targets), as `trakway.evaluate` gives them; model j * seeds + s is of subset j.
        seed: of the resamples.
        resamples: of subsets and targets, for the intervals.
        level: of the intervals.

    Returns:
        A row a method: method, lds (mean over targets), lds_low, lds_high, ceiling (what no scores can beat; nan with
        one seed a subset), over_ceiling, subsets, seeds, targets.

    Raises:
        UserError: shapes do not fit each other, there are fewer than two subsets, or a number is not finite.
    """
    table = _tables(scores, masks, outputs, seed, resamples, level).lds
    return table.drop(columns=["kind", "timestep", "members", "dim", "ridge"])


def pairs(
    scores: Mapping[str, Any],
    masks: np.ndarray,
    outputs: np.ndarray,
    *,
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare every two of several scores on the same resamples; arguments as of `lds`.

    Returns:
        A row a pair, the better one first: method, against, difference of the LDS, difference_low, difference_high,
        share of the resamples in which the first is ahead.
    """
    return _tables(scores, masks, outputs, seed, resamples, level).pairs.drop(columns=["kind", "timestep"])


def check_outputs(outputs: Any, subsets: int, targets: int | None = None) -> np.ndarray:
    """Return a bank's outputs as float64 (subsets, seeds, targets).

    Raises:
        UserError: they are not of whole numbers of models a subset, or not of these targets.
    """
    values = np.asarray(outputs, np.float64)
    if values.ndim != 2 or len(values) == 0 or len(values) % subsets or values.shape[1] != (targets or values.shape[1]):
        raise UserError(
            f"outputs: found shape {values.shape}, allowed: (models, targets), here a multiple of {subsets} subsets ×"
            f" {targets or 'targets'}, model j * seeds + s of subset j, as trakway.evaluate gives"
        )
    return by_subset(values, subsets)


def _tables(
    scores: Mapping[str, Any], masks: np.ndarray, outputs: np.ndarray, seed: int, resamples: int, level: float
) -> LdsTables:
    if not isinstance(scores, Mapping) or not scores:
        raise UserError(f"scores: found {type(scores).__name__}, allowed: {{name: array of targets × n}}, at least one")
    found = {name: np.asarray(values) for name, values in scores.items()}
    masks = check_masks(masks, np.shape(masks)[-1] if np.ndim(masks) else 0, 2)
    truth = check_outputs(outputs, len(masks))
    wanted = (truth.shape[2], masks.shape[1])
    for name, values in found.items():
        if values.shape != wanted:
            turned = "; it may be turned round: try .T" if values.shape == wanted[::-1] else ""
            raise UserError(
                f"scores: {name} has shape {values.shape}, allowed: {wanted}, targets (columns of outputs) × training"
                f" examples (columns of masks){turned}"
            )
    columns = {"target": np.arange(wanted[0]), "role": "evaluation", "kind": "test", "patch": ""}
    targets = pd.DataFrame(columns).assign(timestep=pd.array([pd.NA] * wanted[0], "Int64"))
    predictions = {name: predicted(values, masks) for name, values in found.items()}
    return evaluate_lds(predictions, truth, targets, seed=seed, resamples=resamples, level=level)
