#!/usr/bin/env python3
"""Runs every ```bash block of the given pages, in order, in one empty folder per page. Usage: PROGRAM_DIR PAGE..."""
import os
import re
import subprocess
import sys
import tempfile


def main(program_dir, pages):
    environment = dict(os.environ, PATH=program_dir + os.pathsep + os.environ["PATH"])
    for page in pages:
        blocks = re.findall(r"^```bash\n(.*?)^```", open(page, encoding="utf-8").read(), re.S | re.M)
        if not blocks:
            sys.exit(f"{page}: expected command blocks, found none")
        with tempfile.TemporaryDirectory() as folder:
            for block in blocks:
                done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=folder, env=environment,
                                      capture_output=True, text=True)
                if done.returncode != 0:
                    sys.exit(f"{page}: exit code {done.returncode} of\n{block}\n{done.stdout}\n{done.stderr}")
        print(f"{page}: {len(blocks)} blocks ran")


main(sys.argv[1], sys.argv[2:])
