"""Tests of the training curves."""

import numpy as np
import pandas as pd

from trakway.figures.training import training


def curves(models=(5, 1)):
    rows = [
        (ensemble, index, epoch, 1 / epoch + index / 10, 0.5 + epoch / 20)
        for ensemble, count in zip(("members", "evaluation"), models, strict=True)
        for index in range(count)
        for epoch in (1, 2, 3, 4)
    ]
    return pd.DataFrame(rows, columns=["ensemble", "index", "epoch", "loss", "accuracy"])


def test_median_of_each_ensemble(check):
    figure = training(curves())
    check(figure)
    loss, accuracy = figure.axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("Loss", "Accuracy")
    assert loss.get_xlabel() == accuracy.get_xlabel() == "Epoch"
    members, evaluation = loss.lines
    np.testing.assert_allclose(members.get_ydata(), 1 / np.arange(1, 5) + 0.2)
    np.testing.assert_allclose(evaluation.get_ydata(), 1 / np.arange(1, 5))
    assert [line.get_label() for line in loss.lines] == ["Members (5 models)", "Evaluation (1 model)"]
    assert members.get_linestyle() != evaluation.get_linestyle()
    assert len(accuracy.collections) == 2


def test_accuracy_of_the_last_epoch_only(check):
    table = curves()
    table.loc[table["epoch"] < 4, "accuracy"] = np.nan
    figure = training(table)
    check(figure)
    assert list(figure.axes[1].lines[0].get_xdata()) == [4]
