"""For tests whose other half is PyTorch: they run themselves again in a Python that has it ($YOLOV7_TORCH_PYTHON, else /usr/bin/python3)."""
import os
import subprocess
import sys

SKIPPED = 77


def has_torch(python):
    try:
        return subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0
    except OSError:
        return False


def run(file, main):
    """main(first argument) in that Python, its result as the exit code; SKIPPED, with the reason, where there is none."""
    if len(sys.argv) == 3 and sys.argv[1] == "--here":
        sys.exit(main(sys.argv[2]))
    chosen = os.environ.get("YOLOV7_TORCH_PYTHON")
    python = chosen or "/usr/bin/python3"
    if not has_torch(python):
        if chosen:
            sys.exit(f"YOLOV7_TORCH_PYTHON: expected a Python that can import torch, found {chosen}")
        print("skipped: no torch in /usr/bin/python3 (apt-get install python3-torch, or set YOLOV7_TORCH_PYTHON)")
        sys.exit(SKIPPED)
    sys.exit(subprocess.run([python, file, "--here", sys.argv[1]]).returncode)
