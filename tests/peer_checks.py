"""Comparisons of a test that goes on after the first difference, one printed line each."""
import sys


class Checks:
    def __init__(self):
        self.failures = 0

    def __call__(self, what, found, expected):
        good = found == expected
        self.failures += not good
        print(f"{'ok  ' if good else 'FAIL'} {what}" + ("" if good else f": expected {expected!r}, found {found!r}"), flush=True)

    def end(self, all_good):
        print(all_good if not self.failures else f"{self.failures} failures")
        sys.exit(1 if self.failures else 0)
