"""Fashion-MNIST with captions: every picture is described by its class, in four wordings."""

from trakway.data.captioned import Captioned
from trakway.data.fashion_mnist import CLASSES, open_fashion_mnist
from trakway.data.source import Source, Split
from trakway.plan.datasets import Dataset

DATASET = Dataset(kind="captioned", side=28)
THINGS = {
    "t-shirt": "a t-shirt",
    "trouser": "a pair of trousers",
    "pullover": "a pullover",
    "dress": "a dress",
    "coat": "a coat",
    "sandal": "a sandal",
    "shirt": "a shirt",
    "sneaker": "a sneaker",
    "bag": "a bag",
    "ankle boot": "an ankle boot",
}
# True of every picture: all are photos of a shop, made grey and cut out on black.
WORDINGS = (
    "a photo of {}",
    "{} on a black background",
    "a black and white photo of {}",
    "{}, photographed for an online shop",
)


def open_fashion_captions(dataset: dict) -> Source:
    """Find Fashion-MNIST wherever `trakway.data.fashion_mnist.open_fashion_mnist` does, and add the captions.

    Args:
        dataset: as there; an ``image_size`` of 32 suits networks that halve pictures five times.

    Raises:
        UserError: no place has the pictures asked for.
    """
    found = open_fashion_mnist(dataset)
    return Source("fashion_captions", found.licence, found.classes, _captioned(found.train), _captioned(found.test))


def captions_of(name: str) -> list[str]:
    """Return the captions of a class, plain first."""
    return [wording.format(THINGS[name]) for wording in WORDINGS]


def _captioned(split: Split) -> Split:
    captions = [captions_of(name) for name in CLASSES]
    of_pictures = [captions[label] for label in split.labels]
    return Split(Captioned(split.examples, of_pictures, "fashion_captions"), split.labels, split.ids)
