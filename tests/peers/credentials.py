"""Every kind of AWS credentials: what a run does with good ones, and what it says about missing, wrong and ended ones.

The stack is `target = "aws"` and its addresses are those of a served local target, which gives out real sessions of
roles. See credential_kinds.py for how each kind is set up, and credential_defects.py for what is wrong with them.
"""

import contextlib
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import credential_defects
import credential_kinds
from credential_kinds import ACCOUNT
from moto_suite import program
from support import (BINARY, CHECKOUT, Proxy, Target, check, environment, finish, folder, planted, stack_file, thinggate,
                     wait_for)

STACK = "signed"
PACKAGE_BYTES = 1_500_000  # a real package, which only a known caller may send
HOUR_MS = 3_600_000
# Kinds that a program or a service gives: how often it was asked in a life of three runs.
ASKED_ONCE_A_RUN = {"process": 3, "container": 3, "sso": 3}


def stack_on_aws(home, kind):
    """The first-run stack as one on AWS, with a function that is never run."""
    with open(os.path.join(home, "bootstrap"), "wb") as file:
        file.write(program(1) + os.urandom(PACKAGE_BYTES))
    with open(os.path.join(CHECKOUT, "stacks", "local.toml"), encoding="utf-8") as file:
        text = re.sub(r'^name += +"[^"]*"', f'name = "{STACK}"', file.read(), count=1, flags=re.M)
    text = re.sub(r"^target += .*$", f'target = "aws"\naccount = "{ACCOUNT}"\nprotect = false', text, count=1, flags=re.M)
    text = text.replace("https://identity.thinggate.local", "https://id.example.com")
    text = text.replace('"local:hs256"', '"env:SECRET"').replace('"local:client"', '"env:CLIENT"')
    architecture = "arm64" if os.uname().machine in ("aarch64", "arm64") else "x86_64"
    path = os.path.join(home, f"{STACK}.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'{text}\n[function]\nbootstrap = "bootstrap"\narchitecture = "{architecture}"\n{kind.toml()}')
    return path


class Bench:
    """The target behind a recording proxy, and the account in it."""

    def __init__(self, home):
        self.home, self.target = home, Target(home)
        self.proxy = Proxy(self.target.run["control_url"])
        self.account = credential_kinds.Account(self.target)
        self.account.url = self.proxy.url
        self.said = []  # what every run printed

    @contextlib.contextmanager
    def kind(self, name, folder_name=None):
        """A kind and its stack."""
        with credential_kinds.ready(name, self.target, os.path.join(self.home, folder_name or name), self.account) as kind:
            yield kind, stack_on_aws(kind.home, kind)

    def run(self, kind, command, stack, *flags, **more):
        done = thinggate(command, stack, *flags, cwd=kind.home, **self.variables(kind, more))
        self.said += [done.stdout, done.stderr]
        return done

    @staticmethod
    def variables(kind, more=None):
        return {"SECRET": "c2VjcmV0" * 6, "CLIENT": "client", **kind.environment, **(more or {})}

    def callers(self):
        """The ARNs that GetCallerIdentity answered since the exchanges were cleared."""
        bodies = (one["body"].decode() for one in self.proxy.exchanges if one["operation"] == "sts: GetCallerIdentity")
        return {arn for body in bodies for arn in re.findall("<Arn>(.*?)</Arn>", body)}

    def stop(self):
        self.proxy.stop()
        self.target.stop()


def told(done):
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"


def life(bench, name):
    """Deploy, drift, destroy; AWS is called by whom it should be, and drift writes nothing."""
    with bench.kind(name) as (kind, stack):
        bench.proxy.exchanges.clear()
        for command, flags in (("deploy", ()), ("drift", ()), ("destroy", ("--yes", "--delete-key"))):
            before = len(bench.proxy.writes())
            done = bench.run(kind, command, stack, *flags)
            check(f"{name}: {command}", done.returncode == 0, told(done))
            if command == "drift":
                wrote = bench.proxy.writes()[before:]
                check(f"{name}: drift writes nothing", not wrote, wrote)
        check(f"{name}: the caller is {kind.caller}", bench.callers() == {kind.caller}, bench.callers())
        if name in ASKED_ONCE_A_RUN:
            asked = credential_defects.asked(kind)
            check(f"{name}: was asked once a run", asked == ASKED_ONCE_A_RUN[name], asked)
    if name == "static":
        planted("another caller", lambda: check("the caller", bench.callers() == {"arn:aws:iam::000000000000:user/other"}))


def ended_during_the_run(bench, call):
    """The session ends while the reply of a mutating call is held: exit 6, and the next run goes on."""
    with bench.kind("session", f"ended-{call}") as (kind, stack):
        bench.target.admin("POST", "/_local/faults", {"hold_reply_of": call})
        process = subprocess.Popen(
            [BINARY, "deploy", stack], cwd=kind.home, env=environment(**bench.variables(kind)), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        held = wait_for(lambda: bench.target.admin("GET", "/_local/faults?wait_ms=200")[1]["held"] or process.poll() is not None, 120)
        bench.target.admin("POST", "/_local/clock", {"advance_ms": HOUR_MS})
        bench.target.admin("DELETE", "/_local/faults")
        stdout, stderr = process.communicate(timeout=120)
        bench.said += [stdout, stderr]
        bench.target.admin("POST", "/_local/clock", {"advance_ms": -HOUR_MS})
        bench.target.admin("POST", "/_local/faults", {})
        undone = re.search(r"^  [+~±-] (.+?)  +(\S+)  .*(?:failed|not started)", stdout, re.M)
        named = undone and f"then stopped; first undone: {undone.group(1)} {undone.group(2)}\n" in stdout
        good = (held and process.returncode == 6 and "AWS answered ExpiredToken" in stderr and named
                and "log in again" in stderr)
        check(f"a session that ends after call {call}: exit 6, the first undone step named", good,
              f"exit {process.returncode}\n{stdout}{stderr}")
        kind.environment.update(credential_kinds.session_variables(
            bench.account.session_of(bench.account.role("credentials-session"))))
        for command, flags in (("deploy", ()), ("drift", ()), ("destroy", ("--yes", "--delete-key"))):
            done = bench.run(kind, command, stack, *flags)
            check(f"and with a new session {command} is done", done.returncode == 0, told(done))


def local_is_left_alone(bench):
    """Variables and files of AWS's tools do not matter to a stack whose target is local."""
    home = os.path.join(bench.home, "local")
    os.makedirs(os.path.join(home, ".aws"))
    for name in ("config", "credentials"):
        with open(os.path.join(home, ".aws", name), "w", encoding="utf-8") as file:
            file.write("[broken\naws_access_key_id\n= hunter2\n")
    stack = stack_file(home, "local", replace=[("[authorizer]\n", '[function]\nbootstrap = "bootstrap"\n\n[authorizer]\n')])
    with open(os.path.join(home, "bootstrap"), "wb") as file:
        file.write(program(1))
    ambient = {
        "HOME": home, "AWS_PROFILE": "nobody", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "hunter2",
        "AWS_SESSION_TOKEN": "hunter2", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/nobody",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x", "AWS_REGION": "mars-1", "AWS_CREDENTIAL_EXPIRATION": "soon"}
    for command, flags in (("deploy", ()), ("drift", ()), ("destroy", ("--yes", "--delete-key"))):
        done = thinggate(command, stack, *flags, "--state-dir", bench.target.state, cwd=home, **ambient)
        bench.said += [done.stdout, done.stderr]
        check(f"local, with a broken ~/.aws and wrong variables: {command}", done.returncode == 0 and "hunter2" not in told(done), told(done))


def nothing_secret_is_left(bench, secrets):
    """No run printed a secret, and none is in a file but those that the kinds are made of, and the target's own."""
    def leaks(texts):
        return [name for name, secret in secrets.items() if any(secret.encode() in text for text in texts)]

    def judge(texts):
        return check(f"{len(texts)} outputs and files hold none of {len(secrets)} secrets", secrets and not leaks(texts), leaks(texts))

    texts = [text.encode() for text in bench.said]
    for at, _, names in os.walk(bench.home):
        if at != bench.target.state and "/.aws" not in at:
            for name in set(names) - credential_kinds.STORES:
                with open(os.path.join(at, name), "rb") as file:
                    texts.append(file.read())
    judge(texts)
    planted("a secret in an output", lambda: judge([*texts, next(iter(secrets.values())).encode()]))


def main():
    with folder(recorded=False) as home:  # the kinds keep their secrets in it
        bench = Bench(home)
        try:
            for name in credential_kinds.ALL:
                life(bench, name)
            secrets = credential_defects.run(bench)
            for call in (2, 6):
                ended_during_the_run(bench, call)
            local_is_left_alone(bench)
            nothing_secret_is_left(bench, secrets)
        finally:
            bench.stop()
    finish()


if __name__ == "__main__":
    main()
