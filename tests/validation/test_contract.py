"""A user's own task is tried before anything is trained: each thing that the library takes for granted."""

import pytest

from trakway.config import deep_merge
from trakway.errors import UserError
from trakway.validation.contract import check_task

HEAD = """
import torch
from torch import nn
from trakway.tasks.image_classification import ImageClassification


class Mine(ImageClassification):
"""

# What a method returns instead, and what is told of it.
FAULTS = {
    "f of the batch": ("def output(self, m, b): return super().output(m, b).mean()", "output: found shape ()"),
    "f in two columns": ("def output(self, m, b): return m(b[0])", r"output: found shape (6, 2) for 6 examples"),
    "not finite": ("def output(self, m, b): return super().output(m, b) / 0", "for example 0; allowed: finite"),
    "f that depends on the batch": (
        "def output(self, m, b): return super().output(m, b) - 3 * b[0].mean()",
        "in another; allowed: an f that no other example",
    ),
    "a loss an example": ("def loss(self, m, b): return -self.output(m, b)", "loss: found shape (6,); allowed"),
    "no number for a loss": ("def loss(self, m, b): return 0.5", "loss: found float; allowed: a scalar tensor"),
    "an infinite loss": ("def loss(self, m, b): return super().loss(m, b) / 0", "loss: found inf; allowed: a finite"),
    "a detached loss": ("def loss(self, m, b): return super().loss(m, b).detach()", "loss: found a number without"),
    "a detached f": ("def output(self, m, b): return super().output(m, b).detach()", "output: found f without"),
    "f without the model": (
        "def output(self, m, b): return super().output(m, b) * 0",
        "output: found a gradient of 0 in every attributed",
    ),
    "other weights each time": (
        "def new_model(self, seed): return super().new_model(torch.seed())",
        "architecture: found two models of the same seed that differ in",
    ),
    "a batch that is no tuple": (
        "def train_batch(self, rows): return super().train_batch(rows)[0]",
        "train_batch: found Tensor; allowed: a tuple of tensors",
    ),
    "too short a batch": (
        "def target_batch(self, entries): return super().target_batch(entries[:1])",
        "target_batch: found a tensor of shape (1, 1, 28, 28) for 2 examples",
    ),
    "targets that cannot be drawn": (
        "def target_batch(self, entries): return self.nothing",
        "line 8, class Mine: target_batch stopped with AttributeError",
    ),
    "slopes": ("def loss_slope(self, outputs): return outputs[:1]", "loss_slope: found shape (1,) for 6 examples"),
    "no parameters": ("def attributed(self, model): return ['stem']", "attributed: found stem; allowed: one or more"),
}  # fmt: skip


@pytest.fixture
def try_task(tmp_path, prepared, experiment):
    def try_task(body="pass", **changes):
        file = tmp_path / "tried.py"
        file.write_text(f"{HEAD}    {body}\n")
        check_task(deep_merge(experiment, {"task": f"{file}:Mine", **changes}), prepared)

    return try_task


def test_a_good_one_passes(try_task):
    try_task()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_with_file_and_class(try_task, fault):
    body, said = FAULTS[fault]
    with pytest.raises(UserError) as error:
        try_task(body)
    assert "/tried.py, " in str(error.value)
    assert "Mine" in str(error.value)
    assert said in str(error.value)
    assert "; allowed: " in str(error.value)


def test_a_network_that_stops(try_task, tmp_path):
    (tmp_path / "net.py").write_text("def build(shape, classes):\n    return shape.nothing\n")
    with pytest.raises(UserError, match=r"net.py, line 2, class Mine: architecture stopped with AttributeError"):
        try_task(model={"name": f"{tmp_path}/net.py:build", "widths": None})


def test_generative_tasks(diffusion_settings, digits, tmp_path):
    check_task(diffusion_settings, digits)
    file = tmp_path / "ddpm.py"
    file.write_text(
        "from trakway.tasks.image_diffusion import ImageDiffusion\n\n\nclass Mine(ImageDiffusion):\n"
        "    def test_samples(self, rows): return rows.nothing\n"
    )
    with pytest.raises(UserError, match=r"ddpm.py, line 5, class Mine: test_samples stopped with AttributeError"):
        check_task(diffusion_settings | {"task": f"{file}:Mine"}, digits)
