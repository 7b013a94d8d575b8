#!/usr/bin/env python3
"""Annotation formats beside other programs: they read what we write, and we read what they write. formats_peer.py PROGRAM
The boxes are whole pixels of two images, chosen so that no format rounds them beyond its own digits. Each peer has a folder of its
own, so that none sees the files of another. A peer that is not installed is said and left out; without any the test is skipped."""
import importlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

SIZES = {"a.jpg": (120, 80), "b.jpg": (64, 48)}
NAMES = ["cat", "dog"]
# image, class, x, y, width, height
BOXES = [("a.jpg", "cat", 10, 5, 20, 30), ("a.jpg", "dog", 40, 16, 50, 20), ("b.jpg", "cat", 2, 4, 32, 16)]
EXPECTED = sorted((image, name, x, y, x + w, y + h) for image, name, x, y, w, h in BOXES)
TOLERANCE = 0.01

failures, done = [], 0


def same(found, expected):
    found = sorted(found)
    return len(found) == len(expected) and all(
        a[:2] == b[:2] and all(abs(x - y) < TOLERANCE for x, y in zip(a[2:], b[2:])) for a, b in zip(found, expected))


def check(what, found, expected=None):
    global done
    done += 1
    expected = EXPECTED if expected is None else sorted(expected)
    found = [(pathlib.PurePath(str(one[0])).stem + ".jpg", one[1], *(float(x) for x in one[2:])) for one in found]
    if not same(found, expected):
        failures.append(f"{what}: expected {expected}, found {sorted(found)}")


def run(program, *arguments):
    result = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{arguments}: {result.stdout}{result.stderr}")
    return result.stdout


class Work:
    """The same set in our formats, and what we read of others' files."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.images = folder / "coco/images/train"
        self.images.mkdir(parents=True)
        import cv2
        import numpy
        for i, (name, (width, height)) in enumerate(SIZES.items()):
            cv2.imwrite(str(self.images / name), numpy.full((height, width, 3), 60 + 90 * i, numpy.uint8))
        self.coco = folder / "coco/annotations/instances_train.json"
        self.coco.parent.mkdir()
        order = list(SIZES)
        self.coco.write_text(json.dumps({
            "images": [{"id": i + 1, "file_name": n, "width": SIZES[n][0], "height": SIZES[n][1]} for i, n in enumerate(order)],
            "annotations": [{"id": k + 1, "image_id": order.index(i) + 1, "category_id": NAMES.index(c) + 1, "bbox": [x, y, w, h],
                             "area": w * h, "iscrowd": 0, "segmentation": []} for k, (i, c, x, y, w, h) in enumerate(BOXES)],
            "categories": [{"id": i + 1, "name": n} for i, n in enumerate(NAMES)]}))

    def ours(self, form):
        out = self.folder / f"our {form}"
        if not out.exists():
            run(self.program, "dataset", "convert", "--source", self.folder / "coco", "--to", form, "--out", out)
        return out

    def fresh(self, name):
        out = self.folder / name
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        return out

    def read(self, source, form, images=None, *further):
        """Boxes as our program reads them, by way of COCO."""
        out = self.folder / "read"
        shutil.rmtree(out, ignore_errors=True)
        extra = [*(["--images", images] if images else []), *further]
        run(self.program, "dataset", "convert", "--from", form, "--source", source, "--to", "coco", "--out", out, *extra)
        boxes = []
        for path in (out / "annotations").glob("*.json"):
            content = json.loads(path.read_text())
            image = {one["id"]: one["file_name"] for one in content["images"]}
            name = {one["id"]: one["name"] for one in content["categories"]}
            for one in content["annotations"]:
                x, y, w, h = one["bbox"]
                boxes.append((image[one["image_id"]], name[one["category_id"]], x, y, x + w, y + h))
        return boxes


def pycocotools(work):
    from pycocotools.coco import COCO
    coco = COCO(str(next((work.ours("coco") / "annotations").glob("*.json"))))
    found = []
    for one in coco.loadAnns(coco.getAnnIds()):
        x, y, w, h = one["bbox"]
        found.append((coco.loadImgs(one["image_id"])[0]["file_name"], coco.loadCats(one["category_id"])[0]["name"], x, y, x + w, y + h))
    check("pycocotools reads our COCO", found)


def globox(work):
    import globox as g

    def boxes(annotations):
        return [(a.image_id, b.label, b.xmin, b.ymin, b.xmax, b.ymax) for a in annotations for b in a.boxes]
    check("globox reads our COCO", boxes(g.AnnotationSet.from_coco(next((work.ours("coco") / "annotations").glob("*.json")))))
    check("globox reads our VOC", boxes(g.AnnotationSet.from_pascal_voc(work.ours("voc") / "Annotations")))
    check("globox reads our CVAT", boxes(g.AnnotationSet.from_cvat(work.ours("cvat") / "annotations.xml")))
    check("globox reads our LabelMe", boxes(g.AnnotationSet.from_labelme(work.ours("labelme") / "train")))
    yolo = work.ours("yolo")
    numbered = g.AnnotationSet.from_yolo_v5(yolo / "labels/train", image_folder=yolo / "images/train")
    check("globox reads our YOLO", [(i, NAMES[int(c)], *rest) for i, c, *rest in boxes(numbered)])
    whole = g.AnnotationSet.from_coco(work.coco)
    for form, save in [("coco", lambda d: whole.save_coco(d / "train.json", auto_ids=True)), ("voc", whole.save_pascal_voc),
                       ("cvat", lambda d: whole.save_cvat(d / "a.xml")), ("labelme", whole.save_labelme)]:
        folder = work.fresh(f"globox {form}")
        save(folder)
        check(f"we read globox's {form}", work.read(folder, form, work.images))


def labelformat(work):
    import labelformat.formats as f

    def boxes(source):
        return [(one.image.filename, o.category.name, o.box.xmin, o.box.ymin, o.box.xmax, o.box.ymax)
                for one in source.get_labels() for o in one.objects]
    coco = f.COCOObjectDetectionInput(input_file=next((work.ours("coco") / "annotations").glob("*.json")))
    check("labelformat reads our COCO", boxes(coco))
    check("labelformat reads our YOLO", boxes(f.YOLOv8ObjectDetectionInput(input_file=work.ours("yolo") / "data.yaml", input_split="train")))
    for form, save in [
            ("coco", lambda d: f.COCOObjectDetectionOutput(output_file=d / "train.json").save(label_input=coco)),
            ("voc", lambda d: f.PascalVOCObjectDetectionOutput(output_folder=d).save(label_input=coco)),
            ("kitti", lambda d: f.KittiObjectDetectionOutput(output_folder=d).save(label_input=coco))]:
        folder = work.fresh(f"labelformat {form}")
        save(folder)
        check(f"we read labelformat's {form}", work.read(folder, form, work.images))


def supervision(work):
    import supervision as sv

    def boxes(data):
        return [(path, data.classes[c], *box) for path, _, found in data for box, c in zip(found.xyxy.tolist(), found.class_id.tolist())]
    yolo, voc = work.ours("yolo"), work.ours("voc")
    check("supervision reads our YOLO", boxes(sv.DetectionDataset.from_yolo(
        str(yolo / "images/train"), str(yolo / "labels/train"), str(yolo / "data.yaml"))))
    ours = work.ours("coco")
    data = sv.DetectionDataset.from_coco(str(ours / "images/train"), str(ours / "annotations/instances_train.json"))
    check("supervision reads our COCO", boxes(data))
    # It takes the near corners for numbers of pixels from 1, as in the original data set; no file says so, and our files
    # have edges (formats 3).
    check("supervision reads our VOC with near corners one pixel less", boxes(sv.DetectionDataset.from_pascal_voc(
        str(voc / "JPEGImages"), str(voc / "Annotations"))), [(i, c, x1 - 1, y1 - 1, x2, y2) for i, c, x1, y1, x2, y2 in EXPECTED])
    folder = work.fresh("supervision yolo")
    data.as_yolo(str(folder / "images"), str(folder / "labels"), str(folder / "data.yaml"))
    check("we read supervision's YOLO", work.read(folder, "yolo"))
    folder = work.fresh("supervision coco")
    data.as_coco(str(folder / "images"), str(folder / "train.json"))
    check("we read supervision's COCO", work.read(folder, "coco"))
    folder = work.fresh("supervision voc")
    data.as_pascal_voc(str(folder / "images"), str(folder / "annotations"))
    check("we read supervision's VOC with --voc-one-based", work.read(folder, "voc", None, "--voc-one-based"))


def datumaro(work):
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.dataset import Dataset

    def boxes(data):
        names = data.categories()[AnnotationType.label]
        return [(item.id, names[a.label].name, a.x, a.y, a.x + a.w, a.y + a.h)
                for item in data for a in item.annotations if a.type == AnnotationType.bbox]
    for form, theirs in [("coco", "coco"), ("voc", "voc"), ("cvat", "cvat"), ("datumaro", "datumaro"), ("kitti", "kitti")]:
        check(f"datumaro reads our {form}", boxes(Dataset.import_from(str(work.ours(form)), theirs)))
    data = Dataset.import_from(str(work.ours("datumaro")), "datumaro")
    for form, theirs in [("coco", "coco_instances"), ("voc", "voc_detection"), ("cvat", "cvat"), ("datumaro", "datumaro"),
                         ("yolo", "yolo"), ("kitti", "kitti_detection"), ("widerface", "wider_face")]:
        folder = work.folder / f"datumaro {form}"
        data.export(str(folder), theirs, save_media=True)
        check(f"we read datumaro's {form}", work.read(folder, form))


def main(program):
    peers = {"pycocotools": pycocotools, "globox": globox, "labelformat": labelformat, "supervision": supervision, "datumaro": datumaro}
    present = 0
    with tempfile.TemporaryDirectory() as folder:
        work = Work(program, pathlib.Path(folder))
        for name, test in peers.items():
            try:
                importlib.import_module(name)
            except ImportError as error:
                print(f"{name}: not installed ({error})")
                continue
            present += 1
            before = done
            test(work)
            print(f"{name}: {done - before} comparisons")
    for failure in failures:
        print("FAILED:", failure)
    if failures:
        sys.exit(1)
    sys.exit(0 if present else 77)


if __name__ == "__main__":
    main(sys.argv[1])
