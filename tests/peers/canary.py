"""Secrets stay where they are: after a whole story and a demo, nothing of them is in any output, file or wire
capture outside their stores. The exceptions are listed, each with its reason: ALLOWED, and wire.py's fields."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import zipfile

sys.path.insert(0, os.path.dirname(__file__))
import wire
from needles import PATTERNS, Needles, der_of, leaks_in
from person import approve
from support import BINARY, Proxy, Target, bootstrap, check, environment, finish, folder, stack_file

STACK = "canary"
KEY = f"keys/{STACK}@eu-west-1/1.pem"
DEMO_KEY = ".thinggate/demo/keys/local-demo@eu-west-1/1.pem"
STATE = r"file \.thinggate/"
TOKEN_FILE = r"file \w+\.jwt$"
# Where a secret may be: the secret, the place, and why.
ALLOWED = [
    ("HMAC secret", STATE + r"identity\.json$", "its store"),
    ("client secret", STATE + r"identity\.json$", "its store"),
    ("provider's key", STATE + r"identity\.json$", "its store"),
    ("private key", rf"file ({re.escape(KEY)}|{re.escape(DEMO_KEY)})$", "its store"),
    ("authority's key", STATE + r"ca\.key$", "its store"),
    ("secret access key", STATE + r"credentials\.json$", "its store"),
    ("secret access key", STATE + r"run\.json$", "how commands reach a served target"),
    ("secret access key", r"standard output of local env$", "what was asked for"),
    ("access token", TOKEN_FILE, "`device login --save`"),
    ("token header", TOKEN_FILE, "the same"),
    ("access token", r"standard output of device login$", "`device login` without --save"),
    ("token header", r"standard output of device login$", "the same"),
    ("token signature", r"standard output of device sign ", "what was asked for"),
    ("HMAC secret", STATE + r"state\.json$", "the record of the function's environment: in_environment = true"),
    ("HMAC secret", r"wire lambda: (request|answer) ", "the same on its way"),
    *wire.allowed(),
]
# The same for what only looks like a secret: the stores, and what `ALLOWED` says already.
ALLOWED_KINDS = [
    ("a private key", rf"file ({re.escape(KEY)}|{re.escape(DEMO_KEY)}|\.thinggate/ca\.key)$", "their stores"),
    ("a named secret", STATE + r"(identity|credentials|run|state)\.json$", "see above"),
    ("a named secret", r"wire lambda: (request|answer) |standard output of local env$", "see above"),
    ("a token", rf"{TOKEN_FILE}|standard output of device login$", "see above"),
    ("a token", r"wire data: \S+ \S+: (header|query) token$", "see wire.py"),
    ("a token", r"wire identity: \S+ \S+: (form refresh_token|member (access|refresh)_token)$", "see wire.py"),
]
STORES = (".thinggate/identity.json", ".thinggate/state.json", ".thinggate/run.json", ".thinggate/ca.key",
          ".thinggate/credentials.json", KEY)


def store_secrets(needles, home, key):
    """What the stores of a folder hold; its signing key is in the file `key`."""
    def read(*path):
        with open(os.path.join(home, *path), encoding="utf-8") as file:
            return file.read()

    identity = json.loads(read(".thinggate", "identity.json"))
    needles.add("HMAC secret", identity["hs256_secret"])
    needles.add("client secret", identity["client_secret"])
    needles.add_private_key("provider's key", der_of(identity["rs256_pkcs8"]))
    needles.add_private_key("authority's key", der_of(read(".thinggate", "ca.key")))
    needles.add("secret access key", json.loads(read(".thinggate", "credentials.json"))["secret_access_key"])
    needles.add_private_key("private key", der_of(read(key)))
    return identity


def header_needles(needles, headers):
    """The first part of any token of the provider, so that one is known whose text nobody has told us.

    As bytes, which are not looked for in their decoded form: what it says is public.
    """
    for header in headers:
        needles.add("token header", header.encode())


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


def control_wire(proxy):
    for one in proxy.exchanges:
        name = one["operation"].split(": ", 1)[1]
        yield f"wire {one['service']}: request {name}", json.dumps([one["path"], one["request_headers"]]).encode() + one["request_body"]
        yield f"wire {one['service']}: answer {name}", json.dumps(one["headers"]).encode() + one["body"]


def scan(places, needles):
    """The places in which a secret is that may not be there; and the exceptions that were met."""
    return leaks_in(places, needles, ALLOWED, ALLOWED_KINDS)


class Story:
    """Runs commands and keeps what they print."""

    def __init__(self, home, target, proxy, wires):
        self.home, self.target, self.wires, self.printed = home, target, wires, []
        self.flags = ("--state-dir", target.state, "--local-endpoint", proxy.url)
        self.temporary = os.path.join(home, "temporary")
        os.mkdir(self.temporary)

    def environment(self):
        return environment(RUST_LOG="trace", RUST_BACKTRACE="full", TMPDIR=self.temporary)

    def run(self, *words, code=0):
        done = subprocess.run([BINARY, *words, *self.flags], cwd=self.home, env=self.environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
        name = " ".join(words)
        self.keep(name, done.stdout, done.stderr)
        check(f"canary: {name.replace(self.home, 'HOME')} ends with {code}", done.returncode == code, f"{done.returncode} {done.stderr[-600:]}")
        return done.stdout.decode()

    def headers(self):
        return {value.split(".")[0] for _, value in self.wires.issued() if value.count(".") == 2}

    def keep(self, name, out, err):
        self.printed += [(f"standard output of {name}", out), (f"standard error of {name}", err)]

    def log_in(self, stack, *save):
        """`device login`, with somebody who types the code that it shows. Gives its standard output."""
        process = subprocess.Popen([BINARY, "device", "login", stack, *save, *self.flags], cwd=self.home, env=self.environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        shown = b""
        while not (address := re.search(rb"(http://\S+?)[\s?]", shown)) or not (code := re.search(rb"code   (\S+)\n", shown)):
            line = process.stderr.readline()
            if not line:
                raise RuntimeError(f"no code was shown: {shown}")
            shown += line
        approved = approve(self.wires.page(address.group(1).decode()), code.group(1).decode())
        out, err = process.communicate(timeout=60)
        self.keep(" ".join(("device login", *save)), out, shown + err)
        check(f"canary: device login {os.path.basename(stack)} {' '.join(save)}", approved and process.returncode == 0, f"{process.returncode} {shown + err}")
        return out.decode().strip()


def stacks(home, ready):
    """The stack, and two that differ in how their devices log in: OpenAM's dialect, and Basic with RS256."""
    binary = ("[authorizer]\n", f'[function]\nbootstrap = "{ready}"\n\n[authorizer]\n')
    legacy = [(f"/oauth2/local/{one}", f"/oauth2/legacy/{one}") for one in ("device/code", "access_token")]
    basic = [('client_id     = "deviceagent"', 'client_auth   = "basic"\nclient_id     = "deviceagent-rs256"')]
    yield stack_file(home, STACK, replace=[binary])
    yield stack_file(home, "legacy", replace=[binary, *legacy])
    yield stack_file(home, "basic", replace=[binary, *basic])


def tell(story, stack, legacy, basic):
    """Every command, in every form of output, with mistakes."""
    token = ("--token", "file:token.jwt")
    story.run("deploy", stack)
    for output in ("human", "json", "jsonl"):
        for verb in ("deploy", "plan", "drift", "outputs"):
            story.run(verb, stack, "--output", output)
    story.run("outputs", stack, "--for", "device")
    story.log_in(stack, "--save", "token.jwt")
    story.log_in(legacy, "--save", "legacy.jwt")
    story.log_in(basic, "--save", "basic.jwt")
    story.log_in(stack)
    story.run("device", "token", stack, *token)
    signature = story.run("device", "sign", stack, *token).strip()
    story.run("device", "publish", stack, "customauthtesting", "hello", *token)
    story.run("device", "publish", stack, "forbidden", "hello", *token, code=1)
    story.run("device", "publish", stack, "customauthtesting", "hello", *token, "--signature", "AAAA", code=1)
    story.run("local", "status")
    story.run("local", "env")
    with open(os.path.join(story.home, "token.jwt"), encoding="utf-8") as file:
        status = story.wires.publish_by_query(file.read().strip(), signature, "customauthtesting")
    check("canary: a device publishes by query", status == 200, status)
    needles = secrets(story, signature)
    story.run("destroy", stack, "--yes")
    story.run("deploy", stack)
    return needles


def secrets(story, signature):
    """All that may be nowhere else: what the stores hold, and what was given to devices."""
    needles = Needles()
    identity = store_secrets(needles, story.home, KEY)
    refresh = next(value for name, value in story.wires.issued() if name == "refresh token")
    check("canary: a device refreshes its token", "access_token" in story.wires.refresh(refresh, identity["client_secret"]))
    needles.add("token signature", signature)
    issued = list(story.wires.issued())
    kinds = {name: len([one for one, _ in issued if one == name]) for name, _ in issued}
    check("canary: tokens of every login and the refresh were on the wire",
          kinds == {"device code": 4, "access token": 5, "refresh token": 5}, kinds)
    for name, value in issued:
        needles.add_token(name, value)
    header_needles(needles, story.headers())
    return needles


def demonstrate(home, ready, *flags, until=None):
    """`thinggate demo` to its end, or until it says `until`, looks around there and ends it with Ctrl-C.

    Gives its exit code, and all that was seen of it.
    """
    process = subprocess.Popen(
        [BINARY, "demo", "--state-dir", ".thinggate", "--identity-interval-s", "0", "--bootstrap", ready, *flags], cwd=home,
        env=environment(RUST_LOG="trace", RUST_BACKTRACE="full", TMPDIR=os.path.join(home, "temporary")),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err, places = [], [], []
    reader = threading.Thread(target=lambda: out.extend(process.stdout), daemon=True)
    reader.start()
    for line in process.stderr:
        err.append(line)
        if until and until in line:
            places += files(home)
            process.send_signal(signal.SIGINT)
    reader.join(60)
    name = " ".join(("demo", *flags))
    places += [(f"standard output of {name}", b"".join(out)), (f"standard error of {name}", b"".join(err))]
    return process.wait(timeout=60), places + list(files(home))


def demos(ready, headers):
    """A demo that stays, then one that takes everything down, whose calls to the AWS APIs are recorded."""
    with folder(recorded=False) as home:  # leaks are planted here
        os.mkdir(os.path.join(home, "temporary"))
        code, places = demonstrate(home, ready, "--keep", until=b"until Ctrl-C")
        check("canary: a demo stays until Ctrl-C", code == 0, places)
        needles = Needles()
        store_secrets(needles, home, DEMO_KEY)
        header_needles(needles, headers)
        with open(os.path.join(home, ".thinggate", "ports.json"), encoding="utf-8") as file:
            proxy = Proxy(f"http://127.0.0.1:{json.load(file)['control']}")
        plant = "temporary/planted.log"  # as if the demo had left it: what is there at its end is looked at
        with open(os.path.join(home, plant), "wb") as file:
            file.writelines(form + b"\n" for form in needles.by_form)
        code, more = demonstrate(home, ready, "--output", "jsonl", "--local-endpoint", proxy.url)
        proxy.stop()
        check("canary: a demo ends, its calls were recorded", code == 0 and proxy.writes(), more)
    places += [*more, *control_wire(proxy)]
    leaks, _ = scan(places, needles)
    planted = {leak for leak in leaks if leak.endswith(f" in file {plant}")}
    names = {f"{name} in file {plant}" for name, _ in needles.by_form.values()}
    check(f"planted: {len(names)} secrets in a demo's temporary file; the scan finds each", names <= planted and len(names) == 7, leaks)
    leaks = [leak for leak in leaks if leak not in planted]
    check(f"canary: no secret of a demo outside its store, in {len(places)} places", not leaks, leaks)
    names = {place for place, _ in places}
    seen = {"standard output of demo --keep", f"file {DEMO_KEY}", "file .thinggate/run.json", "file .thinggate/log.jsonl"}
    check("canary: what a demo says and keeps is among them", seen <= names, sorted(names))


def relayed_leaks(exchanges, needles):
    """The leaks on the wire of a device and of the provider."""
    return [leak for name, one in exchanges for leak in scan(wire.masked(name, one), needles)[0]]


def planted_on_the_wires(wires, needles):
    """Each secret, in each part of a message where it may not be."""
    token = next(value for name, value in wires.issued() if name == "access token")
    refresh = next(value for name, value in wires.issued() if name == "refresh token")
    published = next(one for one in wires.data.exchanges if one["status"] == 200)
    polled = next(one for one in wires.identity.exchanges if b"access_token" in one["body"])
    text, data = token.encode(), [("content-type", "text/plain")]
    plants = [
        ("an access token in another header", "data", published, {"request_headers": [("x-trace", token)]}),
        ("an access token in the header of the signature", "data", published,
         {"request_headers": [("x-amz-customauthorizer-signature", token)]}),
        ("a refresh token as the token", "data", published, {"request_headers": [("token", refresh)]}),
        ("two tokens", "data", published, {"request_headers": [("token", token), ("token", token)]}),
        ("an access token in the topic", "data", published, {"path": f"/topics/{token}"}),
        ("an access token in another query parameter", "data", published, {"path": f"/topics/x?access_token={token}"}),
        ("an access token in the message", "data", published, {"request_body": b"hello " + text}),
        ("an access token in an answer's header", "data", published, {"headers": [*data, ("x-echo", token)]}),
        ("an access token in an answer", "data", published, {"body": json.dumps({"message": f"OK {token}"}).encode()}),
        ("an access token in the provider's address", "identity", polled, {"path": f"/oauth2/local/device/user?token={token}"}),
        ("an access token in another form field", "identity", polled, {"request_body": b"client_id=" + text}),
        ("an access token as client secret", "identity", polled, {"request_body": b"client_secret=" + text}),
        ("an access token in another member", "identity", polled, {"body": json.dumps({"error_description": token}).encode()}),
        ("an access token in a nested member", "identity", polled, {"body": json.dumps({"a": {"access_token": token}}).encode()}),
        ("an access token in a page", "identity", polled, {"body": b"<p>" + text}),
        ("an ID token", "identity", polled, {"body": json.dumps({"id_token": token}).encode()}),
    ]
    unseen = [what for what, name, one, change in plants if not relayed_leaks([(name, {**one, **change})], needles)]
    check(f"planted: a token in {len(plants)} wrong parts of a device's messages; the scan finds each", not unseen, unseen)
    sound = relayed_leaks([("data", published), ("identity", polled)], needles)
    check("the same messages without it have none", not sound, sound)


def planted_in_files(needles):
    """Each form of each secret, and what only looks like one."""
    by_name = {}
    for form, (name, kind) in needles.by_form.items():
        by_name.setdefault(name, []).append((kind, form))
    for name, of in by_name.items():
        unseen = [kind for kind, form in of if not scan([("file x.log", b"x " + form + b" y")], needles)[0]]
        check(f"planted: the {name} in a log, in {len(of)} forms; the scan finds it", not unseen, unseen)
    nobody = Needles()
    letters = "AbCdEfGh0123456789_-" * 3
    for name, text in {"a private key": "-----BEGIN EC PRIVATE KEY-----", "a token": f"eyJ{letters}.eyJ{letters}.{letters}",
                       "a named secret": f'"client_secret": "{letters}"'}.items():
        found = scan([("file x.log", text.encode())], nobody)[0]
        check(f"planted: {name} that nobody knows, in a log; the scan finds it", found == [f"{name} in file x.log"], found)
    check("every pattern is planted", len(PATTERNS) == 3, PATTERNS)


def planted_keys(home, needles):
    """A private key as tools write it, in another form than its store's."""
    path = os.path.join(home, KEY)
    unseen = []
    for tool in ("rsa -traditional", "rsa -text -noout", "rsa -outform DER", "pkcs8 -topk8 -nocrypt -outform DER",
                 "pkey -text -noout"):
        made = subprocess.run(["openssl", *tool.split(), "-in", path], capture_output=True, check=True, timeout=30).stdout
        for name, content in ((tool, made), (f"{tool} in JSON", json.dumps(made.decode("latin-1")).encode())):
            body = b"\n".join(line for line in made.splitlines() if b"-----" not in line)
            leaks = scan([("file x.log", content)], needles)[0] and (b"-----" not in made or scan([("file x.log", body)], needles)[0])
            if not leaks:
                unseen.append(name)
    check("planted: the private key as five tools of openssl write it; the scan finds each", not unseen, unseen)


def run():
    with folder() as binary, folder() as home:
        ready = bootstrap(binary)
        target = Target(home, "--identity-interval-s", "0")
        proxy, wires = Proxy(target.run["control_url"]), wire.Wires(target)
        story = Story(home, target, proxy, wires)
        try:
            needles = tell(story, *stacks(home, ready))
            places = [*story.printed, *files(home), *control_wire(proxy), *wires.places()]
        finally:
            wires.stop()
            proxy.stop()
            target.stop()
        places += files(home)
        leaks, met = scan(places, needles)
        check(f"canary: no secret outside its store, in {len(places)} places", not leaks, leaks)
        unmet = [row for row in ALLOWED + ALLOWED_KINDS if row not in met]
        check("canary: the scan finds the secrets where they may be", not unmet, unmet)
        check("canary: the wires of the device and the provider are among them",
              len(wires.data.exchanges) == 4 and len(wires.identity.exchanges) > 20, (len(wires.data.exchanges), len(wires.identity.exchanges)))
        kept = [os.path.join(home, place) for place in (*STORES, "token.jwt", "legacy.jwt", "basic.jwt")]
        modes = {path: oct(stat.S_IMODE(os.stat(path).st_mode)) for path in kept if os.path.exists(path)}
        check("canary: what holds a secret is 0600", set(modes.values()) == {"0o600"} and len(modes) >= 8, modes)
        planted_in_files(needles)
        planted_keys(home, needles)
        planted_on_the_wires(wires, needles)
        demos(ready, story.headers())


if __name__ == "__main__":
    run()
    finish()
