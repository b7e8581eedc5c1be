"""The run behind `.ci/aws`: a stack's life, then one observation for each question of aws-facts 12."""

import argparse
import base64
import contextlib
import hashlib
import hmac
import http.client
import io
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import zipfile

import botocore.config
import botocore.exceptions
import botocore.session

HERE = os.path.dirname(os.path.abspath(__file__))
STACK = '''name = "{name}"
target = "aws"
region = "{region}"
account = "{account}"
protect = false
{endpoints}
[token]
issuer = "https://id.example.com/{name}"
audience = ["deviceagent"]
require = {{ tokenName = "access_token" }}

[token.hs256]
secret = "env:PROBE_SECRET"
in_environment = true

[[allow]]
connect = ["{{sub}}"]
publish = ["tg-probe/any"]

[authorizer]
name = "{name}"
token_key_name = "token"
default = false
{function}'''


class Observed(Exception):
    """A call was refused; `code` is the error's."""


def arguments():
    parser = argparse.ArgumentParser(prog=".ci/aws")
    parser.add_argument("--account", required=False)
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--binary", default="thinggate")
    parser.add_argument("--bootstrap", help="a ready authorizer, instead of building authorizer/")
    parser.add_argument("--endpoint", help="another address of the AWS APIs: the local target's, to try this script")
    parser.add_argument("--data", help="HOST:PORT:CA-FILE of the device gateway, with --endpoint")
    return parser.parse_args()


class Probe:
    def __init__(self, wishes):
        self.wishes, self.rows = wishes, []
        self.name = f"tg-probe-{secrets.token_hex(3)}"
        self.home = tempfile.mkdtemp(prefix="tg-probe-")
        self.secret = secrets.token_bytes(32)
        self.authorizers, self.default_is_ours, self.deployed, self.failures = [], False, False, 0
        session = botocore.session.Session()
        options = botocore.config.Config(retries={"total_max_attempts": 4}, parameter_validation=False)
        self.clients = {service: session.create_client(service, region_name=wishes.region, endpoint_url=wishes.endpoint,
                                                       config=options) for service in ("sts", "iot", "lambda", "iam")}

    def call(self, service, operation, **parameters):
        """The answer, or `Observed` with the error's code."""
        try:
            return getattr(self.clients[service], operation)(**parameters)
        except botocore.exceptions.ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise Observed(f"{status} {error.response['Error']['Code']}") from None
        except botocore.exceptions.BotoCoreError as error:
            raise Observed(f"no answer: {type(error).__name__}") from None

    def outcome(self, service, operation, **parameters):
        """`accepted`, or status and code of the refusal."""
        try:
            self.call(service, operation, **parameters)
            return "accepted"
        except Observed as seen:
            return str(seen)

    def say(self, question, what, observed):
        self.rows.append((question, what, observed))
        print(f"{question:>4}  {what}: {observed}", flush=True)

    def step(self, what, holds, detail=""):
        self.failures += not holds
        self.say("-", what, "done" if holds else f"FAILED {detail}")
        return holds

    # The stack's life.

    def thinggate(self, *command):
        encoded = base64.b64encode(self.secret).decode()
        done = subprocess.run([self.wishes.binary, *command], cwd=self.home, capture_output=True, text=True, check=False,
                              env={**os.environ, "PROBE_SECRET": encoded}, stdin=subprocess.DEVNULL)
        return done

    def identify(self):
        """The caller's account must be the one that was named."""
        found = self.call("sts", "get_caller_identity")
        if found["Account"] != self.wishes.account:
            print("refused: these credentials belong to another account than --account names", file=sys.stderr)
            sys.exit(4)
        self.partition = found["Arn"].split(":")[1]

    def deploy(self):
        endpoints = ""
        if self.wishes.endpoint:
            endpoints = "\n[aws.endpoints]\n" + "".join(
                f'{service} = "{self.wishes.endpoint}"\n' for service in ("iam", "iot", "lambda", "logs", "sts"))
        source = f'source = "{os.path.abspath(os.path.join(HERE, "..", "..", "authorizer"))}"'
        if self.wishes.bootstrap:
            source = f'bootstrap = "{os.path.abspath(self.wishes.bootstrap)}"'
        with open(os.path.join(self.home, "stack.toml"), "w", encoding="utf-8") as file:
            file.write(STACK.format(name=self.name, region=self.wishes.region, account=self.wishes.account,
                                    endpoints=endpoints, function=f"\n[function]\n{source}\n"))
        self.deployed = True
        done = self.thinggate("deploy", "stack.toml", "--allow-impact")
        return self.step("deploy", done.returncode == 0, f"exit {done.returncode}: {code_of(done)}")

    def live(self):
        token = self.token()
        signed = self.signature(token)
        seen = self.test(self.name, token, signed)
        self.step("TestInvokeAuthorizer with a good token", seen == "isAuthenticated", seen)
        self.step("a device publishes", self.publish(token, signed, self.name, "tg-probe/any") == 200)
        self.step("a forged token is refused", self.publish(token + "x", self.signature(token + "x"), self.name) != 200)
        done = self.thinggate("drift", "stack.toml")
        self.step("drift finds none", done.returncode == 0, f"exit {done.returncode}: {code_of(done)}")

    def token(self):
        now = int(time.time())
        claims = {"iss": f"https://id.example.com/{self.name}", "aud": "deviceagent", "sub": "probe", "iat": now,
                  "exp": now + 3600, "tokenName": "access_token"}
        parts = [encoded({"alg": "HS256", "typ": "JWT"}), encoded(claims)]
        parts.append(unpadded(hmac.new(self.secret, ".".join(parts).encode(), hashlib.sha256).digest()))
        return ".".join(parts)

    def signature(self, token):
        """By the stack's key, with openssl: a second reading of what a token signature is."""
        key = next(os.path.join(folder, "1.pem") for folder, _, files in os.walk(self.home) if "1.pem" in files)
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=token.encode(), capture_output=True, check=True)
        return base64.b64encode(done.stdout).decode()

    def test(self, authorizer, token, signature):
        try:
            answer = self.call("iot", "test_invoke_authorizer", authorizerName=authorizer, token=token, tokenSignature=signature)
            return "isAuthenticated" if answer.get("isAuthenticated") else "not authenticated"
        except Observed as seen:
            return str(seen)

    def publish(self, token, signature, authorizer, topic="tg-probe/any", bare=False):
        """The status that a device gets."""
        host = self.call("iot", "describe_endpoint", endpointType="iot:Data-ATS")["endpointAddress"]
        address, port, trust = host, 443, None
        if self.wishes.data:
            address, port, trust = self.wishes.data.split(":", 2)
        context = ssl.create_default_context(cafile=trust)
        connection = http.client.HTTPSConnection(host, timeout=30, context=context)
        plain = socket.create_connection((address, int(port)), 30)
        connection.sock = context.wrap_socket(plain, server_hostname=host)
        headers = {} if bare else {"x-amz-customauthorizer-name": authorizer, "x-amz-customauthorizer-signature": signature,
                                   "token": token}
        connection.request("POST", f"/topics/{topic}", b"probe", headers)
        status = connection.getresponse().status
        connection.close()
        return status

    # The questions. Each asks of authorizers and a function of its own.

    def function(self):
        """The probe function, with the stack's role; gives its ARN."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            with open(os.path.join(HERE, "probe_bootstrap.sh"), "rb") as file:
                package.writestr(entry, file.read())
        role = f"arn:{self.partition}:iam::{self.wishes.account}:role/thinggate-{self.name}-{self.wishes.region}"
        made = self.call("lambda", "create_function", FunctionName=self.name, Runtime="provided.al2023", Role=role,
                         Handler="bootstrap", Code={"ZipFile": archive.getvalue()}, Timeout=10, MemorySize=256,
                         Tags={"tg-probe": self.name}, Environment={"Variables": {"PROBE_TOPICS": (
                             f"arn:{self.partition}:iot:{self.wishes.region}:{self.wishes.account}:topic/tg-probe")}})
        for _ in range(60):
            if self.call("lambda", "get_function_configuration", FunctionName=self.name)["State"] == "Active":
                break
            time.sleep(1)
        return made["FunctionArn"]

    def make(self, suffix, function, keys=None, status="ACTIVE"):
        """An authorizer of the probe's; `Observed` when AWS refuses it."""
        name = f"{self.name}-{suffix}"
        self.authorizers.append(name)
        keys = {"k1": self.public} if keys is None else keys
        self.call("iot", "create_authorizer", authorizerName=name, authorizerFunctionArn=function, tokenKeyName="token",
                  tokenSigningPublicKeys=keys, status=status)
        return name

    def may(self, function, source, statement):
        self.call("lambda", "add_permission", FunctionName=function, StatementId=statement, Action="lambda:InvokeFunction",
                  Principal="iot.amazonaws.com", SourceArn=source, SourceAccount=self.wishes.account)

    def authorizer_arn(self, name):
        return f"arn:{self.partition}:iot:{self.wishes.region}:{self.wishes.account}:authorizer/{name}"

    def creation(self, suffix, function, keys=None):
        try:
            self.make(suffix, function, keys)
            return "accepted"
        except Observed as seen:
            return str(seen)

    def ask(self):
        self.public = public_of(self.home)
        function = self.function()
        a, b = self.make("a", function), self.make("b", function)
        for name in (a, b):
            self.may(function, self.authorizer_arn(name), f"probe-{name[-1]}")
        self.settle()
        self.data_plane(a, b, function)
        self.control_plane(a, b, function)

    def settle(self):
        """AWS tells its own places of a change with some delay."""
        time.sleep(0 if self.wishes.endpoint else 5)

    def data_plane(self, a, b, function):
        """6, 7, 8, 11: what a device sees."""
        for what, token in (("Lambda error", "error"), ("Lambda timeout", "slow"), ("malformed answer", "odd"),
                            ("explicit isAuthenticated false", "no")):
            self.say("6", what, self.publish(token, self.signature(token), a))
        good = self.signature("yes")
        self.say("6", "unknown authorizer", self.publish("yes", good, f"{self.name}-none"))
        self.say("6", "missing headers", self.publish("yes", good, a, bare=True))
        self.say("6", "wrong token signature", self.publish("yes", self.signature("other"), a))
        self.call("iot", "update_authorizer", authorizerName=b, status="INACTIVE")
        self.settle()
        self.say("6", "INACTIVE", self.publish("yes", good, b))
        self.say("7", "TestInvokeAuthorizer, wrong signature", self.test(a, "yes", self.signature("other")))
        self.say("7", "TestInvokeAuthorizer, INACTIVE", self.test(b, "yes", good))
        self.call("iot", "update_authorizer", authorizerName=b, status="ACTIVE")
        forms = [f"{case}-{kept}" for case in ("lower", "capitalised", "none") for kept in ("removed", "kept")]
        seen = [form for form in forms if self.publish("yes", good, a, f"tg-probe/{form}") == 200]
        self.say("8", "header names and signature header in the event", ", ".join(seen) or "neither form")
        c = self.make("c", function)
        self.say("11", "no permission at all", self.publish("yes", good, c))
        self.may(function, function, "probe-function")
        self.settle()
        self.say("11", "permission whose source is the function", self.publish("yes", good, c))

    def control_plane(self, a, b, function):
        """1 to 5, 9, 10, 12."""
        self.defaults(a, b)
        self.say("2", "DeleteAuthorizer while ACTIVE", self.outcome("iot", "delete_authorizer", authorizerName=f"{self.name}-c"))
        self.say("4", "function that is not there", self.creation("gone", function + "-none"))
        for what, suffix, key in (("PKCS#1 key", "pkcs", PKCS1), ("1024-bit key", "short", SHORT), ("EC key", "ec", EC)):
            self.say("4", what, self.creation(suffix, function, {"k1": made_by_openssl(key)}))
        self.call("iot", "update_authorizer", authorizerName=b, tokenSigningPublicKeys={"k2": self.public})
        keys = self.call("iot", "describe_authorizer", authorizerName=b)["authorizerDescription"]["tokenSigningPublicKeys"]
        self.say("5", "keys on update", "merge" if "k1" in keys else "replace")
        self.say("5", "12 keys at once", self.outcome("iot", "update_authorizer", authorizerName=b, tokenSigningPublicKeys={
            f"k{number}": self.public for number in range(12)}))
        self.say("9", "quotas", self.quotas())
        self.say("10", "ports of CUSTOM_AUTH", "not asked: it takes a domain configuration, which cannot be deleted for 7 days")
        self.call("lambda", "publish_version", FunctionName=self.name)
        alias = self.call("lambda", "create_alias", FunctionName=self.name, Name="live", FunctionVersion="1")["AliasArn"]
        self.say("12", "alias as authorizerFunctionArn", self.creation("alias", alias))

    def defaults(self, a, b):
        """1, 2 and 3, if nobody's default is in the way."""
        try:
            self.call("iot", "describe_default_authorizer")
            return self.say("1-3", "the default authorizer", "not asked: the account has one")
        except Observed as seen:
            if not str(seen).startswith("404"):
                return self.say("1-3", "the default authorizer", f"not asked: {seen}")
        self.default_is_ours = True
        self.call("iot", "set_default_authorizer", authorizerName=a)
        self.say("1", "SetDefaultAuthorizer, same name", self.outcome("iot", "set_default_authorizer", authorizerName=a))
        self.say("2", "DeleteAuthorizer while default", self.outcome("iot", "delete_authorizer", authorizerName=a))
        self.say("3", "INACTIVE while default", self.outcome("iot", "update_authorizer", authorizerName=a, status="INACTIVE"))
        self.say("1", "SetDefaultAuthorizer, other name", self.outcome("iot", "set_default_authorizer", authorizerName=b))
        self.call("iot", "clear_default_authorizer")
        self.default_is_ours = False
        return None

    def quotas(self):
        if self.wishes.endpoint:
            return "not asked: only AWS has Service Quotas"
        client = botocore.session.Session().create_client("service-quotas", region_name=self.wishes.region)
        found = []
        for code in ("L-78E3C43F", "L-FC25158E"):
            try:
                found.append(f"{code} = {client.get_service_quota(ServiceCode='iotcore', QuotaCode=code)['Quota']['Value']:.0f}")
            except botocore.exceptions.ClientError as error:
                found.append(f"{code}: {error.response['Error']['Code']}")
        return ", ".join(found)

    # The end.

    def clean(self):
        """Takes everything down, in whatever state it is."""
        if self.default_is_ours:
            self.outcome("iot", "clear_default_authorizer")
        for name in self.authorizers:
            for _ in range(6):
                self.outcome("iot", "update_authorizer", authorizerName=name, status="INACTIVE")
                if self.outcome("iot", "delete_authorizer", authorizerName=name) in ("accepted", "404 ResourceNotFoundException"):
                    break
                time.sleep(5)
        self.outcome("lambda", "delete_function", FunctionName=self.name)
        if self.deployed:
            done = self.thinggate("destroy", "stack.toml", "--yes", "--delete-key")
            self.step("destroy", done.returncode == 0, f"exit {done.returncode}: {code_of(done)}")
        listed = []
        with contextlib.suppress(Observed):
            listed = [one["authorizerName"] for one in self.call("iot", "list_authorizers", pageSize=250)["authorizers"]]
        left = [name for name in listed if name.startswith(self.name)]
        self.step("nothing is left", not left, f"{len(left)} authorizers")
        shutil.rmtree(self.home, ignore_errors=True)

    def report(self):
        lines = [f"## .ci/aws, {self.wishes.region}{' (local target)' if self.wishes.endpoint else ''}", "",
                 "| question | what | observed |", "|---|---|---|"]
        lines += [f"| {question} | {what} | {observed} |" for question, what, observed in self.rows]
        text = "\n".join(lines).replace(self.name, "NAME")
        return re.sub(r"\b\d{12}\b", "ACCOUNT", text)


PKCS1 = "openssl genrsa 2048 2>/dev/null | openssl rsa -RSAPublicKey_out 2>/dev/null"
SHORT = "openssl genrsa 1024 2>/dev/null | openssl rsa -pubout 2>/dev/null"
EC = "openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout 2>/dev/null"


def made_by_openssl(command):
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout


def public_of(home):
    path = next(os.path.join(folder, "1.pub.pem") for folder, _, files in os.walk(home) if "1.pub.pem" in files)
    with open(path, encoding="utf-8") as file:
        return file.read()


def unpadded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def encoded(value):
    return unpadded(json.dumps(value).encode())


def code_of(done):
    """The first line of an error: what is wrong, without what surrounds it."""
    return next((line for line in done.stderr.splitlines() if line.startswith("error:")), "")


def main():
    wishes = arguments()
    if not re.fullmatch(r"\d{12}", wishes.account or ""):
        print("refused: name the one account that this may be done to: --account 123456789012", file=sys.stderr)
        return 4
    probe, code = Probe(wishes), 0
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(*_):
        for number in signals:  # nothing cuts the cleaning short
            signal.signal(number, signal.SIG_IGN)
        sys.exit(130)

    for number in signals:
        signal.signal(number, stop)
    try:
        probe.identify()
        try:
            if probe.deploy():
                probe.live()
            probe.ask()
        finally:
            for number in signals:
                signal.signal(number, signal.SIG_IGN)
            probe.clean()
    except (Observed, OSError) as seen:
        probe.step("asking", False, str(seen) if isinstance(seen, Observed) else type(seen).__name__)
    except SystemExit as end:
        code = end.code
    if code != 4:
        print(f"\n{probe.report()}")
    return code or (1 if probe.failures else 0)
