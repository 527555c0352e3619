"""What a training run may not do if it is to be differentiated as a whole, seen in the operations of its first step."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from trakway.errors import UserError
from trakway.metagradients.recording import steps_of
from trakway.training.run import Run, in_bfloat16

RANDOM = {"native_dropout", "bernoulli", "bernoulli_", "rrelu_with_noise"}
ACROSS = {"native_batch_norm", "_native_batch_norm_legit", "_batch_norm_with_update", "cudnn_batch_norm"}
BENT = {"relu", "relu_", "leaky_relu", "hardtanh", "hardswish", "max_pool2d_with_indices", "adaptive_max_pool2d"}


def check_numerics(run: Run) -> list[str]:
    """Return what will make derivatives poor, a line each.

    Args:
        run: at its beginning, where it stays.

    Raises:
        UserError: they would be silently meaningless.
    """
    if in_bfloat16(run.training, run.task.device):
        raise UserError(
            "training.precision: found bfloat16 arithmetic; allowed: float32 for a metagradient, which adds up over all"
            " steps; set it"
        )
    used = operations(run)
    if used & RANDOM:
        raise UserError(
            "model: found dropout; allowed: none for a metagradient, since each step is taken again as it was; set it"
            " to 0"
        )
    if used & ACROSS:
        raise UserError(
            "model: found batch norm, by which an example changes the others' losses whatever its own weight; allowed:"
            " for a metagradient norms of one example, such as GroupNorm or LayerNorm; choose them (resnet_small:"
            " smooth: true)"
        )
    found = []
    if used & BENT:
        found.append(
            f"the model has {', '.join(sorted(name.strip('_') for name in used & BENT))}, of no second derivative:"
            " derivatives through training will be poor; SiLU or GELU and average pooling have one"
        )
    if run.training["optimizer"] == "adamw" and not run.training["epsilon_root"]:
        found.append(
            "training.epsilon_root is 0: the root of a second moment near 0 has no bound on its slope; try 1e-8"
        )
    return found


def operations(run: Run) -> set[str]:
    """Return the names of torch's operations in the loss of a run's first step."""
    with _Listening() as heard, torch.no_grad():
        run.loss(*steps_of(run)[0])
    return heard.names


class _Listening(TorchDispatchMode):
    """Notes the names of the operations that are called."""

    def __init__(self):
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))
