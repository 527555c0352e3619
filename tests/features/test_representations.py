import numpy as np
import torch

from trakway.features.representations import extract_representations


def test_are_what_the_last_layer_sees(task, members, models):
    loaders = [member.load for member in members]
    train, targets = extract_representations(task, loaders, task.target_batch, 5, 7)
    assert (train.dtype, targets.dtype) == (np.float32, np.float32)
    assert (train.shape, targets.shape) == ((2, 40, 8), (2, 5, 8))
    batches = task.train_batch(np.arange(40)), task.target_batch(np.arange(5))
    for m, model in enumerate(models):
        for found, batch in zip((train[m], targets[m]), batches, strict=True):
            with torch.no_grad():
                logits = model(batch[0])
            expected = found @ model.fc.weight.detach().numpy().T + model.fc.bias.detach().numpy()
            np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_chunks_change_nothing_beyond_rounding(task, members):
    loaders = [member.load for member in members]
    whole, *others = (extract_representations(task, loaders, task.target_batch, 5, chunk) for chunk in (1000, 1, 7))
    for other in others:
        for found, array in zip(other, whole, strict=True):
            np.testing.assert_allclose(found, array, rtol=1e-5, atol=1e-6 * np.abs(array).max())
