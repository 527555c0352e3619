"""Words in common, by the cosine of TF-IDF vectors (Salton & Buckley, 1988), signed by class."""

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.similarity import class_sign
from trakway.plan.methods import Method
from trakway.storage.resumable import row_blocks

METHOD = Method(reads=("texts", "labels"), label="TF-IDF similarity", color="#999933", marker="+", needs=("text",))


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the cosine of the vectors of z and z_i, negative for another class."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True)
    train = vectorizer.fit_transform(material.texts.train)
    targets = vectorizer.transform(material.texts.targets)
    for block in row_blocks(material.size, material.block):
        out[:, block] = (targets @ train[block].T).toarray() * class_sign(material.labels, block)
