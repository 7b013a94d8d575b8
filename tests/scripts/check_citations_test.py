#!/usr/bin/env python3
"""scripts/check-citations on small trees: what resolves, what does not, and what is no citation."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/check-citations"
TRAINING = "# Training\n\n## 3. Files\n\n### 13.4 Terms\n\nSee section 3.\n\n## 22. Markers\n\n- **K05** (section 3): kept.\n"


class CheckCitations(unittest.TestCase):
    def run_on(self, files, specification=TRAINING):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"docs/specification/training.md": specification, **files}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            done = subprocess.run([sys.executable, SCRIPT, "--root", root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def accept(self, name, text, citations):
        code, out, err = self.run_on({name: text})
        self.assertEqual((code, err), (0, ""), text)
        self.assertIn(f"{citations + 2} citations", out, text)  # two are in the specification itself

    def refuse(self, name, text, *parts):
        code, _, err = self.run_on({name: text})
        self.assertEqual(code, 1, text)
        for part in parts:
            self.assertIn(part, err)

    def test_resolves(self):
        self.accept("src/a.cpp", "int a;  // (training 3)\n", 1)
        self.accept("src/a.hpp", "/// Training 13.4: terms.\n", 1)
        self.accept("src/a.cpp", "// Of training 3, 13.4 and K05.\n", 3)
        self.accept("src/a.cpp", "/* as there (training 13.4 step 2) */\n", 1)
        self.accept("tests/a.py", '"""A page (training 3)."""\nx = 1  # (training K05)\n', 2)
        self.accept("cmake/a.cmake", "# (training 3)\n", 1)
        self.accept("docs/a.md", "Text (training 3) and [b](specification/training.md#x).\n", 1)

    def test_names_file_line_and_section(self):
        self.refuse("src/a.cpp", "int a;\n\n// (training 12)\n", "src/a.cpp:3: training 12", "no section 12")
        self.refuse("benchmarks/a.cpp", "// (training 3, 13.5)\n", "benchmarks/a.cpp:1: training 13.5")
        self.refuse("scripts/a", "#!/bin/sh\n# (training 4)\n", "scripts/a:2: training 4")
        self.refuse("tests/a.py", 'def f():\n    """x\n\n    (training 4)"""\n', "tests/a.py:4: training 4")
        self.refuse("docs/a.md", "a\n\n| b | training 4 |\n", "docs/a.md:3: training 4")
        self.refuse("src/a.cpp", "// (training K06)\n", "no marker K06")
        self.refuse("src/a.cpp", "// (training F05)\n", "no marker F05")  # there is one (training K05)

    def test_goes_on_in_the_next_line(self):
        self.refuse("src/a.cpp", "// a rule (training\n// 12) of old\n", "src/a.cpp:1: training 12")
        self.refuse("src/a.cpp", "int a;  // a rule (training\n        // 12)\n", "training 12")
        self.accept("src/a.cpp", "int a;  // training 3\n/// Another sentence.\n", 1)
        self.accept("src/a.cpp", "// training 3\n// Another sentence.\n", 1)
        self.accept("src/a.cpp", "// (training\n// K05)\n", 1)

    def test_prose_is_no_citation(self):
        for text in ("// training 40 networks\n", "// the data 8 times\n", "// evaluation 1.5 times as long\n", "// training 7\n// networks\n",
                     'const char* a = "(training 12)";\n', "auto b = R\"(// (training 12))\";\n", "// run-training 12.\n", "// F16 and F32 weights\n"):
            self.accept("src/a.cpp", text + "// (training 3)\n", 1)
        self.accept("docs/a.md", "```\n(training 12)\n```\n\n(training 3)\n", 1)
        self.accept("src/a.cpp", "// Zheng et al., AAAI 2020, section 3.4; arXiv 2012.07177; training 3\n", 1)

    def test_what_is_not_in_the_repository(self):
        for text, part in (("// see ../shared/spec\n", "../shared"), ("// redesign.md 5\n", "redesign.md"), ("// (docs/none.md)\n", "docs/none.md"),
                           ("// as the issue asks\n", "the issue"), ("// (K 05)\n", "K 05"), ("// see K05.\n", "K05"), ("// (F07)\n", "F07"), ("// (data 8, F D15)\n", "F D15"), ("// training section 3\n", "section 3")):
            self.refuse("src/a.cpp", "\n" + text + "// (training 3)\n", "src/a.cpp:2: ", part)
        self.accept("src/a.cpp", "// docs/specification/training.md has it (training 3), the issues too\n", 1)

    def test_inside_the_specification(self):
        self.refuse("docs/specification/data.md", "# Data\n\nSee section 4 (F07).\n", "data.md:3: data 4", "no marker F07")

    def test_a_number_twice(self):
        code, _, err = self.run_on({"src/a.cpp": "// (training 3)\n"}, TRAINING + "\n## 3. Again\n")
        self.assertEqual(code, 1)
        self.assertIn("section 3 occurs twice", err)

    def test_nothing_found_is_a_problem(self):
        code, _, err = self.run_on({"src/a.cpp": "int a;\n"}, "# Training\n\n## 3. Files\n")
        self.assertEqual((code, err), (1, "no citation found\n"))


if __name__ == "__main__":
    unittest.main()
