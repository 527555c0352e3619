"""Derivatives of one step's gradient: in the weights it was taken at, and in the weights of its examples.

Both come from pushing cotangents ḡ forward: with L(θ, w) = (1/B) Σ_j w_j ℓ_j(θ), the derivative of ∇_θ L along ḡ is
∇²L ḡ, which is symmetric, and the derivative of ℓ_j along ḡ is ∇ℓ_jᵀ ḡ, B times that of ḡᵀ∇_θ L in w_j.
"""

from collections.abc import Callable

from torch import Tensor
from torch.func import grad, jvp, vmap

Losses = Callable[[Tensor], Tensor]
"""From the weights of a model, (p,), to the losses of a batch's examples, (B,)."""


def pull_back(losses: Losses, weights: Tensor, shares: Tensor, cotangents: Tensor, chunk: int) -> tuple[Tensor, Tensor]:
    """Pull cotangents of a step's gradient back.

    Args:
        losses: of the examples of the step.
        weights: θ, (p,).
        shares: weights w of the examples, (B,).
        cotangents: ḡ, (K, p).
        chunk: how many go through the model at once.

    Returns:
        (∇²L ḡ (K, p), derivatives in w (K, B)).
    """

    def gradient(vector: Tensor) -> tuple[Tensor, Tensor]:
        def mean(inner: Tensor) -> tuple[Tensor, Tensor]:
            found = losses(inner)
            return (found * shares).mean(), found

        return grad(mean, has_aux=True)(vector)

    def along(direction: Tensor) -> tuple[Tensor, Tensor]:
        _, derivatives = jvp(gradient, (weights,), (direction,))
        return derivatives

    curved, sloped = vmap(along, chunk_size=chunk)(cotangents)
    return curved, sloped / len(shares)
