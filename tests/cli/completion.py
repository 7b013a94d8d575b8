#!/usr/bin/env python3
"""Completion of the command line in real shells: completion.py PROGRAM bash|zsh|fish. What is offered is compared with --help all of every
verb, and with some lines by hand; one line is completed in an interactive shell on a pseudo-terminal."""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

# The line up to the cursor, and all that is offered there.
BY_HAND = [
    ("yolov7 tra", {"train"}),
    ("yolov7 dataset versio", {"version", "versions"}),
    ("yolov7 dataset version che", {"checkout"}),
    ("yolov7 train --epo", {"--epochs"}),
    ("yolov7 train --schedule ", {"cosine", "linear", "step", "plateau", "constant"}),
    ("yolov7 train --schedule cosine --optim", {"--optimizer"}),
    ("yolov7 train --schedule=li", {"linear"}),
    ("yolov7 test --tas", {"--task"}),
    ("yolov7 reparameterize --hal", {"--half"}),
    ("yolov7 dataset remap --ma", {"--map"}),
    ("yolov7 benchmark --precision float32 bf", {"bfloat16"}),
    ("yolov7 completion ", {"bash", "zsh", "fish"}),
    ("yolov7 completion f", {"fish"}),
    ("yolov7 dataset check --strict --skip x --li", {"--link", "--list"}),
]
# Where files are expected, and where nothing is.
FILES = ["yolov7 train --data ", "yolov7 train --nosave ", "yolov7 val --weights a.pt ", "yolov7 info "]
NOTHING = ["yolov7 train --epochs "]


def said(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", **more)
    if done.returncode != 0 or done.stderr:
        sys.exit(f"{command[:3]}: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def options_by_verb(program):
    """Every verb, and its options as --help all has them, but for those without an effect."""
    verbs = re.findall(r"^\| \[yolov7 ([^\]]+)\]", said(program, "--help", "markdown"), re.M)
    found = {}
    for verb in verbs:
        text = said(program, *verb.split(), "--help", "all").split("\nAccepted for compatibility:")[0]
        found[verb] = set(re.findall(r"^  (--[A-Za-z0-9_-]+)", text, re.M))
    return found


class Bash:
    def __init__(self, script):
        self.script = script

    def offered(self, lines):
        calls = []
        for line in lines:
            words = [one for one in re.split(r" +|(=)", line) if one]
            if line.endswith((" ", "=")):
                words.append("" if line.endswith(" ") else "=")
            quoted = " ".join("'" + word + "'" for word in words)
            calls.append(f"COMP_WORDS=({quoted}) COMP_CWORD={len(words) - 1}; files=1; _yolov7\n"
                         '[ $files = 0 ] && COMPREPLY=("(nothing)")\n'
                         '[ ${#COMPREPLY[@]} = 0 ] && COMPREPLY=("(files)")\n'
                         "printf '%s\\n' \"${COMPREPLY[@]}\" @end")
        text = f"source '{self.script}'\ncompopt() {{ files=0; }}\n" + "\n".join(calls)
        return groups(said("bash", "--norc", "-c", text))

    def interactive(self, folder):
        return ["bash", "--norc", "-i"], f"PS1='> '; bind 'set bell-style none'; source '{self.script}'; cd '{folder}'\n"


class Zsh:
    STUBS = """
compdef() { :; }
compset() { PREFIX=${PREFIX#*=}; }
typeset -a got
_describe() { [[ $1 == -o ]] && shift; local one; for one in "${(@P)2}"; do got+=("${one%%:*}"); done; }
compadd() { shift; got+=("$@"); }
_message() { got+=("(nothing)"); }
_files() { got+=("(files)"); }
"""

    def __init__(self, script):
        self.script = script

    def offered(self, lines):
        calls = []
        for line in lines:
            words = line.split() + ([""] if line.endswith(" ") else [])
            quoted = " ".join("'" + word + "'" for word in words)
            calls.append(f"words=({quoted}) CURRENT={len(words)} PREFIX='{words[-1]}' got=()\n_yolov7\n"
                         "for one in \"${got[@]}\"; do [[ $one == \"(\"* || $one == \"$PREFIX\"* ]] && print -r -- $one; done\nprint @end")
        return groups(said("zsh", "-f", "-c", self.STUBS + f"source '{self.script}'\n" + "\n".join(calls)))

    def interactive(self, folder):
        return ["zsh", "-f", "-i"], f"PS1='> '; unsetopt beep; autoload -U compinit; compinit -u -D; source '{self.script}'; cd '{folder}'\n"


class Fish:
    def __init__(self, script):
        self.script = script

    def offered(self, lines):
        text = f"source '{self.script}'\n" + "\n".join(
            f"complete -C '{line}' | string replace -r '\\t.*' ''\necho @end" for line in lines)
        home = tempfile.mkdtemp()
        try:
            return [self.plain(one, line) for one, line in
                    zip(groups(said("fish", "--no-config", "-c", text, env=dict(os.environ, HOME=home), cwd=home)), lines)]
        finally:
            shutil.rmtree(home)

    @staticmethod
    def plain(offered, line):
        if "=" in line.split()[-1]:
            return {one.split("=")[-1] for one in offered}
        return {one.removesuffix("=") for one in offered}  # fish offers --help and --help=

    def interactive(self, folder):
        return None


def groups(text):
    return [set(part.split("\n")) - {""} for part in text.split("@end\n")[:-1]]


def plain(shown):
    """Without the control sequences of a terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace"))


def on_terminal(command, start, typed, wanted, seconds=30):
    """Types at an interactive shell until what it shows has `wanted`."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="dumb" if command[0] == "bash" else "xterm", HISTFILE="/dev/null")
        os.execvp(command[0], command)
    shown = b""
    try:
        os.write(terminal, start.encode())
        time.sleep(1)
        os.write(terminal, typed.encode() + b"\t")
        end = time.monotonic() + seconds
        while time.monotonic() < end and wanted not in plain(shown):
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    shown += os.read(terminal, 65536)
                except OSError:
                    break
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(terminal)
    return plain(shown)


def check(name, offered, wanted):
    if offered != wanted:
        sys.exit(f"{name!r}: expected {sorted(wanted)}, found {sorted(offered)}")


def main(program, name):
    if shutil.which(name) is None:
        print(f"skipped: {name} is not installed (scripts/setup)")
        sys.exit(77)
    verbs = options_by_verb(program)
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "yolov7." + name)
        with open(script, "w", encoding="utf-8") as file:
            file.write(said(program, "completion", name))
        shell = {"bash": Bash, "zsh": Zsh, "fish": Fish}[name](script)
        for (line, wanted), offered in zip(BY_HAND, shell.offered([line for line, _ in BY_HAND])):
            check(line, offered, wanted)
        for (verb, wanted), offered in zip(verbs.items(), shell.offered([f"yolov7 {verb} --" for verb in verbs])):
            check(verb, {one for one in offered if one.startswith("--")}, wanted)
        if name != "fish":  # which offers the files themselves
            for line, offered in zip(FILES, shell.offered(FILES)):
                check(line, offered, {"(files)"})
            for line, offered in zip(NOTHING, shell.offered(NOTHING)):
                check(line, offered, {"(nothing)"})
            open(os.path.join(folder, "my-data.yaml"), "w", encoding="utf-8").close()
            command, start = shell.interactive(folder)
            for typed, wanted in [("yolov7 trai", "yolov7 train "), ("yolov7 train --epoc", "--epochs "),
                                  ("yolov7 train --data my", "my-data.yaml")]:
                shown = on_terminal(command, start, typed, wanted)
                if wanted not in shown:
                    sys.exit(f"{name}: {typed!r} and a tab: expected {wanted!r}, found {shown!r}")
        print(f"{name}: {len(BY_HAND)} lines, {len(verbs)} verbs with {sum(len(one) for one in verbs.values())} options")


main(sys.argv[1], sys.argv[2])
