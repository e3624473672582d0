"""Networks of the published results, as functions of input shape, classes and time steps."""

from nmsim.network.layers import AvgPool, Conv, Dense, GlobalAvgPool, Layer, Residual
from nmsim.network.spec import NetworkSpec

Shape = tuple[int, ...]


def dense(*sizes: int, time_steps: int = 6) -> NetworkSpec:
    """Fully connected network, e.g. `dense(784, 256, 10)`.

    >>> net = dense(784, 256, 10)
    >>> [layer.weights for layer in net.synaptic_layers]
    [200704, 2560]
    """
    layers = tuple(Dense(kind="dense", units=size) for size in sizes[1:])
    name = "-".join(map(str, sizes))
    return NetworkSpec(name=name, input_shape=sizes[:1], time_steps=time_steps, layers=layers)


def lenet5(input_shape: Shape = (1, 28, 28), classes: int = 10, time_steps: int = 6) -> NetworkSpec:
    """LeNet-5-like: 6C5-AP2-16C5-AP2-120-84-classes, first convolution padded by 2, average pools."""
    layers: tuple[Layer, ...] = (
        Conv(kind="conv", channels=6, kernel=5, padding=2),
        AvgPool(kind="avg_pool", size=2),
        Conv(kind="conv", channels=16, kernel=5),
        AvgPool(kind="avg_pool", size=2),
        *(Dense(kind="dense", units=units) for units in (120, 84, classes)),
    )
    return NetworkSpec(name="lenet5", input_shape=input_shape, time_steps=time_steps, layers=layers)


def vgg11(input_shape: Shape = (3, 32, 32), classes: int = 10, time_steps: int = 6) -> NetworkSpec:
    """VGG-11: 64-AP-128-AP-256-256-AP-512-512-AP-512-512-AP-GAP-classes, all 3x3, padding 1."""
    layers: list[Layer] = []
    for channels in ((64,), (128,), (256, 256), (512, 512), (512, 512)):
        layers += [Conv(kind="conv", channels=count, kernel=3, padding=1) for count in channels]
        layers.append(AvgPool(kind="avg_pool", size=2))
    layers += [GlobalAvgPool(kind="global_avg_pool"), Dense(kind="dense", units=classes)]
    return NetworkSpec(name="vgg11", input_shape=input_shape, time_steps=time_steps, layers=tuple(layers))


def vgg11_wide(input_shape: Shape = (3, 32, 32), classes: int = 10, time_steps: int = 6) -> NetworkSpec:
    """VGG-11 as most comparisons space it: 64-128-AP-256-256-AP-512-512-AP-512-512-GAP-classes."""
    layers: list[Layer] = []
    for channels in ((64, 128), (256, 256), (512, 512), (512, 512)):
        layers += [Conv(kind="conv", channels=count, kernel=3, padding=1) for count in channels]
        layers.append(AvgPool(kind="avg_pool", size=2))
    layers[-1:] = [GlobalAvgPool(kind="global_avg_pool"), Dense(kind="dense", units=classes)]
    return NetworkSpec(
        name="vgg11-wide", input_shape=input_shape, time_steps=time_steps, layers=tuple(layers)
    )


def resnet18(input_shape: Shape = (3, 32, 32), classes: int = 100, time_steps: int = 6) -> NetworkSpec:
    """ResNet-18: 3x3-64 stem, four stages of two blocks, strides 1/2/2/2, 1x1 shortcuts, global pool."""
    layers: list[Layer] = [Conv(kind="conv", channels=64, kernel=3, padding=1)]
    for stage, channels in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = (Conv(kind="conv", channels=channels, kernel=1, stride=2),) if stride == 2 else ()
            body = (
                Conv(kind="conv", channels=channels, kernel=3, stride=stride, padding=1),
                Conv(kind="conv", channels=channels, kernel=3, padding=1),
            )
            layers.append(Residual(kind="residual", body=body, shortcut=shortcut))
    layers += [GlobalAvgPool(kind="global_avg_pool"), Dense(kind="dense", units=classes)]
    return NetworkSpec(name="resnet18", input_shape=input_shape, time_steps=time_steps, layers=tuple(layers))
