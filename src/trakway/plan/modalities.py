"""What modalities there are, and what differs between them: properties, asked by everything outside `trakway.tasks`."""

import ast
from dataclasses import dataclass
from functools import cache

from trakway.errors import UserError
from trakway.plan.code import imported
from trakway.plan.declarations import declared, parsed
from trakway.plan.places import Place, builtin, place

VARIABLE = "MODALITY"


@dataclass(frozen=True)
class Modality:
    """What a task says of itself: ``MODALITY = Modality(...)`` in the file of its class, or of the class it extends.

    Attributes:
        traits: what outputs and examples are, in words that methods, figures and tables ask for:
            ``border`` (an output above 0 is a right prediction, which removals can flip), ``unit_slope`` (f is minus
            the loss: Q = 1), ``steps`` (targets have outputs at steps of a sampling trajectory, from which completions
            are drawn: the task is a `trakway.tasks.Generative`), ``image`` (examples are pictures), ``text`` (they are
            texts).
        data: the kind of its examples, see `trakway.plan.datasets.Dataset`.
        encodes: whether its class has a method ``encode`` that computes once, from the section ``model``, what all
            models share of the examples.
        sections: of an experiment, from which a task of this modality is built, beside seed and task.
        feature_sections: further ones, or parts of them, that decide the gradients of training examples.
        target_sections: further ones, from which it is built with targets.
        targets: where targets come from: ``drawn`` from the test split, or ``sampled`` from the reference model.
        target_files: what lies beside the table of targets.
        main: the method that the ablation is about, where the experiment has it.
        models: the built-in networks it can train, by name.
        augmentations: the values of ``training.augmentation`` that it knows.
        autoencoder: the task of the network that is trained first, on all examples, and whose codes its class encodes
            them as; "" for none.
        domain: the task of the classifier that compares what is generated, a `trakway.tasks.Classifier`; "" for none.
    """

    traits: tuple[str, ...] = ()
    data: str = "images"
    encodes: bool = False
    sections: tuple[str, ...] = ("model",)
    feature_sections: tuple[str, ...] = ()
    target_sections: tuple[str, ...] = ()
    targets: str = "drawn"
    target_files: tuple[str, ...] = ()
    main: str = "trak"
    models: tuple[str, ...] = ()
    augmentations: tuple[str, ...] = ("none",)
    autoencoder: str = ""
    domain: str = ""

    def has(self, needs: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> bool:
        """Whether it has all traits of ``needs`` and none of ``without``."""
        return set(needs) <= set(self.traits) and not set(without) & set(self.traits)


def modalities() -> dict[str, Modality]:
    """Return the modalities of the library by the name of their task."""
    return {name: modality(name) for name in builtin("task")}


def modality_of(settings: dict) -> Modality:
    """Return the modality of an experiment."""
    return modality(settings["task"])


@cache
def modality(task: str) -> Modality:
    """Return the modality of a task, a built-in one's name or ``FILE.py:CLASS``.

    Raises:
        UserError: there is no such class, or neither its file nor one of those it extends declares a modality.
    """
    start = place("task", task)
    waiting, seen = [start], set()
    while waiting:
        here = waiting.pop(0)
        found = declared(here.file, VARIABLE, Modality)
        if found:
            return found
        seen.add(here)
        waiting += [base for base in _bases(here) if base not in seen]
    raise UserError(
        f"{start.file}, class {start.name}: found no {VARIABLE}; allowed: {VARIABLE} = Modality(key=value, ...) at the"
        f" top of the file, or a class that extends a task which has one, such as {', '.join(builtin('task'))}; add it"
    )


def _bases(here: Place) -> list[Place]:
    """Return where the classes that a class extends are defined, by the imports of its file; only what is ours."""
    body = parsed(here.file).body
    classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
    bases = []
    for base in classes[here.name].bases if here.name in classes else ():
        name = ast.unparse(base)
        if name in classes:
            bases.append(Place(here.file, name))
        elif file := imported(here.file).get(name.split(".")[0]):
            bases.append(Place(file, name.split(".")[-1]))
    return bases
