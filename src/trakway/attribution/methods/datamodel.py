"""Datamodels (Ilyas et al., ICML 2022, section 2): sparse linear regression of f on the subset masks.

The reference that needs many models: with fewer subsets than examples it is the L1 penalty that makes it estimable.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV

from trakway.attribution.material import Material
from trakway.plan.methods import Method
from trakway.runtime.progress import track

METHOD = Method(reads=("estimation",), per_step=True, label="Datamodel", color="#000000", marker="p")


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the lasso coefficients of each target; the penalty is cross-validated over the subsets."""
    masks = np.asfortranarray(material.estimation.masks, dtype=np.float64)
    folds = min(5, len(masks))
    for target in track(range(material.targets), "datamodels"):
        model = LassoCV(alphas=20, eps=1e-2, cv=folds, tol=1e-3, precompute=False)
        with warnings.catch_warnings():
            # The smallest penalties of the path need not converge; cross-validation rates them as they are.
            warnings.simplefilter("ignore", ConvergenceWarning)
            out[target] = model.fit(masks, material.estimation.outputs[:, target]).coef_
