"""ResNet-18 (He et al., CVPR 2016), as torchvision builds it."""

from torch import nn

from trakway.models.resnet import torchvision_resnet


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Build it for large images, about 224 pixels a side."""
    return torchvision_resnet("resnet18", shape[0], classes)
