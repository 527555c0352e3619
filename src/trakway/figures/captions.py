"""Pictures: what the reference model draws when it is told captions, a row for each class of them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from trakway.data.centred import to_bytes
from trakway.figures.lettering import written
from trakway.figures.pictures import Page
from trakway.figures.style import EDGE, styled
from trakway.report import figures

FIGURE = figures.Figure(
    section="Captions",
    title="what the reference model draws of captions",
    caption=(
        "Samples of the reference model, told the caption of a test picture each, in the order in which they were "
        "drawn; and how probable the domain's classifier finds the class of the caption on average. The autoencoder, "
        "unlike the models, has seen all training pictures."
    ),
    reads={
        "prompts": "captions/reference/{shard}/prompts.parquet",
        "pictures": "captions/reference/{shard}/pictures.npy",
        "table": "tables/captions.csv",
        "data": "data/meta.json",
    },
    needs=("caption", "image"),
)

SIDE, GAP = 0.8, 0.05  # inches
ACROSS = 10  # samples a row
NAMES, HEAD, FOOT = 3.1, 0.75, 0.35


@styled
def draw(
    prompts: Mapping[str, pd.DataFrame],
    pictures: Mapping[str, np.ndarray],
    table: pd.DataFrame,
    data: dict,
    title: str,
) -> Figure:
    """Draw the first samples of each class.

    Args:
        prompts: by shard, in each the same: ``caption`` and ``label`` of each sample.
        pictures: by shard, about [-1, 1], (models, samples, C, H, W); the first model is shown.
        table: of `trakway.validation.captions`.
        data: what is known of the data set: ``classes``.
        title: above the figure.
    """
    told, samples = next(iter(prompts.values())), next(iter(pictures.values()))[0]
    labels = sorted(told["label"].unique())
    agreement = table.loc[table["model"] == "reference", "agreement"].iloc[1:]  # below all: by class, as labels are
    page = Page(NAMES + ACROSS * (SIDE + GAP) + 0.2, HEAD + len(labels) * (SIDE + GAP) + FOOT)
    for row, (label, agreed) in enumerate(zip(labels, agreement, strict=True)):
        top = HEAD + row * (SIDE + GAP)
        rows = np.flatnonzero(told["label"] == label)[:ACROSS]
        page.write(
            0.2,
            top + SIDE / 2 - 0.08,
            f"“{written(told['caption'].iloc[rows[0]], NAMES - 0.4, 9)}”",
            9,
            va="center",
            wrap=False,
        )
        said = f"{written(data['classes'][label], NAMES - 1.2, 8)}: {agreed:.0%} agreement"
        page.write(0.2, top + SIDE / 2 + 0.12, said, 8, va="center", color=EDGE)
        for column, sample in enumerate(rows):
            page.image(NAMES + column * (SIDE + GAP), top, SIDE, to_bytes(samples[sample]))
    page.write(page.width / 2, 0.36, title, 12, ha="center")
    reading = "left: the caption of the first sample; the others are of the same class, in other wordings"
    page.write(0.2, page.height - 0.1, reading, 8.5, color=EDGE)
    return page.figure
