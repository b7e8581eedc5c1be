"""What every suite counts, and how it ends."""

import contextlib
import io
import sys

passed = 0
failed = 0


def check(name, holds, detail=""):
    """Counts one check and says how it went."""
    global passed, failed
    if holds:
        passed += 1
        print(f"ok      {name}", flush=True)
    else:
        failed += 1
        print(f"FAILED  {name}\n        {detail}", flush=True)
    return holds


def planted(defect, checks):
    """A defect that is planted on purpose: the checks must fail on it, or they check nothing."""
    global passed, failed
    before = passed, failed
    with contextlib.redirect_stdout(io.StringIO()) as said:
        checks()
    seen = failed > before[1]
    passed, failed = before
    return check(f"planted: {defect}; the check fails", seen, said.getvalue())


def finish():
    """Prints the counts and ends the suite."""
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)
