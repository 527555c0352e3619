"""What the attribution methods need and take."""

from trakway.plan.modalities import modality_of

NEEDS = {
    "trak": ("features",),
    "journey_trak": ("features",),
    "journey_window": ("features", "windows"),
    "d_trak": ("norm",),
    "journey_d_trak": ("norm",),
    "gradient_dot": ("features",),
    "gradient_cosine": ("features",),
    "tracin": ("checkpoints",),
    "representation": ("representations",),
    "pixel": (),
    "pixel_journey": (),
    "empirical_influence": ("estimation",),
    "datamodel": ("estimation",),
    "random": (),
}
"""What each attribution method works from, beside the data: the models behind it are its cost."""

STEPS_ONLY = ("journey_trak", "journey_window", "d_trak", "journey_d_trak", "pixel_journey")
WITHOUT_STEPS = ("tracin",)
PICTURES = ("pixel", "pixel_journey")
"""What methods ask of the outputs and examples of a task: those that are not listed ask for nothing."""

JOURNEY = ("journey_trak", "journey_window", "journey_d_trak", "pixel_journey")
"""Methods made for a step of the sampling trajectory; for a whole image they are another method, or nothing."""

PER_STEP = (*JOURNEY, "gradient_dot", "gradient_cosine", "empirical_influence", "datamodel")
"""Methods whose scores of an image differ from step to step; those of the others belong to the image."""


_ESTIMATOR = ("ridge", "soft_threshold", "weights", "average")
OPTIONS = {name: _ESTIMATOR for name in ("trak", "journey_trak", "journey_window", "d_trak", "journey_d_trak")}
"""The keys of the ``scores`` section that a method takes; a method that is not listed takes none."""


def methods_of(settings: dict) -> list[str]:
    """Return the methods that an experiment's task can use."""
    modality = modality_of(settings)
    steps, pictures = modality.has(needs=("steps",)), modality.has(needs=("image",))
    lacking = {*(WITHOUT_STEPS if steps else STEPS_ONLY), *(() if pictures else PICTURES)}
    return [name for name in NEEDS if name not in lacking]


def main_method(settings: dict) -> str:
    """Return the method that the ablation is about: the modality's, or what is used first."""
    main = modality_of(settings).main
    return main if main in settings["methods"] else settings["methods"][0]


def score_settings(method: str, settings: dict) -> dict:
    """Return what decides the scores of a method: the seed and the method's own options."""
    scores = settings["scores"]
    return {"seed": settings["seed"], "scores": {key: scores[key] for key in OPTIONS.get(method, ())}}


def is_tuned(method: str, scores: dict) -> bool:
    """Whether a method has options to choose among, which takes tuning targets and the estimation bank."""
    return any(isinstance(scores[key], list) and len(scores[key]) > 1 for key in OPTIONS.get(method, ()))
