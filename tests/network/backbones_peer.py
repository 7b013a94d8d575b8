#!/usr/bin/env python3
"""Features of converted backbones against the published networks: both packages' weights through `yolov7 convert` and this project's reference
interpreter, and through PyTorch's operators in networks that are written down here, with the packages' names, padding, epsilon and normalisation.
That a network here is the published one shows in what it says of two photographs.
Usage: backbones_peer.py YOLOV7, with the fixture in $YOLOV7_BACKBONE_FIXTURE. Runs in $YOLOV7_TORCH_PYTHON, else /usr/bin/python3. Skipped (77) where that has no
torch, or the packages are missing ($YOLOV7_BACKBONES: a folder with the two .pth files; else those that scripts/setup installs for peers)."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import torch_python

root = pathlib.Path(__file__).resolve().parent.parent.parent
shared = pathlib.Path(os.environ.get("YOLOV7_SHARED_DIR", root.parent / "shared"))
side = 224
# Places in ImageNet's list of classes: malamute; police van, minibus, trolleybus.
photographs = {"dog.jpg": {249}, "bus.jpg": {734, 654, 874}}
# expansion, channels, repeats, stride of the first, kernel
mobilenet_rows = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3), (6, 96, 3, 1, 3), (6, 160, 3, 2, 3), (6, 320, 1, 1, 3)]
efficientnet_rows = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)]
file_names = ["mobilenet_v2-b0353104.pth", "efficientnet-lite0-57934424.pth"]


def weights_file(name):
    given = os.environ.get("YOLOV7_BACKBONES")
    if given:
        return pathlib.Path(given) / name
    return next((root / ".deps/peers/lib").glob(f"python3*/site-packages/*/*/{name}"), pathlib.Path(name))


class Published:
    """A network as its publisher defines it, in float64. `same`: TensorFlow's padding, by which an even side is padded below and at the right."""

    def __init__(self, state, epsilon, mean, deviation, rows, same):
        import torch

        self.state = {name: tensor.double() for name, tensor in state.items()}
        self.epsilon, self.rows, self.same = epsilon, rows, same
        self.mean, self.deviation = (torch.tensor(numbers, dtype=torch.float64).view(1, 3, 1, 1) for numbers in (mean, deviation))

    def convolve(self, x, name, stride=1):
        import torch.nn.functional as F

        weight = self.state[name + ".weight"]
        kernel, groups = weight.shape[2], x.shape[1] // weight.shape[1]
        if self.same:
            total = max((-(-x.shape[2] // stride) - 1) * stride + kernel - x.shape[2], 0)
            x = F.pad(x, [total // 2, total - total // 2] * 2)
            return F.conv2d(x, weight, None, stride, 0, 1, groups)
        return F.conv2d(x, weight, None, stride, kernel // 2, 1, groups)

    def normalise(self, x, name):
        import torch.nn.functional as F

        part = [self.state[f"{name}.{leaf}"] for leaf in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *part, False, 0.0, self.epsilon)

    def unit(self, x, convolution, norm, stride=1, active=True):
        y = self.normalise(self.convolve(x, convolution, stride), norm)
        return y.clamp(0, 6) if active else y

    def run(self, image):
        """The maps of strides 8, 16 and 32, and the probabilities of the classes."""
        x = self.unit((image.double() - self.mean) / self.deviation, *self.stem(), 2)
        number, maps = 0, []
        for expansion, channels, repeats, stride, _ in self.rows:
            for i in range(repeats):
                expand, depthwise, project = self.names(number)
                y = self.unit(x, *expand) if expansion > 1 else x
                y = self.unit(self.unit(y, *depthwise, stride if i == 0 else 1), *project, active=False)
                x = x + y if y.shape == x.shape else y
                number += 1
            maps.append(x)
        y = self.unit(x, *self.last()).mean((2, 3))
        name = self.classifier()
        return [maps[2], maps[4], maps[6]], (y @ self.state[name + ".weight"].T + self.state[name + ".bias"]).softmax(1)


class MobileNet(Published):
    def __init__(self, state):
        super().__init__(state, 1e-5, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), mobilenet_rows, False)

    def stem(self):
        return "features.0.0", "features.0.1"

    def names(self, number):
        at = f"features.{number + 1}.conv"
        if number == 0:
            return None, (f"{at}.0.0", f"{at}.0.1"), (f"{at}.1", f"{at}.2")
        return (f"{at}.0.0", f"{at}.0.1"), (f"{at}.1.0", f"{at}.1.1"), (f"{at}.2", f"{at}.3")

    def last(self):
        return "features.18.0", "features.18.1"

    def classifier(self):
        return "classifier.1"


class EfficientNet(Published):
    def __init__(self, state):
        super().__init__(state, 1e-3, (127 / 255,) * 3, (128 / 255,) * 3, efficientnet_rows, True)

    def stem(self):
        return "_conv_stem", "_bn0"

    def names(self, number):
        at = f"_blocks.{number}."
        return (at + "_expand_conv", at + "_bn0"), (at + "_depthwise_conv", at + "_bn1"), (at + "_project_conv", at + "_bn2")

    def last(self):
        return "_conv_head", "_bn1"

    def classifier(self):
        return "_fc"


def images(folder):
    """name → [1, 3, side, side] in 0 … 1: noise, and the middle of each photograph."""
    import torch

    torch.manual_seed(3)
    found = {"noise": torch.rand(1, 3, side, side)}
    python = os.environ.get("YOLOV7_PEER_PYTHON", str(root / ".deps/peers/bin/python"))
    crop = ("import sys, numpy, PIL.Image as I; a = I.open(sys.argv[1]).convert('RGB'); s = 256 / min(a.size); a = a.resize([round(n * s) for n in a.size], I.BICUBIC);"
            f"x, y = [(n - {side}) // 2 for n in a.size]; b = a.crop((x, y, x + {side}, y + {side}));"
            "(numpy.asarray(b, dtype=numpy.float32) / 255).transpose(2, 0, 1).tofile(sys.argv[2])")
    for name in photographs:
        raw = folder / (name + ".raw")
        if not (shared / "images" / name).exists() or not pathlib.Path(python).exists():
            print(f"{name}: left out (no such file in {shared / 'images'}, or no Python for peers)")
            continue
        subprocess.run([python, "-c", crop, str(shared / "images" / name), str(raw)], check=True)
        found[name] = torch.frombuffer(bytearray(raw.read_bytes()), dtype=torch.float32).view(1, 3, side, side).clone()
    return found


def features(fixture, checkpoint, image, shapes, folder):
    import torch

    given, made = folder / "image.raw", folder / "features.raw"
    given.write_bytes(image.contiguous().numpy().tobytes())
    subprocess.run([fixture, str(checkpoint), str(given), str(side), str(made)], check=True)
    values, maps = torch.frombuffer(bytearray(made.read_bytes()), dtype=torch.float32), []
    for shape in shapes:
        maps.append(values[:shape.numel()].view(shape))
        values = values[shape.numel():]
    assert len(values) == 0, f"{len(values)} values too many"
    return maps


def main(program):
    import torch

    torch.set_num_threads(1)
    fixture = os.environ["YOLOV7_BACKBONE_FIXTURE"]
    paths = [weights_file(name) for name in file_names]
    for path in paths:
        if not path.exists():
            print(f"skipped: no {path.name} (scripts/setup, or a folder with it in YOLOV7_BACKBONES)")
            return torch_python.SKIPPED
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for path, network in zip(paths, (MobileNet, EfficientNet)):
            state = torch.load(path, map_location="cpu")
            published = network(state)
            checkpoint = folder / (path.stem + ".pt")
            told = json.loads(subprocess.run([program, "convert", "--json", "--weights", str(path), "--to", "yolov7", "--out", str(checkpoint)],
                                             check=True, capture_output=True, text=True).stdout)
            assert told["taken"] + len(told["unused"]) == len(state), told
            assert told["notes"] == [], told["notes"]
            for name, image in images(folder).items():
                with torch.no_grad():
                    expected, probabilities = published.run(image)
                if name in photographs:
                    best = int(probabilities.argmax())
                    print(f"{told['backbone']}, {name}: class {best} with {float(probabilities.max()):.3f}")
                    assert best in photographs[name], "the network that is written down here is not the published one"
                for stride, found, wanted in zip((8, 16, 32), features(fixture, checkpoint, image, [one.shape for one in expected], folder), expected):
                    apart = float((found.double() - wanted).abs().max() / wanted.abs().max())
                    print(f"{told['backbone']}, {name}, stride {stride}: {apart:.1e} of the largest feature apart")
                    # Gammas rounded once (2^-24 each) through 50 layers, and the features once; sums in float64.
                    assert apart < 2e-6, apart
    return 0


if __name__ == "__main__":
    torch_python.run(__file__, main)
