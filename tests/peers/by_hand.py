"""Changes made by hand with the AWS CLI to a deployed stack: `drift` exits 2 and names resource and field;
`deploy` puts it back, or refuses, exit 4, with the exact next command, where that would cut devices."""

import json
import os
import shutil
import subprocess

from support import Target, bootstrap, check, folder, stack_file, thinggate

FUNCTION = "thinggate-hand"
ROLE = "thinggate-hand-eu-west-1"
GROUP = "/thinggate/hand"
AUTHORIZER = "iot-openam-authorizer"
LAMBDA_TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Hand:
    """A hand that changes what was deployed."""

    def __init__(self, target, home, stack):
        self.target, self.home, self.stack = target, home, stack
        self.other = self.other_code()

    def aws(self, *arguments):
        code, answer, error = self.target.aws(*arguments)
        if code != 0:
            raise RuntimeError(f"{arguments}: {error}")
        self.target.admin("POST", "/_local/clock", {"advance_ms": 5000})
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
        return lambda: self.keys(before)

    def key_replaced(self):
        before = self.authorizer()["tokenSigningPublicKeys"]
        self.keys({"key-1": self.public_key("replacement")})
        return lambda: self.keys(before)

    def foreign_default(self):
        self.aws("iot", "create-authorizer", "--authorizer-name", "somebody", "--authorizer-function-arn", self.function_arn(),
                 "--signing-disabled", "--status", "ACTIVE")
        self.aws("iot", "clear-default-authorizer")
        self.aws("iot", "set-default-authorizer", "--authorizer-name", "somebody")

        def undo():
            self.aws("iot", "clear-default-authorizer")
            self.aws("iot", "update-authorizer", "--authorizer-name", "somebody", "--status", "INACTIVE")
            self.aws("iot", "delete-authorizer", "--authorizer-name", "somebody")
            self.thinggate("deploy")
        return undo

    def owner_tag_removed(self):
        arn = self.function_arn()
        before = self.aws("lambda", "list-tags", "--resource", arn)["Tags"]["thinggate:stack"]
        self.aws("lambda", "untag-resource", "--resource", arn, "--tag-keys", "thinggate:stack")
        return lambda: self.aws("lambda", "tag-resource", "--resource", arn, "--tags", f"thinggate:stack={before}")

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

    def authorizer_gone(self):
        self.aws("iot", "clear-default-authorizer")
        self.aws("iot", "update-authorizer", "--authorizer-name", AUTHORIZER, "--status", "INACTIVE")
        self.aws("iot", "delete-authorizer", "--authorizer-name", AUTHORIZER)


def changes(hand):
    """Name, the change, the resource that drift must name, a word of the field, and how deploy ends."""
    aws, fn = hand.aws, ("--function-name", FUNCTION)
    live = ("--qualifier", "live")
    statement = ("--action", "lambda:InvokeFunction", "--statement-id", "mine")
    configure = ("lambda", "update-function-configuration", *fn)
    authorizer = ("iot", "update-authorizer", "--authorizer-name", AUTHORIZER)
    return [
        ("code replaced in $LATEST", hand.code_in_latest, "function", "code", "repair"),
        ("code replaced behind the alias", hand.code_behind_alias, "release", "code", "repair"),
        ("alias moved to $LATEST", lambda: aws("lambda", "update-alias", *fn, "--name", "live", "--function-version", "$LATEST"),
         "release", "version", "repair"),
        ("alias description edited", lambda: aws("lambda", "update-alias", *fn, "--name", "live", "--description", "mine"),
         "release", "record", "repair"),
        ("alias deleted", lambda: aws("lambda", "delete-alias", *fn, "--name", "live"), "release", "", "repair"),
        ("`*` may invoke the alias", lambda: aws("lambda", "add-permission", *fn, *live, *statement, "--principal", "*"),
         "permission", "mine", "repair"),
        ("somebody may invoke the function", lambda: aws("lambda", "add-permission", *fn, *statement, "--principal", "s3.amazonaws.com"),
         "permission", "mine", "repair"),
        ("the permission removed", lambda: aws("lambda", "remove-permission", *fn, *live, "--statement-id", "thinggate-iot"),
         "permission", "", "repair"),
        ("function memory", lambda: aws(*configure, "--memory-size", "512"), "function", "memory", "repair"),
        ("function timeout", lambda: aws(*configure, "--timeout", "60"), "function", "timeout", "repair"),
        ("function environment", lambda: aws(*configure, "--environment", '{"Variables":{"THINGGATE_HS256_SECRET":"x","MORE":"y"}}'),
         "function", "environment", "repair"),
        ("function handler", lambda: aws(*configure, "--handler", "other"), "function", "handler", "repair"),
        ("function logs elsewhere", lambda: aws(*configure, "--logging-config", "LogGroup=/elsewhere"), "function", "log", "repair"),
        ("administrator policy attached", lambda: aws("iam", "attach-role-policy", "--role-name", ROLE, "--policy-arn",
         "arn:aws:iam::aws:policy/AdministratorAccess"), "role", "attached", "repair"),
        ("inline policy added", lambda: aws("iam", "put-role-policy", "--role-name", ROLE, "--policy-name", "more",
         "--policy-document", json.dumps(EVERYTHING)), "role", "more", "repair"),
        ("inline policy widened", lambda: aws("iam", "put-role-policy", "--role-name", ROLE, "--policy-name", "thinggate-logs",
         "--policy-document", json.dumps(EVERYTHING)), "role", "thinggate-logs", "repair"),
        ("trust widened", lambda: aws("iam", "update-assume-role-policy", "--role-name", ROLE, "--policy-document",
         json.dumps({**LAMBDA_TRUST, "Statement": [{**LAMBDA_TRUST["Statement"][0], "Principal": {"AWS": "*"}}]})),
         "role", "trust", "repair"),
        ("role re-created", hand.role_again, "function", "role", "repair"),
        ("retention", lambda: aws("logs", "put-retention-policy", "--log-group-name", GROUP, "--retention-in-days", "1"),
         "log group", "retention", "repair"),
        ("log group deleted", lambda: aws("logs", "delete-log-group", "--log-group-name", GROUP), "log group", "", "repair"),
        ("declared tag changed", lambda: aws("lambda", "tag-resource", "--resource", hand.function_arn(), "--tags", "team=other"),
         "function", "team", "repair"),
        ("authorizer switched off", lambda: aws(*authorizer, "--status", "INACTIVE"), "authorizer", "status", "repair"),
        ("token key renamed", lambda: aws(*authorizer, "--token-key-name", "jwt"), "authorizer", "token_key_name", "repair"),
        ("authorizer asks another function", lambda: aws(*authorizer, "--authorizer-function-arn", hand.function_arn()),
         "authorizer", "function", "repair"),
        ("HTTP answers cached", lambda: aws(*authorizer, "--enable-caching-for-http"), "authorizer", "caching", "repair"),
        ("authorizer deleted", hand.authorizer_gone, "authorizer", "", "repair"),
        ("default cleared", lambda: aws("iot", "clear-default-authorizer"), "default authorizer", "", "repair"),
        ("foreign key registered", hand.foreign_key, "authorizer", "Stranger", "refuse"),
        ("our key replaced by a foreign one", hand.key_replaced, "authorizer", "key-1", "refuse"),
        ("default moved to a foreign authorizer", hand.foreign_default, "default authorizer", "", "refuse"),
        ("owner tag removed", hand.owner_tag_removed, "function", "thinggate:stack", "refuse"),
    ]


def named(report, resource, word):
    """Whether the report's differences name the resource and the field."""
    for step in report.get("steps", []):
        if step["kind"] != resource or step["action"] == "keep" and not step.get("refused"):
            continue
        fields = [one["field"] for one in step.get("differences", [])] + [one["live"] for one in step.get("differences", [])]
        if not word or any(word in field for field in fields):
            return True
    return False


def one(hand, name, change, resource, word, ending):
    undo = change()
    code, report, error = hand.thinggate("drift")
    shown = json.dumps([step for step in report.get("steps", []) if step["action"] != "keep"])
    if not check(f"{name}: drift exits 2 and names {resource} {word}", code == 2 and named(report, resource, word), f"{code} {error} {shown}"):
        if not undo:
            hand.thinggate("deploy", "--allow-impact")
    if ending == "refuse":
        code, report, error = hand.thinggate("deploy", "--allow-impact")
        told = report.get("error", {})
        check(f"{name}: deploy refuses, with the next command", code == 4 and bool(told.get("next")), f"{code} {told} {error}")
        undo()
    else:
        code, report, error = hand.thinggate("deploy", "--allow-impact")
        check(f"{name}: deploy repairs it", code == 0, f"{code} {report.get('error')} {error}")
    code, report, error = hand.thinggate("drift")
    check(f"{name}: in step again", code == 0, f"{code} {report} {error}")


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
            table = changes(hand)
            for row in table:
                one(hand, *row)
            print(f"{len(table)} changes by hand", flush=True)
        finally:
            target.stop()
