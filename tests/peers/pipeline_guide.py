"""docs/guide/ci.md as a newcomer follows it: every command of it, in its order, in a new repository."""

import base64
import os
import re
import subprocess
import sys

import credential_kinds
from credential_kinds import ACCOUNT
from support import BINARY, CHECKOUT, check, planted, said

GUIDE = os.path.join(CHECKOUT, "docs", "guide", "ci.md")


def blocks(text):
    """The commands of the page, block by block."""
    return re.findall(r"^```sh\n(.*?)^```$", text, flags=re.M | re.S)


class Newcomer:
    """A folder with a new repository, and AWS's and our commands on the PATH."""

    def __init__(self, home, target, ready):
        self.path, self.bin, self.target, self.ready = os.path.join(home, "guide"), os.path.join(home, "guide-bin"), target, ready
        os.makedirs(os.path.join(self.path, "stacks"))
        os.makedirs(self.bin)
        os.symlink(BINARY, os.path.join(self.bin, "thinggate"))
        self.program("aws", f'exec {sys.executable} -m awscli "$@"')
        self.environment = {
            "PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": home, "AWS_DEFAULT_REGION": "eu-west-1", "AWS_PAGER": "",
            "AWS_ENDPOINT_URL": target.run["control_url"], "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": target.run["access_key_id"], "AWS_SECRET_ACCESS_KEY": target.run["secret_access_key"],
            "GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "n@n", "GIT_COMMITTER_NAME": "n", "GIT_COMMITTER_EMAIL": "n@n"}
        self.run("git init --quiet --initial-branch=main")
        for name in ("hs256.txt", "client.txt"):
            with open(os.path.join(self.path, name), "w", encoding="utf-8") as file:
                file.write(base64.b64encode(os.urandom(32)).decode())

    def program(self, name, line):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{line}\n")
        os.chmod(path, 0o700)

    def run(self, lines):
        done = subprocess.run(["bash", "-e", "-c", lines], cwd=self.path, env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=300, check=False)
        said(done.stdout, done.stderr)
        return done

    def follow(self, block):
        """Runs a block as this place needs it: the account and the addresses of the local target."""
        block = block.replace("123456789012", ACCOUNT)
        provider = "aws iam create-open-id-connect-provider"
        if provider in block:
            # The local target is told whose tokens it takes by other means.
            block = "\n".join(line for line in block.splitlines() if not line.startswith(provider))
        done = self.run(block)
        if "thinggate init" in block:
            with open(os.path.join(self.path, "stacks", "printers.toml"), "a", encoding="utf-8") as file:
                file.write(f'bootstrap = "{self.ready}"\n\n[aws.endpoints]\n')
                file.writelines(f'{one} = "{self.target.run["control_url"]}"\n' for one in credential_kinds.SERVICES)
        return done


def follow(home, target, ready):
    with open(GUIDE, encoding="utf-8") as file:
        text = file.read()
    newcomer = Newcomer(home, target, ready)
    all_of_them = blocks(text)
    for block in all_of_them:
        done = newcomer.follow(block)
        if not check(f"docs/guide/ci.md: {' '.join(block.split())[:110]}", done.returncode == 0,
                     f"{done.returncode} {done.stdout[-1500:]} {done.stderr[-1500:]}"):
            break
    left = os.listdir(newcomer.path)
    check("the guide leaves no secret in the folder, and its commands are many",
          not {"hs256.txt", "client.txt"} & set(left) and len(all_of_them) >= 10, f"{left} {len(all_of_them)}")
    roles = newcomer.run("aws iam get-role --role-name thinggate-ci-printers-eu-west-1-deploy --query Role.RoleName --output text")
    check("the guide's roles are there", roles.stdout.strip() == "thinggate-ci-printers-eu-west-1-deploy", roles.stderr)
    planted("a command of the guide that is not one", lambda: check("guide", newcomer.follow("thinggate dploy stacks/printers.toml").returncode == 0))
    newcomer.run("sed -i.old 's|^# protect = false.*|protect = false|' stacks/printers.toml && "
                 "thinggate destroy stacks/printers.toml --yes --delete-key")
