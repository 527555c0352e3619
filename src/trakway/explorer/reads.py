"""What the explorer of an experiment is made from: files and settings, by the traits of its modality.

Light on purpose: the workflow asks for it.
"""

from trakway.attribution.inputs import INPUTS
from trakway.plan import main_method, methods_of
from trakway.report.parts import Part

CAPTION = (
    "The attributions of this experiment to look at: every target with the training examples behind it by any method, "
    "beside what retraining measured of them; the way back from a training example to the targets that it moves."
)

PARTS = (
    Part(
        section="Explorer",
        caption=CAPTION,
        reads={
            "data": "data/",
            "targets": "targets/",
            "scores": "scores/{method}.npy",
            "masks": "subsets/evaluation.npy",
            "bank": "outputs/evaluation/{shard}.npy",
            "reference": "outputs/reference/{shard}.npy",
            "retrained": "outputs/removal/{shard}.npy",
            "rows": "subsets/removal.parquet",
            "lds": "tables/lds.csv",
            "lds_targets": "tables/lds_targets.csv",
            "cost": "tables/cost.csv",
            "removal": "tables/removal.csv",
            "provenance": "provenance.json",
        },
        settings={
            "name": "name",
            "description": "description",
            "seed": "seed",
            "level": "lds.level",
            "resamples": "lds.resamples",
            "removal_settings": "removal",
            "paired": "training.paired",
            "border": "{border}",
            "main": "{main}",
            "steps_only": "{steps_only}",
        },
    ),
    Part(
        section="Explorer",
        caption=CAPTION,
        reads={"brittleness": "tables/brittleness.csv"},
        needs=("border",),
    ),
    Part(
        section="Explorer",
        caption=CAPTION,
        reads={
            "completions": "completions/{reference,removal}/{shard}/pictures.npy",
            "completions_index": "completions/{reference,removal}/{shard}/index.parquet",
            "emergence": "tables/emergence.csv",
            "shift": "tables/shift.csv",
        },
        settings={"patches": "journey.patches"},
        needs=("steps",),
    ),
    Part(section="Explorer", caption=CAPTION, reads={"lds_fixed": "tables/lds_fixed.csv"}, given="bank.fixed"),
    Part(
        section="Explorer",
        caption=CAPTION,
        reads={
            "reference_fixed": "outputs/reference_fixed/{shard}.npy",
            "retrained_fixed": "outputs/removal_fixed/{shard}.npy",
        },
        given="removal.fixed",
    ),
    Part(section="Explorer", caption=CAPTION, reads={"caption_words": "tables/caption_words.csv"}, needs=("caption",)),
)
"""What `trakway.explorer.build.Experiment` is made of by name, a part for all experiments and further ones for some."""


def parts_of(settings: dict) -> list[Part]:
    """Return the parts that an experiment has."""
    return [part for part in PARTS if part.belongs(settings)]


def feature_files(settings: dict) -> list[str]:
    """Return the features of TRAK's estimator where the main method is one of it, below the experiment's folder.

    None otherwise: another method has no self-influence that could be read off its features.
    """
    main = methods_of(settings)[main_method(settings)]
    fits = "features" in main.method.reads and "ridge" in main.options
    return INPUTS["features"].files(settings) if fits else []
