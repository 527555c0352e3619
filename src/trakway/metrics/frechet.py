"""Distances between two sets of images, from their features: Fréchet (FID), kernel (KID) and coupled distance."""

import numpy as np


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Compute the squared Fréchet distance of two normal distributions fitted to features (FID; Heusel et al., 2017).

    ``|m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` with means m and covariances C (divisor N - 1). With C1 = R1ᵀ R1 and
    C2 = R2ᵀ R2 the trace of the root is the sum of the singular values of R1 R2ᵀ. The R come from a QR decomposition of
    the centred features: no covariance is formed and no root taken of an eigenvalue that is rounding error, so that
    fewer images than features do no harm. Of finite samples it is too high, the more so the fewer the images: compare
    only distances between equally many.

    Args:
        first: (N × d) features, N at least 2; computed in float64.
        second: (M × d) features.

    Returns:
        The distance, at least 0, in squared units of the features.

    Raises:
        ValueError: a set has fewer than 2 images, or the two have different features.
    """
    first, second = _checked(first, second)
    roots, spread = [], 0.0
    for values in (first, second):
        centred = (values - values.mean(axis=0)) / np.sqrt(len(values) - 1)
        roots.append(np.linalg.qr(centred, mode="r"))
        spread += np.square(centred).sum()
    gap = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    return float(max(0.0, gap + spread - 2 * shared))


def coupled_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean squared distance of features, image by image: of images drawn with the same noise.

    An upper bound of the squared Wasserstein distance of the two distributions, since the noise couples them, and far
    less noisy than distances between sets: of one model it is 0.

    Args:
        first: (N × d) features; computed in float64.
        second: (N × d) features, drawn with the same noise.

    Raises:
        ValueError: a set has fewer than 2 images, or the two have different shapes.
    """
    first, second = _checked(first, second)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} images and {len(second)} were not drawn with the same noise")
    return float(np.square(first - second).sum(axis=1).mean())


def kernel_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Compute the squared maximum mean discrepancy with a cubic kernel (KID; Bińkowski et al., 2018).

    The unbiased estimator (Gretton et al., 2012, equation 3) with ``k(x, y) = (x·y / d + 1)³``, over all pairs of the
    two sets, no subsets. Unlike the Fréchet distance it does not depend on the number of images on average, and is
    below 0 now and then where the sets are of one distribution.

    Args:
        first: (N × d) features, N at least 2; computed in float64.
        second: (M × d) features.

    Raises:
        ValueError: a set has fewer than 2 images, or the two have different features.
    """
    first, second = _checked(first, second)
    within = sum(_mean_of_pairs(_kernel(values, values)) for values in (first, second))
    return float(within - 2 * _kernel(first, second).mean())


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return (first @ second.T / first.shape[1] + 1) ** 3


def _mean_of_pairs(kernel: np.ndarray) -> float:
    """Average over pairs of different images."""
    return (kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1))


def _checked(first: np.ndarray, second: np.ndarray) -> list[np.ndarray]:
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or min(len(first), len(second)) < 2:
        raise ValueError(f"features are {first.shape} and {second.shape}; needed are at least 2 images of equal width")
    return [np.asarray(values, dtype=np.float64) for values in (first, second)]
