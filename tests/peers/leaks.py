"""The last step of `.ci/run`: no secret of the whole test run is where it does not belong.

`leaks.py RUN LOG…` looks through the logs of the suites, and below the run's folder through
* `record/said`: what the binary said in tests that keep it to themselves, a file for each run of it;
* `record/left`: the small files of every test's folder, as they were when it went, a folder for each;
* `temporary`: what nobody has taken away.
What is looked for comes from the stores that were left: every key, secret and token in them, in every form; and what
looks like a key, token or secret that nobody has told us. The exceptions are listed: ALLOWED and ALLOWED_KINDS.
"""

import json
import os
import re
import stat
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from counts import check, finish
from needles import Needles, der_of, leaks_in

STATE = r"left \S+ .*\.thinggate/"
SIGNING_KEY = r"left \S+ .*keys/\S+@\S+/\d+\.pem$"
TOKEN_FILE = r"left \S+ \S+\.jwt$"
ARTICLE = r"left aws_cli-\w+ (private\.pem|token)$"
# Where a secret may be: the secret, the place, and why.
ALLOWED = [
    ("HMAC secret", STATE + r"identity\.json$", "its store"),
    ("client secret", STATE + r"identity\.json$", "its store"),
    ("provider's key", STATE + r"identity\.json$", "its store"),
    ("authority's key", STATE + r"ca\.key$", "its store"),
    ("private key", SIGNING_KEY, "its store"),
    ("access token", TOKEN_FILE, "`device login --save`"),
    ("private key", ARTICLE, "what the reader of the article made with openssl (aws_cli.py)"),
    ("access token", ARTICLE, "the reader of the article keeps it there"),
    ("HMAC secret", STATE + r"state\.json$", "the record of the function's environment: in_environment = true"),
    ("private key", STATE + r"state\.json$", "Parameter Store, where `ssm:` keeps it"),
]
# The same for what only looks like a secret.
ALLOWED_KINDS = [
    ("a private key", rf"{SIGNING_KEY}|{STATE}(ca\.key|state\.json)$|{ARTICLE}", "their stores"),
    ("a named secret", STATE + r"(identity|credentials|run|state)\.json$", "see above"),
    ("a named secret", r"said cli\.newcomer\.an_environment_of_nothing-\S+$", "`local env` prints what it is asked for"),
    ("a token", rf"{TOKEN_FILE}|{ARTICLE}", "see above"),
]
STORES = re.compile("|".join([rf"{STATE}(identity|credentials|run|state)\.json$", rf"{STATE}ca\.key$", SIGNING_KEY]))

def places(run, logs):
    """Every file that is looked through: its name as a place, and its path."""
    for log in logs:
        yield f"log {os.path.basename(log)}", log
    for kind, below in (("said", "record/said"), ("left", "record/left"), ("temporary", "temporary")):
        top = os.path.join(run, below)
        for at, _, names in os.walk(top):
            for name in names:
                path = os.path.join(at, name)
                first, _, rest = os.path.relpath(path, top).partition("/")
                if os.path.isfile(path) and not os.path.islink(path):
                    yield f"{kind} {first} {rest}".strip(), path


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def private_parameters(state):
    """The private keys that a target's Parameter Store holds."""
    for region in state["world"]["regions"].values():
        for one in region.get("ssm", {}).get("parameters", {}).values():
            if "PRIVATE" in one["value"]:
                yield one["value"]


def gather(found):
    """What the stores hold: needles, how many secrets of each kind, and what could not be read as one."""
    needles, kinds, odd = Needles(), {}, []

    def keep(name, add, secret):
        add(name, secret)
        kinds.setdefault(name, set()).add(secret)

    for place, path in found:
        try:
            text = contents(path).decode()
            if re.match(STATE + r"identity\.json$", place):
                kept = json.loads(text)
                keep("HMAC secret", needles.add, kept["hs256_secret"])
                keep("client secret", needles.add, kept["client_secret"])
                keep("provider's key", needles.add_private_key, der_of(kept["rs256_pkcs8"]))
            elif re.match(STATE + r"state\.json$", place):
                for pem in private_parameters(json.loads(text)):
                    keep("private key", needles.add_private_key, der_of(pem))
            elif re.match(STATE + r"ca\.key$", place):
                keep("authority's key", needles.add_private_key, der_of(text))
            elif re.match(rf"{SIGNING_KEY}|{ARTICLE}", place) and "PRIVATE" in text:
                keep("private key", needles.add_private_key, der_of(text))
            elif re.match(rf"{TOKEN_FILE}|{ARTICLE}", place) and text.count(".") == 2:
                keep("access token", needles.add_token, text.strip())
        except (ValueError, LookupError, TypeError, AttributeError):
            odd.append(place)  # damaged on purpose
    return needles, {name: len(of) for name, of in kinds.items()}, odd


def scan(found, needles):
    """The places in which a secret is that may not be there; and the exceptions that were met."""
    return leaks_in(((place, contents(path)) for place, path in found), needles, ALLOWED, ALLOWED_KINDS)


def planted(run, needles):
    """Every kind of secret as a run could leave it, in every kind of place: the scan must see them."""
    by_name = {}
    for form, (name, _) in needles.by_form.items():
        by_name.setdefault(name, []).append(form)
    letters = "AbCdEfGh0123456789_-" * 3
    by_name["a private key"] = [b"-----BEGIN PRIVATE KEY-----"]
    by_name["a token"] = [f"Bearer eyJ{letters}.eyJ{letters}.{letters}".encode()]
    by_name["a named secret"] = [f"client_secret={letters}&x=y".encode()]
    with tempfile.TemporaryDirectory(dir=run) as place:
        paths = [os.path.join(place, name) for name in ("record/said/x", "record/left/x/y.log", "temporary/x", "x.log")]
        for path in paths:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        unseen = []
        for name, of in by_name.items():
            for path in paths:
                with open(path, "wb") as file:
                    file.write(b"a line: " + of[len(of) // 2] + b"\n")
            leaks = scan(places(place, paths[-1:]), needles)[0]
            unseen += [name] * (len([leak for leak in leaks if leak.startswith(f"{name} in ")]) != len(paths))
        check(f"planted: {len(by_name)} kinds of secrets in {len(paths)} kinds of places; the scan finds each", not unseen, unseen)


def main():
    run, logs = sys.argv[1], sys.argv[2:]
    found = list(places(run, logs))
    needles, kinds, odd = gather(found)
    names = ", ".join(f"{count} {name}" for name, count in sorted(kinds.items()))
    leaks, met = scan(found, needles)
    check(f"no secret outside its store, in {len(found)} places ({names})", not leaks, "\n        ".join(leaks))
    check("the run's stores were found", {"HMAC secret", "client secret", "provider's key"} <= set(kinds), f"{kinds} {odd}")
    held = {name for name, _, _ in met}
    check("the scan finds the secrets where they may be", set(kinds) <= held, f"{sorted(kinds)} / {sorted(held)}")
    stores = [(place, stat.S_IMODE(os.stat(path).st_mode)) for place, path in found if STORES.match(place)]
    opened = [f"{mode:o} {place}" for place, mode in stores if mode & 0o077]
    check(f"{len(stores)} files that hold secrets are their owner's alone", stores and not opened, opened)
    planted(run, needles)
    finish()


if __name__ == "__main__":
    main()
