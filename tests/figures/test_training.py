"""Tests of the training figure."""

import numpy as np
import pandas as pd
import pytest

from trakway.figures.training import draw, training


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


@pytest.mark.parametrize("empty", [True, False])
def test_a_task_with_neither_accuracy_nor_test_loss_shows_final_training_losses(check, empty):
    curves, models = tables()
    models = models.drop(columns="accuracy").assign(loss=0.25 + models["index"] / 10)
    figure = training(curves, models.assign(accuracy=np.nan) if empty else models)
    check(figure)
    loss, final = figure.axes
    assert final.get_ylabel() == "Training loss of the final model"
    np.testing.assert_allclose(final.lines[1].get_ydata(), [0.45])
    assert len(loss.lines) == 2


def test_an_ensemble_with_nothing_to_show_is_named():
    curves, models = tables()
    models.loc[models["ensemble"] == "evaluation", "accuracy"] = np.nan
    note = training(curves, models).get_supxlabel()
    assert note.endswith("not drawn: evaluation")


def test_curves_come_by_shard():
    curves, models = tables()
    shards = {f"{name}/0": part for name, part in curves.groupby("ensemble", sort=False)}
    drawn, whole = draw(shards, models, title="title"), training(curves, models)
    assert drawn.get_suptitle() == "title"
    for one, other in zip(drawn.axes[0].lines, whole.axes[0].lines, strict=True):
        np.testing.assert_array_equal(one.get_ydata(), other.get_ydata())
