"""Changes made by hand with the AWS CLI to a deployed stack: `drift` exits 2 and names resource and field;
`deploy` puts it back, or refuses, exit 4, with the exact next command, where that would cut devices or touch
what is not ours. The same table stands in docs/drift.md; `by_hand.py table` prints it."""

import dataclasses
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from support import (CHECKOUT, Proxy, Target, bootstrap, check, dump, finish, folder, planted, stack_file,
                     thinggate)

FUNCTION = "thinggate-hand"
ROLE = "thinggate-hand-eu-west-1"
GROUP = "/thinggate/hand"
AUTHORIZER = "iot-openam-authorizer"
LAMBDA_TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
CUTS = "devices may depend on it"
NOT_OURS = "it may be somebody else's"


@dataclasses.dataclass
class Change:
    """One change: what is done, the resource and field that drift names, and how a deploy ends."""

    name: str
    do: object
    resource: str
    field: str
    refused: str = ""  # why a deploy refuses; empty: it repairs


class Hand:
    """A hand that changes what was deployed."""

    def __init__(self, target, home, stack):
        self.target, self.home, self.stack = target, home, stack
        self.other = self.other_code()

    def aws(self, *arguments):
        code, answer, error = self.target.aws(*arguments)
        if code != 0:
            raise RuntimeError(f"{arguments}: {error}")
        if arguments[1].startswith("update-function"):  # Lambda is busy for a while
            self.target.admin("POST", "/_local/clock", {"advance_ms": 3000})
        return answer

    def thinggate(self, verb, *flags):
        done = thinggate(verb, self.stack, "--state-dir", self.target.state, "--output", "json", *flags)
        return done.returncode, json.loads(done.stdout)["stacks"][0] if done.stdout else {}, done.stderr

    def other_code(self):
        """Another package that Lambda takes."""
        place = os.path.join(self.home, "other")
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, "bootstrap"), "wb") as file:
            file.write(b"#!/bin/sh\nexit 1\n")
        os.chmod(os.path.join(place, "bootstrap"), 0o755)
        return shutil.make_archive(os.path.join(self.home, "other"), "zip", place)

    def alias(self):
        return self.aws("lambda", "get-alias", "--function-name", FUNCTION, "--name", "live")

    def authorizer(self):
        return self.aws("iot", "describe-authorizer", "--authorizer-name", AUTHORIZER)["authorizerDescription"]

    def function_arn(self):
        return self.aws("lambda", "get-function", "--function-name", FUNCTION)["Configuration"]["FunctionArn"]

    def code_in_latest(self):
        self.aws("lambda", "update-function-code", "--function-name", FUNCTION, "--zip-file", f"fileb://{self.other}")

    def code_behind_alias(self):
        self.code_in_latest()
        version = self.aws("lambda", "publish-version", "--function-name", FUNCTION)["Version"]
        self.aws("lambda", "update-alias", "--function-name", FUNCTION, "--name", "live", "--function-version", version)

    def public_key(self, name):
        path = os.path.join(self.home, f"{name}.pem")
        subprocess.run(f"openssl genrsa 2048 2>/dev/null | openssl rsa -pubout -out {path} 2>/dev/null", shell=True, check=True)
        with open(path, encoding="utf-8") as file:
            return file.read()

    def keys(self, keys):
        self.aws("iot", "update-authorizer", "--authorizer-name", AUTHORIZER, "--token-signing-public-keys", json.dumps(keys))

    def foreign_key(self):
        before = self.authorizer()["tokenSigningPublicKeys"]
        self.keys({**before, "Stranger": self.public_key("stranger")})

    def key_replaced(self):
        self.keys({"key-1": self.public_key("replacement")})

    def foreign_default(self):
        self.aws("iot", "create-authorizer", "--authorizer-name", "somebody", "--authorizer-function-arn", self.function_arn(),
                 "--signing-disabled", "--status", "ACTIVE")
        self.aws("iot", "clear-default-authorizer")
        self.aws("iot", "set-default-authorizer", "--authorizer-name", "somebody")

    def role_again(self):
        """The same name, trust, policy and tags; another id, and the function's grant on it is dead."""
        role = self.aws("iam", "get-role", "--role-name", ROLE)["Role"]
        policy = self.aws("iam", "get-role-policy", "--role-name", ROLE, "--policy-name", "thinggate-logs")["PolicyDocument"]
        self.aws("iam", "delete-role-policy", "--role-name", ROLE, "--policy-name", "thinggate-logs")
        self.aws("iam", "delete-role", "--role-name", ROLE)
        more = ["--description", role["Description"]] if role.get("Description") else []
        self.aws("iam", "create-role", "--role-name", ROLE, "--path", role["Path"], "--assume-role-policy-document",
                 json.dumps(role["AssumeRolePolicyDocument"]), "--tags", json.dumps(role["Tags"]), *more)
        self.aws("iam", "put-role-policy", "--role-name", ROLE, "--policy-name", "thinggate-logs",
                 "--policy-document", json.dumps(policy))

    def switched_off(self):
        """The local target's answer to an open question about AWS: the default cannot be switched off."""
        self.aws("iot", "clear-default-authorizer")
        self.aws("iot", "update-authorizer", "--authorizer-name", AUTHORIZER, "--status", "INACTIVE")

    def authorizer_gone(self):
        self.switched_off()
        self.aws("iot", "delete-authorizer", "--authorizer-name", AUTHORIZER)

    def another_key(self):
        """Key lists are replaced as a whole, so this also takes our key away."""
        self.keys({"Stranger": self.public_key("stranger")})

    def function_gone(self):
        self.aws("lambda", "delete-function", "--function-name", FUNCTION)

    def role_gone(self):
        self.aws("iam", "delete-role-policy", "--role-name", ROLE, "--policy-name", "thinggate-logs")
        self.aws("iam", "delete-role", "--role-name", ROLE)

    def authorizer_unsigned(self):
        """Re-created by hand under the same name, with our tag, and no token signature is asked for."""
        arn = self.authorizer()["authorizerArn"]
        function = self.authorizer()["authorizerFunctionArn"]
        tags = self.aws("iot", "list-tags-for-resource", "--resource-arn", arn)["tags"]
        self.authorizer_gone()
        self.aws("iot", "create-authorizer", "--authorizer-name", AUTHORIZER, "--authorizer-function-arn", function,
                 "--signing-disabled", "--status", "ACTIVE", "--tags", json.dumps(tags))
        self.aws("iot", "set-default-authorizer", "--authorizer-name", AUTHORIZER)

    def traffic_split(self):
        """Half of the devices meet another version."""
        self.code_in_latest()
        version = self.aws("lambda", "publish-version", "--function-name", FUNCTION)["Version"]
        self.aws("lambda", "update-alias", "--function-name", FUNCTION, "--name", "live",
                 "--routing-config", json.dumps({"AdditionalVersionWeights": {version: 0.5}}))


def function_changes(hand):
    aws, fn = hand.aws, ("--function-name", FUNCTION)
    configure = ("lambda", "update-function-configuration", *fn)
    environment = json.dumps({"Variables": {"THINGGATE_HS256_SECRET": "x", "MORE": "y"}})
    tag = ("lambda", "tag-resource", "--resource")
    return [
        Change("code replaced in `$LATEST`", hand.code_in_latest, "function", "code"),
        Change("function memory", lambda: aws(*configure, "--memory-size", "512"), "function", "memory"),
        Change("function timeout", lambda: aws(*configure, "--timeout", "60"), "function", "timeout"),
        Change("function environment", lambda: aws(*configure, "--environment", environment), "function", "environment.MORE"),
        Change("function handler", lambda: aws(*configure, "--handler", "other"), "function", "handler"),
        Change("function logs elsewhere", lambda: aws(*configure, "--logging-config", "LogGroup=/elsewhere"), "function", "log group"),
        Change("function switched off by concurrency 0", lambda: aws(
            "lambda", "put-function-concurrency", *fn, "--reserved-concurrent-executions", "0"), "function", "concurrency"),
        Change("function URL opened to everybody", lambda: aws(
            "lambda", "create-function-url-config", *fn, "--qualifier", "live", "--auth-type", "NONE"), "function", "function URL"),
        Change("alias kept warm", lambda: aws(
            "lambda", "put-provisioned-concurrency-config", *fn, "--qualifier", "live",
            "--provisioned-concurrent-executions", "1"), "function", "provisioned concurrency"),
        Change("declared tag changed", lambda: aws(*tag, hand.function_arn(), "--tags", "team=other"), "function", "team"),
        Change("function deleted", hand.function_gone, "function", ""),
        Change("owner tag of the function removed", lambda: aws(
            "lambda", "untag-resource", "--resource", hand.function_arn(), "--tag-keys", "thinggate:stack"),
            "function", "thinggate:stack", NOT_OURS),
        Change("function given to another stack", lambda: aws(*tag, hand.function_arn(), "--tags", "thinggate:stack=other@eu-west-1"),
               "function", "thinggate:stack", NOT_OURS),
    ]


def release_changes(hand):
    aws, alias = hand.aws, ("lambda", "update-alias", "--function-name", FUNCTION, "--name", "live")
    fn, live = ("--function-name", FUNCTION), ("--qualifier", "live")
    statement = ("lambda", "add-permission", *fn, "--action", "lambda:InvokeFunction", "--statement-id", "mine", "--principal")
    return [
        Change("code replaced behind the alias", hand.code_behind_alias, "release", "code"),
        Change("alias moved to `$LATEST`", lambda: aws(*alias, "--function-version", "$LATEST"), "release", "version"),
        Change("traffic split with another version", hand.traffic_split, "release", "routing"),
        Change("alias description edited", lambda: aws(*alias, "--description", "mine"), "release", "record"),
        Change("alias deleted", lambda: aws("lambda", "delete-alias", *fn, "--name", "live"), "release", ""),
        Change("`*` may invoke the alias", lambda: aws(*statement, "*", *live), "permission", "mine"),
        Change("somebody may invoke the function", lambda: aws(*statement, "s3.amazonaws.com"), "permission", "mine"),
        Change("permission removed", lambda: aws("lambda", "remove-permission", *fn, *live, "--statement-id", "thinggate-iot"),
               "permission", ""),
    ]


def role_changes(hand):
    aws, role = hand.aws, ("--role-name", ROLE)
    trust = json.dumps({**LAMBDA_TRUST, "Statement": [{**LAMBDA_TRUST["Statement"][0], "Principal": {"AWS": "*"}}]})
    inline = ("iam", "put-role-policy", *role, "--policy-document", json.dumps(EVERYTHING), "--policy-name")
    group = ("--log-group-name", GROUP)
    return [
        Change("administrator policy attached", lambda: aws(
            "iam", "attach-role-policy", *role, "--policy-arn", "arn:aws:iam::aws:policy/AdministratorAccess"), "role", "attached"),
        Change("inline policy added", lambda: aws(*inline, "more"), "role", "more"),
        Change("inline policy widened", lambda: aws(*inline, "thinggate-logs"), "role", "thinggate-logs"),
        Change("inline policy removed", lambda: aws("iam", "delete-role-policy", *role, "--policy-name", "thinggate-logs"),
               "role", "thinggate-logs"),
        Change("trust widened", lambda: aws("iam", "update-assume-role-policy", *role, "--policy-document", trust), "role", "trust"),
        Change("role re-created", hand.role_again, "function", "role"),
        Change("role deleted", hand.role_gone, "role", ""),
        Change("owner tag of the role removed", lambda: aws("iam", "untag-role", *role, "--tag-keys", "thinggate:stack"),
               "role", "thinggate:stack", NOT_OURS),
        Change("log retention", lambda: aws("logs", "put-retention-policy", *group, "--retention-in-days", "1"), "log group", "retention"),
        Change("log group deleted", lambda: aws("logs", "delete-log-group", *group), "log group", ""),
    ]


def authorizer_changes(hand):
    aws, update = hand.aws, ("iot", "update-authorizer", "--authorizer-name", AUTHORIZER)
    return [
        Change("authorizer switched off", hand.switched_off, "authorizer", "status"),
        Change("token key renamed", lambda: aws(*update, "--token-key-name", "jwt"), "authorizer", "token_key_name"),
        Change("authorizer asks another function", lambda: aws(*update, "--authorizer-function-arn", hand.function_arn()),
               "authorizer", "function"),
        Change("HTTP answers cached", lambda: aws(*update, "--enable-caching-for-http"), "authorizer", "http_caching"),
        Change("token signature no longer asked for", hand.authorizer_unsigned, "authorizer", "signing"),
        Change("authorizer deleted", hand.authorizer_gone, "authorizer", ""),
        Change("owner tag of the authorizer removed", lambda: aws(
            "iot", "untag-resource", "--resource-arn", hand.authorizer()["authorizerArn"], "--tag-keys", "thinggate:stack"),
            "authorizer", "thinggate:stack", NOT_OURS),
        Change("foreign key registered", hand.foreign_key, "authorizer", "Stranger", CUTS),
        Change("our key replaced by a foreign one", hand.key_replaced, "authorizer", "key-1", CUTS),
        Change("our key removed, a foreign one added", hand.another_key, "authorizer", "Stranger", CUTS),
        Change("default cleared", lambda: aws("iot", "clear-default-authorizer"), "default authorizer", ""),
        Change("default moved to a foreign authorizer", hand.foreign_default, "default authorizer", "", CUTS),
    ]


def changes(hand):
    return [*function_changes(hand), *release_changes(hand), *role_changes(hand), *authorizer_changes(hand)]


def named(report, resource, word):
    """Whether the report's differences name the resource and the field."""
    for step in report.get("steps", []):
        if step["kind"] != resource or (step["action"] == "keep" and not step.get("refused")):
            continue
        shown = [(one["field"], one["live"]) for one in step.get("differences", [])]
        if not word or any(word in (field or "") or word in (live or "") for field, live in shown):
            return True
    return False


def seen(hand, change):
    """Drift exits 2 and names it."""
    code, report, error = hand.thinggate("drift")
    shown = json.dumps([step for step in report.get("steps", []) if step["action"] != "keep"])
    check(f"{change.name}: drift exits 2 and names {change.resource} {change.field}",
          code == 2 and named(report, change.resource, change.field), f"{code} {error} {shown}")


def follow(hand, told):
    """Does what a refusal says comes next, literally; whether it could be done."""
    command = told.get("next", "").split("   #")[0]
    if not re.match(r"aws [a-z]+ [a-z-]+ ", command):
        return False, command
    for line in command.split(" && "):
        code, _, error = hand.target.aws(*shlex.split(line)[1:])
        if code != 0:
            return False, f"{line}: {error}"
    return True, ""


def one(hand, change):
    """A change, what drift says, what deploy does, and that nothing differs at the end."""
    change.do()
    seen(hand, change)
    before = dump(hand.target) if change.refused else None
    code, report, error = hand.thinggate("deploy", "--allow-impact")
    if change.refused:
        told = report.get("error") or {}
        check(f"{change.name}: deploy refuses and changes nothing",
              code == 4 and dump(hand.target) == before, f"{code} {told} {error}")
        if "another stack" in change.name:
            hand.aws("lambda", "tag-resource", "--resource", hand.function_arn(), "--tags", "thinggate:stack=hand@eu-west-1")
        else:
            done, why = follow(hand, told)
            check(f"{change.name}: the next command that it prints can be run", done, f"{why} {told}")
        code, report, error = hand.thinggate("deploy", "--allow-impact")
    check(f"{change.name}: deploy repairs it", code == 0, f"{code} {report.get('error')} {error}")
    code, report, error = hand.thinggate("drift")
    check(f"{change.name}: in step again", code == 0, f"{code} {report} {error}")


def read_only(hand):
    """Plan and drift need no permission to write, and a deploy that has none says so."""
    proxy = Proxy(hand.target.run["control_url"], read_only=True)
    through = ("--local-endpoint", proxy.url)
    for verb, flags in (("drift", ()), ("plan", ("--exit-code",))):
        code, report, error = hand.thinggate(verb, *flags, *through)
        check(f"{verb} in step, where no write is allowed", code == 0 and not proxy.writes(), f"{code} {report} {error}")
    hand.aws("logs", "put-retention-policy", "--log-group-name", GROUP, "--retention-in-days", "1")
    for verb, flags in (("drift", ()), ("plan", ("--exit-code",))):
        code, report, error = hand.thinggate(verb, *flags, *through)
        check(f"{verb} finds a change, where no write is allowed", code == 2 and not proxy.writes(), f"{code} {report} {error}")
    code, report, error = hand.thinggate("deploy", *through)
    check("deploy ends with 6, where no write is allowed", code == 6 and proxy.writes() == ["logs: PutRetentionPolicy"],
          f"{code} {proxy.writes()} {report} {error}")
    proxy.stop()
    code, report, error = hand.thinggate("deploy")
    check("deploy repairs it, where it may", code == 0, f"{code} {report} {error}")


def without_private_key(hand):
    """The public half is enough for plan, drift and deploy."""
    private = os.path.join(hand.home, "keys", "hand@eu-west-1", "1.pem")
    os.rename(private, f"{private}.away")
    for verb in ("drift", "plan", "deploy"):
        code, report, error = hand.thinggate(verb)
        check(f"{verb} without the private key", code == 0, f"{code} {report} {error}")
    os.rename(f"{private}.away", private)


def not_static(hand):
    """A bootstrap that needs a loader would not start on Lambda: refused before anything is uploaded."""
    dynamic = os.path.realpath(sys.executable)
    with open(hand.stack, encoding="utf-8") as file:
        text = re.sub(r'bootstrap = "[^"]*"', f'bootstrap = "{dynamic}"', file.read())
    stack = hand.stack.replace("hand.toml", "dynamic.toml")
    with open(stack, "w", encoding="utf-8") as file:
        file.write(text)
    done = thinggate("deploy", stack, "--state-dir", hand.target.state)
    check("a bootstrap that is not static is refused, with the cause",
          done.returncode not in (0, 101) and dynamic in done.stderr and "static" in done.stderr, f"{done.returncode} {done.stderr}")
    code, report, error = hand.thinggate("drift")
    check("and nothing was uploaded", code == 0, f"{code} {report} {error}")


def table(rows):
    """The table as docs/drift.md has it."""
    lines = ["| changed by hand | `drift` names | `deploy` |", "|---|---|---|"]
    for row in rows:
        ending = f"refuses: {row.refused}" if row.refused else "repairs"
        lines.append(f"| {row.name} | {row.resource} {row.field}".rstrip() + f" | {ending} |")
    return "\n".join(lines)


class Nobody:
    """Stands for a hand where only the table is wanted."""

    def __getattr__(self, _):
        return lambda *_: None


def documented(rows):
    """The documentation has this very table."""
    with open(os.path.join(CHECKOUT, "docs", "drift.md"), encoding="utf-8") as file:
        text = file.read()
    missing = [line for line in table(rows).splitlines() if line not in text]
    check("docs/drift.md has every row, and no other", not missing and text.count("\n| ") == len(rows) + 1, missing)


def run():
    with folder() as home:
        ready = bootstrap(home)
        stack = stack_file(home, "hand", replace=[
            ("[authorizer]\n", f'[tags]\nteam = "iot"\n\n[function]\nbootstrap = "{ready}"\n\n[authorizer]\n')])
        target = Target(home)
        try:
            hand = Hand(target, home, stack)
            code, report, error = hand.thinggate("deploy")
            check("deploy", code == 0, f"{code} {report.get('error')} {error}")
            read_only(hand)
            without_private_key(hand)
            not_static(hand)
            rows = changes(hand)
            for row in rows:
                one(hand, row)
            nothing = Change("nothing was changed", lambda: None, "function", "")
            planted("a change that drift does not see", lambda: seen(hand, nothing))
            hand.code_in_latest()
            planted("drift names another field", lambda: seen(hand, Change("code", None, "function", "memory")))
            planted("drift names another resource", lambda: seen(hand, Change("code", None, "log group", "")))
            documented(rows)
            print(f"{len(rows)} changes by hand", flush=True)
        finally:
            target.stop()


if __name__ == "__main__":
    if "table" in sys.argv:
        print(table(changes(Nobody())))
    else:
        run()
        finish()
