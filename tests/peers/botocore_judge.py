"""AWS's own service models, as botocore ships them, judge the wire of the local target and of the deployer.

A proxy keeps every exchange of a life cycle and of a conversation by the AWS CLI; each is valid by the model, request
and answer. Requests made from the model that break one constraint each are refused. Signatures that are not right are
refused in every service's own way. `judge/` has the parts; every check was planted a defect that it must find.
"""

import collections
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from support import bootstrap, check, finish, folder, planted, stack_file, thinggate

from judge import defects, model, signing, talk, wire, wrong
from judge.bases import bases
from judge.world import World, package

# The code of a refused value, by service. Lambda has two: AWS's answers are recorded with both.
REFUSALS = {
    "sts": {"ValidationError"},
    "iam": {"ValidationError", "InvalidInput", "MalformedPolicyDocument"},
    "iot": {"InvalidRequestException"},
    "lambda": {"ValidationException", "InvalidParameterValueException"},
    "logs": {"InvalidParameterException"},
    "ssm": {"ValidationException"},
}
# How an operation is refused that the target does not have.
UNKNOWN = {"UnknownOperationException", "InvalidAction", "MissingAuthenticationToken", "MissingAuthenticationTokenException"}


def life_cycle(world, home, ready):
    """Deploy, no-op, a change of the stack, drift by hand, repair, destroy, through the proxy."""
    stack = stack_file(home, "judge", replace=[
        ("[authorizer]\n", f'[function]\nbootstrap = "{ready}"\n\n[authorizer]\n')])

    def verb(name, wanted, *flags):
        done = thinggate(name, stack, "--state-dir", world.target.state, "--local-endpoint", world.proxy.url, *flags)
        check(f"life cycle: {name} {' '.join(flags)}: {wanted}", done.returncode == wanted, done.stderr)

    verb("deploy", 0)
    verb("deploy", 0)
    with open(stack, encoding="utf-8") as file:
        text = file.read()
    with open(stack, "w", encoding="utf-8") as file:
        file.write(text.replace('["customauthtesting", ', '["customauthtesting", "more", ')
                   .replace("[function]\n", "[function]\nmemory_mb = 512\n"))
    verb("drift", 2)
    verb("deploy", 0, "--allow-impact")
    world.call("lambda", "UpdateFunctionConfiguration", FunctionName="thinggate-judge", Description="by hand")
    world.call("logs", "PutRetentionPolicy", logGroupName="/thinggate/judge", retentionInDays=1)
    world.pass_time(3)
    verb("drift", 2)
    verb("deploy", 0, "--allow-impact")
    verb("drift", 0)
    verb("destroy", 0, "--yes")
    return list(world.proxy.exchanges)


def judged(name, exchanges, request_too=lambda one: True):
    """Every exchange is valid by the model."""
    found = collections.Counter()
    for one in exchanges:
        for finding in wire.judge(one, request_too(one)):
            found[f"{finding['operation']}: {finding['kind']} at {finding['where']}: {finding['text'][:300]}"] += 1
    said = "\n        ".join(f"{count} x {text}" for text, count in found.items())
    check(f"{name}: {len(exchanges)} exchanges valid by the model", exchanges and not found, said)


def every_operation(world, table):
    """The table of operations is the target's: it answers those, and refuses all others of the model."""
    answered = {service: set() for service in table}
    for service in table:
        for operation in model.service(service).operation_names:
            shape = model.service(service).operation_model(operation).input_shape
            parameters = table[service].get(operation, wrong.careless(shape) if shape else {})
            if world.call(service, operation, **parameters)[1] not in UNKNOWN:
                answered[service].add(operation)
    known = {service: set(operations) for service, operations in table.items()}
    asked = sum(len(model.service(service).operation_names) for service in table)
    check(f"of {asked} operations of the models, {sum(map(len, known.values()))} are answered, as the table has them",
          answered == known, {service: answered[service] ^ known[service] for service in table})


def wrong_values(world, table):
    """Every request that breaks one constraint is refused with the modelled code, and the text names the member."""
    counts = collections.Counter()
    for service, operations in table.items():
        for operation, base in operations.items():
            begin = len(world.proxy.exchanges)
            _, code, text, _ = world.call(service, operation, **base)
            problems = [f"a good request is refused: {code} {text}"] if code in REFUSALS[service] else []
            number = 0
            for path, kind, parameters in wrong.requests(service, operation, base):
                if isinstance(parameters, wrong.NoExample):
                    problems.append(f"{wrong.shown(path)}: no example: {parameters}")
                    continue
                number += 1
                counts[kind] += 1
                _, code, text, _ = world.call(service, operation, **parameters)
                if not refused(service, path, code, text):
                    problems.append(f"{wrong.shown(path)} breaks {kind}: {code or 'accepted'} {text[:200]}")
            problems += [str(one) for exchange in world.proxy.exchanges[begin:] for one in wire.judge(exchange, False)]
            if number:
                check(f"{service}:{operation}: {number} wrong values refused", not problems, "\n        ".join(problems))
    shown = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))
    check(f"{sum(counts.values())} wrong values in all: {shown}", sum(counts.values()) >= 600)
    good = table["iot"]["DescribeEndpoint"]

    def accepted():
        _, code, text, _ = world.call("iot", "DescribeEndpoint", **good)
        check("a value that breaks nothing", refused("iot", ("endpointType",), code, text))

    planted("a wrong value that is accepted", accepted)
    planted("a refusal that names another member", lambda: check("another member", refused(
        "iot", ("status",), "InvalidRequestException", "Value at 'tokenKeyName' failed")))
    planted("a refusal by another code", lambda: check("another code", refused(
        "iot", ("status",), "ResourceNotFoundException", "status")))


def refused(service, path, code, text):
    names = [step.lower() for step in path if step not in ("[]", "{}", "()")]
    return code in REFUSALS[service] and any(name in text.lower() for name in names)


def timed(name, work, *arguments):
    begin = time.monotonic()
    result = work(*arguments)
    print(f"        ({name}: {time.monotonic() - begin:.1f} s)", flush=True)
    return result


def main():
    with folder() as home:
        ready = timed("bootstrap", bootstrap, home)
        world = World(home)
        try:
            exchanges = timed("life cycle", life_cycle, world, home, ready)
            judged("life cycle", exchanges)
            spoken = timed("conversation", talk.speak, world, home)
            judged("conversation", spoken, lambda one: one["status"] < 300)
            timed("defects", defects.run, exchanges + spoken)
            world.ready()
            table = bases(package())
            timed("operations", every_operation, world, table)
            timed("wrong values", wrong_values, world, table)
            timed("signatures", signing.run, world)
        finally:
            world.stop()
    finish()


if __name__ == "__main__":
    main()
