"""Derivatives of a trained model's outputs in the weights of its training examples, exactly, through all of training.

Engstrom et al., arXiv:2503.13751 (metagradients); Ilyas & Engstrom, arXiv:2504.16430 (MAGIC: they predict what
retraining without some examples gives, at a fixed seed). With L_t(θ, w) = (1/B) Σ_j w_i(j) ℓ_i(j)(θ) at every step, B
constant, the score of example i for a function φ of the trained model is ∂φ/∂w_i: positive where training on it raises
φ. To first order, removing the examples R changes φ by minus the sum of their scores.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from trakway.metagradients.adjoints import Adjoint, through_average, through_optimizer
from trakway.metagradients.flat import Flat
from trakway.metagradients.pullback import pull_back
from trakway.metagradients.recording import Recording
from trakway.training.run import numerics


def metagradients(
    recording: Recording,
    slopes: Tensor,
    chunk: int,
    firsts: Sequence[int] = (0,),
    watch: Callable[[float], None] = lambda length: None,
) -> Tensor:
    """Return the derivatives of K functions of the trained model in the weights of all training examples.

    Args:
        recording: of the training run, with weights or without (all 1).
        slopes: ∂φ/∂θ of each function in the parameters of the final model, the averaged ones where the run keeps an
            average: (K, p), in the order of `trakway.metagradients.flat.Flat`.
        chunk: functions that go through the model at once.
        firsts: steps to go back to, from 0; for each of them what happened before it counts as given.
        watch: called after each step with the mean length of the derivatives in the weights before it.

    Returns:
        (K, firsts, n), 0 for examples that no step has visited.
    """
    run = recording.run
    flat, weights = Flat(run.state.model), run.weights
    averaged = run.state.averaged is not None
    zeros = torch.zeros_like(slopes)
    adjoint = Adjoint(
        zeros if averaged else slopes,
        slopes if averaged else None,
        zeros,
        zeros if run.training["optimizer"] == "adamw" else None,
    )
    found = slopes.new_zeros(len(slopes), len(firsts), run.task.train_size)
    for step, part in recording.backwards():
        places = [place for place, first in enumerate(firsts) if first <= step.number]
        if not places:
            break
        through_average(adjoint, step.share)
        cotangents = through_optimizer(adjoint, step, run.training)
        batch = run.batch(step.number, part)
        shares = slopes.new_ones(len(part)) if weights is None else weights[part].to(slopes.dtype)
        with numerics(run.training):
            curved, sloped = pull_back(
                lambda vector, batch=batch: run.task.losses(flat.called(vector), batch),
                step.weights,
                shares,
                cotangents,
                chunk,
            )
        adjoint.weights = adjoint.weights + curved
        rows = torch.as_tensor(np.asarray(part), device=found.device)
        for place in places:
            found[:, place].index_add_(1, rows, sloped)
        watch(float(adjoint.weights.norm(dim=1).mean()))
    return found
