import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset, TensorDataset

import trakway as tw
from trakway.tasks.margin import margin


def make(build, data, **changes):
    return tw.task(build, **{"train": data[0], "targets": data[1], "device": "cpu", **changes})


def test_the_margin_its_loss_and_its_slope(task, data):
    model = task.new_model(0)
    batch = task.train_batch(np.arange(5))
    outputs = task.output(model, batch)
    assert torch.equal(outputs, margin(model(data[0][0][:5]), data[0][1][:5]))
    assert torch.allclose(task.loss(model, batch), nn.functional.softplus(-outputs).mean(), atol=1e-6)
    assert torch.allclose(task.loss_slope(outputs), torch.sigmoid(-outputs))


@pytest.mark.parametrize("kind", [dict, TensorDataset, "arrays"])
def test_every_form_of_examples_is_the_same_task(build, data, kind):
    class Named(nn.Module):
        """Called by names, and answers with an object, as models of transformers do."""

        def __init__(self):
            super().__init__()
            self.inner = build()

        def forward(self, pixels):
            return type("Answer", (), {"logits": self.inner(pixels)})()

    expected = make(build, data)
    if kind is dict:
        found = make(Named, [{"pixels": x, "labels": y} for x, y in data])
    elif kind == "arrays":  # float64, as scikit-learn has them: cast to what the model computes in
        found = make(build, [(x.double().numpy(), y.numpy()) for x, y in data])
    else:
        found = make(build, [TensorDataset(*part) for part in data])
    batches = [one.target_batch(np.arange(4)) for one in (expected, found)]
    outputs = [
        one.output(one.new_model(1), batch).detach() for one, batch in zip((expected, found), batches, strict=True)
    ]
    assert torch.equal(*outputs)


def test_a_module_is_where_every_training_starts(build, data):
    module = build()
    made = make(module, data)
    assert all(torch.equal(a, b) for a, b in zip(made.new_model(3).parameters(), module.parameters(), strict=True))
    assert made.new_model(3) is not module


def test_a_users_own_output_and_loss(build, data):
    made = make(build, data, output=lambda model, batch: -model(batch[0]).square().mean(1))
    model, batch = made.new_model(0), made.train_batch(np.arange(3))
    assert torch.equal(made.loss(model, batch), -made.output(model, batch).mean())
    assert made.loss_slope(torch.zeros(3)).tolist() == [1, 1, 1]
    made = make(build, data, output=lambda m, b: m(b[0])[:, 0], loss=lambda m, b: m(b[0]).sum(), slope=lambda f: 2 * f)
    assert torch.equal(made.loss(model, batch), model(batch[0]).sum())
    assert made.loss_slope(torch.ones(2)).tolist() == [2, 2]


class Drawn(Dataset):
    """Draws its items at random, from every generator there is."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return torch.full((1, 6, 6), random.random() + float(np.random.rand())) + torch.rand(1, 6, 6), index % 3  # noqa: NPY002


def test_a_data_set_that_draws_is_read_the_same_every_time(build):
    first, second = (make(build, (Drawn(), Drawn())).train_batch(np.arange(5))[0] for _ in range(2))
    assert torch.equal(first, second)
    assert len(first.unique()) > 100


def changed(data, train=None, targets=None):
    return [data[0] if train is None else train(*data[0]), data[1] if targets is None else targets(*data[1])]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": lambda x, y: (x, y[:-1])}, r"train: found shapes \(24, 1, 6, 6\), \(23,\), allowed"),
        ({"train": lambda x, y: x}, "train: found inputs alone"),
        ({"train": lambda x, y: (x[:0], y[:0])}, "train: found shapes .* at least 1"),
        ({"train": lambda x, y: (x, ["a"] * 24)}, "train: found parts of types Tensor, list"),
        ({"train": lambda x, y: {"x": x, "y": y}}, "train: found x, y, but output 'margin' needs labels"),
        ({"train": lambda x, y: (x, y.float())}, r"train: found labels of shape \(24,\) and type torch.float32"),
        ({"train": lambda x, y: (x, y - 1)}, "lowest -1; allowed"),
        ({"train": lambda x, y: (x, y + 1)}, r"train: found label 3 \(example 2\), .*logits of 3 classes: .* 0 to 2"),
        ({"targets": lambda x, y: (x, y + 7)}, "targets: found label 9"),
        ({"targets": lambda x, y: (x[..., :5], y)}, r"targets: found \(1, 6, 5\) float32, \(\) int64 an example, but"),
        ({"train": lambda x, y: iter([1])}, "train: found list_iterator, allowed"),
    ],
)
def test_examples_that_do_not_fit(build, data, changes, message):
    with pytest.raises(tw.UserError, match=message):
        make(build, changed(data, **changes))


def test_items_of_different_shapes(build, data):
    class Ragged(Drawn):
        def __getitem__(self, index):
            return torch.zeros(1, 6, 6 + index), 0

    with pytest.raises(tw.UserError, match="train: examples 0 to 4 cannot be stacked .* pad, crop"):
        make(build, (Ragged(), data[1]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": 3}, "model: found int"),
        ({"model": lambda: "net"}, "model: the function returned str"),
        ({"model": lambda: nn.Flatten()}, "model: found no parameter with requires_grad"),
        ({"model": lambda: nn.Linear(7, 3)}, r"model: it cannot be called with a batch of train, \(1, 6, 6\) float32"),
        ({"model": lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 1))}, "at least two classes"),
        ({"output": "logit"}, "output: found 'logit', allowed: 'margin', or a function"),
        ({"output": lambda m, b: m(b[0])}, r"output: found \(2, 3\) for a batch of 2 examples, allowed: .*\(2,\)"),
        ({"output": lambda m, b: m(b[0])[:, 0] + torch.tensor(torch.nan)}, "output: .* finite numbers"),
        ({"output": lambda m, b: (m(b[0]) - m(b[0]).mean(0))[:, 0]}, "must not depend on the others"),
        ({"loss": lambda m, b: m(b[0])}, r"loss: found \(2, 3\), allowed: a scalar"),
        ({"device": "tpu"}, "device: found 'tpu', allowed: auto, cpu, cuda"),
    ],
)
def test_models_and_outputs_that_do_not_fit(build, data, changes, message):
    changes = {"model": build, "train": data[0], "targets": data[1], "device": "cpu", **changes}
    with pytest.raises(tw.UserError, match=message):
        tw.task(**changes)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(build, data):
    with pytest.raises(tw.UserError, match="torch sees no GPU"):
        make(build, data, device="cuda")
    assert make(build, data, device="auto").device == "cpu"
