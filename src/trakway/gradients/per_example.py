"""Per-example gradients of f, float32, one row an example.

Two ways to the same numbers. `layerwise` runs one ordinary batched backward pass and rebuilds each example's weight
gradient from the layer's input and output gradient; it is several times faster, and serves models made of the layers it
knows. `vmapped` (``vmap`` of ``grad``) serves every other model.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from trakway.gradients import layers
from trakway.gradients.backward import watch
from trakway.tasks import Batch, Task

ROWS = {"cpu": 512, "cuda": 1024}  # rows that go through a model at a time, where f is a mean over draws
TRIED = 4  # examples on which a model is tried

_tried: WeakKeyDictionary = WeakKeyDictionary()  # model: names of parameters, which of them `layerwise` misses


def per_example_gradients(task: Task, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return f of each example and its gradient with respect to the attributed parameters.

    Args:
        task: gives f and the names of the attributed parameters.
        model: in eval mode, on the device of the batch.
        batch: B examples.

    Returns:
        (outputs (B,), gradients (B, p)), float32: the attributed parameters' gradients, flattened, in the order of
        ``task.attributed``. The memory beside them does not grow with the draws that f is a mean over.
    """
    with exact(task):
        compute = layerwise if _sees_all(task, model, batch) else vmapped
        return add_pieces(task, batch, lambda piece: compute(task, model, piece))


def in_parts(task: Task, model: nn.Module, batch: Batch) -> bool:
    """Whether `layerwise_parts` gives the gradients of a batch."""
    return len(pieces(task, batch)) == 1 and _sees_all(task, model, batch)


@contextmanager
def exact(task: Task) -> Iterator[None]:
    """Compute in full float32 and with a fixed order of sums, whatever the models were trained in."""
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with exact, torch.autocast(torch.device(task.device).type, enabled=False):
        yield


def pieces(task: Task, batch: Batch) -> list[tuple[slice, float, Batch]]:
    """Return (examples, share, piece) of the pieces of a batch that go through the model one after the other."""
    return list(task.pieces(batch, ROWS[torch.device(task.device).type]))


def add_pieces(task: Task, batch: Batch, compute: Callable[[Batch], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return the outputs (B,) and rows (B, size) that ``compute`` gives for a batch, added up over its pieces."""
    cut = pieces(task, batch)
    if len(cut) == 1:
        return compute(batch)
    outputs = rows = None
    for examples, share, piece in cut:
        some, part = compute(piece)
        if outputs is None:
            outputs = some.new_zeros(len(batch[0]))
            rows = part.new_zeros(len(batch[0]), part.shape[1])
        outputs[examples] += share * some
        rows[examples].add_(part, alpha=share)
    return outputs, rows


def _sees_all(task: Task, model: nn.Module, batch: Batch) -> bool:
    """Whether `layerwise` is right for a model: by its layers, and by a trial on a few examples."""
    few = pieces(task, tuple(tensor[:TRIED] for tensor in batch))[0][2]
    return layers.supported(model, task.attributed(model)) and missed(task, model, few) is None


def missed(task: Task, model: nn.Module, batch: Batch) -> str | None:
    """Return the parameter of whose gradient `layerwise` misses most, None where it has all there is.

    Tried once a model, against the gradients of f of one example, and of the sum of f over a batch: a layer's type says
    much but not all, since a weight may also be used without calling its layer, or be called with something that does
    not belong to one example.
    """
    names = task.attributed(model)
    if (tried := _tried.get(model)) is None or tried[0] != names:
        _tried[model] = tried = names, _most_missed(task, model, batch, names)
    return tried[1]


def take_as_whole(task: Task, model: nn.Module) -> None:
    """Take it without a trial that `layerwise` misses nothing of a model: where the cost of gradients counts alone."""
    _tried[model] = task.attributed(model), None


def _most_missed(task: Task, model: nn.Module, batch: Batch, names: list[str]) -> str | None:
    parameters = [model.get_parameter(name) for name in names]
    with torch.enable_grad():
        outputs = task.output(model, batch)
        first, total = (
            torch.autograd.grad(f, parameters, retain_graph=True, materialize_grads=True)
            for f in (outputs[0], outputs.sum())
        )
    rows = layerwise(task, model, batch)[1].split([parameter.numel() for parameter in parameters], dim=1)
    for found, expected in (([part[0] for part in rows], first), ([part.sum(0) for part in rows], total)):
        parts = zip(found, expected, strict=True)
        errors = torch.stack([(part - gradient.flatten()).norm() for part, gradient in parts])
        lengths = torch.stack([gradient.norm() for gradient in expected])
        # Rounding is far below this, a missing layer far above. Not finite is not for here to judge.
        if errors.norm() > 1e-3 * lengths.norm():
            return names[int(errors.argmax())]
    return None


def vmapped(task: Task, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Per-example gradients by ``vmap(grad)``."""
    names = task.attributed(model)
    everything = dict(model.named_parameters())
    attributed = {name: everything[name].detach() for name in names}
    rest = {name: tensor.detach() for name, tensor in everything.items() if name not in attributed}
    rest |= dict(model.named_buffers())

    def output(parameters: dict[str, Tensor], example: Batch) -> Tensor:
        def call(*inputs, **options):
            return functional_call(model, (parameters, rest), inputs, options)

        return task.output(call, tuple(tensor[None] for tensor in example))[0]

    with sdpa_kernel(SDPBackend.MATH):  # the one attention that vmap can take apart
        gradients, outputs = vmap(grad_and_value(output), in_dims=(None, 0))(attributed, batch)
    return outputs.float(), torch.cat([gradients[name].flatten(1).float() for name in names], dim=1)


def layerwise(task: Task, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Per-example gradients from one batched backward pass through layers that `layers.supported` accepts."""
    outputs, parts = layerwise_parts(task, model, batch)
    size = sum(model.get_parameter(name).numel() for name in task.attributed(model))
    gradients = torch.empty(len(outputs), size, device=batch[0].device)
    written = 0
    for start, rows in parts:
        gradients[:, written:start] = 0  # f does not depend on these
        written = start + rows.shape[1]
        gradients[:, start:written] = rows
    gradients[:, written:] = 0
    return outputs, gradients


def layerwise_parts(task: Task, model: nn.Module, batch: Batch) -> tuple[Tensor, Iterator[tuple[int, Tensor]]]:
    """Return what `layerwise` does, a parameter at a time: a layer's gradients are made when they are asked for.

    Returns:
        (outputs (B,), iterator of (first coordinate, gradients (B, size))), by ascending coordinates; parameters on
        which f does not depend are left out.
    """
    names = task.attributed(model)
    outputs, calls = watch(task, model, batch)
    by_layer = defaultdict(list)  # a layer may be called more than once
    for prefix, *call in calls:
        by_layer[prefix].append(call)

    def parts() -> Iterator[tuple[int, Tensor]]:
        made, start = {}, 0
        for name in names:
            prefix, _, kind = name.rpartition(".")
            called = by_layer.pop(prefix, ())
            if kind == "weight" and len(called) == 1 and type(called[0][0]) is nn.Linear:
                ((module, inputs, slope),) = called
                for offset, rows in layers.linear_slices(module, inputs, slope, len(outputs)):
                    yield start + offset, rows
                if module.bias is not None:
                    made[layers.full_name(prefix, "bias")] = layers.bias(module, slope, len(outputs))
                called = ()
            for module, inputs, slope in called:
                for last, rows in layers.gradient_of(module)(module, inputs, slope, len(outputs)).items():
                    full = layers.full_name(prefix, last)
                    made[full] = made[full] + rows if full in made else rows
            if name in made:
                yield start, made.pop(name)
            start += model.get_parameter(name).numel()

    return outputs.float(), parts()
