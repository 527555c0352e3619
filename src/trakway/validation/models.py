"""Every model that was trained, with its training size, final loss and quality on the test split."""

from collections.abc import Mapping

import pandas as pd

from trakway.report.tables import Table

TABLE = Table(
    section="Models",
    caption=(
        "Every model that was trained: ensemble, subset, seed, training size, quality on the test split, final "
        "training loss."
    ),
    reads={"models": "outputs/{ensemble}/{shard}.models.parquet"},
)

COLUMNS = ["ensemble", "index", "subset", "seed", "train_size", "accuracy", "test_loss", "reconstruction_error", "loss"]


def make(models: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Join the tables of models, which come by ensemble and shard; of ``COLUMNS`` those that there are."""
    table = pd.concat([*models.values()])
    return table[[column for column in COLUMNS if column in table]]
