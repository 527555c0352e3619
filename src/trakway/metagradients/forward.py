"""Forward through training: how the final parameters move when the weights of examples move along some directions.

The same derivatives as those of `trakway.metagradients.exact`, pushed the other way: one direction, such as a removed
set of examples, serves every function of the trained model at once. Cheaper where there are fewer directions than
functions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, jvp, vmap

from trakway.metagradients.adjoints import Step
from trakway.metagradients.flat import Flat
from trakway.metagradients.recording import recorded, steps_of
from trakway.training.optimizer import BETA2, EPSILON
from trakway.training.run import Run, numerics


@dataclass
class Tangent:
    """How the state of a run moves along D directions, each (D, p); attributes as of `adjoints.Adjoint`."""

    weights: Tensor
    average: Tensor | None
    first: Tensor
    second: Tensor | None


def moved(run: Run, directions: np.ndarray, chunk: int, seen: Callable[[], None] = lambda: None) -> Tensor:
    """Return the derivatives of the final parameters, the averaged ones where there are, along directions.

    Args:
        run: at its beginning; it is taken to its end.
        directions: of the weights of all training examples, (D, n); -1 for what is removed, 0 for all else.
        chunk: directions that go through the model at once.
        seen: called after each step.

    Returns:
        (D, p), in the order of `Flat`; their products with the gradients of outputs are the outputs' derivatives.
    """
    flat = Flat(run.state.model)
    start = flat.read()
    along = torch.as_tensor(np.asarray(directions), dtype=start.dtype, device=start.device)
    zeros = start.new_zeros(len(along), flat.size)
    adamw, averaged = run.training["optimizer"] == "adamw", run.state.averaged is not None
    tangent = Tangent(zeros, zeros if averaged else None, zeros, zeros if adamw else None)
    for number, part in steps_of(run):
        batch = run.batch(number, part)
        shares = start.new_ones(len(part)) if run.weights is None else run.weights[part].to(start.dtype)
        step = recorded(run, number, part)
        with numerics(run.training):
            slopes = _push(
                lambda vector, batch=batch: run.task.losses(flat.called(vector), batch),
                step.weights,
                shares,
                tangent.weights,
                along[:, part],
                chunk,
            )
        (_adamw if adamw else _sgd)(tangent, step, slopes, run.training)
        if averaged:
            tangent.average = (1 - step.share) * tangent.average + step.share * tangent.weights
        seen()
    return tangent.average if averaged else tangent.weights


def _push(
    losses: Callable[[Tensor], Tensor], weights: Tensor, shares: Tensor, ways: Tensor, along: Tensor, chunk: int
) -> Tensor:
    """Return how the gradient of a step moves with its weights and with the shares of its examples, (D, p)."""

    def gradient(vector: Tensor, share: Tensor) -> Tensor:
        return grad(lambda inner: (losses(inner) * share).mean())(vector)

    def one(way: Tensor, change: Tensor) -> Tensor:
        return jvp(gradient, (weights, shares), (way, change))[1]

    return vmap(one, chunk_size=chunk)(ways, along)


def _sgd(tangent: Tangent, step: Step, slopes: Tensor, training: dict) -> None:
    momentum = training["momentum"]
    slopes = slopes + training["weight_decay"] * tangent.weights
    tangent.first = momentum * tangent.first + slopes
    tangent.weights = tangent.weights - step.rate * (slopes + momentum * tangent.first)


def _adamw(tangent: Tangent, step: Step, slopes: Tensor, training: dict) -> None:
    beta, count = training["momentum"], step.number + 1
    known = 1 - beta**count, 1 - BETA2**count
    root = (step.second / known[1] + training["epsilon_root"]).sqrt()
    scale = root + EPSILON
    tangent.first = beta * tangent.first + (1 - beta) * slopes
    tangent.second = BETA2 * tangent.second + 2 * (1 - BETA2) * step.gradient * slopes
    bent = (tangent.second / known[1] / (2 * root)).nan_to_num(0.0, 0.0, 0.0)  # where r = 0 nothing ever moves
    move = tangent.first / known[0] / scale - step.first / known[0] * bent / scale.square()
    tangent.weights = (1 - step.rate * training["weight_decay"]) * tangent.weights - step.rate * move
