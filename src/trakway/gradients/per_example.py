"""Per-example gradients of f, float32, one row an example.

Two ways to the same numbers. `layerwise` runs one ordinary batched backward pass and rebuilds each example's weight
gradient from the layer's input and output gradient; it is several times faster, and serves models made of the layers it
knows. `vmapped` (``vmap`` of ``grad``) serves every other model.
"""

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
        few = tuple(tensor[:TRIED] for tensor in batch)
        compute = layerwise if _sees_all(task, model, pieces(task, few)[0][2]) else vmapped
        return add_pieces(task, batch, lambda piece: compute(task, model, piece))


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
    """Whether `layerwise` is right for a model: by its layers, and by a trial."""
    return layers.supported(model, task.attributed(model)) and missed(task, model, batch) is None


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


def _most_missed(task: Task, model: nn.Module, batch: Batch, names: list[str]) -> str | None:
    parameters = [model.get_parameter(name) for name in names]
    with torch.enable_grad():
        outputs = task.output(model, batch)
        first, total = (
            torch.autograd.grad(f, parameters, retain_graph=True, materialize_grads=True)
            for f in (outputs[0], outputs.sum())
        )
    rows = layerwise(task, model, batch)[1]
    # Row by row: a sum in float64 would first write all of them out in it.
    for found, expected in ((rows[0].double(), first), (sum(row.double() for row in rows), total)):
        parts = zip(found.split([gradient.numel() for gradient in expected]), expected, strict=True)
        errors = torch.stack([(part - gradient.flatten()).norm() for part, gradient in parts])
        lengths = torch.stack([gradient.double().norm() for gradient in expected])
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
    names = task.attributed(model)
    examples = len(batch[0])
    sizes = [model.get_parameter(name).numel() for name in names]
    starts = dict(zip(names, torch.tensor([0, *sizes]).cumsum(0).tolist(), strict=False))
    gradients = torch.empty(examples, sum(sizes), device=batch[0].device)
    unwritten = set(names)

    outputs, calls = watch(task, model, batch)
    for prefix, module, inputs, slope in calls:
        for name, rows in layers.gradient_of(module)(module, inputs, slope, examples).items():
            full = layers.full_name(prefix, name)
            if full in unwritten:
                gradients[:, starts[full] : starts[full] + rows.shape[1]] = rows
                unwritten.remove(full)
            elif full in starts:  # a layer called more than once
                gradients[:, starts[full] : starts[full] + rows.shape[1]] += rows
    for name, size in zip(names, sizes, strict=True):
        if name in unwritten:  # f does not depend on it
            gradients[:, starts[name] : starts[name] + size] = 0
    return outputs.float(), gradients
