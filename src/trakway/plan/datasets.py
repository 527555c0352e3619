"""What is known of a data set before it is opened."""

from dataclasses import dataclass

from trakway.plan.declarations import declared
from trakway.plan.places import place

VARIABLE = "DATASET"


@dataclass(frozen=True)
class Dataset:
    """What a data set says of itself: ``DATASET = Dataset(...)`` in the file of the function that opens it.

    Attributes:
        kind: of its examples: ``images``, ``texts``, or ``captioned``, which are images with captions.
        side: of its images in pixels; None where only the data tell.
        channels: of its images; likewise.
        train_size, test_size: how many examples it has; None where only the data tell.
        classes: how many it has; None where only the data tell.
        captions: how many each image has, on average.
        varied: whether its images differ in size, so that an experiment must choose one.
        remote: whether opening it may take a download or minutes: forecasts go by what is said here.
    """

    kind: str = "images"
    side: int | None = None
    channels: int | None = None
    train_size: int | None = None
    test_size: int | None = None
    classes: int | None = None
    captions: int = 1
    varied: bool = False
    remote: bool = False

    def serves(self, kind: str) -> bool:
        """Whether a task that wants examples of ``kind`` can use it: images with captions are images too."""
        return self.kind == kind or (self.kind, kind) == ("captioned", "images")


def dataset_of(settings: dict) -> Dataset:
    """Return what is known of an experiment's data set."""
    return declared(place("dataset", settings["dataset"]["name"]).file, VARIABLE, Dataset) or Dataset()
