"""What inputs are made of."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.plan.modalities import Modality


@dataclass(frozen=True)
class Features:
    """Projected gradients of one member at one checkpoint.

    Attributes:
        train: float32 (n, k), perhaps a memory map.
        targets: float32 (targets, k); none of a window.
        weights: float32 (n,): -dLoss/df of the training examples.
        learning_rate: summed over the epochs that led to the checkpoint.
    """

    train: np.ndarray
    targets: np.ndarray | None
    weights: np.ndarray
    learning_rate: float = 1.0


@dataclass(frozen=True)
class EstimationBank:
    """Models that judge nothing: they estimate, and choose options.

    Attributes:
        masks: subsets, bool (subsets, n).
        outputs: f of their models, mean over seeds, (subsets, targets).
    """

    masks: np.ndarray
    outputs: np.ndarray


@dataclass(frozen=True)
class Pictures:
    """What examples look like.

    Attributes:
        train: of training examples, (n, ...), any type.
        targets: of targets, (targets, ...).
        seen: what a target's output looks at: x̂_0(x_t) where it has a timestep, else as in ``targets``.
    """

    train: np.ndarray
    targets: np.ndarray
    seen: np.ndarray


@dataclass(frozen=True)
class Documents:
    """The words of examples; of a pair those of both texts.

    Attributes:
        train: of training examples, text (n,), of type object.
        targets: of targets, likewise.
    """

    train: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Source:
    """What belongs to all inputs: the table of targets, its folder and the prepared data.

    Attributes:
        table: of targets, the evaluated ones first.
        targets: its folder, in which lies what was sampled.
        data: folder of the prepared data.
        modality: of the experiment.
    """

    table: pd.DataFrame
    targets: Path
    data: Path
    modality: Modality
