import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import trakway as tw


def test_state_dicts_modules_and_files_are_the_same_models(task, tmp_path):
    module = task.new_model(5)
    save_file(module.state_dict(), tmp_path / "model.safetensors")
    found = tw.load(task, [module.state_dict(), module, tmp_path / "model.safetensors"])
    outputs = tw.evaluate(task, found)
    assert (outputs == outputs[0]).all()
    assert not found[1].training
    assert len(found) == 3
    with pytest.raises(IndexError):
        found[3]


def test_order_of_state_dicts_changes_no_score(task):
    """Without a projection, which belongs to the place in the list."""
    states = [task.new_model(seed).state_dict() for seed in range(3)]
    first, second = (
        tw.score("trak", tw.featurize(task, tw.load(task, order), kind="identity"), ridge=0.1)
        for order in (states, states[::-1])
    )
    assert np.allclose(first, second, rtol=1e-4, atol=1e-6 * np.abs(first).max())


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], "found no models"),
        ([{}], "model 0: does not fit the model of this experiment: [^$]*Missing key"),
        ([{"model": {}, "epoch": 3}], "model 0 is dict, allowed: a state dict"),
        ([nn.Linear(2, 2)], "model 0: does not fit"),
        (nn.Linear(2, 2), r"found one Linear, allowed: a list; write \[it\]"),
        (["missing.safetensors"], "missing.safetensors: not found"),
    ],
)
def test_what_is_no_model_of_the_task(task, weights, message):
    with pytest.raises(tw.UserError, match=message):
        tw.load(task, weights)


def test_a_model_that_is_not_finite(task):
    state = task.new_model(0).state_dict()
    state["0.weight"] = torch.full_like(state["0.weight"], torch.nan)
    with pytest.raises(tw.UserError, match="member 1, checkpoint model 1: tensor 0.weight holds NaN"):
        tw.featurize(task, tw.load(task, [task.new_model(1), state]), dim=8)
