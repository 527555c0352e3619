"""What the attribution methods need and take."""

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

METHODS = {
    "image_classification": (
        "trak",
        "gradient_dot",
        "gradient_cosine",
        "tracin",
        "representation",
        "pixel",
        "empirical_influence",
        "datamodel",
        "random",
    ),
    "image_diffusion": tuple(name for name in NEEDS if name != "tracin"),
}
"""The methods that a task can use."""

JOURNEY = ("journey_trak", "journey_window", "journey_d_trak", "pixel_journey")
"""Methods made for a step of the sampling trajectory; for a whole image they are another method, or nothing."""

PER_STEP = (*JOURNEY, "gradient_dot", "gradient_cosine", "empirical_influence", "datamodel")
"""Methods whose scores of an image differ from step to step; those of the others belong to the image."""


_ESTIMATOR = ("ridge", "soft_threshold", "weights", "average")
OPTIONS = {name: _ESTIMATOR for name in ("trak", "journey_trak", "journey_window", "d_trak", "journey_d_trak")}
"""The keys of the ``scores`` section that a method takes; a method that is not listed takes none."""


def main_method(settings: dict) -> str:
    """Return the method that the ablation is about: TRAK; of a diffusion model journey-TRAK, or what is used first."""
    if settings["task"] != "image_diffusion":
        return "trak"
    return "journey_trak" if "journey_trak" in settings["methods"] else settings["methods"][0]


def score_settings(method: str, settings: dict) -> dict:
    """Return what decides the scores of a method: the seed and the method's own options."""
    scores = settings["scores"]
    return {"seed": settings["seed"], "scores": {key: scores[key] for key in OPTIONS.get(method, ())}}


def is_tuned(method: str, scores: dict) -> bool:
    """Whether a method has options to choose among, which takes tuning targets and the estimation bank."""
    return any(isinstance(scores[key], list) and len(scores[key]) > 1 for key in OPTIONS.get(method, ()))
