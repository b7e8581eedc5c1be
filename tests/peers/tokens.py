"""`.ci/run tokens`, the second half: the real executable and a second reading of the rules decide about the same tokens.

Thousands of tokens, each from a number, go through the Lambda Runtime API into `bootstrap`. Its answer and the reason in
its log are compared with those of `token_reference.py`. Then every rule is taken out of the reference, one after the
other: on the same tokens each of these defects shows, so that none of them could be in the verifier unseen.
"""

import base64
import itertools
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from counts import check, finish
from token_maker import ISSUER, RSA, SECRET, make
from token_reference import Reference

BOOTSTRAP = os.environ["BOOTSTRAP"]
LONG = bool(os.environ.get("LONG"))
WAIT_SECONDS = 60
BASE = {
    "version": 1, "arn_prefix": "arn:aws:iot:eu-west-1:000000000000", "issuer": ISSUER, "audience": ["deviceagent", "other"],
    "audience_claims": ["aud"], "scopes": ["mail"], "scope_claims": ["scope", "scp"], "types": ["JWT", "at+jwt", ""],
    "require": {"tokenName": "access_token"}, "leeway_seconds": 60, "strict_expiry": False,
    "key": {"hs256": {"secret_variable": "SECRET", "encoding": "base64", "allow_short_secret": False}},
    "allow": [{"connect": ["{sub}/*"], "publish": ["customauthtesting", "devices/{sub}/events"], "subscribe": ["devices/{sub}/#"]}],
}
# A configuration, and how many tokens for it; a signature with RSA costs Python some milliseconds.
CONFIGURATIONS = {
    "HS256": (BASE, 4000),
    "HS256, strict": (BASE | {
        "types": ["at+jwt"], "require": {}, "leeway_seconds": 0, "strict_expiry": True, "scopes": [],
        "audience_claims": ["aud", "client_id"],
        "allow": [{"connect": [], "publish": ["{realm}/{sub}"], "subscribe": ["+/{sub}", "{sub}/x"]}]}, 1500),
    "RS256, one key without a name": (BASE | {"key": {"rs256": {"keys": [RSA[0].jwk(None)]}}}, 400),
    "RS256, two keys": (BASE | {"key": {"rs256": {"keys": [RSA[0].jwk("key-1"), RSA[1].jwk("key-2")]}}}, 500),
}
# What could be missing or wrong in a verifier; each must show on some token.
DEFECTS = [
    "signature", "signature prefix", "alg", "alg case", "crit", "zip", "embedded keys", "typ", "kid", "iss", "issuer prefix",
    "aud", "list elements", "exp", "nbf", "iat", "times as texts", "jti", "require", "scope", "plain values",
    "repeated keys", "depth", "length", "header length", "strict expiry",
]


class Executable:
    """`bootstrap` as Lambda starts it, and the Runtime API that it talks to."""

    def __init__(self, file, folder):
        with open(os.path.join(folder, "authorizer.json"), "w", encoding="utf-8") as written:
            json.dump(file, written)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(WAIT_SECONDS)
        variables = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:%d" % listener.getsockname()[1], "LAMBDA_TASK_ROOT": folder,
                     "SECRET": base64.b64encode(SECRET).decode()}
        self.child = subprocess.Popen([BOOTSTRAP], env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.socket, _ = listener.accept()
        listener.close()
        self.socket.settimeout(WAIT_SECONDS)
        self.stream = self.socket.makefile("rb")

    def read(self):
        line, length = self.stream.readline(), 0
        while (header := self.stream.readline()) not in (b"\r\n", b""):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        return line, self.stream.read(length)

    def decide(self, event):
        """The answer, and the line of the log."""
        line, _ = self.read()
        if not line.startswith(b"GET "):
            raise AssertionError(f"the executable asked for {line!r}")
        body = json.dumps(event).encode()
        self.socket.sendall(b"HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 1-2\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        line, answer = self.read()
        if b"/invocation/1-2/response " not in line:
            raise AssertionError(f"the executable posted to {line!r}")
        self.socket.sendall(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        return json.loads(answer), json.loads(self.child.stdout.readline())

    def end(self):
        self.stream.close()
        self.socket.close()
        self.child.stdout.close()
        self.child.wait(WAIT_SECONDS)


def outcome(answer, line):
    """What became of a token: the reason of a deny, or what an allow grants."""
    if not answer["isAuthenticated"]:
        return line["reason"] if line["decision"] == "deny" else "an answer that differs from the log"
    documents = answer["policyDocuments"]
    sizes = [len(json.dumps(document, separators=(",", ":"))) for document in documents]
    legal = (1 <= len(documents) <= 10 and max(sizes) <= 2048 and line["decision"] == "allow"
             and answer["disconnectAfterInSeconds"] == answer["refreshAfterInSeconds"]
             and all(set(document) == {"Version", "Statement"} and document["Version"] == "2012-10-17" for document in documents))
    grants = [(statement["Action"], resource) for document in documents for statement in document["Statement"]
              for resource in statement["Resource"] if set(statement) == {"Effect", "Action", "Resource"} and statement["Effect"] == "Allow"]
    return (answer["principalId"], answer["refreshAfterInSeconds"], grants) if legal else "an illegal answer"


def agrees(reference, case):
    """Whether the reference says the same at some second at which the executable may have looked at the clock."""
    token, began, ended, opens, found = case
    return any(reference.decide(token, now, opens) == found for now in range(began, ended + 1))


def run(name, file, count):
    """Decides about `count` tokens; gives the cases with what the executable said."""
    rng, cases = random.Random(f"{name} 1"), []
    with tempfile.TemporaryDirectory() as folder:
        executable = Executable(file, folder)
        for _ in range(count):
            protocol = rng.choice(["mqtt", "http", None])
            now = int(time.time())
            token = make(rng, file, now)
            event = {"token": token} | ({"protocols": ["tls", protocol]} if protocol else {})
            began = int(time.time())
            answer, line = executable.decide(event)
            cases.append((token, began, int(time.time()), protocol != "http", outcome(answer, line)))
        executable.end()
    return cases


def main():
    seen = {}
    for name, (file, count) in CONFIGURATIONS.items():
        secret = SECRET if "hs256" in file["key"] else None
        cases = run(name, file, count * (10 if LONG else 1))
        reference = Reference(file, secret)
        different = [case for case in cases if not agrees(reference, case)]
        allowed = sum(isinstance(case[4], tuple) for case in cases)
        reasons = {case[4] for case in cases if isinstance(case[4], str)}
        said = [(case[4], reference.decide(case[0], case[1], case[3])) for case in different[:5]]
        check(f"{name}: {len(cases)} tokens, {allowed} allowed, {len(cases) - allowed} refused for {len(reasons)} reasons:"
              " executable and reference agree", not different, f"{len(different)} differ, as {said}")
        check(f"{name}: good and bad ones are among them", allowed > count / 10 and len(reasons) > 15, f"{allowed} {sorted(reasons)}")
        for defect in DEFECTS:
            planted = Reference(file, secret, without=[defect])
            # Only a token that was refused can show what a rule is for; a few of them are enough.
            showing = (case for case in cases if isinstance(case[4], str) and not agrees(planted, case))
            wanted = max(0, 5 - seen.get(defect, 0))
            seen[defect] = seen.get(defect, 0) + len(list(itertools.islice(showing, wanted)))
    for defect, tokens in seen.items():
        check(f"planted: a verifier without `{defect}`; {tokens} tokens and more show it", tokens > 0)
    finish()


main()
