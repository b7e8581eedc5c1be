"""The article's steps 3 and 4 with the stock AWS CLI, openssl and curl, on a function made by hand.

First its literal commands, which AWS answers and which end in 403, then with the corrections that the
README lists. Afterwards: changes made by hand to a deployed stack (by_hand.py), and where secrets are
(canary.py).
"""

import base64
import json
import os
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(__file__))
from person import approve
from support import Target, bootstrap, check, environment, finish, folder, planted

import by_hand
import canary

AUTHORIZER = "iot-openam-authorizer"
TOPIC = "customauthtesting"


def shell(command, cwd):
    """Runs a command line as the article's reader would type it."""
    done = subprocess.run(["bash", "-c", command], cwd=cwd, env=environment(), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)
    return done.stdout


def log_in(identity_url, secret, home):
    """The article's step 4 up to the tokens, with curl."""
    begin = json.loads(shell(
        f"curl -s --data response_type=token --data scope=mail%20cn --data client_id=deviceagent "
        f"{identity_url}/oauth2/legacy/device/code", home))
    if not approve(begin["verification_url"], begin["user_code"]):
        raise RuntimeError("the device was not approved")
    grant = urllib.parse.quote("http://oauth.net/grant_type/device/1.0")
    for _ in range(30):
        answer = json.loads(shell(
            f"curl -s --data client_id=deviceagent --data-urlencode client_secret={secret} --data grant_type={grant} "
            f"--data code={begin['device_code']} {identity_url}/oauth2/legacy/access_token", home))
        if "access_token" in answer:
            return answer
        if answer.get("error") not in ("authorization_pending", "slow_down"):
            raise RuntimeError(f"the provider says {answer}")
        time.sleep(float(begin.get("interval", 5)) + 0.2)
    raise RuntimeError("no token came")


class Article:
    """What the reader of the article has on the table."""

    def __init__(self, target, home, package):
        self.target, self.home, self.package = target, home, package
        with open(os.path.join(target.state, "identity.json"), encoding="utf-8") as file:
            self.identity = json.load(file)
        self.endpoint = target.aws("iot", "describe-endpoint", "--endpoint-type", "iot:Data-ATS")[1]["endpointAddress"]

    def function(self):
        """Step 2, by hand, from our package."""
        trust = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
        code, role, error = self.target.aws("iam", "create-role", "--role-name", "by-hand",
                                            "--assume-role-policy-document", trust)
        check("create-role", code == 0, error)
        self.target.admin("POST", "/_local/clock", {"advance_ms": 20000})
        variables = json.dumps({"Variables": {"THINGGATE_HS256_SECRET": self.identity["hs256_secret"]}})
        arguments = ("lambda", "create-function", "--function-name", "iot-authorizer", "--handler", "bootstrap",
                     "--role", role["Role"]["Arn"], "--zip-file", f"fileb://{self.package}", "--environment", variables)
        code, _, error = self.target.aws(*arguments, "--runtime", "nodejs8.10")
        check("create-function with the article's runtime is refused", code != 0 and "no longer supported" in error, error)
        code, made, error = self.target.aws(*arguments, "--runtime", "provided.al2023")
        check("create-function", code == 0, error)
        self.target.admin("POST", "/_local/clock", {"advance_ms": 20000})
        self.arn = made["FunctionArn"]

    def test_event(self):
        """Step 2's test: a successful answer with a Deny."""
        out = os.path.join(self.home, "answer.json")
        code, answer, error = self.target.aws("lambda", "invoke", "--function-name", "iot-authorizer",
                                              "--payload", json.dumps({"token": "no-token"}), out)
        if not check("the test event is answered", code == 0, f"{answer} {error}"):
            return
        with open(out, encoding="utf-8") as file:
            decision = json.load(file)
        document = decision["policyDocuments"][0]
        document = json.loads(document) if isinstance(document, str) else document
        check("the test event: a successful answer with a Deny",
              code == 0 and answer["StatusCode"] == 200 and "FunctionError" not in answer
              and decision["isAuthenticated"] is False and document["Statement"][0]["Effect"] == "Deny", f"{error} {decision}")

    def authorizer(self):
        """Step 3, literally; only the principal's value, which the text lacks, is added."""
        shell("openssl genrsa -out private.pem 2048 && openssl rsa -in private.pem -outform PEM -pubout -out public.pem", self.home)
        with open(os.path.join(self.home, "public.pem"), encoding="utf-8") as file:
            public = file.read()
        code, _, error = self.target.aws(
            "iot", "create-authorizer", "--authorizer-name", AUTHORIZER, "--authorizer-function-arn", self.arn,
            "--token-key-name", "token", "--token-signing-public-keys", f"FIRST_KEY={public}", "--status", "ACTIVE")
        check("create-authorizer", code == 0, error)
        code, shown, error = self.target.aws("iot", "describe-authorizer", "--authorizer-name", AUTHORIZER)
        check("describe-authorizer", code == 0 and shown["authorizerDescription"]["status"] == "ACTIVE", error)
        self.authorizer_arn = shown["authorizerDescription"]["authorizerArn"]
        code, _, error = self.target.aws("iot", "set-default-authorizer", "--authorizer-name", AUTHORIZER)
        check("set-default-authorizer", code == 0, error)
        literal = self.permission(self.arn, "Id-123", principal=())
        check("add-permission without the principal's value is no command", literal[0] != 0 and "--principal" in literal[2], literal)
        literal = self.permission(self.arn, "Id-123")
        check("add-permission with the Lambda's own ARN is taken", literal[0] == 0, literal[2])
        again = self.permission(self.arn, "Id-123")
        check("the fixed statement id fails the second time", again[0] != 0 and "already exists" in again[2], again[2])

    def permission(self, source, statement, principal=("iot.amazonaws.com",)):
        return self.target.aws("lambda", "add-permission", "--function-name", "iot-authorizer", "--principal", *principal,
                               "--source-arn", source, "--statement-id", statement, "--action", "lambda:InvokeFunction")

    def publish(self, token, pipeline, topic=TOPIC, trust="-k", name=f'-H "X-Amz-CustomAuthorizer-Name: {AUTHORIZER}"'):
        """Step 4's request; gives the status and what the target's log knows of it."""
        reach = f"--connect-to {self.endpoint}:443:127.0.0.1:{self.target.run['data_port']}"
        with open(os.path.join(self.home, "token"), "w", encoding="utf-8") as file:
            file.write(token)
        printed = shell(
            f'TOKEN=$(cat token); SIGNATURE=$(echo -n "$TOKEN" | openssl dgst -sha256 -sign private.pem | {pipeline}); '
            f'curl -s -X POST {trust} -i -N {reach} -H "Host: {self.endpoint}" {name} '
            f'-H "X-Amz-CustomAuthorizer-Signature: $SIGNATURE" -H "token: $TOKEN" '
            f"--data 'Test message from openam protected device' https://{self.endpoint}/topics/{topic}", self.home)
        status = int(printed.split()[1]) if printed else 0
        trace = json.loads(printed[printed.index("{"):])["traceId"] if "{" in printed else ""
        _, entry = self.target.admin("GET", f"/_local/log?trace_id={trace}")
        return status, entry or {}


def article(target, home, package):
    table = Article(target, home, package)
    table.function()
    table.test_event()
    table.authorizer()
    tokens = log_in(target.run["identity_url"], table.identity["client_secret"], home)
    good = tokens["access_token"]

    def refused(name, who, why, answer):
        status, entry = answer
        check(name, status == 403 and entry.get("who") == who and why in (entry.get("reason"), entry.get("why")), f"{status} {entry}")

    refused("literal: the wrapped signature ends in 403", "gateway", "bad_token_signature", table.publish(good, "openssl base64"))
    refused("literal: the Lambda's ARN as source ends in 403", "gateway", "missing_invoke_permission",
            table.publish(good, "openssl base64 -A"))
    done = table.permission(table.authorizer_arn, "thinggate-by-hand")
    check("add-permission with the authorizer's ARN", done[0] == 0, done[2])
    trust = f"--cacert {target.run['ca']}"

    def delivered():
        status, entry = table.publish(good, "openssl base64 -A", trust=trust)
        check("corrected: 200", status == 200, f"{status} {entry}")

    delivered()
    status, entry = table.publish(good, "openssl base64 -A", trust=trust, name="")
    check("corrected, by the default authorizer: 200", status == 200, f"{status} {entry}")
    head, claims, signature = good.split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    changed["sub"] = "somebody-else"
    changed = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    refused("a tampered token, rightly re-signed", "authorizer", "bad_signature",
            table.publish(f"{head}.{changed}.{signature}", "openssl base64 -A", trust=trust))
    refused("the refresh token", "authorizer", "required_claim", table.publish(tokens["refresh_token"], "openssl base64 -A", trust=trust))
    refused("a forbidden topic", "policy", "denied_by_policy", table.publish(good, "openssl base64 -A", topic="other", trust=trust))
    variables = json.dumps({"Variables": {"THINGGATE_HS256_SECRET": base64.b64encode(bytes(32)).decode()}})
    target.aws("lambda", "update-function-configuration", "--function-name", "iot-authorizer", "--environment", variables)
    target.admin("POST", "/_local/clock", {"advance_ms": 20000})
    planted("the function has another HMAC secret", delivered)


def main():
    with folder() as home:
        bootstrap(home)
        package = os.path.join(home, "package.zip")
        target = Target(home)
        try:
            article(target, home, package)
        finally:
            target.stop()
    if "article" not in sys.argv:
        by_hand.run()
        canary.run()
    finish()


if __name__ == "__main__":
    main()
