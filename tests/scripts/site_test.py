#!/usr/bin/env python3
"""The documentation as a site: it builds without a warning, asks nothing of the network, and its search works from the disk, in Chromium where that is there.
Usage: site_test.py FOLDER"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main(folder):
    done = subprocess.run([sys.executable, ROOT / "scripts/site", "--check", "--out", folder], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout + done.stderr)
        sys.exit(done.returncode)
    pages = sorted(pathlib.Path(folder).rglob("*.html"))
    for page in pages:
        for tag in re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", page.read_text(encoding="utf-8")):
            if re.search(r"\b(?:src|href)=\"(?:https?:)?//", tag):
                sys.exit(f"{page}: expected nothing from the network, found {tag}")
    for name in ("index.html", "docs/start.html", "docs/reference/train.html", "docs/recipes/medical.html", "README.html", "search.html", "searchindex.js"):
        if not (pathlib.Path(folder) / name).is_file():
            sys.exit(f"expected {name}, found none")
    browser = shutil.which("chromium")
    if browser is None:
        print(f"{len(pages)} pages; the search was not tried: no chromium")
        return
    address = f"file://{pathlib.Path(folder).resolve()}/search.html?q="
    for word, page in [("mosaic", "docs/augmentations.html"), ("letterbox", "docs/concepts.html"), ("autobatch", "docs/reference/train.html")]:
        shown = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom", address + word],
                               capture_output=True, text=True, timeout=300, check=False).stdout
        if f'href="{page}' not in shown:
            sys.exit(f"search for {word!r}: expected {page} among the results, found {re.findall('search-summary.>[^<]*', shown)}")
    print(f"{len(pages)} pages, three searches")


main(sys.argv[1])
