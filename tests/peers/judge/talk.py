"""The conversation: the AWS CLI, in this process, over every operation that the target answers, wrong calls included.

Each row is one command with the code and, where AWS's own is known, the exact text of its refusal.
"""

import base64
import contextlib
import hashlib
import io
import json
import os
import re
import shlex
import subprocess

import awscli.clidriver

from judge import talk_lambda, talk_others
from judge.bases import ACCOUNT, INLINE, MANAGED, REGION, TRUST, functions
from judge.world import package
from support import check, planted

ERROR = re.compile(r"An error occurred \((\S+)\) when calling the \S+ operation(?: \([^)]*\))?: (.*)", re.S)
CONVERSATION = [
    *talk_others.FIRST, *talk_lambda.CREATING, *talk_others.IAM, *talk_lambda.CHANGING, *talk_lambda.GRANTING,
    *talk_others.LOGS, *talk_others.SSM, *talk_others.IOT, *talk_lambda.ENDING, *talk_others.LAST,
]
EXCHANGES_MIN = 150
# A token of nobody: {"alg":"RS256"}, {"iss":"https://id.example.com"}.
IDENTITY = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIn0.c2ln"


class Cli:
    """The AWS CLI's own entry point, its models loaded once."""

    def __init__(self, run, endpoint):
        self.endpoint = endpoint
        self.variables = {
            "AWS_ACCESS_KEY_ID": run["access_key_id"], "AWS_SECRET_ACCESS_KEY": run["secret_access_key"],
            "AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
        self.driver = awscli.clidriver.create_clidriver()

    def run(self, arguments):
        """Code and text of the refusal, both empty when there is none; or `usage` and what the CLI says."""
        said, printed = io.StringIO(), io.TextIOWrapper(io.BytesIO(), "utf-8")
        before = {name: os.environ.get(name) for name in self.variables}
        os.environ.update(self.variables)
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
                try:
                    code = self.driver.main(["--endpoint-url", self.endpoint, "--output", "json", *arguments])
                except SystemExit as end:
                    code = end.code
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        found = ERROR.search(said.getvalue())
        if code == 0:
            return "", ""
        return (found.group(1), found.group(2).strip()) if found else ("usage", said.getvalue())


def words(home):
    """What stands for the names in the rows."""
    def file(name, content):
        path = os.path.join(home, name)
        with open(path, "wb") as out:
            out.write(content)
        return path

    pem = subprocess.run("openssl genrsa 2048 2>/dev/null | openssl rsa -pubout 2>/dev/null", shell=True, check=True,
                         capture_output=True, text=True).stdout
    second = package("#!/bin/sh\nexit 2\n")
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
    return {
        "fn": f"{function}f", "none": f"{function}none", "role": f"arn:aws:iam::{ACCOUNT}:role/r", "trust": TRUST,
        "trust_account": TRUST.replace('"Service": "lambda.amazonaws.com"', f'"AWS": "{ACCOUNT}"'),
        "identity": IDENTITY,
        "doc": INLINE, "managed": MANAGED, "group": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/demo",
        "auth": f"arn:aws:iot:{REGION}:{ACCOUNT}:authorizer/a", "pem": pem, "long65": "a" * 65, "long4096": "x" * 4096,
        "zip": file("one.zip", package()), "zip2": file("two.zip", second),
        "sha2": base64.b64encode(hashlib.sha256(second).digest()).decode(), "out": os.path.join(home, "out.json"),
        "many": json.dumps({f"k{number}": "v" for number in range(51)}),
    }


def filled(text, known):
    return re.sub(r"\{(\w+)\}", lambda match: known.get(match.group(1), match.group(0)), text)


def compare(row, known, answered):
    """What a row says, against what was answered."""
    command, code, text, source = row
    wanted = filled(text, known)
    right = answered[0] == code and (not text or answered[1] == wanted)
    return check(f"aws {command[:100]}: {code or 'done'}{f', word for word ({source})' if text else ''}", right,
                 f"{answered[0]}: {answered[1][:600]}\n        wanted: {wanted[:600]}")


def speak(world, home):
    """Runs the conversation; gives the exchanges that it made."""
    cli, known = Cli(world.target.run, world.proxy.url), words(home)
    before = len(world.proxy.exchanges)
    last = {}
    for row in CONVERSATION:
        if isinstance(row, str):
            world.pass_time(int(row))
            continue
        known["now"] = str(world.now_milliseconds())
        last[row] = cli.run([filled(word, known) for word in shlex.split(row[0])])
        compare(row, known, last[row])
    for row in talk_lambda.UNSENT:
        unsent(world, *row)
    exchanges = world.proxy.exchanges[before:]
    check(f"the conversation has {len(exchanges)} exchanges, {EXCHANGES_MIN} or more", len(exchanges) >= EXCHANGES_MIN)
    defects(last, known)
    return exchanges


def unsent(world, operation, change, code, text, source):
    """One row of what the AWS CLI would not send."""
    base = {**functions(package())[operation], "FunctionName": "g"} if operation == "CreateFunction" else {
        "Resource": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"}
    parameters = {key: value for key, value in {**base, **change}.items() if value is not None}
    _, found, said, _ = world.call("lambda", operation, **parameters)
    check(f"botocore {operation} with {', '.join(change)}: {code}, word for word ({source})", (found, said) == (code, text),
          f"{found}: {said[:300]}")


def defects(last, known):
    """The comparison sees another text, another code, and a success that is none."""
    row = next(row for row in last if row[2])
    code, text = last[row]
    planted("a golden text with one letter changed", lambda: compare(row, known, (code, text.swapcase())))
    planted("a golden code changed", lambda: compare(row, known, ("ServiceException", text)))
    planted("a wrong call that succeeds", lambda: compare(row, known, ("", "")))
