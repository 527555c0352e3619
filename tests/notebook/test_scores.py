import numpy as np
import pytest
import torch
from torch import nn

import trakway as tw
from trakway.errors import UserError


def test_trak_against_brute_force_in_float64():
    rng = np.random.default_rng(1)
    x, x_t = rng.standard_normal((20, 3)), rng.standard_normal((4, 3))
    y, y_t = rng.integers(0, 2, 20), rng.integers(0, 2, 4)
    task = tw.task(lambda: nn.Linear(3, 2).double(), train=(x, y), targets=(x_t, y_t), device="cpu")
    models = [task.new_model(seed) for seed in range(2)]
    found = tw.score("trak", tw.featurize(task, tw.load(task, models), kind="identity"), ridge=0.5)

    def gradients(model, x, y):
        """Of the margin, z_y - z_other, with two classes: weights ±x, biases ±1."""
        sign = np.where(np.arange(2) == y[:, None], 1.0, -1.0)
        rows = np.concatenate([(sign[:, :, None] * x[:, None]).reshape(len(x), -1), sign], axis=1)
        logits = x @ model.weight.detach().numpy().T + model.bias.detach().numpy()
        return rows, 1 / (1 + np.exp((sign * logits).sum(1)))

    total, weights = 0, 0
    for model in models:
        phi, q = gradients(model, x, y)
        kernel = phi.T @ phi
        kernel += 0.5 * np.diag(kernel).mean() * np.eye(len(kernel))
        total = total + gradients(model, x_t, y_t)[0] @ np.linalg.solve(kernel, phi.T) / 2
        weights = weights + q / 2
    assert np.allclose(found, total * weights, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", ["trak", "gradient_dot", "gradient_cosine", "pixel", "random"])
def test_methods_by_name(task, members, method):
    options = {"ridge": 0.1} if method == "trak" else {}
    scores = tw.score(method, tw.featurize(task, members, dim=8), **options)
    assert scores.shape == (6, 24)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def test_methods_that_need_no_gradients_take_the_task(task):
    masks = tw.random_subsets(0, "estimation", 24, 10, 0.5)
    outputs = np.random.default_rng(0).standard_normal((20, 6))
    assert np.ptp(tw.score("empirical_influence", task, masks=masks, outputs=outputs)) > 0
    assert np.ptp(tw.score("random", task)) > 0


def test_a_users_own_method(task, members):
    def mine(material, out, *, power=1):
        out[:] = power * (material.labels[1][:, None] == material.labels[0])

    assert tw.score(mine, task, power=3).max() == 3
    with pytest.raises(tw.UserError, match="found option 'pow' .*Allowed: power"):
        tw.score(mine, task, pow=3)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("track", {}, 'found method .track.. Did you mean "trak"'),
        ("trak", {"rigde": 1}, 'found option .rigde. of trak. Did you mean "ridge"'),
        ("trak", {"ridge": [0.1, 1]}, "allowed: one value"),
        ("datamodel", {}, "needs masks and outputs of a bank"),
        ("representation", {}, "representations, which a notebook cannot give"),
    ],
)
def test_mistakes(task, members, method, options, message):
    with pytest.raises(tw.UserError, match=message):
        tw.score(method, tw.featurize(task, members, dim=8), **options)


def test_what_is_missing(task):
    with pytest.raises(tw.UserError, match=r"trak needs gradients: score\(..., trakway.featurize"):
        tw.score("trak", task, ridge=0.1)
    with pytest.raises(tw.UserError, match="found ndarray, allowed: what trakway.featurize gave"):
        tw.score("trak", np.zeros((3, 4)))


def test_a_diffusion_model_of_diffusers():
    """A UNet of diffusers, with an output of the user's own: minus the loss of fixed noise at fixed steps."""
    from diffusers import DDPMScheduler, UNet2DModel

    schedule = DDPMScheduler(num_train_timesteps=20)

    def build():
        return UNet2DModel(
            sample_size=8, in_channels=1, out_channels=1, block_out_channels=(8, 8), norm_num_groups=4,
            layers_per_block=1, down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2,
        )  # fmt: skip

    def output(model, batch):
        noised = schedule.add_noise(batch["x"], batch["noise"], batch["step"])
        return -(model(noised, batch["step"]).sample - batch["noise"]).square().mean((1, 2, 3))

    def examples(n):
        draw = torch.Generator().manual_seed(n)
        x, noise = (torch.randn(n, 1, 8, 8, generator=draw) for _ in range(2))
        return {"x": x, "noise": noise, "step": torch.arange(n) % 20}

    task = tw.task(build, train=examples(12), targets=examples(3), output=output, device="cpu")
    members = tw.train(
        task, tw.random_subsets(0, "members", 12, 2, 0.5), optimizer="adamw", steps=2, learning_rate=1e-3
    )
    scores = tw.score("trak", tw.featurize(task, members, dim=6), ridge=0.1)
    assert np.isfinite(scores).all()
    assert np.ptp(scores) > 0


def test_a_method_that_writes_nothing(task):
    with pytest.raises(UserError, match="<lambda>: score returned a ndarray; allowed: nothing"):
        tw.score(lambda material, out: np.zeros(out.shape), task)


def test_an_own_method_fills_an_array(task):
    def mine(material, out):
        out[:] = np.arange(material.size)

    np.testing.assert_array_equal(tw.score(mine, task)[0], np.arange(24))
