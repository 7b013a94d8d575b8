#!/usr/bin/env python3
"""scripts/check-links on small trees: what leads somewhere, what does not, and what is no link."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/check-links"
PAGE = "# Two words\n\n## `code` and_more: a/b?\n\n## Twice\n\n## Twice\n"


class CheckLinks(unittest.TestCase):
    def run_on(self, text):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "docs").mkdir()
            (root / "docs/page.md").write_text(PAGE, encoding="utf-8")
            (root / "docs/image.svg").write_text("", encoding="utf-8")
            (root / "README.md").write_text(text, encoding="utf-8")
            done = subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_leads_somewhere(self):
        for link in ["[a](docs/page.md)", "[a](docs)", "![a](docs/image.svg)", "[a](docs/page.md#two-words)", "[a](docs/page.md#code-and_more-ab)",
                     "[a](docs/page.md#twice)", "[a](docs/page.md#twice-1)", "[a](https://example.org/none.md#x)", "[a](mailto:a@example.org)",
                     "[![a](docs/image.svg)](docs/page.md)", "# Here\n[a](#here)"]:
            code, out, err = self.run_on(link + "\n")
            self.assertEqual((code, err), (0, ""), link)
            self.assertRegex(out, r"^[12] links, 0 problems")

    def test_leads_nowhere(self):
        for link, why in [("[a](docs/pages.md)", "no such file"), ("![a](image.svg)", "no such file"), ("[a](docs/page.md#three)", "#three"),
                          ("[a](docs/page.md#twice-2)", "#twice-2"), ("[a](#there)", "#there")]:
            code, _, err = self.run_on("# Here\n\n" + link + "\n")
            self.assertEqual(code, 1, link)
            self.assertIn("README.md:3: ", err)
            self.assertIn(why, err)

    def test_code_is_no_link(self):
        code, out, _ = self.run_on("[a](docs/page.md)\n`[b](none.md)`\n```\n[c](none.md)\n```\n")
        self.assertEqual((code, out), (0, "1 links, 0 problems\n"))

    def test_nothing_to_look_at_is_a_failure(self):
        self.assertEqual(self.run_on("no link\n")[0], 1)


unittest.main()
