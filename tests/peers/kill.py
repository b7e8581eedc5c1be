"""SIGKILL at every mutating call: the next run converges to the fault-free end state.

A separate `local up` holds the reply of call n after its effect; the deployer is killed there. The number
of mutating calls comes from a proxy outside, the end states from the AWS CLI. A run that repeats a call of
its own accord has more calls than the fault-free run: the sweep goes on until a run is not held any more.
"""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from support import (BINARY, Proxy, Target, bootstrap, check, different, dump, environment, finish, folder,
                     planted, stack_file, thinggate, wait_for)

STACK = "kill"
GROUP = f"/thinggate/{STACK}"
RACES_MAX = 16
LONG = bool(os.environ.get("LONG"))


def run(target, *arguments):
    return thinggate(*arguments, "--state-dir", target.state)


def killed_at(target, call, arguments):
    """Starts the deployer and kills it while the reply of `call` is held: the operation, and how it died.

    The operation is None when the run ended by itself, because it has no such call.
    """
    target.admin("POST", "/_local/faults", {"hold_reply_of": call})
    process = subprocess.Popen([BINARY, *arguments, "--state-dir", target.state], env=environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    held = wait_for(lambda: target.admin("GET", "/_local/faults?wait_ms=200")[1]["held"] or process.poll() is not None, 120)
    state = target.admin("GET", "/_local/faults")[1]
    process.kill()
    status = process.wait()
    target.admin("POST", "/_local/faults", {})
    return state["held_operation"] if held and state["held"] else None, status


def again(target, verb, call, name, arguments, wanted, status):
    """The run after the kill, and whether the world is the fault-free one."""
    done = run(target, *arguments)
    now = dump(target)
    good = status == -signal.SIGKILL and done.returncode == 0 and now == wanted
    return check(f"{verb}: killed at call {call} ({name}), converges", good,
                 f"status {status}, then {done.returncode}: {done.stderr} {different(now, wanted)}")


def sweep(target, verb, arguments, before, wanted, operations):
    """Kills at each call, runs again, compares."""
    converged, held = 0, set()
    for call in range(1, 3 * len(operations)):
        before()
        name, status = killed_at(target, call, arguments)
        if name is None:
            check(f"{verb}: a run without call {call} ends by itself", status == 0, f"status {status}")
            break
        held.add(plain(name))
        converged += again(target, verb, call, name, arguments, wanted, status)
    else:
        call += 1
    wanted_names = {plain(one) for one in operations}
    for attempt in range(RACES_MAX):  # steps that run side by side come in any order
        if wanted_names <= held:
            break
        before()
        place = 1 + [plain(one) in held for one in operations].index(False)
        place = max(1, place + (0, -1, 1)[attempt % 3])
        name, status = killed_at(target, place, arguments)
        if name is None:  # this run had no such call
            continue
        held.add(plain(name))
        call += 1
        converged += again(target, verb, place, name, arguments, wanted, status)
    missing = sorted(wanted_names - held)
    check(f"{verb}: every mutating call that the proxy saw was killed at", not missing, f"not {missing}")
    print(f"{verb}: converged {converged}/{call - 1}", flush=True)


def plain(name):
    """An operation's name as the proxy and the target have it in common."""
    return name.split(": ")[-1].split("Logs.")[-1].split("Iam.")[-1]


def fault_free(target, stack):
    """Deploy, deploy again, repair and destroy through the proxy: the end states and the calls."""
    empty = dump(target)
    proxy = Proxy(target.run["control_url"])
    through = ("--local-endpoint", proxy.url)

    def counted(name, *arguments):
        proxy.exchanges.clear()
        done = run(target, *arguments, *through)
        check(name, done.returncode == 0, done.stderr)
        return proxy.writes()

    deploys = counted("deploy through the proxy", "deploy", stack)
    deployed = dump(target)
    writes = counted("a second deploy", "deploy", stack)
    check("a second deploy writes nothing, counted outside", writes == [], writes)
    reads = len(proxy.exchanges)
    check("a second deploy does read", reads > 5, reads)
    for verb in ("plan", "drift"):
        check(f"{verb} writes nothing", counted(verb, verb, stack) == [])
    target.aws("logs", "put-retention-policy", "--log-group-name", GROUP, "--retention-in-days", "1")
    planted("the world differs in one value",
            lambda: check("the same end state", dump(target) == deployed, different(dump(target), deployed)))
    writes = counted("a deploy that repairs", "deploy", stack)
    check("a repair is one write, so the proxy does count", writes == ["logs: PutRetentionPolicy"], writes)
    destroys = counted("destroy", "destroy", stack, "--yes", "--delete-key")
    check("destroy leaves the account as before", dump(target) == empty, different(dump(target), empty))
    writes = counted("a second destroy", "destroy", stack, "--yes", "--delete-key")
    check("a second destroy writes nothing", writes == [], writes)
    proxy.stop()
    print(f"mutating calls: deploy {len(deploys)}, destroy {len(destroys)}", flush=True)
    return empty, deployed, deploys, destroys


def change(target, stack, destroy):
    """The long form: a deployed stack gets another configuration, and so another release."""
    with open(stack, encoding="utf-8") as file:
        text = file.read()
    changed = stack.replace(".toml", "-changed.toml")
    with open(changed, "w", encoding="utf-8") as file:
        file.write(text.replace("[function]\n", "[function]\nmemory_mb = 512\nlog_retention_days = 7\n"))

    def before():
        run(target, *destroy)
        run(target, "deploy", stack)

    before()
    proxy = Proxy(target.run["control_url"])
    done = run(target, "deploy", changed, "--local-endpoint", proxy.url)
    check("a change through the proxy", done.returncode == 0 and len(proxy.writes()) >= 4, f"{done.stderr} {proxy.writes()}")
    proxy.stop()
    sweep(target, "change", ("deploy", changed), before, dump(target), proxy.writes())
    run(target, *destroy)


def main():
    with folder() as home:
        ready = bootstrap(home)
        stack = stack_file(home, STACK, replace=[("[authorizer]\n", f'[function]\nbootstrap = "{ready}"\n\n[authorizer]\n')])
        target = Target(home)
        try:
            empty, deployed, deploys, destroys = fault_free(target, stack)
            destroy = ("destroy", stack, "--yes", "--delete-key")
            sweep(target, "deploy", ("deploy", stack), lambda: run(target, *destroy), deployed, deploys)
            sweep(target, "destroy", destroy, lambda: run(target, "deploy", stack), empty, destroys)
            if LONG:
                change(target, stack, destroy)
            planted("the next run leaves something behind", lambda: again(
                target, "destroy", 1, "nothing", ("deploy", stack), empty, -signal.SIGKILL))
            planted("the run was not killed", lambda: again(target, "destroy", 1, "nothing", destroy, empty, 0))
        finally:
            target.stop()
    finish()


if __name__ == "__main__":
    main()
