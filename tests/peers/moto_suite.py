"""A second AWS: the deployer's IAM, Lambda, STS and Logs calls answered by moto, its IoT calls by the local target.

The stack is `target = "aws"`, with the addresses in its `[aws.endpoints]`. See moto_proxy.py for what is compared.
"""

import importlib.metadata
import json
import logging
import os
import re
import struct
import sys

# Read when moto is imported: the target's account, so that ARNs are alike, and AWS's own policies.
os.environ.update(MOTO_ACCOUNT_ID="000000000000", MOTO_IAM_LOAD_MANAGED_POLICIES="true")
sys.path.insert(0, os.path.dirname(__file__))
from moto.server import ThreadedMotoServer

from moto_proxy import Answer, DualProxy, Judge, known_differences
from support import CHECKOUT, Target, aws, check, finish, folder, planted, thinggate

MOTO = "5.2.1"
STACK = "second"


def program(content):
    """A static program of this machine's processor that is never run (System V ABI, ELF header)."""
    machine = 183 if os.uname().machine in ("aarch64", "arm64") else 62
    head = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8)
    head += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x400000, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    return head + struct.pack("<IIQQQQQQ", 1, 5, 120, 0x400000, 0x400000, 16, 16, 8) + bytes([content]) * 16


class Stack:
    """The stack file and its secrets, in a folder of its own."""

    def __init__(self, home, run, url):
        self.home, self.run, self.path = home, run, os.path.join(home, f"{STACK}.toml")
        for content in (1, 2):
            with open(os.path.join(home, f"bootstrap-{content}"), "wb") as file:
                file.write(program(content))
        with open(os.path.join(CHECKOUT, "stacks", "local.toml"), encoding="utf-8") as file:
            text = re.sub(r'^name += +"[^"]*"', f'name = "{STACK}"', file.read(), count=1, flags=re.M)
        text = re.sub(r'^target += .*$', 'target = "aws"\naccount = "000000000000"\nprotect = false', text, count=1, flags=re.M)
        text = text.replace("https://identity.thinggate.local", "https://id.example.com")
        text = text.replace('"local:hs256"', '"env:SECRET"').replace('"local:client"', '"env:CLIENT"')
        architecture = "arm64" if os.uname().machine in ("aarch64", "arm64") else "x86_64"
        addresses = "".join(f'{service} = "{url}"\n' for service in ("iam", "iot", "lambda", "logs", "sts"))
        self.text = (f'{text}\n[aws.endpoints]\n{addresses}\n[tags]\nteam = "iot"\n\n[function]\nbootstrap = "bootstrap-1"\n'
                     f'architecture = "{architecture}"\nmemory_mb = 256\nlog_retention_days = 30\n')
        self.write()

    def write(self, *changes):
        text = self.text
        for before, after in changes:
            text = text.replace(before, after)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def thinggate(self, command, *flags):
        return thinggate(command, self.path, *flags, HOME=self.home, AWS_CONFIG_FILE=os.devnull,
                         AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_ACCESS_KEY_ID=self.run["access_key_id"],
                         AWS_SECRET_ACCESS_KEY=self.run["secret_access_key"], AWS_EC2_METADATA_DISABLED="true",
                         SECRET="c2VjcmV0" * 6, CLIENT="client", NO_PROXY="127.0.0.1")


def told(done):
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"


def life(proxy, stack, run):
    """Deploy, nothing to do, change, drift, a change by hand, drift, repair, destroy."""
    done = stack.thinggate("deploy")
    check("deploy", done.returncode == 0 and "iam, iot, lambda, logs, sts at " + proxy.url in done.stdout, told(done))
    before = len(proxy.writes)
    done = stack.thinggate("deploy")
    check("a second deploy writes nothing", done.returncode == 0 and len(proxy.writes) == before, f"{told(done)}{proxy.writes[before:]}")
    stack.write(("memory_mb = 256", "memory_mb = 512"), ("log_retention_days = 30", "log_retention_days = 60"),
                ("bootstrap-1", "bootstrap-2"), ('team = "iot"', 'team = "devices"'), ('"customauthtesting", ', ""))
    done = stack.thinggate("deploy", "--allow-impact")
    check("a change", done.returncode == 0 and len(proxy.writes) > before, told(done))
    done = stack.thinggate("drift")
    check("no drift", done.returncode == 0, told(done))
    code, _, error = aws(proxy.url, run, "lambda", "update-function-configuration", "--function-name",
                         f"thinggate-{STACK}", "--timeout", "9")
    check("a change by hand", code == 0, error)
    done = stack.thinggate("drift")
    check("drift names it", done.returncode == 2 and "timeout" in done.stdout, told(done))
    done = stack.thinggate("deploy", "--allow-impact")
    check("and deploy repairs it", done.returncode == 0, told(done))
    done = stack.thinggate("drift")
    check("no drift again", done.returncode == 0, told(done))


ROLE, FUNCTION, GROUP = f"thinggate-{STACK}-eu-west-1", f"thinggate-{STACK}", f"/thinggate/{STACK}"
TRUST = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},'
         '"Action":"sts:AssumeRole"}]}')
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
ABSENT = "00000000-0000-4000-8000-000000000000"
# Calls that a deployer makes when something stands in its way, and calls that are wrong.
CONVERSATION = (
    ("iam", "get-role", "--role-name", "nobody"),
    ("iam", "create-role", "--role-name", ROLE, "--assume-role-policy-document", TRUST),
    ("iam", "create-role", "--role-name", "other", "--assume-role-policy-document", "{"),
    ("iam", "delete-role", "--role-name", "other"),
    ("iam", "delete-role", "--role-name", ROLE),
    ("iam", "delete-role", "--role-name", "nobody"),
    ("iam", "get-role-policy", "--role-name", ROLE, "--policy-name", "nothing"),
    ("iam", "put-role-policy", "--role-name", ROLE, "--policy-name", "bad", "--policy-document", "{"),
    ("iam", "put-role-policy", "--role-name", "nobody", "--policy-name", "bad", "--policy-document", TRUST),
    ("iam", "delete-role-policy", "--role-name", ROLE, "--policy-name", "nothing"),
    ("iam", "attach-role-policy", "--role-name", ROLE, "--policy-arn", BASIC),
    ("iam", "list-attached-role-policies", "--role-name", ROLE),
    ("iam", "detach-role-policy", "--role-name", ROLE, "--policy-arn", BASIC),
    ("iam", "detach-role-policy", "--role-name", ROLE, "--policy-arn", BASIC),
    ("iam", "update-assume-role-policy", "--role-name", ROLE, "--policy-document", "{"),
    ("iam", "tag-role", "--role-name", "nobody", "--tags", "Key=a,Value=b"),
    ("iam", "list-role-tags", "--role-name", ROLE),
    ("iam", "list-roles",),
    ("lambda", "get-function", "--function-name", "nothing"),
    ("lambda", "get-function", "--function-name", FUNCTION, "--qualifier", "live"),
    ("lambda", "get-function", "--function-name", FUNCTION, "--qualifier", "99"),
    ("lambda", "get-function-configuration", "--function-name", "nothing"),
    ("lambda", "update-function-configuration", "--function-name", "nothing", "--timeout", "9"),
    ("lambda", "update-function-configuration", "--function-name", FUNCTION, "--timeout", "5", "--revision-id", ABSENT),
    ("lambda", "delete-function", "--function-name", "nothing"),
    ("lambda", "publish-version", "--function-name", "nothing"),
    ("lambda", "list-versions-by-function", "--function-name", FUNCTION),
    ("lambda", "publish-version", "--function-name", FUNCTION, "--code-sha256", "wrong"),
    ("lambda", "list-functions",),
    ("lambda", "get-alias", "--function-name", FUNCTION, "--name", "nothing"),
    ("lambda", "create-alias", "--function-name", FUNCTION, "--name", "live", "--function-version", "1"),
    ("lambda", "update-alias", "--function-name", FUNCTION, "--name", "nothing", "--function-version", "1"),
    ("lambda", "update-alias", "--function-name", FUNCTION, "--name", "live", "--revision-id", ABSENT),
    ("lambda", "delete-alias", "--function-name", FUNCTION, "--name", "nothing"),
    ("lambda", "get-policy", "--function-name", "nothing"),
    *(("lambda", "add-permission", "--function-name", FUNCTION, "--qualifier", "live", "--statement-id", "twice",
       "--action", "lambda:InvokeFunction", "--principal", "iot.amazonaws.com"),) * 2,
    *(("lambda", "remove-permission", "--function-name", FUNCTION, "--qualifier", "live", "--statement-id", "twice"),) * 2,
    ("lambda", "remove-permission", "--function-name", FUNCTION, "--statement-id", "nothing"),
    ("lambda", "get-function-concurrency", "--function-name", FUNCTION),
    ("logs", "create-log-group", "--log-group-name", GROUP),
    ("logs", "put-retention-policy", "--log-group-name", GROUP, "--retention-in-days", "31"),
    ("logs", "put-retention-policy", "--log-group-name", GROUP, "--retention-in-days", "60"),
    ("logs", "put-retention-policy", "--log-group-name", "/nothing", "--retention-in-days", "30"),
    ("logs", "delete-log-group", "--log-group-name", "/nothing"),
    ("logs", "describe-log-groups", "--log-group-name-prefix", "/nothing"),
    ("logs", "list-tags-for-resource", "--resource-arn", f"arn:aws:logs:eu-west-1:000000000000:log-group:{GROUP}"),
)


def converse(proxy, run):
    """The conversation; each answer is compared on its way."""
    before = proxy.calls
    for command in CONVERSATION:
        aws(proxy.url, run, *command)
    check("every call of the conversation was answered twice", proxy.calls - before == len(CONVERSATION), f"{proxy.calls - before}")


def caught(service, operation, pair, entries):
    """Nothing of the pair is unknown."""
    judge = Judge(entries)
    judge.judged(service, operation, *pair)
    check("known", not judge.unexpected, say(judge))


def defects(proxy):
    """Answers of moto with a defect of ours, and a list that lacks an entry."""
    entries = known_differences()
    for service, operation, defect, before, after in (
            ("lambda", "GetFunctionConfiguration", "a number as a text", b'"MemorySize": 512', b'"MemorySize": "512"'),
            ("lambda", "GetFunctionConfiguration", "a member under another name", b'"CodeSha256"', b'"CodeHash"'),
            ("iam", "GetRole", "another path", b"<Path>/</Path>", b"<Path>/x/</Path>"),
            ("logs", "DescribeLogGroups", "a log group twice", b'"logGroups": [', b'"logGroups": [{}'  )):
        moto, target = proxy.pairs[(service, operation)]
        wrong = Answer(moto.status, moto.headers, moto.content.replace(before, after))
        check(f"{operation} has what is changed", wrong.content != moto.content, moto.content.decode())
        planted(f"{operation}: {defect}", lambda: caught(service, operation, (wrong, target), entries))
    moto, target = proxy.pairs[("lambda", "GetAlias")]
    planted("GetAlias: an error", lambda: caught("lambda", "GetAlias", (Answer(404, moto.headers, b"{}"), target), entries))
    for entry in ("logging-config", "revision-id"):
        fewer = [one for one in entries if one["id"] != entry]
        pair = proxy.pairs[("lambda", "GetFunctionConfiguration")]
        planted(f"no entry {entry}", lambda: caught("lambda", "GetFunctionConfiguration", pair, fewer))


def nothing_is_left(moto, run):
    """moto itself, asked without the proxy."""
    left = [aws(moto, run, *command)[1][member] for command, member in (
        (("iam", "list-roles"), "Roles"), (("lambda", "list-functions"), "Functions"),
        (("logs", "describe-log-groups"), "logGroups"))]
    check("nothing is left in moto", left == [[], [], []], json.dumps(left, default=str))


def say(judge):
    lines = {f"{service} {operation} {at} {kind}: moto {str(moto)[:120]}, target {str(target)[:120]}"
             for service, operation, at, kind, moto, target in judge.unexpected}
    return "\n        ".join(sorted(lines))


def main():
    version = importlib.metadata.version("moto")
    check(f"moto {MOTO}", version == MOTO, version)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    moto = "http://{}:{}".format(*server.get_host_and_port())
    with folder() as home:
        target = Target(home)
        try:
            proxy = DualProxy(moto, target)
            stack = Stack(home, target.run, proxy.url)
            life(proxy, stack, target.run)
            converse(proxy, target.run)
            done = stack.thinggate("drift")
            check("the conversation changed nothing", done.returncode == 0, told(done))
            done = stack.thinggate("destroy", "--yes", "--delete-key")
            check("destroy", done.returncode == 0, told(done))
            nothing_is_left(moto, target.run)
            check(f"{proxy.calls} calls without an unknown difference", not proxy.judge.unexpected, say(proxy.judge))
            idle = [entry["id"] for entry in proxy.judge.entries if entry["id"] not in proxy.judge.used]
            check(f"each of {len(proxy.judge.entries)} known differences is there", not idle, idle)
            defects(proxy)
        finally:
            target.stop()
            server.stop()
    finish()


if __name__ == "__main__":
    main()
