"""The README's first command as a newcomer runs it: a fresh clone, an empty home, no terminal.

Then interrupted in the middle, and run again. The lines are compared with the README's own.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from support import BINARY, CHECKOUT, check, environment, finish, folder, planted, said, wait_for

CODE = re.compile(r"\b[A-Z]{4}-[A-Z]{4}\b")
BUILD_TIME_MAX_S = 1800


def newcomer(home):
    """The environment of somebody who has a Rust toolchain, and nothing else of ours."""
    real = os.path.expanduser("~")
    tools = {"CARGO_HOME": os.environ.get("CARGO_HOME", os.path.join(real, ".cargo")),
             "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.join(real, ".rustup")),
             "CARGO_TARGET_DIR": os.path.dirname(os.path.dirname(BINARY))}
    known = environment()
    return {"PATH": known["PATH"], "HOME": home, "LANG": "C.UTF-8",
            "TMPDIR": tempfile.gettempdir(), **tools}


def readme(clone):
    """The first command of the README, and the lines that it shows."""
    with open(os.path.join(clone, "README.md"), encoding="utf-8") as file:
        text = file.read()
    command = re.search(r"```sh\n(cargo run[^#\n]*)", text).group(1).split()
    shown = re.search(r"```\n( 1  local target.*?)```", text, flags=re.S).group(1)
    return command, shown.splitlines()


def plain(line):
    """A line without what differs from run to run: ports, codes, process ids."""
    line = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", line)
    return re.sub(r"\(\d+\)", "(PID)", CODE.sub("CODE", line))


def same_story(printed, shown):
    return check("every line is the README's, in order", [plain(one) for one in printed] == [plain(one) for one in shown],
                 f"{printed} / {shown}")


def alive(pid):
    """Whether a process runs; a dead one that nobody has waited for does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def follower(lines):
    return int(re.search(r"\((\d+)\)", next(one for one in lines if "follower" in one)).group(1))


def left(clone):
    """What the demo has left in the folder that it ran in."""
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True).stdout
    state = os.path.join(clone, ".thinggate")
    found = [os.path.join(at, one) for at, _, files in os.walk(state) for one in files]
    keys = [one for one in found if "/keys/" in one]
    return changed.split("\n")[:-1] + keys


def first_run(clone, home):
    """The README's command, literally."""
    command, shown = readme(clone)
    check("the README's first command is the demo", command == ["cargo", "run", "--", "demo"], command)
    began = time.monotonic()
    done = subprocess.run(command, cwd=clone, env=newcomer(home), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=BUILD_TIME_MAX_S, check=False)
    print(f"(the first run took {time.monotonic() - began:.0f} s)", flush=True)
    check("it ends with 0", done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}")
    said(done.stdout, done.stderr)
    lines = done.stdout.splitlines()
    same_story(lines, shown)
    planted("a line is missing", lambda: same_story(lines[:-1], shown))
    planted("another one refuses", lambda: same_story([one.replace("gateway", "policy") for one in lines], shown))
    check("the follower is a process of its own, and gone", not alive(follower(lines)), lines)
    check("nothing is left in the clone", left(clone) == [], left(clone))
    check("nothing is left in the home folder", os.listdir(home) == [], os.listdir(home))
    return shown


def interrupted(clone, home, after):
    """Ctrl-C once the demo has printed line `after`: exit 130, and nobody is left running."""
    process = subprocess.Popen([BINARY, "demo"], cwd=clone, env=newcomer(home), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = [process.stdout.readline() for _ in range(after)]
    process.send_signal(signal.SIGINT)
    rest, talk = process.communicate(timeout=120)
    said(*lines, rest, talk)
    lines += rest.splitlines()
    check(f"Ctrl-C after line {after}: exit 130", process.returncode == 130, f"{process.returncode} {lines} {talk[-800:]}")
    check(f"Ctrl-C after line {after}: it says how to go on", "again" in talk.split("stopping:")[-1], talk[-800:])
    started = [one for one in lines if "follower" in one]
    if started:
        check(f"Ctrl-C after line {after}: the follower is gone", wait_for(lambda: not alive(follower(started)), 10), lines)


def run_again(clone, home, shown, after):
    done = subprocess.run([BINARY, "demo"], cwd=clone, env=newcomer(home), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=600, check=False)
    said(done.stdout, done.stderr)
    lines = done.stdout.splitlines()
    # What the interrupted run has deployed is there already.
    expected = [re.sub(r"\d+ of 8 resources", "N of 8 resources", plain(one)) for one in shown]
    printed = [re.sub(r"\d+ of 8 resources", "N of 8 resources", plain(one)) for one in lines]
    check(f"run again after line {after}: it works", done.returncode == 0 and printed == expected,
          f"{done.returncode} {lines} {done.stderr[-1500:]}")
    check(f"run again after line {after}: nothing is left", left(clone) == [], left(clone))


def main():
    with folder() as place:
        clone, home = os.path.join(place, "clone"), os.path.join(place, "home")
        os.mkdir(home)
        subprocess.run(["git", "clone", "-q", CHECKOUT, clone], check=True, timeout=120)
        shown = first_run(clone, home)
        for after in range(1, 11) if os.environ.get("LONG") else (1, 4):
            interrupted(clone, home, after)
            run_again(clone, home, shown, after)
    finish()


if __name__ == "__main__":
    main()
