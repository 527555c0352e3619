"""What a bank of models trained on subsets says of single examples."""

import numpy as np


def effect(masks: np.ndarray, outputs: np.ndarray, example: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean output of the models that saw an example less that of those that did not, and its standard error.

    Args:
        masks: bool (subsets, n).
        outputs: f of each subset's models, mean over seeds, (subsets, targets).
        example: a training example.

    Returns:
        (difference, standard error), (targets,): of two means of independent subsets (Welch); NaN where fewer than two
        subsets hold the example, or lack it.
    """
    seen = np.asarray(masks[:, example], bool)
    parts = outputs[seen], outputs[~seen]
    if min(map(len, parts)) < 2:
        return (np.full(outputs.shape[1], np.nan),) * 2
    difference = parts[0].mean(0) - parts[1].mean(0)
    return difference, np.sqrt(sum(part.var(0, ddof=1) / len(part) for part in parts))
