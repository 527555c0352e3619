"""The nine-layer ResNet of the TRAK and datamodels papers' CIFAR experiments (Park et al., 2023, appendix C)."""

from torch import nn

from trakway.models.resnet import ResNet9


def build(shape: tuple[int, int, int], classes: int, *, scale: float = 0.2) -> nn.Module:
    """Build it for 28 to 32 pixel images: 2.3 million parameters; ``scale`` multiplies the logits."""
    return ResNet9(shape[0], classes, scale)
