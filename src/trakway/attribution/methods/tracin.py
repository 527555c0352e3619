"""TracIn over checkpoints (Pruthi et al., NeurIPS 2020, section 3.2), averaged over members."""

import numpy as np

from trakway.attribution.material import Material
from trakway.plan.methods import Method
from trakway.storage.resumable import row_blocks

METHOD = Method(reads=("checkpoints",), label="TracIn", color="#E69F00", marker="^", without=("steps",))


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with Σ_checkpoints η·φ(z)·φ(z_i)·(-dLoss/df of z_i), η the learning rate up to it."""
    entries = [entry for members in material.checkpoints for entry in members]
    members = len(material.checkpoints[0])
    for block in row_blocks(material.size, material.block):
        out[:, block] = (
            sum(
                entry.learning_rate * (entry.targets @ entry.train[block].T) * entry.weights[block] for entry in entries
            )
            / members
        )
