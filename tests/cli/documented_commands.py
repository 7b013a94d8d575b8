#!/usr/bin/env python3
"""Runs every ```bash block of the given pages, in order, in one folder per page, which is empty, or holds a copy of what the commands
after --first made. Usage: PROGRAM_DIR [--first COMMANDS] PAGE..."""
import os
import re
import shutil
import subprocess
import sys
import tempfile


def run(block, folder, environment, where):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{where}: exit code {done.returncode} of\n{block}\n{done.stdout}\n{done.stderr}")


def main(program_dir, pages):
    environment = dict(os.environ, PATH=program_dir + os.pathsep + os.environ["PATH"])
    with tempfile.TemporaryDirectory() as start:
        if pages[0] == "--first":
            run(pages[1], start, environment, "--first")
            pages = pages[2:]
        for page in pages:
            blocks = re.findall(r"^```bash\n(.*?)^```", open(page, encoding="utf-8").read(), re.S | re.M)
            if not blocks:
                sys.exit(f"{page}: expected command blocks, found none")
            with tempfile.TemporaryDirectory() as folder:
                shutil.copytree(start, folder, dirs_exist_ok=True)
                for block in blocks:
                    run(block, folder, environment, page)
            print(f"{page}: {len(blocks)} blocks ran")


main(sys.argv[1], sys.argv[2:])
