"""Secrets stay where they are: after a whole story, nothing of them is in any output, file or wire capture
outside their stores. The exceptions are listed: ALLOWED."""

import base64
import json
import os
import re
import stat
import subprocess
import sys
import urllib.parse
import zipfile

sys.path.insert(0, os.path.dirname(__file__))
from person import approve
from support import BINARY, Proxy, Target, bootstrap, check, environment, finish, folder, stack_file

STACK = "canary"
KEY = f"keys/{STACK}@eu-west-1/1.pem"
# Where a secret may be: the secret, and the place. Files of these must be 0600.
ALLOWED = [
    ("HMAC secret", r"file \.thinggate/identity\.json"),            # its store
    ("client secret", r"file \.thinggate/identity\.json"),          # its store
    ("private key", rf"file {re.escape(KEY)}"),                      # its store
    ("access token", r"file token\.jwt"),                            # `device login --save`
    ("HMAC secret", r"file \.thinggate/state\.json"),               # the function's environment, kept
    ("HMAC secret", r"wire lambda: (request|answer) "),              # the same on its way: in_environment = true
]


def forms(secret):
    """A secret in the forms in which it could leak."""
    data = secret if isinstance(secret, bytes) else secret.encode()
    text = {data, base64.b64encode(data).rstrip(b"="), base64.urlsafe_b64encode(data).rstrip(b"="), data.hex().encode()}
    text.add(urllib.parse.quote_from_bytes(data, safe="").encode())
    text.add(json.dumps(data.decode("latin-1"))[1:-1].encode())
    return text


def secrets_of(home, token):
    """Each secret by name, in parts that are secret on their own."""
    with open(os.path.join(home, ".thinggate", "identity.json"), encoding="utf-8") as file:
        identity = json.load(file)
    with open(os.path.join(home, KEY), encoding="utf-8") as file:
        lines = [line for line in file.read().splitlines() if "-----" not in line]
    der = base64.b64decode("".join(lines))
    hmac = identity["hs256_secret"]
    return {
        "HMAC secret": forms(hmac) | forms(base64.b64decode(hmac)),
        "client secret": forms(identity["client_secret"]),
        # Past the modulus, which is public: the private exponent and the primes.
        "private key": {line.encode() for line in lines[-12:-1]} | forms(der[-200:-160]),
        "access token": forms(token) | forms(token.rsplit(".", 1)[1]),
    }


def files(home):
    """Every file below a folder, archives also unpacked."""
    for at, _, names in os.walk(home):
        for name in names:
            path = os.path.join(at, name)
            place = f"file {os.path.relpath(path, home)}"
            with open(path, "rb") as file:
                yield place, file.read()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    for one in archive.namelist():
                        yield f"{place} {one}", archive.read(one)


def wire(proxy):
    for one in proxy.exchanges:
        name = one["operation"].split(": ", 1)[1]
        yield f"wire {one['service']}: request {name}", json.dumps([one["path"], one["request_headers"]]).encode() + one["request_body"]
        yield f"wire {one['service']}: answer {name}", json.dumps(one["headers"]).encode() + one["body"]


def scan(places, secrets):
    """The places in which a secret is that may not be there; and the exceptions that were met."""
    leaks, met = [], set()
    for place, content in places:
        for name, parts in secrets.items():
            if not any(part in content for part in parts):
                continue
            row = next((row for row in ALLOWED if row[0] == name and re.match(row[1], place)), None)
            if row:
                met.add(row)
            else:
                leaks.append(f"{name} in {place}")
    return leaks, met


class Story:
    """Runs commands and keeps what they print."""

    def __init__(self, home, stack, target, proxy):
        self.home, self.stack, self.printed = home, stack, []
        self.flags = ("--state-dir", target.state, "--local-endpoint", proxy.url)

    def run(self, *words, code=0):
        done = subprocess.run([BINARY, *words, *self.flags], cwd=self.home, env=environment(RUST_LOG="trace", RUST_BACKTRACE="full"),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
        self.keep(" ".join(words), done.stdout, done.stderr)
        check(f"canary: {' '.join(words).replace(self.stack, 'STACK')} ends with {code}", done.returncode == code, f"{done.returncode} {done.stderr[-600:]}")

    def keep(self, name, out, err):
        self.printed += [(f"standard output of {name}", out), (f"standard error of {name}", err)]

    def log_in(self):
        """`device login`, with somebody who types the code that it shows."""
        process = subprocess.Popen([BINARY, "device", "login", self.stack, "--save", "token.jwt", *self.flags], cwd=self.home,
                                   env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        shown = b""
        while not (address := re.search(rb"(http://\S+?)[\s?]", shown)) or not (code := re.search(rb"\b[A-Z]{4}-[A-Z]{4}\b", shown)):
            line = process.stderr.readline()
            if not line:
                raise RuntimeError(f"no code was shown: {shown}")
            shown += line
        approved = approve(address.group(1).decode(), code.group(0).decode())
        out, err = process.communicate(timeout=60)
        self.keep("device login", out, shown + err)
        check("canary: device login", approved and process.returncode == 0, f"{process.returncode} {shown + err}")
        with open(os.path.join(self.home, "token.jwt"), encoding="utf-8") as file:
            return file.read().strip()


def tell(story):
    """Every command, in every form of output, with mistakes."""
    stack, token = story.stack, ("--token", "file:token.jwt")
    story.run("deploy", stack)
    for output in ("human", "json", "jsonl"):
        for verb in ("deploy", "plan", "drift", "outputs"):
            story.run(verb, stack, "--output", output)
    story.run("outputs", stack, "--for", "device")
    access = story.log_in()
    story.run("device", "token", stack, *token)
    story.run("device", "sign", stack, *token)
    story.run("device", "publish", stack, "customauthtesting", "hello", *token)
    story.run("device", "publish", stack, "forbidden", "hello", *token, code=1)
    story.run("device", "publish", stack, "customauthtesting", "hello", *token, "--signature", "AAAA", code=1)
    story.run("local", "status")
    story.run("destroy", stack, "--yes")
    story.run("deploy", stack)
    return access


def run():
    with folder() as binary, folder() as home:
        ready = bootstrap(binary)
        stack = stack_file(home, STACK, replace=[("[authorizer]\n", f'[function]\nbootstrap = "{ready}"\n\n[authorizer]\n')])
        target = Target(home)
        proxy = Proxy(target.run["control_url"])
        try:
            story = Story(home, stack, target, proxy)
            secrets = secrets_of(home, tell(story))
        finally:
            proxy.stop()
            target.stop()
        places = [*story.printed, *files(home), *wire(proxy)]
        leaks, met = scan(places, secrets)
        check(f"canary: no secret outside its store, in {len(places)} places", not leaks, leaks)
        unmet = [row for row in ALLOWED if row not in met]
        check("canary: the scan finds the secrets where they may be", not unmet, unmet)
        kept = [os.path.join(home, place) for place in (".thinggate/identity.json", ".thinggate/state.json", KEY, "token.jwt")]
        modes = {path: oct(stat.S_IMODE(os.stat(path).st_mode)) for path in kept}
        check("canary: what holds a secret is 0600", set(modes.values()) == {"0o600"}, modes)
        for name, parts in secrets.items():
            unseen = [part for part in parts if not scan([("file x.log", b"x" + part + b"y")], secrets)[0]]
            check(f"planted: the {name} in a log, in {len(parts)} forms; the scan finds it", parts and not unseen, unseen)


if __name__ == "__main__":
    run()
    finish()
