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
    """The program failed: its last error line. code: 1 failed, or a result with losses; 2 wrong call; negative: ended by that signal.
    result: what it printed as JSON all the same (a check that found something, an export that is not whole), else None."""

    def __init__(self, message: str, code: int, result: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.result = result


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


class _Watcher(threading.Thread):
    """Reads the program's messages to their end, whatever the functions that are called with them do."""

    def __init__(self, stream: Any, on_progress: Callable[[Progress], None] | None, on_message: Callable[[str], None]) -> None:
        super().__init__()
        self._stream, self._on_progress, self._on_message = stream, on_progress, on_message
        self.errors: list[str] = []
        self.raised: BaseException | None = None

    def _say(self, text: str) -> None:
        if self._on_progress is not None and (found := _progress.match(text)):
            self._on_progress(Progress(found[1], int(found[2]), int(found[3]), text))
        elif self._on_progress is not None and (found := _epoch.match(text)):
            self._on_progress(Progress("epoch", int(found[1]) + 1, int(found[2]) + 1, text))
        else:
            self._on_message(text)

    def run(self) -> None:
        for line in self._stream:
            text = line.rstrip("\n")
            if text.startswith("error: "):
                self.errors.append(text[len("error: "):])
            if self.raised is None:
                try:
                    self._say(text)
                except BaseException as error:  # raised again by run(), when the program has ended
                    self.raised = error


def _parsed(output: str) -> dict[str, Any] | None:
    try:
        found = json.loads(output)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def run(arguments: Sequence[str | os.PathLike[str]], *, on_progress: Callable[[Progress], None] | None = None,
        on_message: Callable[[str], None] | None = None) -> dict[str, Any]:
    """yolov7 ARGUMENTS --json: gives the object that it prints.

    Messages, errors among them, and progress go to stderr, or to the functions given, which a thread of this call calls. An exception of theirs comes out of run() when the
    program has ended. Ctrl-C, where run() is called by the main thread, interrupts the program, which leaves nothing half-written, and then raises
    KeyboardInterrupt; a second one goes to the program, too. Errors: ProgramError, with the program's line.
    """
    words = [os.fspath(one) for one in arguments]
    command = [str(program_path()), *words]
    if "--json" not in command:
        command.append("--json")
    message = on_message if on_message is not None else lambda text: print(text, file=sys.stderr, flush=True)
    interrupted = 0
    # A session of its own: a Ctrl-C of the terminal comes to it once, from here.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                          start_new_session=True) as child:
        watcher = _Watcher(child.stderr, on_progress, message)
        assert child.stdout is not None
        output = ""
        told = 0  # interrupts that the program was told of: a Ctrl-C may come between any two lines
        while True:
            try:
                while told < interrupted:
                    told += 1
                    child.send_signal(signal.SIGINT)
                if watcher.ident is None:
                    watcher.start()
                output += child.stdout.read()
                child.wait()
                watcher.join()
                break
            except KeyboardInterrupt:
                interrupted += 1
    if interrupted or child.returncode == 130:
        raise KeyboardInterrupt
    if watcher.raised is not None:
        raise watcher.raised
    result = _parsed(output)
    if child.returncode != 0:
        said = watcher.errors[-1] if watcher.errors else f"{' '.join(words[:2]) or 'yolov7'}: ended with exit code {child.returncode}"
        raise ProgramError(said, child.returncode, result)
    if result is None:
        raise ProgramError(f"{' '.join(words[:2])}: expected a JSON object, found none", 0)
    return result


def main() -> None:
    """The command yolov7."""
    os.execv(program_path(), ["yolov7", *sys.argv[1:]])
