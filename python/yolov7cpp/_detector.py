"""Detector and Result: the C++ interface with arrays and names."""
from __future__ import annotations

import numbers
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Union, runtime_checkable

from . import _core

if TYPE_CHECKING:  # numpy takes a tenth of a second, and is not needed before the first image
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]


@runtime_checkable
class PillowImage(Protocol):
    """What is used of PIL.Image.Image."""

    def convert(self, mode: str) -> Any: ...


Image = Union[str, "os.PathLike[str]", bytes, "Pixels", PillowImage]


class Box(NamedTuple):
    """One detected object."""

    name: str
    confidence: float
    xyxy: tuple[float, float, float, float]  # corners in pixels of the image
    class_id: int


class Result:
    """What was found in one image, by descending confidence.

    xyxy: float64 [N, 4], corners in pixels of the image, inside it, not rounded; confidence: float32 [N]; class_id: int32 [N];
    size: (width, height) in pixels; names: of all classes; milliseconds: of preparing, of the network, of suppression.
    """

    def __init__(self, detector: _core.Detector, found: _core.Results, index: int, pixels: Pixels, order: str, names: Sequence[str]) -> None:
        self._detector, self._found, self._index, self._pixels, self._order = detector, found, index, pixels, order
        self.xyxy, self.confidence, self.class_id = found.boxes(index)
        self.size: tuple[int, int] = found.image_size(index)
        self.milliseconds: tuple[float, float, float] = found.times(index)
        self.names = list(names)

    def __len__(self) -> int:
        return len(self.confidence)

    def __iter__(self) -> Iterator[Box]:
        for corners, score, kind in zip(self.xyxy.tolist(), self.confidence.tolist(), self.class_id.tolist()):
            yield Box(self.names[kind], score, tuple(corners), kind)

    def __repr__(self) -> str:
        counts = [f"{int((self.class_id == kind).sum())} {self.names[kind]}" for kind in sorted(set(self.class_id.tolist()))]
        return f"Result({self.size[0]} x {self.size[1]}: {', '.join(counts) or 'nothing'})"

    def to_dict(self) -> dict[str, Any]:
        """For json.dumps()."""
        boxes = [{"name": b.name, "class_id": b.class_id, "confidence": b.confidence, "xyxy": list(b.xyxy)} for b in self]
        return {"width": self.size[0], "height": self.size[1], "boxes": boxes}

    def to_supervision(self) -> Any:
        """supervision.Detections, with class names in data["class_name"]. Needs the package supervision."""
        import numpy as np
        import supervision  # type: ignore[import-not-found, unused-ignore]

        return supervision.Detections(xyxy=self.xyxy.astype(np.float32), confidence=self.confidence, class_id=self.class_id.astype(int),
                                      data={"class_name": np.array([self.names[kind] for kind in self.class_id.tolist()])})

    def plot(self) -> Pixels:
        """The image with boxes, names and scores: uint8 [H, W, 3], B G R. Of an array that was given: as it is now."""
        return self._detector.draw(self._found, self._index, self._pixels, self._order)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes plot() as an image file in the format that its name ends with."""
        _core.write_image(os.fspath(path), self.plot(), "bgr")


def _pixels(image: Image, order: str) -> tuple[Pixels, str]:
    """uint8 [H, W] or [H, W, C], and the order of its channels."""
    import numpy as np

    if isinstance(image, (str, os.PathLike)):
        return _core.read_image(os.fspath(image)), "bgr"
    if isinstance(image, (bytes, bytearray)):
        return _core.decode_image(bytes(image), "image"), "bgr"
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8:
            raise TypeError(f"image: expected an array of uint8, found {image.dtype}")
        return np.ascontiguousarray(image), order
    if isinstance(image, PillowImage):
        return np.asarray(image.convert("RGB"), np.uint8), "rgb"
    raise TypeError(f"image: expected a path, the bytes of an image file, an array or an image of Pillow, found {type(image).__name__}")


def _whole(name: str, value: Any) -> int:
    """An int, of numpy, too. 32 bits."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a whole number, found {type(value).__name__}")
    whole = int(value)
    if not -2**31 <= whole < 2**31:
        raise ValueError(f"{name}: expected a number of 32 bits, found {whole}")
    return whole


def _number(name: str, value: Any) -> float:
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a number, found {type(value).__name__}")
    return float(value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a text, found {type(value).__name__}")
    return value


class Detector:
    """A model: a checkpoint, or a file of another program's format. Nothing is downloaded.

    precision: "float32" or "bfloat16"; backend: "openvino", "onnxruntime" or "libtorch"; names: class names of a model file that has
    none, with commas, or a file; threads: 0 = the cores that this process may use; augment: three passes over each image;
    model_cache: the folder where the compiled network of a checkpoint is kept for the next start, "auto" = that of the program, "none" = it is not
    kept; model files are compiled each time.
    Calls of several threads wait for each other; open a model once for each thread that shall work at the same time.
    """

    def __init__(self, path: str | os.PathLike[str], *, precision: str = "float32", backend: str = "openvino", names: str = "", threads: int = 0,
                 augment: bool = False, model_cache: str | os.PathLike[str] = "auto") -> None:
        self._own = _core.Detector(_text("path", os.fspath(path)), _text("precision", precision), _text("backend", backend), _text("names", names),
                                   _whole("threads", threads), bool(augment), _text("model_cache", os.fspath(model_cache)))
        self.names: list[str] = self._own.names()
        self.description: str = self._own.description()
        image_size, stride, sides = self._own.info()
        self.image_size: int = image_size
        self.stride: int = stride
        self.fixed_size: tuple[int, int] | None = sides if sides[0] > 0 else None

    def __repr__(self) -> str:
        return f"Detector({len(self.names)} classes, {self.image_size} px, {self.description})"

    def detect(self, images: Sequence[Image], *, conf_thres: float | None = None, iou_thres: float | None = None, image_size: int = 0,
               max_det: int | None = None, agnostic: bool = False, classes: Sequence[int] | None = None, tile: int = 0, tile_overlap: float | None = None,
               order: str = "bgr") -> list[Result]:
        """One Result an image. Images: paths, bytes of image files, arrays uint8 [H, W] or [H, W, C], images of Pillow.

        order: of the channels of arrays, "bgr" (as OpenCV reads images) or "rgb". image_size: long side of the network's input, 0 = that
        of the training. Thresholds: None = what a model file wants, or .25 and .45. classes: None = all. tile: side in pixels of tiles that are looked at besides
        the image. Arrays are not copied: one that is to be drawn on by Result.plot() may not change before. Errors: Error, ValueError and TypeError,
        with one line.
        """
        if isinstance(images, (str, bytes, os.PathLike)) or hasattr(images, "dtype"):
            raise TypeError("images: expected a sequence of images; a single image is given to the detector itself: detector(image)")
        options = _core.DetectOptions()
        options.image_size, options.tile, options.agnostic = _whole("image_size", image_size), _whole("tile", tile), bool(agnostic)
        options.conf_thres = None if conf_thres is None else _number("conf_thres", conf_thres)
        options.iou_thres = None if iou_thres is None else _number("iou_thres", iou_thres)
        options.max_det = None if max_det is None else _whole("max_det", max_det)
        options.classes = None if classes is None else [_whole("classes", one) for one in classes]
        options.tile_overlap = None if tile_overlap is None else _number("tile_overlap", tile_overlap)
        if order not in ("bgr", "rgb"):
            raise ValueError(f"order: expected 'bgr' or 'rgb', found '{order}'")
        if conf_thres is not None and conf_thres < 0 or iou_thres is not None and iou_thres < 0:
            raise ValueError(f"thresholds: expected 0 to 1, found conf_thres {conf_thres}, iou_thres {iou_thres}")
        if classes is not None and len(classes) == 0:
            raise ValueError("classes: expected the classes to look for, or None for all, found none")
        read = [_pixels(one, order) for one in images]
        found = self._own.detect([pixels for pixels, _ in read], [kind for _, kind in read], options)
        return [Result(self._own, found, index, pixels, kind, self.names) for index, (pixels, kind) in enumerate(read)]

    def __call__(self, image: Image, **options: Any) -> Result:
        """detect() of one image."""
        return self.detect([image], **options)[0]
