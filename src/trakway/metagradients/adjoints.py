"""Back through one step of an optimiser: from the derivatives in its results to those in what it was given.

The rules of the chain for SGD with Nesterov momentum and AdamW as PyTorch has them, and for the moving average of the
weights (Engstrom et al., arXiv:2503.13751, differentiate the same update). Everything is a batch of cotangents, one a
function of the trained model, (K, p).
"""

from dataclasses import dataclass

from torch import Tensor

from trakway.training.optimizer import BETA2, EPSILON


@dataclass
class Adjoint:
    """Derivatives of K functions in the state of a run, each (K, p).

    Attributes:
        weights: θ.
        average: the moving average of the weights; None where there is none.
        first: the momentum buffer of SGD, or AdamW's first moment.
        second: AdamW's second moment; None for SGD.
    """

    weights: Tensor
    average: Tensor | None
    first: Tensor
    second: Tensor | None


@dataclass(frozen=True)
class Step:
    """What a step of a run did, all that going back through it takes.

    Attributes:
        number: of the step, from 0.
        weights: θ before it, (p,).
        gradient: of its loss there, (p,).
        rate: its learning rate.
        share: what the average took of the new weights, in [0, 1]; 0 where there is none.
        first: AdamW's first moment after it, (p,).
        second: likewise the second moment.
    """

    number: int
    weights: Tensor
    gradient: Tensor
    rate: float
    share: float
    first: Tensor | None = None
    second: Tensor | None = None


def through_average(adjoint: Adjoint, share: float) -> None:
    """Go back through e' = (1 - share) e + share θ'."""
    if adjoint.average is not None:
        adjoint.weights = adjoint.weights + share * adjoint.average
        adjoint.average = (1 - share) * adjoint.average


def through_optimizer(adjoint: Adjoint, step: Step, training: dict) -> Tensor:
    """Go back through the update of the weights, but for what the gradient depends on.

    Args:
        adjoint: of the state after the step; becomes that of the state before it, the gradient held fixed.
        step: what the step did.
        training: the ``training`` section of the experiment.

    Returns:
        The derivatives in the gradient of the step's loss, (K, p).
    """
    back = _adamw if training["optimizer"] == "adamw" else _sgd
    return back(adjoint, step, training)


def _sgd(adjoint: Adjoint, step: Step, training: dict) -> Tensor:
    # d = g + λθ;  b' = μb + d;  θ' = θ - η (d + μb'), without momentum θ' = θ - ηd.
    momentum, decay = training["momentum"], training["weight_decay"]
    moved = -step.rate * adjoint.weights
    buffer = adjoint.first + momentum * moved
    gradient = moved + buffer
    adjoint.first = momentum * buffer
    adjoint.weights = adjoint.weights + decay * gradient
    return gradient


def _adamw(adjoint: Adjoint, step: Step, training: dict) -> Tensor:
    # m' = βm + (1-β)g;  v' = γv + (1-γ)g²;  θ' = (1-ηλ)θ - η m̂ / d,  d = r + ε,  r = √(v̂ + ε_root).
    beta, gamma, count = training["momentum"], BETA2, step.number + 1
    known = 1 - beta**count, 1 - gamma**count
    root = (step.second / known[1] + training["epsilon_root"]).sqrt()
    scale = root + EPSILON
    moved = -step.rate * adjoint.weights
    first = adjoint.first + moved / (scale * known[0])
    # Where r = 0 the gradient has been 0 in every step, and stays so: no derivative is passed on.
    slope = (step.first / known[0] / (scale.square() * 2 * root * known[1])).nan_to_num(0.0, 0.0, 0.0)
    second = adjoint.second - moved * slope
    gradient = (1 - beta) * first + 2 * (1 - gamma) * step.gradient * second
    adjoint.first, adjoint.second = beta * first, gamma * second
    adjoint.weights = (1 - step.rate * training["weight_decay"]) * adjoint.weights
    return gradient
