import hashlib

import numpy as np
import pytest

from trakway.data.statistics import digest, moments

ARRAY = np.random.default_rng(0).integers(0, 256, (23, 3, 4, 4), np.uint8)


@pytest.mark.parametrize("block", [1, 7, 100])
def test_digest_and_moments_against_brute_force(tmp_path, block):
    np.save(tmp_path / "a.npy", ARRAY)
    hashes, histogram = digest(tmp_path / "a.npy", block)
    assert hashes == [hashlib.sha256(image.tobytes()).hexdigest() for image in ARRAY]
    mean, std = moments(histogram)
    scaled = ARRAY.astype(np.float64) / 255
    np.testing.assert_allclose(mean, scaled.mean(axis=(0, 2, 3)), rtol=1e-13)
    np.testing.assert_allclose(std, scaled.std(axis=(0, 2, 3)), rtol=1e-13)
    np.testing.assert_array_equal(moments(digest(tmp_path / "a.npy", 1000)[1]), (mean, std))
