"""What modalities there are, and what differs between them: properties, asked by everything outside `trakway.tasks`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trakway.plan.declarations import declared

FOLDER = Path(__file__).parents[1] / "tasks"
VARIABLE = "MODALITY"


@dataclass(frozen=True)
class Modality:
    """What a task says of itself: ``MODALITY = Modality(...)`` in the file of its class.

    Attributes:
        traits: what outputs and examples are, in words that methods, figures and tables ask for:
            ``border`` (an output above 0 is a right prediction, which removals can flip), ``unit_slope`` (f is minus
            the loss: Q = 1), ``steps`` (targets have outputs at steps of a sampling trajectory, from which completions
            are drawn), ``image`` (examples are pictures).
        sections: of an experiment, from which a task of this modality is built, beside seed and task.
        feature_sections: further ones, or parts of them, that decide the gradients of training examples.
        target_sections: further ones, from which it is built with targets.
        targets: where targets come from: ``drawn`` from the test split, or ``sampled`` from the reference model.
        main: the method that the ablation is about, where the experiment has it.
        models: the networks it can train, by name.
    """

    traits: tuple[str, ...] = ()
    sections: tuple[str, ...] = ("model",)
    feature_sections: tuple[str, ...] = ()
    target_sections: tuple[str, ...] = ()
    targets: str = "drawn"
    main: str = "trak"
    models: tuple[str, ...] = ()

    def has(self, needs: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> bool:
        """Whether it has all traits of ``needs`` and none of ``without``."""
        return set(needs) <= set(self.traits) and not set(without) & set(self.traits)


@cache
def modalities() -> dict[str, Modality]:
    """Return the modalities of the library by the name of their task."""
    found = {file.stem: declared(file, VARIABLE, Modality) for file in sorted(FOLDER.glob("*.py"))}
    return {name: modality for name, modality in found.items() if modality}


def modality_of(settings: dict) -> Modality:
    """Return the modality of an experiment."""
    return modalities()[settings["task"]]
