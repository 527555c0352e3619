"""Per-example parameter gradients of the common layers, from a layer's input and output gradient.

Each function takes ``(module, inputs, slope, examples)``, where ``slope`` is
the gradient of the sum of f with respect to the layer's output, and returns ``{parameter: (B, size)}``. The first
dimension of ``inputs`` may hold several rows an example (R = B·T, as with T noise draws): their gradients are
summed, for f of an example is a function of all its rows.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from trakway.gradients.patches import patches

LayerGradient = Callable[[nn.Module, Tensor, Tensor, int], dict[str, Tensor]]


def supported(model: nn.Module, names: list[str]) -> bool:
    """Whether every parameter in ``names`` is trained and the weight or bias of one layer that this file knows."""
    known = {
        f"{prefix}.{name}" if prefix else name
        for prefix, module in model.named_modules()
        if gradient_of(module) is not None
        for name in ("weight", "bias")  # not, say, the weight_orig that a pruned layer computes its weight from
        if name in module._parameters
    }
    # named_parameters drops the second name of a tied parameter, whose gradient has two sources.
    tied = len(list(model.named_parameters(remove_duplicate=False))) != len(list(model.named_parameters()))
    return not tied and set(names) <= known and all(model.get_parameter(name).requires_grad for name in names)


def gradient_of(module: nn.Module) -> LayerGradient | None:
    """Return the gradient function of a layer, None for a layer this file does not know."""
    if type(module) is nn.Conv2d and isinstance(module.padding, tuple) and module.padding_mode == "zeros":
        return convolution
    if type(module) is nn.Linear:
        return linear
    if type(module) is nn.BatchNorm2d and not module.training and module.affine and module.track_running_stats:
        return batch_norm
    return None


def convolution(module: nn.Conv2d, inputs: Tensor, slope: Tensor, examples: int) -> dict[str, Tensor]:
    """2-D convolution: patches times output gradient, by groups."""
    seen = patches(module, inputs)
    rows, _, positions = seen.shape
    groups = module.groups
    outward = slope.reshape(rows * groups, module.out_channels // groups, positions)
    weight = torch.bmm(outward, seen.reshape(rows * groups, -1, positions).transpose(1, 2))
    result = {"weight": _by_example(weight.view(rows, -1), examples)}
    if module.bias is not None:
        result["bias"] = _by_example(slope.sum((2, 3)), examples)
    return result


def linear(module: nn.Linear, inputs: Tensor, slope: Tensor, examples: int) -> dict[str, Tensor]:
    """Affine map of the last dimension; all dimensions between are summed over."""
    left = slope.reshape(examples, -1, module.out_features)
    right = inputs.reshape(examples, -1, module.in_features)
    result = {"weight": torch.bmm(left.transpose(1, 2), right).flatten(1)}
    if module.bias is not None:
        result["bias"] = left.sum(1)
    return result


def batch_norm(module: nn.BatchNorm2d, inputs: Tensor, slope: Tensor, examples: int) -> dict[str, Tensor]:
    """Batch norm in eval mode: a fixed affine map of each channel."""
    shape = (1, -1, 1, 1)
    scale = (module.running_var + module.eps).rsqrt().view(shape)
    normalised = (inputs - module.running_mean.view(shape)) * scale
    return {
        "weight": _by_example((slope * normalised).sum((2, 3)), examples),
        "bias": _by_example(slope.sum((2, 3)), examples),
    }


def _by_example(rows: Tensor, examples: int) -> Tensor:
    return rows if len(rows) == examples else rows.view(examples, -1, rows.shape[1]).sum(1)
