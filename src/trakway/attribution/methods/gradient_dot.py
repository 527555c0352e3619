"""Dot product of projected gradients: one step of gradient descent on a training example, to first order.

The TracIn idea at the final checkpoint (Pruthi et al., NeurIPS 2020, equation 1), averaged over members; the training
gradient is that of the loss, the target's that of f.
"""

import numpy as np

from trakway.attribution.material import Material
from trakway.storage.resumable import row_blocks


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the mean over members of φ(z)·φ(z_i) times -dLoss/df of z_i."""
    for block in row_blocks(material.size, material.block):
        out[:, block] = sum(
            (entry.targets @ entry.train[block].T) * entry.weights[block] for entry in material.features
        ) / len(material.features)
