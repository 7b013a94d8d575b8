"""The program's verbs as calls: each runs the program as a process of its own, so that what it holds is free when it ends."""
from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class ProgramError(RuntimeError):
    """The program failed: its last error line. code: 1 failed, 2 wrong call, negative: ended by that signal."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Progress(NamedTuple):
    """A line of progress: "epoch 3/99: 5/13 (38%) ..." is ("epoch 3/99", 5, 13, the whole line). Of an epoch that is finished: ("epoch", 4, 100, the line)."""

    stage: str
    done: int
    total: int
    text: str


_progress = re.compile(r"(.*?): (\d+)/(\d+) \(\d+%\)")
_epoch = re.compile(r"epoch (\d+)/(\d+): ")  # one that is finished; counted from 0


def program_path() -> Path:
    """Of the program that this package brings."""
    return Path(__file__).resolve().parent / "bin" / "yolov7"


def _watch(stream: Any, on_progress: Callable[[Progress], None] | None, on_message: Callable[[str], None], errors: list[str]) -> None:
    for line in stream:
        text = line.rstrip("\n")
        if text.startswith("error: "):
            errors.append(text[len("error: "):])
        elif on_progress is not None and (found := _progress.match(text)):
            on_progress(Progress(found[1], int(found[2]), int(found[3]), text))
        elif on_progress is not None and (found := _epoch.match(text)):
            on_progress(Progress("epoch", int(found[1]) + 1, int(found[2]) + 1, text))
        else:
            on_message(text)


def run(arguments: Sequence[str | os.PathLike[str]], *, on_progress: Callable[[Progress], None] | None = None,
        on_message: Callable[[str], None] | None = None) -> dict[str, Any]:
    """yolov7 ARGUMENTS --json: gives the object that it prints.

    Messages and progress go to stderr, or to the functions given, which a thread of this call calls. Ctrl-C interrupts the program, which leaves
    nothing half-written, and then raises KeyboardInterrupt. Errors: ProgramError, with the program's line.
    """
    command = [str(program_path()), *(os.fspath(one) for one in arguments)]
    if "--json" not in command:
        command.append("--json")
    message = on_message if on_message is not None else lambda text: print(text, file=sys.stderr, flush=True)
    errors: list[str] = []
    # A session of its own: a Ctrl-C of the terminal comes to it once, from here.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as child:
        watcher = threading.Thread(target=_watch, args=(child.stderr, on_progress, message, errors))
        watcher.start()
        assert child.stdout is not None
        try:
            output = child.stdout.read()
            child.wait()
        except BaseException:
            child.send_signal(signal.SIGINT)
            child.wait()
            raise
        finally:
            watcher.join()
    if child.returncode == 130:
        raise KeyboardInterrupt
    if child.returncode != 0:
        raise ProgramError(errors[-1] if errors else f"{command[1] if len(command) > 1 else 'yolov7'}: ended with {child.returncode}", child.returncode)
    result: dict[str, Any] = json.loads(output)
    return result


def main() -> None:
    """The command yolov7."""
    os.execv(program_path(), ["yolov7", *sys.argv[1:]])
