"""Residual networks, the parts of them, and torchvision's."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with norms and a shortcut (He et al., CVPR 2016); ``smooth``: see `SmallResNet`."""

    def __init__(self, inputs: int, outputs: int, stride: int, smooth: bool = False):
        super().__init__()
        self.bend = F.silu if smooth else F.relu
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = norm(outputs, smooth)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = norm(outputs, smooth)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.bend(self.norm1(self.conv1(x)))
        return self.bend(self.norm2(self.conv2(hidden)) + self.shortcut(x))


class SmallResNet(nn.Module):
    """A ResNet for CPUs: the stem quarters the resolution, each further width halves it once more but the first.

    ``smooth`` ones have group norm, SiLU and average pooling in place of batch norm, ReLU and max pooling.
    """

    def __init__(self, channels: int, classes: int, widths: Sequence[int], smooth: bool = False):
        super().__init__()
        self.bend, self.pool = (F.silu, F.avg_pool2d) if smooth else (F.relu, F.max_pool2d)
        self.stem = nn.Conv2d(channels, widths[0], 3, 2, 1, bias=False)
        self.norm = norm(widths[0], smooth)
        blocks = [
            ResidualBlock(inputs, outputs, 1 if i == 0 else 2, smooth)
            for i, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False))
        ]
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.bend(self.norm(self.stem(x))), 2)
        return self.fc(self.blocks(x).mean((2, 3)))


def norm(channels: int, smooth: bool) -> nn.Module:
    """Return batch norm, or a norm of each example by itself: group norm, of 8 groups where they divide."""
    return nn.GroupNorm(math.gcd(GROUPS, channels), channels) if smooth else nn.BatchNorm2d(channels)


class ConvBlock(nn.Sequential):
    """3×3 convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, padding: int = 1):
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )


class Residual(nn.Module):
    """``x + body(x)``."""

    def __init__(self, *body: nn.Module):
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class ResNet9(nn.Module):
    """The nine layers of `trakway.models.resnet9`."""

    def __init__(self, channels: int, classes: int, scale: float):
        super().__init__()
        self.features = nn.Sequential(
            ConvBlock(channels, 64),
            ConvBlock(64, 128, kernel=5, stride=2, padding=2),
            Residual(ConvBlock(128, 128), ConvBlock(128, 128)),
            ConvBlock(128, 256),
            nn.MaxPool2d(2),
            Residual(ConvBlock(256, 256), ConvBlock(256, 256)),
            ConvBlock(256, 128, padding=0),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
        )
        self.fc = nn.Linear(128, classes, bias=False)
        self.register_buffer("scale", torch.tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x)) * self.scale


def torchvision_resnet(name: str, channels: int, classes: int) -> nn.Module:
    """A ResNet of torchvision, untrained, its first layer made for other channels than three where there are."""
    import torchvision

    network = getattr(torchvision.models, name)(weights=None, num_classes=classes)
    if channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
    return network
