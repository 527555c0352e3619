"""Per-example gradients of f, float32, one row an example.

Two ways to the same numbers. `layerwise` runs one ordinary batched backward pass and rebuilds each example's weight
gradient from the layer's input and output gradient; it is several times faster, and serves models made of the layers it
knows. `vmapped` (``vmap`` of ``grad``) serves every other model.
"""

from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from trakway.gradients import layers
from trakway.tasks import Batch, Task

ROWS = {"cpu": 256, "cuda": 1024}  # rows that go through a model at a time, where f is a mean over draws

_tried: WeakKeyDictionary = WeakKeyDictionary()  # model: names of parameters, whether `layerwise` is right for them


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
    # Full float32 and a fixed order of sums, whatever the models were trained in.
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with exact, torch.autocast(torch.device(task.device).type, enabled=False):
        pieces = list(task.pieces(batch, ROWS[torch.device(task.device).type]))
        compute = layerwise if _sees_all(task, model, pieces[0][2]) else vmapped
        if len(pieces) == 1:
            return compute(task, model, batch)
        outputs = gradients = None
        for examples, share, piece in pieces:
            some, rows = compute(task, model, piece)
            if outputs is None:
                outputs = some.new_zeros(len(batch[0]))
                gradients = rows.new_zeros(len(batch[0]), rows.shape[1])
            outputs[examples] += share * some
            gradients[examples].add_(rows, alpha=share)
        return outputs, gradients


def _sees_all(task: Task, model: nn.Module, batch: Batch) -> bool:
    """Whether `layerwise` is right for a model: tried once, against the gradient of the sum of f over a batch.

    A layer's type says much but not all: a weight may also be used without calling its layer.
    """
    names = task.attributed(model)
    if not layers.supported(model, names):
        return False
    if (tried := _tried.get(model)) is None or tried[0] != names:
        _tried[model] = tried = names, _adds_up(task, model, batch, names)
    return tried[1]


def _adds_up(task: Task, model: nn.Module, batch: Batch, names: list[str]) -> bool:
    parameters = [model.get_parameter(name) for name in names]
    with torch.enable_grad():
        total = torch.autograd.grad(task.output(model, batch).sum(), parameters, materialize_grads=True)
    expected = torch.cat([gradient.flatten() for gradient in total]).double()
    found = layerwise(task, model, batch)[1].double().sum(0)
    # Rounding is far below this, a missing layer far above. Not finite is not for here to judge.
    return not (found - expected).norm() > 1e-3 * expected.norm()


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

    calls = []
    hooks = []
    for prefix, module in model.named_modules():
        if layers.gradient_of(module) is not None:

            def remember(module, inputs, output, prefix=prefix):
                if not output.requires_grad:  # frozen, and so is all that came before
                    return output
                calls.append((prefix, module, inputs[0].detach(), output))
                # The model goes on with a copy: an in-place ReLU must not change what is differentiated here.
                return output.clone()

            hooks.append(module.register_forward_hook(remember))
    try:
        with torch.enable_grad():
            outputs = task.output(model, batch)
            total = outputs.sum()
        slopes = torch.autograd.grad(total, [output for *_, output in calls], allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
    for (prefix, module, inputs, _), slope in zip(calls, slopes, strict=True):
        if slope is None:
            continue
        for name, rows in layers.gradient_of(module)(module, inputs, slope, examples).items():
            full = f"{prefix}.{name}" if prefix else name
            if full in unwritten:
                gradients[:, starts[full] : starts[full] + rows.shape[1]] = rows
                unwritten.remove(full)
            elif full in starts:  # a layer called more than once
                gradients[:, starts[full] : starts[full] + rows.shape[1]] += rows
    for name, size in zip(names, sizes, strict=True):
        if name in unwritten:  # f does not depend on it
            gradients[:, starts[name] : starts[name] + size] = 0
    return outputs.detach().float(), gradients
