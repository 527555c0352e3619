"""Similarity of the pixels, signed by class."""

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.similarity import class_sign, unit
from trakway.plan.methods import Method
from trakway.storage.resumable import row_blocks

METHOD = Method(reads=("examples", "labels"), label="Pixel similarity", color="#F0E442", marker="P", needs=("image",))


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the cosine of the images z and z_i, each less its own mean; negative for another class."""
    train_images, target_images = material.examples.train, material.examples.targets
    targets = unit(_centred(target_images))
    for block in row_blocks(material.size, material.block):
        out[:, block] = targets @ unit(_centred(train_images[block])).T * class_sign(material.labels, block)


def _centred(images: np.ndarray) -> np.ndarray:
    rows = np.asarray(images, np.float32).reshape(len(images), -1)
    return rows - rows.mean(1, keepdims=True)
