"""Each kind of AWS credentials, set up as a laptop, a container, a machine or a CI runner has it.

    with credential_kinds.ready("container", target, home) as kind:
        write a stack with target = "aws" and kind.toml() at its end
        thinggate("deploy", stack, **kind.environment)

`target` is a served local target that is taken for AWS. What hands out credentials is a real server on loopback, and
what it hands out are sessions of roles of the target, as AWS's services do it. `ALL` names the kinds. Nothing here
prints a secret.
"""

import base64
import contextlib
import datetime
import hashlib
import http.client
import http.server
import json
import os
import shlex
import sys
import threading
import time
import urllib.parse

import botocore.config
import botocore.session

ACCOUNT = "000000000000"
REGION = "eu-west-1"
ISSUER = "https://token.actions.githubusercontent.com"
SUBJECT = "repo:octo-org/octo-repo:ref:refs/heads/main"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SERVICES = ("iam", "iot", "lambda", "logs", "ssm", "sts")
EXTERNAL_ID = "Shop-4711"
# Files in which the kinds keep secrets, besides those in `.aws`.
STORES = {"token", "process.json", "process.sh"}
QUIET = botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=60)


class Kind:
    """What a run needs to have credentials of one kind."""

    def __init__(self, name, home, url):
        self.name = name
        self.home = home
        self.url = url  # where `[aws.endpoints]` sends every service
        self.toml_more = ""  # what else belongs to the end of the stack file
        # Nothing of this machine; IMDS is not asked by the kinds that do not need it.
        self.environment = {"HOME": home, "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1"}
        self.caller = None  # the ARN that GetCallerIdentity answers, up to a session name that the SDK makes
        self.server = None  # the helper, if there is one

    def toml(self, url=None):
        """The end of a stack file: the addresses, and the roles to assume. `url`: a proxy before the target."""
        address = url or self.url
        return "\n[aws.endpoints]\n" + "".join(f'{one} = "{address}"\n' for one in SERVICES) + self.toml_more

    def write(self, path, text, mode=0o600):
        """A file of the home folder."""
        path = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path


class Account:
    """The target as the administrator of the account sees it."""

    def __init__(self, target):
        self.target, self.run, self.url = target, target.run, target.run["control_url"]
        self.session = botocore.session.Session()
        self.clients = {}

    def client(self, service, key=None):
        key = key or (self.run["access_key_id"], self.run["secret_access_key"], None)
        if (service, key) not in self.clients:
            self.clients[service, key] = self.session.create_client(
                service, region_name=REGION, endpoint_url=self.url, config=QUIET, aws_access_key_id=key[0],
                aws_secret_access_key=key[1], aws_session_token=key[2])
        return self.clients[service, key]

    def role(self, name, *statements, policies=(ADMINISTRATOR,)):
        """The ARN of a role with this trust, made if it is not there."""
        iam = self.client("iam")
        trust = json.dumps({"Version": "2012-10-17", "Statement": list(statements) or [trusts_account()]})
        try:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        except iam.exceptions.EntityAlreadyExistsException:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        for policy in policies:
            iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def session_of(self, role, name="session", seconds=3600):
        """Temporary credentials of a role, as STS answers them."""
        return self.client("sts").assume_role(RoleArn=role, RoleSessionName=name, DurationSeconds=seconds)["Credentials"]

    def assumed(self, role, name="session"):
        return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/{name}"

    def key(self, names=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")):
        """The account's own access key, under these names."""
        return dict(zip(names, (self.run["access_key_id"], self.run["secret_access_key"])))


def trusts_account(external_id=None):
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    return {**statement, "Condition": {"StringEquals": {"sts:ExternalId": external_id}}} if external_id else statement


def trusts_github(subject=SUBJECT):
    """As GitHub's documentation has it: "Configuring OpenID Connect in Amazon Web Services"."""
    host = ISSUER.removeprefix("https://")
    return {"Effect": "Allow", "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {
                "StringEquals": {f"{host}:aud": "sts.amazonaws.com"}, "StringLike": {f"{host}:sub": subject}}}


class Helper:
    """A server on loopback. `answer(handler, body)` gives status, headers and content, or None for 404."""

    def __init__(self, answer):
        self.asked = []  # method and path of each request
        self.answer = answer
        helper = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def serve(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                helper.asked.append(f"{self.command} {self.path}")
                status, headers, content = helper.answer(self, body) or (404, {}, b"")
                self.send_response_only(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that went away

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def as_json(value, status=200):
    return status, {"content-type": "application/json"}, json.dumps(value).encode()


def at(moment):
    """As the metadata services write a time."""
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def metadata_of(credentials):
    """The form of ECS and IMDS ("Using temporary credentials" of both guides)."""
    return {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": at(datetime.datetime.now(datetime.timezone.utc)),
            "AccessKeyId": credentials["AccessKeyId"], "SecretAccessKey": credentials["SecretAccessKey"],
            "Token": credentials["SessionToken"], "Expiration": at(credentials["Expiration"])}


@contextlib.contextmanager
def static(account, kind):
    """An access key in the environment."""
    kind.environment.update(account.key())
    kind.caller = f"arn:aws:iam::{ACCOUNT}:user/local"
    yield kind


@contextlib.contextmanager
def session(account, kind):
    """Temporary credentials in the environment, as a CI's login step exports them."""
    role = account.role("credentials-session")
    kind.environment.update(session_variables(account.session_of(role)))
    kind.caller = account.assumed(role)
    yield kind


def session_variables(credentials):
    return {"AWS_ACCESS_KEY_ID": credentials["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"]}


@contextlib.contextmanager
def profile(account, kind):
    """A profile of the shared files that assumes a role with the keys of another one."""
    role = account.role("credentials-profile")
    keys = account.key(("aws_access_key_id", "aws_secret_access_key"))
    kind.write(".aws/credentials", "[base]\n" + "".join(f"{name} = {value}\n" for name, value in keys.items()))
    kind.write(".aws/config", f"[profile company]\nregion = {REGION}\nrole_arn = {role}\nsource_profile = base\n"
                              "role_session_name = session\n")
    kind.environment["AWS_PROFILE"] = "company"
    kind.caller = account.assumed(role)
    yield kind


@contextlib.contextmanager
def process(account, kind):
    """A profile whose credentials a program prints."""
    role = account.role("credentials-process")
    given = account.session_of(role)
    said = {"Version": 1, **{name: given[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")},
            "Expiration": at(given["Expiration"])}
    answer = kind.write("process.json", json.dumps(said))
    program = kind.write("process.sh", f"#!/bin/sh\necho asked >> {shlex.quote(kind.home)}/asked\n"
                                       f"cat {shlex.quote(answer)}\n", 0o700)
    kind.write(".aws/config", f"[profile company]\ncredential_process = {program}\n")
    kind.environment["AWS_PROFILE"] = "company"
    kind.caller = account.assumed(role)
    yield kind


class Portal:
    """AWS's access portal beside the target: what is not for the portal goes on to the target."""

    def __init__(self, account, role):
        self.account, self.role, self.token = account, role, base64.b64encode(os.urandom(24)).decode()
        self.signed_out = False
        self.helper = Helper(self.answer)
        self.url = self.helper.url

    def answer(self, handler, body):
        if not handler.path.startswith("/federation/"):
            return forward(self.account.url, handler, body)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(handler.path).query))
        if self.signed_out or handler.headers.get("x-amz-sso_bearer_token") != self.token:
            status, headers, content = as_json({"message": "Session token not found or invalid"}, 401)
            return status, {**headers, "x-amzn-errortype": "UnauthorizedException"}, content
        if query != {"role_name": "Deployer", "account_id": ACCOUNT}:
            status, headers, content = as_json({"message": "No access"}, 403)
            return status, {**headers, "x-amzn-errortype": "ForbiddenException"}, content
        given = self.account.session_of(self.role)
        milliseconds = int(given["Expiration"].timestamp() * 1000)
        return as_json({"roleCredentials": {
            "accessKeyId": given["AccessKeyId"], "secretAccessKey": given["SecretAccessKey"],
            "sessionToken": given["SessionToken"], "expiration": milliseconds}})


def forward(url, handler, body):
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=330)
    connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
    for name, value in handler.headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    headers = {name: value for name, value in answer.getheaders()
               if name.lower() not in ("transfer-encoding", "connection", "content-length")}
    connection.close()
    return answer.status, headers, content


def sso_login(kind, portal, seconds=3600, session="company"):
    """What `aws sso login` leaves: the cached token of a session."""
    name = hashlib.sha1(session.encode()).hexdigest()
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return kind.write(f".aws/sso/cache/{name}.json", json.dumps({
        "startUrl": "https://company.awsapps.com/start", "region": REGION, "accessToken": portal.token, "expiresAt": at(until)}))


@contextlib.contextmanager
def sso(account, kind):
    """A profile of a single sign-on session, signed in. The profile's `services` lead to the portal."""
    role = account.role("credentials-sso")
    kind.server = portal = Portal(account, role)
    kind.url = portal.url
    kind.write(".aws/config", f"""[profile company]
sso_session = company
sso_account_id = {ACCOUNT}
sso_role_name = Deployer
services = here

[sso-session company]
sso_region = {REGION}
sso_start_url = https://company.awsapps.com/start
sso_registration_scopes = sso:account:access

[services here]
sso =
  endpoint_url = {portal.url}
""")
    sso_login(kind, portal)
    kind.environment["AWS_PROFILE"] = "company"
    kind.caller = account.assumed(role)
    try:
        yield kind
    finally:
        portal.helper.stop()


class Issuer:
    """An OpenID Connect provider such as GitHub's, known to the account."""

    def __init__(self, account):
        from cryptography.hazmat.primitives.asymmetric import rsa
        self.pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self.pair.public_key().public_numbers()
        keys = [{"kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig", "n": unpadded(numbers.n), "e": unpadded(numbers.e)}]
        status, answer = account.target.admin("PUT", "/_local/web-identity", {
            "issuer": ISSUER, "client_ids": ["sts.amazonaws.com"], "jwks": {"keys": keys}})
        if status != 200:
            raise RuntimeError(answer)

    def token(self, **claims):
        """A token as a CI job gets it: good for five minutes."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding
        now = int(time.time())
        said = {"iss": ISSUER, "aud": "sts.amazonaws.com", "sub": SUBJECT, "iat": now, "nbf": now, "exp": now + 300, **claims}
        signed = ".".join(unpadded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT", "kid": "one"}, said))
        return f"{signed}.{unpadded(self.pair.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def unpadded(value):
    """Base 64 for addresses, without padding; numbers big-endian (RFC 7518 2)."""
    if isinstance(value, int):
        value = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@contextlib.contextmanager
def web_identity(account, kind):
    """A token file and a role, as a CI runner or a pod has them."""
    role = account.role("credentials-web-identity", trusts_github())
    kind.server = issuer = Issuer(account)
    kind.environment.update({
        "AWS_WEB_IDENTITY_TOKEN_FILE": kind.write("token", issuer.token()), "AWS_ROLE_ARN": role,
        "AWS_ROLE_SESSION_NAME": "session"})
    kind.caller = account.assumed(role)
    yield kind


@contextlib.contextmanager
def assume_role(account, kind):
    """The stack file's own chain of two roles, the first with an external id."""
    first = account.role("credentials-first", trusts_account(EXTERNAL_ID))
    last = account.role("credentials-last", {**trusts_account(), "Principal": {"AWS": first}})
    kind.environment.update(account.key())
    kind.toml_more = (f'\n[[aws.assume_role]]\narn = "{first}"\nexternal_id = "{EXTERNAL_ID}"\n'
                      f'\n[[aws.assume_role]]\narn = "{last}"\nsession_name = "session"\nduration_s = 900\n')
    kind.caller = account.assumed(last)
    yield kind


@contextlib.contextmanager
def container(account, kind):
    """A container's credentials service, which wants its token."""
    role = account.role("credentials-container")
    token = base64.b64encode(os.urandom(24)).decode()

    def answer(handler, _):
        if handler.path != "/v1/credentials":
            return None
        if handler.headers.get("authorization") != token:
            return as_json({"code": "AccessDenied", "message": "no token"}, 403)
        return as_json(metadata_of(account.session_of(role)))

    kind.server = helper = Helper(answer)
    kind.environment.update({"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{helper.url}/v1/credentials",
                             "AWS_CONTAINER_AUTHORIZATION_TOKEN": token})
    kind.caller = account.assumed(role)
    try:
        yield kind
    finally:
        helper.stop()


@contextlib.contextmanager
def instance(account, kind):
    """A machine's metadata service, version 2: nothing is told without a token."""
    role = account.role("credentials-instance")
    token, path = base64.b64encode(os.urandom(24)).decode(), "/latest/meta-data/iam/security-credentials/"

    def answer(handler, _):
        if (handler.command, handler.path) == ("PUT", "/latest/api/token"):
            ttl = handler.headers.get("x-aws-ec2-metadata-token-ttl-seconds")
            return (200, {"x-aws-ec2-metadata-token-ttl-seconds": ttl}, token.encode()) if ttl else (400, {}, b"")
        if handler.headers.get("x-aws-ec2-metadata-token") != token:
            return 401, {}, b""
        if handler.path == path:
            return 200, {"content-type": "text/plain"}, b"machine"
        return as_json(metadata_of(account.session_of(role))) if handler.path == f"{path}machine" else None

    kind.server = helper = Helper(answer)
    kind.environment.pop("AWS_EC2_METADATA_DISABLED")
    kind.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = helper.url
    kind.caller = account.assumed(role)
    try:
        yield kind
    finally:
        helper.stop()


ALL = {"static": static, "session": session, "profile": profile, "process": process, "sso": sso,
       "web-identity": web_identity, "assume-role": assume_role, "container": container, "instance": instance}


@contextlib.contextmanager
def ready(name, target, home, account=None):
    """One kind, set up in the folder `home`; what it started is ended afterwards."""
    account = account or Account(target)
    os.makedirs(home, exist_ok=True)
    with ALL[name](account, Kind(name, home, account.url)) as kind:
        yield kind


if __name__ == "__main__":
    print("\n".join(ALL))
    sys.exit(0)
