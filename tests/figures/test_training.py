"""Tests of the training figure."""

import numpy as np
import pandas as pd

from trakway.figures.training import training


def tables(counts=(5, 1)):
    rows = [
        (ensemble, index, epoch, 1 / epoch + index / 10)
        for ensemble, count in zip(("members", "evaluation"), counts, strict=True)
        for index in range(count)
        for epoch in (1, 2, 3, 4)
    ]
    curves = pd.DataFrame(rows, columns=["ensemble", "index", "epoch", "loss"])
    models = curves[["ensemble", "index"]].drop_duplicates()
    return curves, models.assign(accuracy=0.5 + models["index"] / 10)


def test_median_of_each_ensemble(check):
    figure = training(*tables())
    check(figure)
    loss, accuracy = figure.axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("Training loss", "Test accuracy")
    members, evaluation = loss.lines
    np.testing.assert_allclose(members.get_ydata(), 1 / np.arange(1, 5) + 0.2)
    np.testing.assert_allclose(evaluation.get_ydata(), 1 / np.arange(1, 5))
    assert members.get_linestyle() != evaluation.get_linestyle()


def test_final_accuracy_of_each_ensemble(check):
    figure = training(*tables())
    check(figure)
    accuracy = figure.axes[1]
    assert [label.get_text() for label in accuracy.get_xticklabels()] == ["Members\n5 models", "Evaluation\n1 model"]
    bar, mark = accuracy.lines[:2]
    np.testing.assert_allclose(bar.get_ydata(), np.quantile([0.5, 0.6, 0.7, 0.8, 0.9], [0.05, 0.95]))
    np.testing.assert_allclose(mark.get_ydata(), [0.7])


def test_a_diffusion_experiment_shows_test_losses_and_no_classifier(check):
    curves, models = tables()
    domain = curves[curves["ensemble"] == "evaluation"].assign(ensemble="domain")
    models["test_loss"] = 1 - models["accuracy"]
    models["accuracy"] = np.nan
    classifier = pd.DataFrame({"ensemble": ["domain"], "index": 0, "accuracy": 0.9425, "test_loss": np.nan})
    figure = training(pd.concat([curves, domain]), pd.concat([models, classifier]))
    check(figure)
    loss, final = figure.axes
    assert final.get_ylabel() == "Test loss"
    assert [label.get_text() for label in final.get_xticklabels()] == ["Members\n5 models", "Evaluation\n1 model"]
    np.testing.assert_allclose(final.lines[1].get_ydata(), [0.3])
    assert len(loss.lines) == 2
    assert "not drawn: domain, test accuracy 94.2 %" in figure.get_supxlabel()
