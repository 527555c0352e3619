"""Features of the factored projection (docs/projection.md): the gradient of a weight is never formed."""

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trakway.errors import UserError
from trakway.gradients import layers
from trakway.gradients.backward import watch
from trakway.gradients.convolution import side_by_side
from trakway.tasks import Batch, Task

if TYPE_CHECKING:
    from trakway.projection.factored import Factored


def shapes(model: nn.Module, names: list[str]) -> list[tuple[int, ...]]:
    """Return how a factored projection sees parameters: (out, in) of a weight with two sides, else (size,).

    Two sides have the weights of linear layers, of embeddings, and of convolutions in one group, ``in`` being
    channels times kernel.
    """
    found = []
    for name in names:
        prefix, _, last = name.rpartition(".")
        parameter = model.get_parameter(name)
        sided = last == "weight" and two_sided(model.get_submodule(prefix))
        found.append((len(parameter), parameter[0].numel()) if sided else (parameter.numel(),))
    return found


def require_layers(model: nn.Module, names: list[str]) -> None:
    """Check that every attributed parameter is of a layer whose inputs and output gradients tell its gradient.

    Args:
        model: in eval mode.
        names: the attributed parameters.

    Raises:
        UserError: one is not; names it and its layer.
    """
    for name in layers.unknown(model, names):
        layer = type(model.get_submodule(name.rpartition(".")[0])).__name__
        raise refusal(
            f"{name} (in {layer}) is not the trained weight or bias of one linear, embedding, convolution or norm layer"
        )


def refusal(why: str) -> UserError:
    """Return the error of a model that the factored projection cannot serve."""
    return UserError(
        f"projection.kind: found factored, but the model's {why}; allowed for this model: sjlt, rademacher, identity"
    )


def factored(task: Task, model: nn.Module, batch: Batch, projection: "Factored") -> tuple[Tensor, Tensor]:
    """Return f (B,) and features (B, k), float32, from one batched backward pass.

    Beside the inputs and output gradients of the layers, memory is that of features and of the gradients of the
    parameters without two sides.
    """
    names = task.attributed(model)
    outputs, calls = watch(task, model, batch)
    examples = len(outputs)
    products = outputs.new_zeros(examples, *projection.side_sizes)
    sizes = {name: shape[0] for name, shape in zip(names, projection.shapes, strict=True) if len(shape) == 1}
    others = outputs.new_zeros(examples, sum(sizes.values()))
    places = dict(zip(sizes, others.split(list(sizes.values()), dim=1), strict=True))
    for prefix, module, inputs, slope in calls:
        sides = dict(zip(names, projection.sides(slope), strict=True))
        if not two_sided(module):
            rows = layers.gradient_of(module)(module, inputs, slope, examples)
        else:
            rows = {} if getattr(module, "bias", None) is None else {"bias": layers.bias(module, slope, examples)}
            if pair := sides.get(layers.full_name(prefix, "weight")):
                products += product(module, inputs, slope, examples, *pair)
        for name, row in rows.items():
            if (place := places.get(layers.full_name(prefix, name))) is not None:
                place += row
    return outputs.float(), projection.combine(products, others)


def product(module: nn.Module, inputs: Tensor, slope: Tensor, examples: int, outward: Tensor, inward: Tensor) -> Tensor:
    """Return Bᵀ G A (B, k_out, k_in), G the gradients (out, in) of the examples' weights.

    Args:
        module: linear layer, embedding, or convolution in one group.
        inputs: its input, one or several rows an example.
        slope: gradient with respect to its output.
        examples: their number B.
        outward: B (out, k_out).
        inward: A (in, k_in), rows in the order of the weight.
    """
    if type(module) is nn.Embedding:
        numbers, slope = layers.embedded(module, inputs, slope, examples)
        left, right = outward[numbers].transpose(1, 2), (slope @ inward).transpose(1, 2)
    elif type(module) is nn.Linear:
        left = (slope @ outward).reshape(examples, -1, outward.shape[1]).transpose(1, 2)
        right = (inputs @ inward).reshape(examples, -1, inward.shape[1]).transpose(1, 2)
    else:
        kernels = inward.T.reshape(-1, *module.weight.shape[1:])
        seen = F.conv2d(inputs, kernels, None, module.stride, module.padding, module.dilation)
        left = side_by_side(outward.T @ slope.flatten(2), examples)
        right = side_by_side(seen.flatten(2), examples)
    return torch.bmm(left, right.transpose(1, 2))


def two_sided(module: nn.Module) -> bool:
    """Whether the weight of a layer is a matrix between its inputs and its outputs."""
    compute = layers.gradient_of(module)
    return compute in (layers.linear, layers.embedding) or (compute is layers.convolution and module.groups == 1)
