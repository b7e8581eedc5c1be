"""`.ci/aws` against the local target: it reports how each switch is set, refuses without a pin, and cleans up."""

import json
import os
import re
import signal
import subprocess
import threading

from support import BINARY, CHECKOUT, Target, bootstrap, check, environment, planted

ACCOUNT = "000000000000"
CONFLICT, INVALID = "409 DeleteConflictException", "400 InvalidRequestException"
TAKEN = "409 ResourceAlreadyExistsException"
# Each switch with another value than its default, the row that shows it, and what it shows by default and then.
ROWS = (
    ("set_default_again=overwrite", "SetDefaultAuthorizer, same name", TAKEN, "accepted"),
    ("set_default_again=overwrite", "SetDefaultAuthorizer, other name", TAKEN, "accepted"),
    ("delete_refusal=invalid_request", "DeleteAuthorizer while ACTIVE", CONFLICT, INVALID),
    ("delete_refusal=invalid_request", "DeleteAuthorizer while default", CONFLICT, INVALID),
    ("deactivate_default=allow", "INACTIVE while default", INVALID, "accepted"),
    ("function_existence=unchecked", "function that is not there", INVALID, "accepted"),
    ("signing_keys=unchecked", "PKCS#1 key", INVALID, "accepted"),
    ("signing_keys=unchecked", "1024-bit key", INVALID, "accepted"),
    ("signing_keys=unchecked", "EC key", INVALID, "accepted"),
    ("keys_on_update=merge", "keys on update", "replace", "merge"),
    ("failed_authentication=unauthorized", "unknown authorizer", "403", "401"),
    ("failed_authentication=unauthorized", "Lambda error", "403", "401"),
    ("failed_authentication=unauthorized", "Lambda timeout", "403", "401"),
    ("failed_authentication=unauthorized", "malformed answer", "403", "401"),
    ("failed_authentication=unauthorized", "INACTIVE", "403", "401"),
    ("test_with_wrong_signature=run", "TestInvokeAuthorizer, wrong signature", INVALID, "isAuthenticated"),
    ("test_of_inactive=run", "TestInvokeAuthorizer, INACTIVE", INVALID, "isAuthenticated"),
    ("header_names=capitalised,signature_in_event=kept", "header names and signature header in the event",
     "lower-removed", "capitalised-kept"),
    ("function_as_source=accept", "permission whose source is the function", "403", "200"),
    ("qualified_function=refuse", "alias as authorizerFunctionArn", "accepted", INVALID),
)


def command(target, ready, account=ACCOUNT):
    pin = ("--account", account) if account else ()
    return [os.path.join(CHECKOUT, ".ci", "aws"), *pin, "--binary", BINARY, "--bootstrap", ready, "--endpoint",
            target.run["control_url"], "--data", f"127.0.0.1:{target.run['data_port']}:{target.run['ca']}"]


def machine(target):
    return environment(AWS_ACCESS_KEY_ID=target.run["access_key_id"], AWS_SECRET_ACCESS_KEY=target.run["secret_access_key"],
                       AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, HOME=target.folder)


def run(target, ready, account=ACCOUNT):
    return subprocess.run(command(target, ready, account), env=machine(target), capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL, check=False)


def rows(report):
    return dict(re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \|$", report, flags=re.M))


def left(target):
    """What is there in the whole account."""
    asked = (("iam", "list-roles", "Roles"), ("lambda", "list-functions", "Functions"),
             ("logs", "describe-log-groups", "logGroups"), ("iot", "list-authorizers", "authorizers"))
    found = [target.aws(service, operation)[1][member] for service, operation, member in asked]
    return [one for some in found for one in some]


def reported(what, printed, expected):
    seen = rows(printed)
    wrong = {row: (seen.get(row), value) for row, value in expected.items() if seen.get(row) != value}
    check(f"the report says how the target is set: {what}", not wrong, f"{wrong}\n{printed}")


def whole(home, ready, what, switches, expected, code=0):
    """One run from end to end; gives what it printed."""
    folder = os.path.join(home, what.replace(" ", "-"))
    os.mkdir(folder)
    target = Target(folder, *(flag for switch in switches for flag in ("--switch", switch)))
    try:
        done = run(target, ready)
        check(f"{what}: exit {code}", done.returncode == code, done.stdout + done.stderr)
        reported(what, done.stdout, expected)
        secrets = (target.run["secret_access_key"], target.run["access_key_id"], ACCOUNT, "127.0.0.1")
        check(f"{what}: no secret, no account, no address", not any(one in done.stdout for one in secrets), done.stdout)
        check(f"{what}: nothing is left", not left(target), json.dumps(left(target), default=str))
        return done.stdout
    finally:
        target.stop()


def interrupted(target, ready, number, after):
    """A signal after this line: everything is taken down."""
    process = subprocess.Popen(command(target, ready), env=machine(target), stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    for line in process.stdout:
        if after in line:
            process.send_signal(number)
            break
    threading.Thread(target=process.stdout.read, daemon=True).start()
    code = process.wait(timeout=300)
    check(f"{number.name} after `{after}`: exit 130, nothing is left", code == 130 and not left(target),
          f"exit {code}: {json.dumps(left(target), default=str)}")


def refused(target, ready):
    for what, account in (("no account", None), ("another account", "111111111111"), ("no account number", "mine")):
        before = target.admin("GET", "/_local/faults")[1]["mutating_calls"]
        done = run(target, ready, account)
        after = target.admin("GET", "/_local/faults")[1]["mutating_calls"]
        check(f"refused: {what}", done.returncode == 4 and before == after and "--account" in done.stderr, done.stderr)


def probe(home):
    ready = bootstrap(home)
    defaults = {row: value for _, row, value, _ in ROWS}
    printed = whole(home, ready, "all defaults", (), defaults)
    others = [row for row in ROWS if not row[0].startswith("qualified")]
    whole(home, ready, "every other value", sorted({row[0] for row in others}), {row[1]: row[3] for row in others})
    for row in ROWS:
        if row[0] in ("header_names=capitalised,signature_in_event=kept", "keys_on_update=merge"):
            whole(home, ready, f"only {row[0].split('=')[0]}", (row[0],), {**defaults, row[1]: row[3]})
    alias = ROWS[-1]
    whole(home, ready, "no alias", (alias[0],), {**defaults, alias[1]: alias[3]}, code=1)
    planted("a report of other settings", lambda: reported("planted", printed, {**defaults, "keys on update": "merge"}))
    folder = os.path.join(home, "interrupted")
    os.mkdir(folder)
    target = Target(folder)
    try:
        refused(target, ready)
        for number, after in ((signal.SIGINT, "deploy"), (signal.SIGTERM, "Lambda error"), (signal.SIGHUP, "SetDefaultAuthorizer, same")):
            interrupted(target, ready, number, after)
    finally:
        target.stop()
