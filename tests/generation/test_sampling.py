import numpy as np
import pytest
import torch

from trakway.generation.sampling import denoise, steps_below, torch_generator

SHAPE = (2, 4, 3)
STEPS = 20


def plain(noised, timestep, return_dict):
    """Predict noise from pixels and step, on the one hand so much that estimates of x_0 leave [-1, 1]."""
    assert not return_dict
    return (torch.tanh(noised) * (0.5 + timestep / STEPS) + 0.1,)


def scheduler_of(sampling_steps=STEPS, **options):
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(num_train_timesteps=STEPS, beta_schedule="squaredcos_cap_v2", **options)
    scheduler.set_timesteps(sampling_steps)
    return scheduler


def generators(step, samples=(0, 1, 2)):
    return [torch_generator(3, "test", sample, step) for sample in samples]


def start_of(samples=(0, 1, 2)):
    noise = [torch.randn(SHAPE, generator=generator, dtype=torch.float64) for generator in generators(STEPS, samples)]
    return torch.stack(noise)


def ancestral(noisy, alphas, steps):
    """Sample by hand: Ho et al. (2020), equations 6 and 7, with the estimate of x_0 of equation 15 in [-1, 1]."""
    way = []
    for step, following in zip(steps, [*steps[1:], -1], strict=True):
        bar, bar_before = alphas[step], alphas[following] if following >= 0 else 1.0
        alpha = bar / bar_before
        beta = 1 - alpha
        estimate = (noisy - np.sqrt(1 - bar) * plain(noisy, step, False)[0]) / np.sqrt(bar)
        way.append((step, noisy, estimate.clamp(-1, 1)))
        ahead, back = np.sqrt(bar_before) * beta / (1 - bar), np.sqrt(alpha) * (1 - bar_before) / (1 - bar)
        noise = [torch.randn(SHAPE, generator=generator, dtype=torch.float64) for generator in generators(step)]
        sigma = np.sqrt((1 - bar_before) / (1 - bar) * beta)
        noisy = ahead * way[-1][2] + back * noisy + sigma * torch.stack(noise)
    return [*way, (-1, noisy, noisy)]


# All steps of the schedule; every other one; and from one of these on.
@pytest.mark.parametrize(("sampling_steps", "start"), [(20, None), (10, None), (10, 12), (20, 7), (5, 0)])
def test_against_ancestral_sampling_by_hand(sampling_steps, start):
    betas = scheduler_of().betas.double().numpy()
    steps = [step for step in range(0, STEPS, STEPS // sampling_steps) if start is None or step <= start][::-1]
    assert steps_below(scheduler_of(sampling_steps), start) == steps
    noisy = start_of()
    expected = ancestral(noisy, np.cumprod(1 - betas), steps)
    found = list(denoise(plain, scheduler_of(sampling_steps), noisy, generators, start))
    assert [step for step, _, _ in found] == [*steps, -1]
    for (_, x, estimate), (_, x_by_hand, estimate_by_hand) in zip(found, expected, strict=True):
        torch.testing.assert_close(x, x_by_hand, rtol=1e-4, atol=1e-4)  # diffusers' alphas are float32
        torch.testing.assert_close(estimate, estimate_by_hand, rtol=1e-4, atol=1e-4)
    assert torch.equal(found[-1][1], found[-1][2])
    if start is None:
        clipped = (found[0][2].abs() == 1).double().mean()
        assert clipped > 0.5
        assert (found[-2][2].abs() < 1).any()


def test_without_clipping():
    (step, noisy, estimate), *_ = denoise(plain, scheduler_of(clip_sample=False), start_of(), generators)
    bar = scheduler_of().alphas_cumprod.double()[step]
    expected = (noisy - (1 - bar).sqrt() * plain(noisy, step, False)[0]) / bar.sqrt()
    torch.testing.assert_close(estimate, expected, rtol=1e-5, atol=1e-5)
    assert estimate.abs().max() > 1


def test_a_sample_does_not_depend_on_the_others():
    *_, (_, together, _) = denoise(plain, scheduler_of(), start_of(), generators)
    for sample in range(3):
        *_, (_, alone, _) = denoise(
            plain, scheduler_of(), start_of([sample]), lambda step, one=sample: generators(step, [one])
        )
        assert torch.equal(alone[0], together[sample])
    assert len({tuple(sample.flatten().tolist()) for sample in together}) == 3


def test_taken_up_on_the_way():
    *way, (_, final, _) = denoise(plain, scheduler_of(), start_of(), generators)
    for step, noisy, _ in way:
        *_, (_, again, _) = denoise(plain, scheduler_of(), noisy, generators, step)
        assert torch.equal(again, final)


def test_no_gradients_are_kept():
    weight = torch.ones((), requires_grad=True)
    for _, noisy, estimate in denoise(lambda x, *_, **__: (weight * x,), scheduler_of(5), start_of(), generators):
        assert not noisy.requires_grad
        assert not estimate.requires_grad


def test_a_generator_is_its_name():
    names = [(0, "a", 1, 2), (1, "a", 1, 2), (0, "b", 1, 2), (0, "a", 2, 1), (0, "a", 1)]
    drawn = [tuple(torch.randn(4, generator=torch_generator(*name)).tolist()) for name in names]
    assert drawn == [tuple(torch.randn(4, generator=torch_generator(*name)).tolist()) for name in names]
    assert len(set(drawn)) == 5
