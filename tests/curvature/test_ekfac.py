"""EK-FAC and conjugate gradients against matrices written out, and influences against autograd."""

import pytest
import torch
from torch import nn

from trakway.curvature.conjugate import conjugate_gradients, product
from trakway.curvature.drawn import Drawn
from trakway.curvature.ekfac import Ekfac
from trakway.curvature.influence import Influence
from trakway.gradients import layers

FACTORS = torch.tensor([0.1, 1.0])


@pytest.fixture(scope="module")
def ekfac(drawn):
    return Ekfac(drawn)


@pytest.fixture(scope="module")
def rows(gradients):
    return torch.randn(2, gradients.shape[1], generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        (nn.Linear(3, 4), torch.randn(1, 5, 3)),
        (nn.Conv2d(2, 4, 3, 2, 1, dilation=2), torch.randn(1, 2, 7, 6)),
        (nn.Conv2d(3, 2, 1), torch.randn(1, 3, 4, 4)),
    ],
)
def test_the_sides_of_a_layer_make_its_gradient(module, inputs):
    outputs = module(inputs)
    slope = torch.randn_like(outputs)
    left, right = layers.sides(module, inputs, slope)
    expected = torch.autograd.grad((outputs * slope).sum(), module.weight)[0]
    torch.testing.assert_close(left.T @ right, expected.flatten(1))


def test_bases_are_those_of_inputs_and_output_gradients(drawn, ekfac, network):
    """Of the last layer, whose inputs and output gradients a hook sees."""
    inputs, slopes = [], []
    layer = network[4]
    first = layer.register_forward_hook(lambda module, seen, output: inputs.append(seen[0].detach()))
    second = layer.register_full_backward_hook(lambda module, before, after: slopes.append(after[0].detach()))
    for batch in drawn.batches():
        drawn.scored.output(network, batch).sum().backward()
    first.remove()
    second.remove()
    network.zero_grad()
    names = [name for name, _ in network.named_parameters()]
    for basis, seen in zip(ekfac.bases[names.index("4.weight")], (slopes, inputs), strict=True):
        vectors = torch.cat(seen[: len(slopes)] if seen is slopes else seen).double()
        moment = basis.double().T @ (vectors.T @ vectors) @ basis.double()
        off = moment - moment.diag().diag()
        assert off.norm() < 1e-5 * moment.norm()


def test_eigenvalues_are_second_moments_in_orthogonal_bases(ekfac, gradients):
    for pair, values, part in zip(ekfac.bases, ekfac.values, ekfac.matrices(gradients), strict=True):
        left, right = (
            torch.eye(side, dtype=torch.float64) if basis is None else basis.double()
            for basis, side in zip(pair, values.shape, strict=True)
        )
        for basis in (left, right):
            torch.testing.assert_close(basis.T @ basis, torch.eye(len(basis), dtype=torch.float64), atol=1e-5, rtol=0)
        expected = (left.T @ part @ right).square().mean(0)
        torch.testing.assert_close(values.double(), expected, rtol=1e-3, atol=1e-7 * float(expected.max()))


def test_solve_inverts_the_damped_matrix(ekfac, rows):
    solved = ekfac.solve(rows, FACTORS)
    back = []
    for turned, pair, values in zip(ekfac.rotated(solved), ekfac.bases, ekfac.values, strict=True):
        changed = turned * (values + (FACTORS * values.mean())[:, None, None])
        left, right = (torch.eye(s) if b is None else b for b, s in zip(pair, values.shape, strict=True))
        back.append((left @ changed @ right.T).flatten(1))
    torch.testing.assert_close(torch.cat(back, dim=1), rows, rtol=1e-3, atol=1e-4)


def test_the_product_is_with_the_second_moment(drawn, gradients, rows):
    expected = rows.double() @ gradients.T @ gradients / len(gradients)
    torch.testing.assert_close(product(drawn, rows).double(), expected, rtol=1e-3, atol=1e-6)


def damped(ekfac, gradients, factor):
    matrix = gradients.T @ gradients / len(gradients)
    return matrix + ekfac.dampings(torch.tensor([factor]))[0].double().diag()


def test_conjugate_gradients_solve(drawn, ekfac, gradients, rows):
    found = conjugate_gradients(drawn, ekfac, rows, FACTORS, 60)
    for row, solution, factor in zip(rows, found, FACTORS, strict=True):
        expected = torch.linalg.solve(damped(ekfac, gradients, factor), row.double())
        assert (solution - expected).norm() < 1e-3 * expected.norm()


def test_more_iterations_come_closer(drawn, ekfac, gradients, rows):
    expected = torch.linalg.solve(damped(ekfac, gradients, 0.1), rows[0].double())
    errors = [
        float((conjugate_gradients(drawn, ekfac, rows[:1], FACTORS[:1], n)[0] - expected).norm()) for n in (1, 5, 20)
    ]
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize("kind", ["ekfac", "ekfac_cg"])
def test_influences_are_what_autograd_says(pictures, network, drawn, ekfac, gradients, tmp_path, kind):
    settings = {"drawn": drawn.count, "iterations": 60}
    influence = Influence(pictures, lambda: network, settings, [0.1, 1.0], kind, 3, 60)
    influence.write(tmp_path / "scores.npy", "mark")
    found = torch.from_numpy(influence.scores(slice(0, 12)))

    def slopes(values):
        gradient = [torch.autograd.grad(value, list(network.parameters()), retain_graph=True) for value in values]
        return torch.stack([torch.cat([part.flatten() for part in parts]) for parts in gradient])

    outputs = slopes(pictures.output(network, pictures.batch("test", pictures.target_rows)))
    losses = slopes(pictures.losses(network, pictures.batch("train", torch.arange(12).numpy())))
    for scores, factor in zip(found, (0.1, 1.0), strict=True):
        if kind == "ekfac":
            solved = ekfac.solve(outputs, torch.full((3,), factor)).double()
        else:
            solved = torch.linalg.solve(damped(ekfac, gradients, factor), outputs.double().T).T
        expected = -solved @ losses.double().T
        assert (scores - expected).norm() < 5e-3 * expected.norm()  # what float32 leaves of a matrix this ill


def test_the_size_of_blocks_changes_nothing_beyond_rounding(pictures, network):
    settings = {"drawn": 30, "iterations": 3}
    few, many = (
        torch.from_numpy(
            Influence(pictures, lambda: network, settings, [0.1, 1.0], "ekfac_cg", 3, *limits).scores(slice(0, 12))
        )
        for limits in ((2, 1e-4), (30, 2000))
    )
    torch.testing.assert_close(few, many, rtol=1e-3, atol=1e-5 * float(many.abs().max()))


def test_a_parameter_that_nothing_depends_on_gets_no_score(pictures):
    model = pictures.new_model(0).eval()
    model.unused = nn.Parameter(torch.ones(4, 2))
    settings = {"drawn": 30, "iterations": 3}
    for kind in ("ekfac", "ekfac_cg"):
        influence = Influence(pictures, lambda: model, settings, [0.1], kind, 3, 10)
        assert torch.isfinite(influence.solved).all()
        names = pictures.attributed(model)
        place = sum(model.get_parameter(name).numel() for name in names[: names.index("unused")])
        assert (influence.solved[:, place : place + 8] == 0).all()


class Shifted(nn.Module):
    """Adds a number to all logits alike, by a parameter whose gradient is rounding errors alone."""

    def __init__(self, network):
        super().__init__()
        self.network, self.shift = network, nn.Linear(1, 8)

    def forward(self, pictures):
        return self.network(pictures) + self.shift(torch.ones(len(pictures), 1)).sum(1, keepdim=True)


def test_a_parameter_that_changes_nothing_gets_no_score(pictures, network):
    """And leaves those of the others as they are."""
    model = Shifted(network).eval()
    settings = {"drawn": 60, "iterations": 10}
    drawn = Drawn(pictures, model, 60, 30)
    gradients = torch.cat(list(drawn.gradients()))[:, -16:]
    assert 0 < gradients.abs().max() < 1e-5
    for kind in ("ekfac", "ekfac_cg"):
        found, alone = (
            Influence(pictures, lambda one=one: one, settings, [0.1], kind, 3, 10) for one in (model, network)
        )
        assert (found.solved[:, -16:] == 0).all()
        expected = torch.from_numpy(alone.scores(slice(0, 12)))
        assert (torch.from_numpy(found.scores(slice(0, 12))) - expected).norm() < 0.01 * expected.norm()
