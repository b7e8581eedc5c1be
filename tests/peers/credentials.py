"""Every kind of AWS credentials: what a run does with good ones, and what it says about missing and ended ones.

The stack is `target = "aws"` and its addresses are those of a served local target, which gives out real sessions of
roles. See credential_kinds.py for how each kind is set up.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(__file__))
import credential_kinds
from credential_kinds import ACCOUNT
from moto_suite import program
from support import CHECKOUT, Proxy, Target, check, finish, folder, planted, thinggate

STACK = "signed"
PACKAGE_BYTES = 1_500_000  # a real package, which only a known caller may send


def stack_on_aws(home, kind, url=None):
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
        file.write(f'{text}\n[function]\nbootstrap = "bootstrap"\narchitecture = "{architecture}"\n{kind.toml(url)}')
    return path


def run(kind, command, stack, *flags, **more):
    return thinggate(command, stack, *flags, cwd=kind.home, SECRET="c2VjcmV0" * 6, CLIENT="client",
                     **{**kind.environment, **more})


def told(done):
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"


def life(account, kind):
    """Deploy, drift, destroy; the target is called by whom it should be."""
    stack = stack_on_aws(kind.home, kind)
    for command, flags in (("deploy", ()), ("drift", ()), ("destroy", ("--yes", "--delete-key"))):
        done = run(kind, command, stack, *flags)
        check(f"{kind.name}: {command}", done.returncode == 0, told(done))


def main():
    with folder() as home:
        target = Target(home)
        account = credential_kinds.Account(target)
        try:
            for name in credential_kinds.ALL:
                with credential_kinds.ready(name, target, os.path.join(home, name), account) as kind:
                    life(account, kind)
        finally:
            target.stop()
    finish()


if __name__ == "__main__":
    main()
