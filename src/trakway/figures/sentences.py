"""Texts: target texts with the training texts that helped and harmed them most, as a page to read."""

from collections.abc import Mapping
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd

from trakway.data.texts import TextData
from trakway.figures.extremes import extremes
from trakway.figures.pictures import score_format
from trakway.figures.style import number
from trakway.metrics.effects import effect
from trakway.metrics.lds import by_subset
from trakway.report import figures

FIGURE = figures.Figure(
    section="Examples",
    title="training texts behind a prediction, by {main}",
    caption=(
        "For a few targets, the training texts that the main method names as most helpful and most harmful, with their "
        "scores, and what the bank says of each: the mean margin of the target over models that saw it, less that over "
        "models that did not, ± its standard error."
    ),
    reads={
        "data": "data/",
        "targets": "targets/targets.parquet",
        "scores": "scores/{main}.npy",
        "reference": "outputs/reference/{shard}.npy",
        "masks": "subsets/evaluation.npy",
        "bank": "outputs/evaluation/{shard}.npy",
    },
    settings={"count": "display.targets", "examples": "display.examples"},
    needs=("text",),
    form="page",
)
LONG = 400  # characters; of longer texts the rest is folded away
TEMPLATE = Path(__file__).with_suffix(".html")


def draw(
    data: Path,
    targets: pd.DataFrame,
    scores: np.ndarray,
    reference: Mapping[str, np.ndarray],
    masks: np.ndarray,
    bank: Mapping[str, np.ndarray],
    count: int,
    examples: int,
    title: str,
) -> str:
    """Return a page of HTML that needs nothing beside it.

    Args:
        data: folder of the prepared data.
        targets: table of targets, the evaluated ones first.
        scores: (targets × n) of the method.
        reference: by shard: (models × targets), margins of models trained on everything.
        masks: bool (subsets × n) of the bank.
        bank: by shard: (models × targets), margins of the bank's models, those of a subset one after the other.
        count: targets to show.
        examples: training texts of each side.
        title: above the page.
    """
    texts = TextData.load(data)
    margins = np.concatenate([*reference.values()]).mean(0)
    outputs = by_subset(np.concatenate([*bank.values()]), len(masks)).mean(1)
    picks = extremes(scores, np.arange(min(count, len(targets))), examples)
    form = score_format(picks["score"].to_numpy())
    shown = []
    for target in targets.head(count).itertuples():
        own = _text(texts, "test", target.row)
        sides = {side: [] for side in ("helpful", "harmful")}
        for pick in picks[picks["target"] == target.target].itertuples():
            difference, error = (value[target.target] for value in effect(masks, outputs, pick.row))
            measured = "" if np.isnan(error) else f"{number(difference, '+.2f')} ± {number(error, '.2f')}"
            example = _text(texts, "train", pick.row)
            other = example["label"] != own["label"]
            sides[pick.side].append(example | {"score": number(pick.score, form), "measured": measured, "other": other})
        margin = margins[target.target]
        verdict = "right" if margin > 0 else "wrong"
        shown.append(own | {"margin": number(margin, "+.2f"), "verdict": verdict, "sides": sides})
    template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        TEMPLATE.read_text()
    )
    return template.render(title=title, targets=shown, subsets=len(masks), most=LONG)


def _text(texts: TextData, split: str, row: int) -> dict[str, str]:
    pair = texts.pairs[split][row] if texts.pairs else ""
    return {"text": texts.texts[split][row], "pair": pair, "label": texts.classes[texts.labels[split][row]]}
