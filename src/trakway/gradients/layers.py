"""Per-example parameter gradients of the common layers, from a layer's input and output gradient.

Each function takes ``(module, inputs, slope, examples)``, where ``slope`` is
the gradient of the sum of f with respect to the layer's output, and returns ``{parameter: (B, size)}``. The first
dimension of ``inputs`` may hold several rows an example (R = B·T, as with T noise draws): their gradients are
summed, for f of an example is a function of all its rows.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trakway.gradients.convolution import weight_gradients

LayerGradient = Callable[[nn.Module, Tensor, Tensor, int], dict[str, Tensor]]

SLICE = 1 << 22  # bytes of gradients made at a time on a CPU: read again before they leave its cache


def supported(model: nn.Module, names: list[str]) -> bool:
    """Whether every parameter in ``names`` is trained and the weight or bias of one layer that this file knows."""
    return not unknown(model, names)


def unknown(model: nn.Module, names: list[str]) -> list[str]:
    """Return those of ``names`` that are not trained, or not the weight or bias of one layer that this file knows."""
    known = {
        full_name(prefix, name)
        for prefix, module in model.named_modules()
        if gradient_of(module) is not None
        for name in ("weight", "bias")  # not, say, the weight_orig that a pruned layer computes its weight from
        if name in module._parameters
    }
    # named_parameters drops the second name of a tied parameter, whose gradient has two sources.
    sources = Counter(id(parameter) for _, parameter in model.named_parameters(remove_duplicate=False))
    return [
        name
        for name in names
        if name not in known or not (parameter := model.get_parameter(name)).requires_grad or sources[id(parameter)] > 1
    ]


def full_name(prefix: str, name: str) -> str:
    """Return the name in the model of a parameter of the module called ``prefix``."""
    return f"{prefix}.{name}" if prefix else name


def gradient_of(module: nn.Module) -> LayerGradient | None:
    """Return the gradient function of a layer, None for a layer this file does not know."""
    kind = type(module)
    if kind is nn.Conv2d and isinstance(module.padding, tuple) and module.padding_mode == "zeros":
        return convolution
    if kind is nn.Linear:
        return linear
    if kind is nn.BatchNorm2d and not module.training and module.affine and module.track_running_stats:
        return batch_norm
    if kind is nn.GroupNorm and module.affine:
        return group_norm
    if kind is nn.LayerNorm and module.elementwise_affine and len(module.normalized_shape) == 1:
        return layer_norm
    if kind is nn.Embedding and module.max_norm is None and not module.sparse and not module.scale_grad_by_freq:
        return embedding
    return None


def convolution(module: nn.Conv2d, inputs: Tensor, slope: Tensor, examples: int) -> dict[str, Tensor]:
    """2-D convolution with zeros for padding."""
    result = {"weight": weight_gradients(module, inputs, slope, examples)}
    if module.bias is not None:
        result["bias"] = bias(module, slope, examples)
    return result


def linear(module: nn.Linear, inputs: Tensor, slope: Tensor, examples: int) -> dict[str, Tensor]:
    """Affine map of the last dimension; all dimensions between are summed over."""
    result = {"weight": torch.cat([rows for _, rows in linear_slices(module, inputs, slope, examples)], dim=1)}
    if module.bias is not None:
        result["bias"] = bias(module, slope, examples)
    return result


def linear_slices(module: nn.Linear, inputs: Tensor, slope: Tensor, examples: int) -> Iterator[tuple[int, Tensor]]:
    """Yield the gradients of the weight that `linear` returns in parts, (first coordinate, (B, some))."""
    left = slope.reshape(examples, -1, module.out_features).transpose(1, 2)
    right = inputs.reshape(examples, -1, module.in_features)
    row = examples * module.in_features * left.element_size()
    rows = max(1, SLICE // row) if left.device.type == "cpu" else module.out_features
    product = torch.mul if right.shape[1] == 1 else torch.bmm
    for start, some in zip(range(0, module.out_features, rows), left.split(rows, dim=1), strict=True):
        yield start * module.in_features, product(some, right).flatten(1)


def bias(module: nn.Conv2d | nn.Linear, slope: Tensor, examples: int) -> Tensor:
    """Return the gradients of the bias of a convolution or affine map, (B, out)."""
    if type(module) is nn.Linear:
        return slope.reshape(examples, -1, module.out_features).sum(1)
    return _by_example(slope.flatten(2).sum(2), examples)


def batch_norm(module: nn.BatchNorm2d, inputs: Tensor, slope: Tensor, examples: int) -> dict[str, Tensor]:
    """Batch norm in eval mode: a fixed affine map of each channel."""
    scale = (module.running_var + module.eps).rsqrt()
    centred = inputs - module.running_mean.view(1, -1, 1, 1)
    return {
        "weight": _by_example(centred.mul_(slope).sum((2, 3)) * scale, examples),
        "bias": _by_example(slope.sum((2, 3)), examples),
    }


def group_norm(module: nn.GroupNorm, inputs: Tensor, slope: Tensor, examples: int) -> dict[str, Tensor]:
    """Group norm: the scale and shift of each channel of what is normalised."""
    normalised = F.group_norm(inputs, module.num_groups, eps=module.eps)
    return {
        "weight": _by_example(normalised.mul_(slope).flatten(2).sum(2), examples),
        "bias": _by_example(slope.flatten(2).sum(2), examples),
    }


def layer_norm(module: nn.LayerNorm, inputs: Tensor, slope: Tensor, examples: int) -> dict[str, Tensor]:
    """Layer norm of the last dimension; all dimensions between are summed over."""
    normalised = F.layer_norm(inputs, module.normalized_shape, eps=module.eps)
    result = {"weight": normalised.mul_(slope).reshape(examples, -1, inputs.shape[-1]).sum(1)}
    if module.bias is not None:
        result["bias"] = slope.reshape(examples, -1, inputs.shape[-1]).sum(1)
    return result


def embedding(module: nn.Embedding, inputs: Tensor, slope: Tensor, examples: int) -> dict[str, Tensor]:
    """Rows of a table by number; the numbers of each example in any shape."""
    width = module.embedding_dim
    numbers, slope = embedded(module, inputs, slope, examples)
    gradients = slope.new_zeros(examples * module.num_embeddings, width)
    first = module.num_embeddings * torch.arange(examples, device=inputs.device)
    gradients.index_add_(0, (numbers + first[:, None]).flatten(), slope.reshape(-1, width))
    return {"weight": gradients.view(examples, -1)}


def embedded(module: nn.Embedding, inputs: Tensor, slope: Tensor, examples: int) -> tuple[Tensor, Tensor]:
    """Return the numbers (B, T) that examples look up, and the slopes (B, T, d): 0 where the row is never trained."""
    numbers = inputs.reshape(examples, -1)
    slope = slope.reshape(examples, numbers.shape[1], module.embedding_dim)
    if module.padding_idx is not None:
        slope = slope * (numbers != module.padding_idx)[..., None]
    return numbers, slope


def sides(module: nn.Module, inputs: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """Return output gradients (N, out) and inputs (N, in) of a layer at every place where its weight is used.

    Args:
        module: linear layer, embedding, or convolution in one group.
        inputs: its input.
        slope: gradient with respect to its output.
    """
    if type(module) is nn.Linear:
        return slope.reshape(-1, module.out_features), inputs.reshape(-1, module.in_features)
    if type(module) is nn.Embedding:
        numbers, slope = embedded(module, inputs, slope, len(inputs))
        # One-hot inputs have a diagonal moment, whose eigenvectors are the coordinates: as if there were none.
        return numbers.new_zeros(0, module.num_embeddings), slope.reshape(-1, module.embedding_dim)
    seen = F.unfold(inputs, module.kernel_size, module.dilation, module.padding, module.stride)
    return slope.flatten(2).transpose(1, 2).flatten(0, 1), seen.transpose(1, 2).flatten(0, 1)


def _by_example(rows: Tensor, examples: int) -> Tensor:
    return rows if len(rows) == examples else rows.view(examples, -1, rows.shape[1]).sum(1)
