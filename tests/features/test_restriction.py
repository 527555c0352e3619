import numpy as np
import pytest

from trakway.errors import UserError
from trakway.features.extraction import Extractor
from trakway.features.members import Member
from trakway.features.restriction import restricted

EVERYTHING = {"kind": "identity", "dim": None, "nonzeros": 1, "precision": "float32", "preconditioner": "none"}


@pytest.fixture
def features(task, tmp_path):
    """Return the features of all training examples under a projection, by the name of a folder."""
    model = task.new_model(3).eval()

    def features(name, **changes):
        extractor = Extractor(task, [Member(0, "model", lambda: model)], EVERYTHING | changes, 8)
        extractor.write_train(tmp_path / name)
        return np.load(tmp_path / name / "train.npy")[0]

    features.names = task.attributed(model)
    features.sizes = [model.get_parameter(name).numel() for name in features.names]
    return features


def test_columns_of_the_parameters_that_fit(features):
    whole = features("whole", parameters="")
    starts = np.cumsum([0, *features.sizes])
    pattern = features.names[-1].rpartition(".")[0].replace(".", r"\.") + r"\."
    kept = [i for i, name in enumerate(features.names) if name.startswith(pattern.replace("\\", ""))]
    assert 0 < len(kept) < len(features.names)
    columns = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in kept])
    np.testing.assert_array_equal(features("part", parameters=f"^{pattern}"), whole[:, columns])


def test_no_parameter_fits(features, task):
    with pytest.raises(UserError, match="projection.parameters: found 'zebra', which is in no name; allowed: part of"):
        features("none", parameters="zebra")
    assert restricted(task, "") is task


def test_not_with_a_preconditioner(task):
    with pytest.raises(UserError, match="projection.preconditioner: allowed: none where gradients of some"):
        Extractor(task, [], EVERYTHING | {"parameters": "bias"}, 8, preconditioner=lambda m: None)
