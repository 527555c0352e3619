"""Dot product of projected gradients: one step of gradient descent on a training example, to first order.

The TracIn idea at the final checkpoint (Pruthi et al., NeurIPS 2020, equation 1), averaged over members; the training
gradient is that of the loss, the target's that of f.
"""

import numpy as np

from trakway.attribution.material import Material
from trakway.plan.methods import Method
from trakway.storage.resumable import row_blocks

METHOD = Method(reads=("features",), per_step=True, label="Gradient dot product", color="#56B4E9", marker="s")


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the mean over members of φ(z)·φ(z_i) times -dLoss/df of z_i."""
    for block in row_blocks(material.size, material.block):
        out[:, block] = sum(
            (entry.targets @ entry.train[block].T) * entry.weights[block] for entry in material.features
        ) / len(material.features)
