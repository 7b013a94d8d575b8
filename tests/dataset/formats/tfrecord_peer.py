#!/usr/bin/env python3
"""TensorFlow reads the TFRecord files that we write, checksums included, and we read those that it writes. tfrecord_peer.py PROGRAM,
by a Python of its own (YOLOV7_TENSORFLOW_PYTHON), because of TensorFlow's size. Exit code 77: skipped."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
try:
    import numpy
    import tensorflow as tf
except ImportError as error:
    print(f"skipped: {error} (a Python that has tensorflow-cpu 2.21 goes in YOLOV7_TENSORFLOW_PYTHON)")
    sys.exit(77)

WIDTH, HEIGHT = 120, 80
# class number, class, x1, y1, x2, y2, crowd
BOXES = [(1, "cat", 10, 5, 30, 35, 0), (2, "dog", 40, 16, 90, 36, 1)]
# A fraction of 120 px in float32.
TOLERANCE = 1e-5


def run(program, *arguments):
    result = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def write_coco(folder):
    (folder / "images/train").mkdir(parents=True)
    picture = tf.io.encode_png(numpy.full((HEIGHT, WIDTH, 3), 99, numpy.uint8)).numpy()
    (folder / "images/train/a.png").write_bytes(picture)
    (folder / "annotations").mkdir()
    (folder / "annotations/instances_train.json").write_text(json.dumps({
        "images": [{"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}],
        "annotations": [{"id": i, "image_id": 1, "category_id": n, "bbox": [x1, y1, x2 - x1, y2 - y1], "iscrowd": crowd}
                        for i, (n, _, x1, y1, x2, y2, crowd) in enumerate(BOXES)],
        "categories": [{"id": n, "name": name} for n, name, *_ in BOXES]}))
    return picture


def check_ours(program, folder, picture):
    run(program, "dataset", "convert", "--source", folder / "coco", "--to", "tfrecord", "--out", folder / "ours")
    records = list(tf.data.TFRecordDataset([str(folder / "ours/train.tfrecord")]))
    assert len(records) == 1
    one = tf.io.parse_single_example(records[0], {
        "image/encoded": tf.io.FixedLenFeature([], tf.string), "image/width": tf.io.FixedLenFeature([], tf.int64),
        "image/height": tf.io.FixedLenFeature([], tf.int64), "image/format": tf.io.FixedLenFeature([], tf.string),
        **{f"image/object/bbox/{edge}": tf.io.VarLenFeature(tf.float32) for edge in ("xmin", "ymin", "xmax", "ymax")},
        "image/object/class/text": tf.io.VarLenFeature(tf.string), "image/object/class/label": tf.io.VarLenFeature(tf.int64),
        "image/object/is_crowd": tf.io.VarLenFeature(tf.int64)})
    values = lambda name: tf.sparse.to_dense(one["image/object/" + name]).numpy()
    assert one["image/encoded"].numpy() == picture and one["image/format"].numpy() == b"png"
    assert (int(one["image/width"]), int(one["image/height"])) == (WIDTH, HEIGHT)
    assert values("class/text").tolist() == [name.encode() for _, name, *_ in BOXES]
    assert values("class/label").tolist() == [n for n, *_ in BOXES]
    assert values("is_crowd").tolist() == [box[6] for box in BOXES]
    for k, (edge, size) in enumerate([("xmin", WIDTH), ("ymin", HEIGHT), ("xmax", WIDTH), ("ymax", HEIGHT)]):
        assert numpy.abs(values("bbox/" + edge) * size - [box[2 + k] for box in BOXES]).max() < TOLERANCE, edge


def check_theirs(program, folder, picture):
    feature = lambda kind, values: tf.train.Feature(**{kind: {"bytes_list": tf.train.BytesList, "float_list": tf.train.FloatList,
                                                              "int64_list": tf.train.Int64List}[kind](value=values)})
    theirs = folder / "theirs"
    theirs.mkdir()
    with tf.io.TFRecordWriter(str(theirs / "train.tfrecord-00000-of-00001")) as writer:
        for empty in (False, True):
            boxes = [] if empty else BOXES
            writer.write(tf.train.Example(features=tf.train.Features(feature={
                "image/encoded": feature("bytes_list", [picture if not empty else tf.io.encode_png(
                    numpy.full((HEIGHT, WIDTH, 3), 7, numpy.uint8)).numpy()]),
                "image/filename": feature("bytes_list", [b"e.png" if empty else b"a.png"]),
                "image/width": feature("int64_list", [WIDTH]), "image/height": feature("int64_list", [HEIGHT]),
                "image/object/bbox/xmin": feature("float_list", [b[2] / WIDTH for b in boxes]),
                "image/object/bbox/ymin": feature("float_list", [b[3] / HEIGHT for b in boxes]),
                "image/object/bbox/xmax": feature("float_list", [b[4] / WIDTH for b in boxes]),
                "image/object/bbox/ymax": feature("float_list", [b[5] / HEIGHT for b in boxes]),
                "image/object/class/label": feature("int64_list", [b[0] for b in boxes]),
                "image/object/is_crowd": feature("int64_list", [b[6] for b in boxes])})).SerializeToString())
    (theirs / "label_map.pbtxt").write_text("".join(f"item {{ id: {n} name: '{name}' }}\n" for n, name, *_ in BOXES))
    run(program, "dataset", "convert", "--source", theirs, "--to", "coco", "--out", folder / "read")
    found = json.loads(next((folder / "read/annotations").glob("*.json")).read_text())
    assert len(found["images"]) == 2, found["images"]
    names = {one["id"]: one["name"] for one in found["categories"]}
    assert len(found["annotations"]) == len(BOXES)
    for one, (_, name, x1, y1, x2, y2, crowd) in zip(found["annotations"], BOXES):
        assert names[one["category_id"]] == name and one["iscrowd"] == crowd
        assert max(abs(a - b) for a, b in zip(one["bbox"], [x1, y1, x2 - x1, y2 - y1])) < TOLERANCE, one


def main(program):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        picture = write_coco(folder / "coco")
        check_ours(program, folder, picture)
        check_theirs(program, folder, picture)
    print("TensorFlow and we read each other's records")


main(sys.argv[1])
