"""scripts/check-results on made results: what it must accept, and what it must refuse."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check-results"

PROGRAM = """#!/bin/sh
cat <<'END'
Running main() from somewhere.cc
Small.
  One
  Table/0  # GetParam() = "a.b"
Kind/Large.
  One
NightlyLarge.
  One
END
"""


def case(name, inner="", status="run"):
    suite, _, rest = name.partition(".")
    return f'<testcase name="{rest}" classname="{suite}" status="{status}">{inner}</testcase>'


class CheckResults(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)
        program = self.folder / "some_tests"
        program.write_text(PROGRAM)
        os.chmod(program, 0o755)
        registered = ""
        for suite, labels in (("Small", "unit"), ("Kind/Large", "unit"), ("NightlyLarge", "unit;nightly")):
            registered += self.suite(program, suite, labels)
        registered += "add_test(peer.x /bin/true)\nset_tests_properties(peer.x PROPERTIES LABELS peer)\n"
        registered += "add_test(soak.x /bin/true)\nset_tests_properties(soak.x PROPERTIES LABELS soak)\n"
        self.program = program
        self.registered = registered
        # What a daily run leaves when all is well.
        self.ran = {"Small": "run", "Kind/Large": "run", "peer.x": "run"}
        self.cases = {"Small": [case("Small.One"), case("Small.Table/0")], "Kind/Large": [case("Kind/Large.One")]}

    def suite(self, program, suite, labels):
        file = self.folder / (suite.replace("/", "-") + ".xml")
        return (f'add_test([=[{suite}]=] "{program}" "--gtest_filter={suite}.*" "--gtest_output=xml:{file}")\n'
                f'set_tests_properties([=[{suite}]=] PROPERTIES LABELS "{labels}")\n')

    def check(self, *mode):
        (self.folder / "CTestTestfile.cmake").write_text(self.registered)
        rows = "".join(f'<testcase name="{name}" status="{status.split(":")[0]}"><system-out>{status.partition(":")[2]}</system-out></testcase>'
                       for name, status in self.ran.items())
        (self.folder / "results.xml").write_text(f"<testsuite>{rows}</testsuite>")
        for suite, cases in self.cases.items():
            (self.folder / (suite.replace("/", "-") + ".xml")).write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
        done = subprocess.run([sys.executable, str(SCRIPT), str(self.folder / "results.xml"), str(self.folder), *mode], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def refuse(self, part, *mode):
        code, out, err = self.check(*mode)
        self.assertEqual(code, 1, out + err)
        self.assertIn(part, err)

    def test_a_daily_run(self):
        code, out, err = self.check()
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out, "5 registered, 3 ran, 0 skipped with a reason, 1 nightly tests are not of this run, 1 soak tests are not of this run; "
                              "cases of this run's suites: 3 registered, 3 ran, 0 skipped with a reason\n")

    def test_a_daily_test_that_did_not_run(self):
        del self.ran["peer.x"]
        self.refuse("peer.x: registered, but it did not run")

    def test_a_suite_that_did_not_run(self):
        del self.ran["Small"], self.cases["Small"]
        self.refuse("some_tests Small.One: registered, but it did not run")

    def test_a_case_that_did_not_run(self):
        self.cases["Small"].pop()
        self.refuse("some_tests Small.Table/0: registered, but it did not run")

    def test_a_suite_that_nobody_registered(self):
        self.registered = self.registered.replace(self.suite(self.program, "Kind/Large", "unit"), "")
        del self.ran["Kind/Large"], self.cases["Kind/Large"]
        self.refuse("some_tests Kind/Large.One: registered, but it did not run")

    def test_a_suite_that_crashed(self):
        self.ran["Small"] = "fail"
        del self.cases["Small"]
        self.refuse("Small: failed")

    def test_a_failed_case(self):
        self.cases["Small"][0] = case("Small.One", '<failure message="no"/>')
        self.refuse("some_tests Small.One: failed")

    def test_skips(self):
        self.ran["peer.x"] = "notrun:skipped: no such program"
        self.cases["Small"][0] = case("Small.One", '<skipped message="a.cpp:3&#x0A;needs a GPU"/>')
        code, out, _ = self.check()
        self.assertEqual(code, 0)
        self.assertIn("peer.x: skipped: skipped: no such program\n", out)
        self.assertIn("some_tests Small.One: skipped: a.cpp:3 needs a GPU\n", out)
        self.assertIn("3 registered, 2 ran, 1 skipped with a reason\n", out)

    def test_skips_without_a_reason(self):
        self.ran["peer.x"] = "notrun:"
        self.cases["Small"][0] = case("Small.One", "<skipped/>")
        self.refuse("peer.x: skipped without a reason")
        self.refuse("some_tests Small.One: skipped without a reason")

    def test_a_disabled_case(self):
        self.program.write_text(PROGRAM.replace("  One\nKind", "  One\n  DISABLED_Two\nKind").replace('b"\n', 'b"\n  DISABLED_Two\n'))
        self.cases["Small"].append(case("Small.DISABLED_Two", status="notrun"))
        self.refuse("some_tests Small.DISABLED_Two: disabled")

    def test_a_nightly_run_must_run_the_nightly_tests(self):
        self.refuse("NightlyLarge: registered, but it did not run", "--nightly")
        self.refuse("some_tests NightlyLarge.One: registered, but it did not run", "--nightly")
        self.ran["NightlyLarge"] = "run"
        self.cases["NightlyLarge"] = [case("NightlyLarge.One")]
        code, out, err = self.check("--nightly")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("5 registered, 4 ran, 0 skipped with a reason, 1 soak tests are not of this run; cases of this run's suites: 4 registered, 4 ran", out)

    def test_all(self):
        self.refuse("soak.x: registered, but it did not run", "--all")

    def test_a_wrong_call(self):
        self.assertEqual(self.check("--daily")[0], 2)


if __name__ == "__main__":
    unittest.main()
