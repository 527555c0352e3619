"""Which removals an experiment makes, from its settings alone. Standard library only: a workflow may ask at no cost."""

from dataclasses import dataclass

from trakway.errors import UserError

CONTROL = "random"


@dataclass(frozen=True)
class Removal:
    """One training subset of the removal experiment.

    Attributes:
        method: whose scores choose the examples to remove; ``"random"`` for the control.
        side: ``"top"`` or ``"bottom"`` of the scores; ``"random"`` for the control.
        fraction: share of the training set that is removed.
        target: position among the evaluated targets; -1 for the control, which serves every target.
        repeat: number of the control subset among those of its fraction; 0 for a method.
        timestep: of the scores; None where they belong to the whole target, and for the control.
    """

    method: str
    side: str
    fraction: float
    target: int
    repeat: int = 0
    timestep: int | None = None


def removal_rows(removal: dict) -> list[Removal]:
    """List the subsets of the removal experiment in their fixed order: methods as listed, then the random control.

    Args:
        removal: ``targets`` (number of targets, the first of the evaluated ones), ``fractions``, ``sides`` (of top,
            bottom), ``methods``, ``random`` (control subsets for each fraction; the name ``random`` among the methods
            adds nothing). Optionally ``full_grid`` (methods that get every fraction and side; None: all of them) and
            ``compare_fraction`` (one of the fractions): the other methods remove the top of this fraction only; and
            ``timesteps``: methods of `PER_STEP` then get a subset for each of them.

    Raises:
        UserError: ``full_grid`` names a method that is not in ``methods``, or ``compare_fraction`` is needed but
            not one of ``fractions``.
    """
    methods = [method for method in removal["methods"] if method != CONTROL]
    full = removal.get("full_grid")
    full = methods if full is None else full
    fractions = list(removal["fractions"])
    unknown = [method for method in full if method not in methods and method != CONTROL]
    if unknown:
        raise UserError(f"removal.full_grid: {unknown[0]!r} is not among removal.methods ({', '.join(methods)})")
    if set(methods) - set(full) and removal.get("compare_fraction") not in fractions:
        raise UserError(
            f"removal.compare_fraction: found {removal.get('compare_fraction')!r}; with full_grid it must be one of"
            f" removal.fractions ({', '.join(map(str, fractions))})"
        )
    rows = []
    for method in methods:
        if method in full:
            grid = [(fraction, side) for fraction in fractions for side in removal["sides"]]
        else:
            grid = [(removal["compare_fraction"], "top")]
        steps = (removal.get("timesteps") if method in PER_STEP else None) or [None]
        rows += [
            Removal(method, side, fraction, target, timestep=timestep)
            for fraction, side in grid
            for target in range(removal["targets"])
            for timestep in steps
        ]
    repeats = range(removal["random"])
    return rows + [Removal(CONTROL, CONTROL, fraction, -1, repeat) for fraction in fractions for repeat in repeats]


def count_removal_rows(removal: dict) -> int:
    """Return how many training subsets the removal experiment has (each is trained ``removal["seeds"]`` times)."""
    return len(removal_rows(removal))


_MODEL_CODE = ("tasks/*.py", "models/*.py", "data/images.py", "seeds.py")
_ESTIMATORS = {
    "journey_trak": ("trak",),
    "journey_window": ("trak",),
    "d_trak": ("trak",),
    "journey_d_trak": ("d_trak", "trak"),
    "pixel": ("similarity",),
    "pixel_journey": ("pixel", "similarity"),
    "representation": ("similarity",),
    "gradient_cosine": ("similarity",),
}
CODE = {
    "train": ("training/*.py", *_MODEL_CODE),
    "sample_targets": ("journeys.py", "sampling.py", "targets.py", *_MODEL_CODE),
    "completions": ("completions.py", "domain.py", "sampling.py", *_MODEL_CODE),
    "features": (
        "features.py",
        "targets.py",
        "gradients/*.py",
        "projection/*.py",
        "projection/gpu/*.py",
        "projection/gpu/*.cu*",
        *_MODEL_CODE,
    ),
}
"""The library files that decide a trained model and a feature: the workflow runs a stage again when they change, and
pieces that an interrupted run has finished are used only if they have not."""


def method_code(method: str) -> list[str]:
    """Return the library files that decide the scores of a method, given the files of its material."""
    names = ("loading", "material", method, *_ESTIMATORS.get(method, ()))
    return [
        *(f"attribution/{name}.py" for name in names),
        "validation/scoring.py",
        "validation/tuning.py",
        "targets.py",
    ]


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


def feature_functions(need: str, settings: dict) -> list[str]:
    """Return the functions whose gradients a need is made of; none if it needs no gradients.

    ``output`` is the model output f, ``norm`` the squared norm of a prediction (D-TRAK), ``window-T`` the output with
    training examples seen at steps around T.
    """
    if need == "windows":
        return [f"window-{timestep}" for timestep in settings["journey"]["timesteps"]]
    return {"features": ["output"], "checkpoints": ["output"], "norm": ["norm"]}.get(need, [])


def is_window(function: str) -> bool:
    """Whether a function is that of a window of steps."""
    return function.startswith("window-")


def window_timestep(function: str) -> int:
    """Return the timestep in the middle of a window's function."""
    return int(function.removeprefix("window-"))


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


def ensemble_sizes(settings: dict) -> dict[str, tuple[int, int]]:
    """Return for each ensemble its number of subsets and of seeds a subset."""
    bank, removal = settings["bank"], settings["removal"]
    sizes = {
        "members": (len(settings["members"]["checkpoints"] or ()) or settings["members"]["count"], 1),
        "evaluation": (bank["evaluation"]["subsets"], bank["evaluation"]["seeds"]),
        "estimation": (bank["estimation"]["subsets"], bank["estimation"]["seeds"]),
        "reference": (1, removal["reference"]),
        "removal": (count_removal_rows(removal), removal["seeds"]),
    }
    return sizes | ({"domain": (1, 1)} if settings["domain"] else {})


OUTPUT_ROLES = {"members": (), "domain": (), "estimation": ("evaluation", "tuning")}
"""The roles of the targets that the models of an ensemble are evaluated on: ``evaluation`` where nothing is said."""


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


def shards(models: int, size: int) -> list[str]:
    """Cut ``models`` models into shards of ``size``, named by their range, e.g. ``00000-00025``.

    The range is part of the name, so that files of another cut are never mistaken for these.
    """
    return [f"{start:05d}-{min(start + size, models):05d}" for start in range(0, models, size)]


def shard_range(shard: str) -> range:
    """Return the models of a shard named by `shards`."""
    start, stop = shard.split("-")
    return range(int(start), int(stop))


def projection_name(projection: dict) -> str:
    """Return a short name for file paths, e.g. ``sjlt1-1024``, or ``kronecker-sjlt1-1024`` with a preconditioner."""
    kind = projection["kind"]
    if projection.get("preconditioner", "none") != "none":
        plain = projection_name({**projection, "preconditioner": "none"})
        return f"{projection['preconditioner']}-{plain}"
    if kind == "identity":
        return kind
    nonzeros = projection.get("nonzeros", 1) if kind == "sjlt" else ""
    precision = "" if projection.get("precision", "float32") == "float32" else f"-{projection['precision']}"
    return f"{kind}{nonzeros}-{projection['dim']}{precision}"


def other_kind(projection: dict, kind: str) -> dict:
    """Return a projection of another kind that is like ``projection`` otherwise."""
    return {**projection, "kind": kind, **({"dim": None} if kind == "identity" else {})}


def projections(settings: dict) -> dict[str, dict]:
    """Return every projection an experiment uses, by name: its own first, then those of the ablation."""
    main = settings["projection"]
    ablation = settings.get("ablation") or {}
    chosen = [main]
    chosen += [{**main, "dim": dim} for dim in ablation.get("dim", []) if main["kind"] != "identity"]
    # A main projection of no dimension of its own leaves none to compare other kinds at.
    for kind in ablation.get("projection", []) if main["kind"] != "identity" else []:
        chosen.append(other_kind(main, kind))
    chosen += [{**main, "preconditioner": name} for name in ablation.get("preconditioner", [])]
    return {projection_name(projection): projection for projection in chosen}
