"""Means of scores over models."""

from collections.abc import Mapping, Sequence

import numpy as np

from trakway.attribution.material import Material
from trakway.errors import UserError
from trakway.storage.resumable import row_blocks


def mean_at(
    material: Material, computed: Mapping[object, Sequence[np.ndarray]], key: str, value: object, out: np.ndarray
) -> None:
    """Fill ``out`` with the mean over models of what was computed at a value of an option.

    Args:
        material: whose scores they are.
        computed: value → (targets, n) of each model.
        key: in the settings, where the values to compute are named.
        value: of the option.
        out: (targets, n).

    Raises:
        UserError: nothing was computed at that value.
    """
    if value not in computed:
        raise UserError(
            f"{key}: found no {_words(value)}, which a method asks for; allowed: {', '.join(map(_words, computed))};"
            " add it"
        )
    for block in row_blocks(material.size, material.block):
        out[:, block] = np.mean([np.asarray(array[:, block], np.float64) for array in computed[value]], axis=0)


def _words(value: object) -> str:
    return " from ".join(map(str, value)) if isinstance(value, tuple) else str(value)
