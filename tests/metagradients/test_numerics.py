import pytest
from torch import nn

from trakway.errors import UserError
from trakway.metagradients.numerics import check_numerics, operations
from trakway.models import build_model

NETWORKS = {
    "batch norm": (lambda: nn.BatchNorm1d(5), "found batch norm, by which an example changes"),
    "dropout": (lambda: nn.Dropout(0.2), "found dropout"),
}


@pytest.fixture
def with_layer(points, monkeypatch):
    """Put a layer into the network of the points."""

    def put(build):
        def architecture():
            return nn.Sequential(nn.Linear(3, 5), build(), nn.Linear(5, 2)).double()

        monkeypatch.setattr(points, "architecture", architecture)

    return put


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_meaningless_is_refused(with_layer, begin, training, name):
    build, message = NETWORKS[name]
    with_layer(build)
    with pytest.raises(UserError, match=message):
        check_numerics(begin(training))


def test_half_precision_is_refused(begin, training):
    with pytest.raises(UserError, match="training.precision: found bfloat16"):
        check_numerics(begin(training | {"precision": "bfloat16"}))


def test_bends_are_told(with_layer, begin, training):
    smooth = check_numerics(begin(training))
    with_layer(nn.ReLU)
    bent = check_numerics(begin(training))
    assert len(bent) == len(smooth) + 1
    assert "relu, of no second derivative" in bent[0]
    steep = training["optimizer"] == "adamw" and not training["epsilon_root"]
    assert [line.startswith("training.epsilon_root is 0") for line in smooth] == [True] * steep


def test_dropout_of_nothing_is_none(with_layer, begin, training):
    with_layer(lambda: nn.Dropout(0.0))
    check_numerics(begin(training))


def test_the_smooth_network_of_the_library(points, begin, training, monkeypatch):
    import torch

    images = torch.randn(17, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(points, "points", images)
    for smooth in (True, False):
        model = {"name": "resnet_small", "widths": [4, 8], "smooth": smooth}
        monkeypatch.setattr(points, "architecture", lambda model=model: build_model(model, (1, 8, 8), 2).double())
        used = operations(begin(training))
        assert ("native_batch_norm" in used or "_native_batch_norm_legit" in used) is not smooth
        assert ("max_pool2d_with_indices" in used) is not smooth
        assert ("native_group_norm" in used) is smooth
