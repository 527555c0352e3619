"""Image classifiers by name."""

from torch import nn

from trakway.models.resnet import resnet9, resnet_small

MODELS = ("resnet_small", "resnet9", "resnet18", "resnet50")


def build_image_model(model: dict, channels: int, classes: int) -> nn.Module:
    """Build an untrained classifier: float images (B, channels, H, W) to logits (B, classes).

    Args:
        model: the ``model`` section of an experiment: ``name`` (one of `MODELS`) and the options of that model.
        channels: number of image channels.
        classes: number of classes.
    """
    options = {key: value for key, value in model.items() if key != "name" and value is not None}
    if model["name"] == "resnet_small":
        return resnet_small(channels, classes, **options)
    if model["name"] == "resnet9":
        return resnet9(channels, classes, **options)
    import torchvision

    network = getattr(torchvision.models, model["name"])(weights=None, num_classes=classes, **options)
    if channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
    return network
