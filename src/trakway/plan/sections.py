"""The sections of an experiment that its tasks are built from, and the files that define what they name."""

from pathlib import Path

from trakway.plan.datasets import dataset_of
from trakway.plan.ensembles import ALONE
from trakway.plan.loading import load
from trakway.plan.modalities import modality_of
from trakway.plan.options import options_of
from trakway.plan.places import defines, is_own, place


def task_settings(settings: dict, ensemble: str = "members", *further: str) -> dict:
    """Return the sections that the task of an ensemble's models is built from, and further ones.

    The domain's classifier and the autoencoder are models of tasks of their own.
    """
    modality = modality_of(settings)
    if ensemble in ALONE:
        own = settings[ensemble]
        return {
            "seed": settings["seed"],
            "task": getattr(modality, ensemble),
            **{name: own[name] for name in ("model", *further) if name in own},
        }
    return {name: settings[name] for name in ("seed", "task", *modality.sections, *further)}


def target_settings(settings: dict, *further: str) -> dict:
    """Return the sections that a task with targets is built from, and further ones."""
    return task_settings(settings, "members", *modality_of(settings).target_sections, *further)


def feature_settings(settings: dict) -> dict:
    """Return the sections that decide the gradients of training examples: what targets there are is not among them."""
    chosen = task_settings(settings)
    for key in modality_of(settings).feature_sections:
        name, _, part = key.partition(".")
        chosen.setdefault(name, {})[part] = settings[name][part]
    return chosen


def definitions(settings: dict, ensemble: str = "members") -> list[Path]:
    """Return the files that define the task and the model of an ensemble."""
    own = task_settings(settings, ensemble)
    return [place("task", own["task"]).file, place("model", own["model"]["name"]).file]


def data_files(settings: dict) -> list[str]:
    """Return the files on this machine that the section ``dataset`` names."""
    values = [value for key, value in settings["dataset"].items() if key != "name" and isinstance(value, str)]
    return [value for value in values if Path(value).expanduser().is_file()]


def data_folders(settings: dict) -> list[str]:
    """Return the folders on this machine that the section ``dataset`` names, but for official sets of many pictures."""
    known = dataset_of(settings)
    if known.remote and known.varied:
        return []
    values = [value for key, value in settings["dataset"].items() if key != "name" and isinstance(value, str)]
    return [value for value in values if Path(value).expanduser().is_dir()]


def model_files(settings: dict) -> list[Path]:
    """Return the files on this machine that a built-in network takes its weights from, none where it draws them."""
    model = settings["model"]
    if is_own(model["name"]) or not defines(place("model", model["name"]).file, "files"):
        return []
    return load("model", model["name"], "files")(options_of("model", model))


def has_own(settings: dict) -> bool:
    """Whether the task, the data or a model of an experiment is the user's own."""
    models = [settings["model"], *(settings[name]["model"] for name in ALONE if settings[name])]
    names = [settings["task"], settings["dataset"]["name"], *(model["name"] for model in models if model)]
    return any(map(is_own, names))
