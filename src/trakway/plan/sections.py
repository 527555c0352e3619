"""The sections of an experiment that its tasks are built from."""

from trakway.plan.modalities import modality_of


def task_settings(settings: dict, ensemble: str = "members", *further: str) -> dict:
    """Return the sections that the task of an ensemble's models is built from, and further ones.

    The domain's classifier is a model of an image classification of its own.
    """
    if ensemble == "domain":
        domain = settings["domain"]
        return {
            "seed": settings["seed"],
            "task": "image_classification",
            **{name: domain[name] for name in ("model", *further) if name in domain},
        }
    diffusion = ("diffusion",) if settings["task"] == "image_diffusion" else ()
    return {name: settings[name] for name in ("seed", "task", "model", *diffusion, *further)}


def target_settings(settings: dict, *further: str) -> dict:
    """Return the sections that a task with targets is built from, and further ones."""
    journey = ("journey",) if settings["task"] == "image_diffusion" else ()
    return task_settings(settings, "members", *journey, *further)


def feature_settings(settings: dict) -> dict:
    """Return the sections that decide the gradients of training examples: what targets there are is not among them."""
    chosen = task_settings(settings)
    for key in modality_of(settings).feature_sections:
        name, _, part = key.partition(".")
        chosen.setdefault(name, {})[part] = settings[name][part]
    return chosen
