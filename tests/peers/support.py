"""What the suites against real parts share: a served local target, a recording proxy, the AWS CLI."""

import contextlib
import hashlib
import http.client
import http.server
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from counts import check, finish, planted  # noqa: F401 - the suites take all from here

BINARY = os.environ["THINGGATE"]
# Where `.ci/run` wants to find what a run said and left, for leaks.py; nothing is kept without it.
RECORD = os.environ.get("THINGGATE_TEST_RECORD")
RECORDED_BYTES_MAX = 1 << 20  # what is larger is a program or its package, and canary.py looks into those
CHECKOUT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
READ_WORDS = ("Get", "List", "Describe", "Simulate", "Filter", "AssumeRole")


def environment(**more):
    """The suite's environment without anything that leads to AWS or changes thinggate."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "THINGGATE"))}
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI"):
        kept.pop(name, None)
    kept.update(more)
    return kept


def thinggate(*arguments, cwd=CHECKOUT, timeout=300, **more):
    """Runs the binary to its end."""
    done = subprocess.run(
        [BINARY, *map(str, arguments)], cwd=cwd, env=environment(**more), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=timeout, check=False)
    said(done.stdout, done.stderr)
    return done


def record_place(kind):
    """A path of its own below the record."""
    os.makedirs(os.path.join(RECORD, kind), exist_ok=True)
    suite = os.path.basename(sys.argv[0]).removesuffix(".py")
    return tempfile.mktemp(prefix=f"{suite}-", dir=os.path.join(RECORD, kind))


def said(*texts):
    """Keeps what a run of the binary said."""
    if RECORD:
        with open(record_place("said"), "w", encoding="utf-8") as file:
            file.writelines(texts)


def left(home):
    """Keeps the small files of a folder that is about to go; of a clone, its state only."""
    if not RECORD:
        return
    place = record_place("left")
    for at, folders, names in os.walk(home):
        if ".git" in folders:
            folders[:], names = [one for one in folders if one == ".thinggate"], []
        for name in names:
            path = os.path.join(at, name)
            if os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path) <= RECORDED_BYTES_MAX:
                to = os.path.join(place, os.path.relpath(path, home))
                os.makedirs(os.path.dirname(to), exist_ok=True)
                shutil.copy(path, to)


class Target:
    """`thinggate local up` in a folder of its own."""

    def __init__(self, folder, *flags):
        self.folder = folder
        self.state = os.path.join(folder, ".thinggate")
        self.log = open(os.path.join(folder, "up.log"), "ab")
        self.process = subprocess.Popen(
            [BINARY, "local", "up", "--state-dir", self.state, *flags], cwd=folder, env=environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
        for line in self.process.stdout:
            self.log.write(line)
            if line.strip() == b"ready":
                break
        else:
            raise RuntimeError("local up did not become ready")
        threading.Thread(target=self.drain, daemon=True).start()
        with open(os.path.join(self.state, "run.json"), encoding="utf-8") as file:
            self.run = json.load(file)

    def drain(self):
        for line in self.process.stdout:
            self.log.write(line)

    def admin(self, method, path, body=None):
        """Asks `/_local/…`; gives status and JSON."""
        address = urllib.parse.urlsplit(self.run["control_url"])
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        headers = {"x-thinggate-key": self.run["secret_access_key"]}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def aws(self, *arguments):
        """The AWS CLI, in this process: exit code and what it printed, JSON where it is."""
        return aws(self.run["control_url"], self.run, *arguments)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()


def aws(endpoint, run, *arguments, region="eu-west-1"):
    """Runs the AWS CLI's own entry point against `endpoint`."""
    import awscli.clidriver
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE",
             "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED", "AWS_PAGER", "AWS_MAX_ATTEMPTS")
    values = (run["access_key_id"], run["secret_access_key"], region, os.devnull, os.devnull, "true", "", "1")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict(zip(names, values)))
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = awscli.clidriver.create_clidriver().main(
                    ["--endpoint-url", endpoint, "--output", "json", *map(str, arguments)])
            except SystemExit as end:
                code = end.code
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
    out.flush()
    text = out.buffer.getvalue().decode("utf-8")
    try:
        return code, json.loads(text) if text.strip() else None, err.getvalue()
    except ValueError:
        return code, text, err.getvalue()


DENIED = {  # as a principal that may only read is answered; the texts of botocore's recorded answers
    "iam": (403, "text/xml", b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
            b"<Message>not authorized</Message></Error><RequestId>0</RequestId></ErrorResponse>"),
    "logs": (400, "application/x-amz-json-1.1", b'{"__type":"AccessDeniedException","Message":"not authorized"}'),
    "ssm": (400, "application/x-amz-json-1.1", b'{"__type":"AccessDeniedException","message":"not authorized"}'),
    "lambda": (403, "application/json", b'{"Message":"not authorized"}'),
    "iot": (403, "application/json", b'{"message":"not authorized"}'),
}


class Denied:
    """Stands where the target's answer would: the write was not forwarded."""

    def __init__(self, service):
        self.status, kind, self.content = DENIED[service]
        self.reason, self.headers = "", [("content-type", kind), ("x-amzn-errortype", "AccessDeniedException")]

    def getheaders(self):
        return self.headers

    def read(self):
        return self.content


class Proxy:
    """A reverse proxy on loopback that keeps every exchange; the Host header stays as it was signed.

    With `read_only`, no write reaches the target: it is answered "access denied". `tls` ends the client's TLS and
    opens it again towards the target (wire.py).
    """

    def __init__(self, to, read_only=False, tls=None):
        self.exchanges = []
        address = urllib.parse.urlsplit(to)
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # an answer is two writes

            def forward(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                service, _, writes = operation(self, body)
                if read_only and writes:
                    self.reply(body, Denied(service))
                    return
                connection = tls.connect(address) if tls else http.client.HTTPConnection(
                    address.hostname, address.port, timeout=330)
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                self.reply(body, connection.getresponse())
                connection.close()

            def reply(self, body, answer):
                content = answer.read()
                proxy.exchanges.append(exchange(self, body, answer, content))
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = forward

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:  # the handshake is the handler's, so that one client keeps no other waiting
            self.server.socket = tls.server.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{address.scheme}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def writes(self):
        """The operations that change something, in order."""
        return [one["operation"] for one in self.exchanges if one["writes"]]

    def stop(self):
        self.server.shutdown()


def operation(handler, body):
    """Service, operation, and whether it writes, as a judge from outside reads them."""
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", handler.headers.get("authorization", ""))
    service = scope.group(2) if scope else ""
    if not scope and b"Action=AssumeRoleWithWebIdentity" in body:
        service = "sts"  # the one call that nobody signs
    target = handler.headers.get("x-amz-target", "")
    if service in ("iam", "sts"):
        name = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"))).get("Action", "?")
        writes = not name.startswith(READ_WORDS)
    elif target:
        name = target.split(".")[-1]
        writes = not name.startswith(READ_WORDS)
    else:
        name = f"{handler.command} {handler.path.split('?')[0]}"
        runs = name.endswith(("/invocations", "/test"))
        writes = handler.command != "GET" and not runs
    return service, name, writes


def exchange(handler, body, answer, content):
    """One exchange as data."""
    service, name, writes = operation(handler, body)
    return {"service": service, "operation": f"{service}: {name}", "writes": writes, "status": answer.status,
            "method": handler.command, "path": handler.path, "request_headers": handler.headers.items(),
            "request_body": body, "headers": answer.getheaders(), "body": content}


def stack_file(folder, name="kill", **changes):
    """A copy of the first-run stack in `folder`, under another name."""
    with open(os.path.join(CHECKOUT, "stacks", "local.toml"), encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r'^name += +"[^"]*"', f'name = "{name}"', text, count=1, flags=re.M)
    for before, after in changes.get("replace", []):
        if before not in text:
            raise RuntimeError(f"the stack file has no {before!r}")
        text = text.replace(before, after)
    path = os.path.join(folder, f"{name}.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def bootstrap(folder):
    """The authorizer, built once as a deploy builds it, for suites that deploy often."""
    path = os.path.join(folder, "bootstrap")
    if not os.path.exists(path):
        target = Target(folder)
        try:
            stack = stack_file(folder, "build", replace=[
                ("[authorizer]\n", f'[function]\nsource = "{CHECKOUT}/authorizer"\n\n[authorizer]\n')])
            done = thinggate("deploy", stack, "--state-dir", target.state, timeout=1200)
            if done.returncode != 0:
                raise RuntimeError(done.stderr)
            packages = os.path.join(target.state, "packages")
            newest = sorted(os.listdir(packages))[0]
            shutil.copy(os.path.join(packages, newest), os.path.join(folder, "package.zip"))
            shutil.unpack_archive(os.path.join(folder, "package.zip"), folder, "zip")
            os.chmod(path, 0o755)
        finally:
            target.stop()
        shutil.rmtree(target.state)
    return path


MASKED = {"RoleId", "RevisionId", "CreateDate", "LastModified", "creationDate", "lastModifiedDate", "creationTime",
          "Location", "LastUsedDate", "ResponseMetadata", "RequestId"}


def masked(value):
    """A dump without what differs between two equal worlds, lists in order."""
    if isinstance(value, dict):
        return {key: masked(one) for key, one in sorted(value.items()) if key not in MASKED}
    if isinstance(value, list):
        return sorted((masked(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    if isinstance(value, str):
        value = re.sub(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", "PUBLIC KEY", value, flags=re.S)
        value = re.sub(r"AROA[A-Z0-9]+", "ROLE ID", value)
    return value


def dump(target):
    """The whole account as the AWS CLI sees it."""
    def ask(*arguments):
        code, answer, _ = target.aws(*arguments)
        return answer if code == 0 else f"exit {code}"

    world = {"roles": ask("iam", "list-roles"), "groups": ask("logs", "describe-log-groups"),
             "functions": ask("lambda", "list-functions"), "authorizers": ask("iot", "list-authorizers"),
             "default": ask("iot", "describe-default-authorizer")}
    for role in (world["roles"] or {}).get("Roles", []):
        name = role["RoleName"]
        world[f"role {name}"] = [ask("iam", "get-role", "--role-name", name)]
        inline = ask("iam", "list-role-policies", "--role-name", name)
        world[f"role {name} policies"] = [ask("iam", "list-attached-role-policies", "--role-name", name)] + [
            ask("iam", "get-role-policy", "--role-name", name, "--policy-name", one) for one in inline["PolicyNames"]]
    for group in (world["groups"] or {}).get("logGroups", []):
        arn = group["arn"].removesuffix(":*")
        group.pop("storedBytes", None)
        world[f"group {arn}"] = ask("logs", "list-tags-for-resource", "--resource-arn", arn)
    for function in (world["functions"] or {}).get("Functions", []):
        name = function["FunctionName"]
        world[f"function {name}"] = [ask("lambda", "get-function", "--function-name", name),
                                     ask("lambda", "get-policy", "--function-name", name),
                                     ask("lambda", "list-versions-by-function", "--function-name", name)]
        for alias in ask("lambda", "list-aliases", "--function-name", name)["Aliases"]:
            world[f"alias {alias['AliasArn']}"] = [
                alias, ask("lambda", "get-policy", "--function-name", name, "--qualifier", alias["Name"])]
    for authorizer in (world["authorizers"] or {}).get("authorizers", []):
        name = authorizer["authorizerName"]
        world[f"authorizer {name}"] = [
            ask("iot", "describe-authorizer", "--authorizer-name", name),
            ask("iot", "list-tags-for-resource", "--resource-arn", authorizer["authorizerArn"])]
    return masked(world)


def different(one, other):
    """The first place in which two dumps differ, for the message."""
    for key in sorted(set(one) | set(other)):
        if one.get(key) != other.get(key):
            return f"{key}: {json.dumps(one.get(key))[:600]} / {json.dumps(other.get(key))[:600]}"
    return ""


@contextlib.contextmanager
def folder(recorded=True):
    """A folder of the suite's own, gone at the end."""
    path = tempfile.mkdtemp(prefix="thinggate-")
    try:
        yield path
    finally:
        if recorded:
            left(path)
        shutil.rmtree(path, ignore_errors=True)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def wait_for(condition, seconds=30):
    """Waits for a condition that another process brings about."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
