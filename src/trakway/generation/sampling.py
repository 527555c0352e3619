"""Ancestral sampling (Ho et al., NeurIPS 2020, algorithm 2) with diffusers' scheduler, from any step of the way."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from trakway import seeds

Generators = Callable[[int], Sequence[torch.Generator]]
"""From a timestep to the generators that its noise is drawn with, one a sample."""


def torch_generator(seed: int, role: str, *index: int) -> torch.Generator:
    """Return a torch generator (CPU) for the stream ``(seed, role, *index)``."""
    return torch.Generator().manual_seed(seeds.derive(seed, role, *index))


def steps_below(scheduler, start: int | None = None) -> list[int]:
    """Return the scheduler's timesteps from ``start`` (None: from the noisiest) down to 0."""
    return [step for step in scheduler.timesteps.tolist() if start is None or step <= start]


@torch.no_grad()
def denoise(
    model: nn.Module, scheduler, noisy: Tensor, generators: Generators, start: int | None = None
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Follow samples from x_t down to x_0.

    Args:
        model: predicts noise, in eval mode.
        scheduler: a ``DDPMScheduler`` whose ``set_timesteps`` was called.
        noisy: x_t at ``start``, (B, C, H, W) on the model's device.
        generators: give the noise of each step.
        start: one of the scheduler's timesteps; None for the noisiest.

    Yields:
        (t, x_t, x̂_0(x_t)) for each step from ``start`` on, and at the end (-1, x_0, x_0). x̂_0 is the estimate that
        the sampler goes by, clipped to [-1, 1] where the scheduler clips.
    """
    for step in steps_below(scheduler, start):
        predicted = model(noisy, step, return_dict=False)[0]
        result = scheduler.step(predicted, step, noisy, generator=list(generators(step)))
        yield step, noisy, result.pred_original_sample
        noisy = result.prev_sample
    yield -1, noisy, noisy
