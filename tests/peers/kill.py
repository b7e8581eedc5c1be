"""SIGKILL at every mutating call: the next run converges to the fault-free end state.

A separate `local up` holds the reply of call n after its effect; the deployer is killed there. The number
of mutating calls comes from a proxy outside, the end states from the AWS CLI.
"""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from support import (BINARY, Proxy, Target, bootstrap, check, different, dump, environment, finish, folder,
                     stack_file, thinggate, wait_for)


def run(target, *arguments):
    return thinggate(*arguments, "--state-dir", target.state)


def killed_at(target, call, *arguments):
    """Starts the deployer, kills it while the reply of `call` is held, and says how it died."""
    target.admin("POST", "/_local/faults", {"hold_reply_of": call})
    process = subprocess.Popen([BINARY, *arguments, "--state-dir", target.state], env=environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    held = wait_for(lambda: target.admin("GET", "/_local/faults?wait_ms=200")[1]["held"] or process.poll() is not None)
    state = target.admin("GET", "/_local/faults")[1]
    process.kill()
    status = process.wait()
    target.admin("POST", "/_local/faults", {})
    return held and state["held"], status, state.get("held_operation")


def sweep(target, verb, arguments, before, wanted, calls):
    """Kills at each call, runs again, compares. Gives how many converged."""
    converged = 0
    for call in range(1, calls + 1):
        before()
        fired, status, operation = killed_at(target, call, *arguments)
        again = run(target, *arguments)
        now = dump(target)
        good = fired and status == -signal.SIGKILL and again.returncode == 0 and now == wanted
        detail = f"fired {fired}, status {status}, again {again.returncode}: {again.stderr} {different(now, wanted)}"
        converged += check(f"{verb}: killed at call {call} ({operation}), converges", good, detail)
    print(f"{verb}: converged {converged}/{calls}", flush=True)


def main():
    with folder() as home:
        ready = bootstrap(home)
        stack = stack_file(home, "kill", replace=[("[authorizer]\n", f'[function]\nbootstrap = "{ready}"\n\n[authorizer]\n')])
        target = Target(home)
        try:
            empty = dump(target)
            proxy = Proxy(target.run["control_url"])
            through = ("--local-endpoint", proxy.url)
            done = run(target, "deploy", stack, *through)
            check("deploy through the proxy", done.returncode == 0, done.stderr)
            deploys = len(proxy.writes())
            deployed = dump(target)
            proxy.exchanges.clear()
            done = run(target, "deploy", stack, *through)
            check("a second deploy writes nothing, counted outside",
                  done.returncode == 0 and proxy.writes() == [], f"{done.stderr} {proxy.writes()}")
            proxy.exchanges.clear()
            done = run(target, "destroy", stack, "--yes", "--delete-key", *through)
            destroys = len(proxy.writes())
            check("destroy leaves the account as before",
                  done.returncode == 0 and dump(target) == empty, f"{done.stderr} {different(dump(target), empty)}")
            proxy.stop()
            print(f"mutating calls: deploy {deploys}, destroy {destroys}", flush=True)

            def nothing():
                run(target, "destroy", stack, "--yes", "--delete-key")

            def everything():
                run(target, "deploy", stack)

            sweep(target, "deploy", ("deploy", stack), nothing, deployed, deploys)
            sweep(target, "destroy", ("destroy", stack, "--yes", "--delete-key"), everything, empty, destroys)
        finally:
            target.stop()
    finish()


if __name__ == "__main__":
    main()
