"""Scores of a task's targets by an attribution method."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.scoring import fill
from trakway.attribution.values import EstimationBank, Pictures
from trakway.errors import UserError
from trakway.notebook.features import FeatureSet
from trakway.notebook.options import check_options
from trakway.notebook.session import undisturbed
from trakway.notebook.training import check_masks
from trakway.notebook.validation import check_outputs
from trakway.plan import Method, library_methods
from trakway.plan.loading import load_from
from trakway.plan.methods import FOLDER
from trakway.plan.suggestions import did_you_mean
from trakway.tasks import Task


@undisturbed()
def score(
    method: str | Callable[..., None],
    source: FeatureSet | Sequence[FeatureSet] | Task,
    *,
    masks: np.ndarray | None = None,
    outputs: np.ndarray | None = None,
    block: int = 4096,
    **options: Any,
) -> np.ndarray:
    """Score every training example for every target.

    Args:
        method: its name (``"trak"``, ``"gradient_dot"``, ``"gradient_cosine"``, ``"random"``, ...), or a function
            ``score(material, out, **options)`` of your own (docs/extending.md).
        source: what `trakway.featurize` gave; for ``"tracin"`` a list of them, a checkpoint each, the final one last;
            for methods without gradients the task.
        masks: subsets of a bank, bool (subsets, n), for ``"datamodel"`` and ``"empirical_influence"``.
        outputs: of its models, as `trakway.evaluate` gives them.
        block: training examples at a time; bounds the memory, changes no score beyond rounding.
        options: of the method; of TRAK ridge (relative to the kernel's mean diagonal; 0 is the paper's form, 0.1 is
            usual), soft_threshold, weights, average.

    Returns:
        float32 (targets, n): positive where training on the example raises the target's output.

    Raises:
        UserError: the method or an option is unknown, it needs what was not given, or it does not fill its array.
    """
    function = _function(method)
    _check_given(method, function, options)
    material = _material(source, masks, outputs, block)
    if isinstance(method, str):
        declared = library_methods()[method]
        _check_needs(method, declared, material)
        material = material.only(declared.reads)
    out = np.empty((material.targets, material.size), np.float32)
    fill(
        method if isinstance(method, str) else getattr(method, "__name__", "score"), function, material, out, **options
    )
    return out


def _function(name: str | Callable[..., None]) -> Callable[..., None]:
    if callable(name):
        return name
    known = library_methods()
    if name not in known:
        raise UserError(
            f"score: found method {name!r}. {did_you_mean(name, known)}Allowed: {', '.join(known)}, or a function"
        )
    return load_from(FOLDER / f"{name}.py", "score")


def _check_given(name: str | Callable, function: Callable, options: dict) -> None:
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    check_options("score", options, list(parameters)[2:], of=str(name))
    for key, value in options.items():
        if isinstance(value, (list, tuple)):
            raise UserError(
                f"score: found {key}={value!r}, allowed: one value; choose it by trakway.lds on targets that are not"
                " reported"
            )


def _material(
    source: FeatureSet | Sequence[FeatureSet] | Task,
    masks: np.ndarray | None,
    outputs: np.ndarray | None,
    block: int,
) -> Material:
    sets = [] if isinstance(source, Task) else [source] if isinstance(source, FeatureSet) else list(source)
    if not all(isinstance(one, FeatureSet) for one in sets) or not (sets or isinstance(source, Task)):
        raise UserError(
            f"score: found {type(source).__name__}, allowed: what trakway.featurize gave, a list of those, or a task"
        )
    task = sets[-1].task if sets else source
    bank = {}
    if masks is not None and outputs is not None:
        masks = check_masks(masks, task.train_size, 2)
        bank = {"estimation": EstimationBank(masks, check_outputs(outputs, len(masks), task.test_size).mean(1))}
    return Material(
        seed=task.seed,
        size=task.train_size,
        targets=task.test_size,
        block=block,
        device=task.device,
        **({"features": sets[-1].members, "checkpoints": [one.members for one in sets]} if sets else {}),
        **_examples(task),
        **bank,
    )


def _examples(task: Task) -> dict:
    """Return what similarity of the examples themselves needs, of a task that holds them as tensors."""
    if not hasattr(task, "examples"):
        return {"labels": None}
    labels = task.labels and tuple(task.labels[what].numpy() for what in ("train", "targets"))
    train, targets = (task.examples[what].tensors[0].cpu().numpy() for what in ("train", "targets"))
    return {"examples": Pictures(train, targets, targets), "labels": labels}


def _check_needs(name: str, method: Method, material: Material) -> None:
    """Stop where a method would find nothing to work from."""
    given = {"estimation": "masks and outputs of a bank: score(..., masks=masks, outputs=trakway.evaluate(task, bank))"}
    given |= {need: "gradients: score(..., trakway.featurize(task, members))" for need in ("features", "checkpoints")}
    given["examples"] = "examples as tensors: trakway.task(..., train=(x, y), targets=(x, y))"
    for need in method.reads:
        if need not in material.inputs:
            raise UserError(f"score: {name} needs {given.get(need, need + ', which a notebook cannot give')}")
