"""The optimiser of a training run, by name."""

from collections.abc import Iterable

import torch
from torch import nn

BETA2, EPSILON = 0.999, 1e-8
"""AdamW's second beta, and what is added to the root of its second moment."""


def build_optimizer(parameters: Iterable[nn.Parameter], training: dict) -> torch.optim.Optimizer:
    """Return SGD with Nesterov momentum, or AdamW (Loshchilov & Hutter, ICLR 2019) with betas (momentum, 0.999).

    Args:
        parameters: what to train.
        training: the ``training`` section of an experiment.
    """
    # fused: one kernel for all parameters instead of several for each.
    common = {"lr": training["learning_rate"], "weight_decay": training["weight_decay"]}
    momentum = training["momentum"]
    if training["optimizer"] == "sgd":
        return torch.optim.SGD(parameters, momentum=momentum, nesterov=momentum > 0, fused=True, **common)
    betas = (momentum, BETA2)
    if training["epsilon_root"]:
        return SmoothAdamW(parameters, betas=betas, epsilon_root=training["epsilon_root"], **common)
    return torch.optim.AdamW(parameters, betas=betas, eps=EPSILON, fused=True, **common)


class SmoothAdamW(torch.optim.Optimizer):
    """AdamW that adds a constant within the root too: m̂ / (√(v̂ + ε_root) + ε).

    The root of a second moment near 0 has no bound on its slope, and what differentiates a whole training run would
    explode on it (Ilyas & Engstrom, arXiv:2504.16430, appendix).
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, betas: tuple[float, float], weight_decay: float,
        epsilon_root: float,
    ):  # fmt: skip
        super().__init__(
            parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "epsilon_root": epsilon_root}
        )

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Take a step down the parameters' ``grad``."""
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            gradients = [parameter.grad for parameter in parameters]
            states = [self.state[parameter] for parameter in parameters]
            for parameter, state in zip(parameters, states, strict=True):
                if not state:
                    # As PyTorch's AdamW names and stores them.
                    state["step"] = torch.zeros((), dtype=torch.float32)
                    state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
                state["step"] += 1
            first, second = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq"))
            (beta, gamma), rate = group["betas"], group["lr"]
            count = int(states[0]["step"]) if states else 1
            torch._foreach_mul_(parameters, 1 - rate * group["weight_decay"])
            torch._foreach_lerp_(first, gradients, 1 - beta)
            torch._foreach_mul_(second, gamma)
            torch._foreach_addcmul_(second, gradients, gradients, 1 - gamma)
            scale = torch._foreach_div(second, 1 - gamma**count)
            torch._foreach_add_(scale, group["epsilon_root"])
            torch._foreach_sqrt_(scale)
            torch._foreach_add_(scale, EPSILON)
            torch._foreach_addcdiv_(parameters, first, scale, -rate / (1 - beta**count))
