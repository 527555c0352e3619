import numpy as np
import pytest
import torch

from trakway import seeds
from trakway.tasks import Task


class Killed(BaseException):
    """The end of a process, which nothing in the library catches."""


@pytest.fixture
def killed():
    return Killed


@pytest.fixture
def kill_at(task, monkeypatch):
    """End the process at the n-th loss computed from now on (0: the first); returns the losses so far."""

    def kill_at(count, task=task):
        compute = type(task).loss
        losses = []

        def loss(model, batch):
            if len(losses) == count:
                raise Killed
            losses.append(compute(task, model, batch))
            return losses[-1]

        monkeypatch.setattr(task, "loss", loss)
        return losses

    return kill_at


@pytest.fixture
def weights():
    """The bytes of a folder's checkpoints, by name: its safetensors files, and all files of its folders."""

    def weights(folder):
        names = {path: path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()}
        return {
            str(name): path.read_bytes()
            for path, name in names.items()
            if not str(name).startswith(".") and (len(name.parts) > 1 or name.suffix == ".safetensors")
        }

    return weights


class Denoising(Task):
    """A denoiser of 8×8 noise, in the format of diffusers."""

    checkpoint_format = "diffusers"
    seed, train_size, device = 0, 40, "cpu"
    network = "UNet2DModel"
    sizes = {
        "sample_size": 8,
        "in_channels": 1,
        "out_channels": 1,
        "block_out_channels": (8, 8),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
        "norm_num_groups": 4,
    }

    def __init__(self):
        self.images = seeds.generator(0, "images").standard_normal((40, 1, 8, 8), np.float32)

    def scheduler(self):
        from diffusers import DDPMScheduler

        return DDPMScheduler(num_train_timesteps=100)

    def architecture(self):
        from diffusers import UNet2DModel

        return UNet2DModel(**self.sizes)

    def train_batch(self, rows):
        return self.training_batch(rows, seeds.generator(0, "fixed"))

    def target_batch(self, entries):
        return self.train_batch(entries)

    def training_batch(self, rows, rng):
        steps = torch.tensor(rng.integers(0, 100, len(rows)))
        noise = torch.tensor(rng.standard_normal((len(rows), 1, 8, 8), np.float32))
        return self.scheduler().add_noise(torch.tensor(self.images[rows]), noise, steps), steps, noise

    def loss(self, model, batch):
        return -self.output(model, batch).mean()

    def output(self, model, batch):
        noised, steps, noise = batch
        return -(model(noised, steps).sample - noise).square().mean((1, 2, 3))

    def loss_slope(self, outputs):
        return torch.ones_like(outputs)


@pytest.fixture
def denoising():
    return Denoising()
