#!/usr/bin/env python3
"""The notebooks as readers expect them: the tutorial has its chapters in their order; each short one has parameters for a test, a picture and numbers that its cells assert, and at most
twelve cells of code of its own; pages of the documentation lead to each."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.dont_write_bytecode = True
from peer_checks import Checks  # noqa: E402

TUTORIAL = "Training_YOLOv7_on_Custom_Data"
CHAPTERS = ["0. Overview", "1. Architecture", "2. Set-up", "3. Data management", "4. Variants", "5. Transfer learning", "6. Training", "7. Augmentation", "8. Monitoring", "9. Evaluation",
            "10. Re-parameterization and export", "11. Active learning", "12. Advanced training", "13. Deployment", "Results", "Domains", "Future", "References"]
check = Checks()


def cells(path, kind):
    found = [one for one in json.loads(path.read_text(encoding="utf-8"))["cells"] if one["cell_type"] == kind]
    return [(one["metadata"], "".join(one["source"])) for one in found]


paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
check("the tutorial and seven short ones", len(paths), 8)
for path in paths:
    code, script = cells(path, "code"), path.with_suffix(".py").read_text(encoding="utf-8")
    own = [text for metadata, text in code if "jupyter" not in metadata and "tags" not in metadata]
    parameters = [text for metadata, text in code if metadata.get("tags") == ["parameters"]]
    check(f"{path.stem}: one cell of parameters", len(parameters), 1)
    small = re.search(r"^# small: (.*)$", script, re.M)
    check(f"{path.stem}: parameters for a test", small is not None, True)
    for one in small[1].split() if small else []:
        check(f"{path.stem}: {one} is a parameter", re.search(rf"^(\w+, )*{one.partition('=')[0]}\b", parameters[0], re.M) is not None, True)
    check(f"{path.stem}: a cell shows a picture", any(re.search(r"\b(show|bars|curves)\(", text) for text in own), True)
    check(f"{path.stem}: cells assert numbers", sum("assert " in text for text in own) >= 3, True)
    if path.stem != TUTORIAL:
        check(f"{path.stem}: at most twelve cells", len(own) <= 12, True)
    for page in ("README.md", "docs/index.md"):
        check(f"{page} leads to {path.stem}", f"notebooks/{path.name})" in (ROOT / page).read_text(encoding="utf-8"), True)

headings = [line[3:] for _, text in cells(ROOT / f"notebooks/{TUTORIAL}.ipynb", "markdown") for line in text.split("\n") if line.startswith("## ")]
check("the chapters of the tutorial", headings, CHAPTERS)
check.end("the notebooks are as the documentation says")
