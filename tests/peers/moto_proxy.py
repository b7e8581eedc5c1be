"""A proxy in front of two readings of AWS: moto and the local target.

Every call to IAM, Lambda, STS and CloudWatch Logs goes to both, and what they answer is compared as botocore reads
it: status, error code, members, types and values. The client gets moto's answer. AWS IoT, which moto has no
authorizers for, is the target's alone. `moto_differences.json` holds the differences that are known, with who is
right and why; where moto is wrong in what a deployer reads, the target's member stands in for moto's (`repair`).
Any other difference is kept in `unexpected`.
"""

import datetime
import fnmatch
import http.client
import http.server
import json
import os
import re
import threading
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.parsers
import botocore.session

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "moto_differences.json")
SERVICES = {"iam": "iam", "lambda": "lambda", "sts": "sts", "logs": "logs"}
READING = ("Get", "List", "Describe", "Filter", "Simulate")
# What differs between any two worlds.
VARYING = {"RevisionId", "RoleId", "UserId", "CreateDate", "LastModified", "creationTime", "Location", "arnSuffix",
           "ResponseMetadata", "RuntimeVersionArn", "LastUsedDate"}
DOCUMENTS = {"Policy", "Statement", "AssumeRolePolicyDocument", "PolicyDocument"}
# After a write the target's clock moves by this: what settles late there has settled, as in moto.
SETTLED_MS = 60_000


class Models:
    """botocore's service models: which operation a request is, and what an answer says."""

    def __init__(self):
        session = botocore.session.Session()
        self.models = {name: session.get_service_model(name) for name in SERVICES}
        self.routes = []
        for name in self.models["lambda"].operation_names:
            route = self.models["lambda"].operation_model(name).http
            path, _, query = route["requestUri"].partition("?")
            asked = set(urllib.parse.parse_qsl(query))
            pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "/?$")
            self.routes.append((route["method"], pattern, asked, name))
        self.routes.sort(key=lambda one: -len(one[2]))  # `?List=ALL` tells two operations apart

    def operation(self, service, method, path, headers, body):
        if service in ("iam", "sts"):
            return dict(urllib.parse.parse_qsl(body.decode()))["Action"]
        if service == "logs":
            return headers["x-amz-target"].split(".")[1]
        path, _, query = path.partition("?")
        given = set(urllib.parse.parse_qsl(query))
        return next(name for verb, route, asked, name in self.routes
                    if verb == method and route.match(path) and asked <= given)

    def read(self, service, operation, answer):
        """An answer as data: status, error code, and members."""
        model = self.models[service]
        parser = botocore.parsers.create_parser(model.metadata["protocol"])
        shape = model.operation_model(operation).output_shape
        given = {"status_code": answer.status, "body": answer.content, "context": {"operation_name": operation},
                 "headers": botocore.awsrequest.HeadersDict(answer.headers)}
        members = parser.parse(given, shape)
        if answer.status >= 300:
            return {"status": answer.status, "code": members.get("Error", {}).get("Code")}
        if service in ("lambda", "logs"):  # as they stand on the wire: the parser would turn "5" into 5
            members = json.loads(answer.content or b"{}")
        return {"status": answer.status, "code": None, "members": plain(members)}


def plain(value, name=""):
    """Members with policy documents as documents; a member that is null is none."""
    if isinstance(value, dict):
        return {key: plain(one, key) for key, one in value.items() if key != "ResponseMetadata" and one is not None}
    if isinstance(value, list):
        return sorted((plain(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True, default=str))
    if isinstance(value, str) and name in DOCUMENTS:
        try:
            return plain(json.loads(urllib.parse.unquote(value)))
        except ValueError:
            return value
    return value


def differences(moto, target, at="", name=""):
    """Where moto's members are not the target's: place, kind, and both sides."""
    if isinstance(moto, dict) and isinstance(target, dict):
        for key in sorted(set(moto) | set(target)):
            here = f"{at}/{key}"
            if key not in target:
                yield here, "only moto", moto[key], None
            elif key not in moto:
                yield here, "only target", None, target[key]
            else:
                yield from differences(moto[key], target[key], here, key)
    elif isinstance(moto, list) and isinstance(target, list):
        if len(moto) != len(target):
            yield at, "count", len(moto), len(target)
        for one, other in zip(moto, target):
            yield from differences(one, other, f"{at}[]", name)
    elif type(moto) is not type(target):
        yield at, "type", moto, target
    elif name not in VARYING and moto != target:
        yield at, "value", moto, target


def compared(moto, target):
    """The differences of two answers."""
    found = []
    if (moto["status"], moto["code"]) != (target["status"], target["code"]):
        found.append(("", "answer", f"{moto['status']} {moto['code']}", f"{target['status']} {target['code']}"))
    if "members" in moto and "members" in target:
        found += differences(moto["members"], target["members"])
    return found


def known_differences():
    with open(LIST, encoding="utf-8") as file:
        return json.load(file)["differences"]


def expected(entry, service, operation, difference):
    """Whether an entry of the list speaks of a difference."""
    at, kind, moto, target = difference
    if entry["service"] != service or operation not in entry["operations"]:
        return False
    sides = kind != "answer" or (entry.get("moto"), entry.get("target")) == (moto, target)
    return sides and kind in entry["kind"].split(" or ") and fnmatch.fnmatchcase(at, entry["at"].replace("[]", "[[][]]"))


class Answer:
    """A whole answer."""

    def __init__(self, status, headers, content):
        self.status, self.headers, self.content = status, headers, content


def send(address, method, path, headers, body):
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    dropped = ("transfer-encoding", "connection", "content-length", "date", "server")
    kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in dropped]
    connection.close()
    return Answer(answer.status, kept, content)


class Worlds:
    """Both worlds: moto, and the target whose clock runs ahead."""

    def __init__(self, moto, target):
        self.moto, self.target = urllib.parse.urlsplit(moto), target
        self.control = urllib.parse.urlsplit(target.run["control_url"])
        self.ahead_ms = 0
        self.revisions = {}  # moto's to the target's, and back

    def ask_moto(self, method, path, headers, body):
        return send(self.moto, method, self.translated(path, False), {**headers, "host": self.moto.netloc},
                    self.translated(body, False))

    def ask_target(self, service, region, method, path, headers, body):
        """Signed again: the body can name another revision, and the target's clock is another."""
        path, body = self.translated(path, True), self.translated(body, True)
        kept = {name: value for name, value in headers.items()
                if name in ("content-type", "x-amz-target", "amz-sdk-invocation-id")}
        request = botocore.awsrequest.AWSRequest(method, f"http://{self.control.netloc}{path}", kept, body)
        run = self.target.run
        keys = botocore.credentials.Credentials(run["access_key_id"], run["secret_access_key"])
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(milliseconds=self.ahead_ms)
        request.context["timestamp"] = now.strftime(botocore.auth.SIGV4_TIMESTAMP)
        signer = botocore.auth.SigV4Auth(keys, service, region)
        signer._modify_request_before_signing(request)
        canonical = signer.canonical_request(request)
        signer._inject_signature_to_request(request, signer.signature(signer.string_to_sign(request, canonical), request))
        signed = {**dict(request.headers.items()), "host": self.control.netloc, "content-length": str(len(body))}
        return send(self.control, method, path, signed, body)

    def settle(self):
        self.target.admin("POST", "/_local/clock", {"advance_ms": SETTLED_MS})
        self.ahead_ms += SETTLED_MS

    def translated(self, text, to_target):
        """Revisions of one world in the words of the other."""
        raw = text.decode("latin-1") if isinstance(text, bytes) else text
        for (side, revision), other in self.revisions.items():
            if side == to_target:
                raw = raw.replace(revision, other)
        return raw.encode("latin-1") if isinstance(text, bytes) else raw

    def learn(self, moto, target):
        """Notes which revisions mean the same."""
        if isinstance(moto, dict) and isinstance(target, dict):
            one, other = moto.get("RevisionId"), target.get("RevisionId")
            if one and other:
                self.revisions[(True, one)], self.revisions[(False, other)] = other, one
            for key in set(moto) & set(target):
                self.learn(moto[key], target[key])
        elif isinstance(moto, list) and isinstance(target, list):
            for one, other in zip(moto, target):
                self.learn(one, other)


def repaired(answer, target, at, how):
    """moto's answer with the target's member at `at`; the target's whole where members of a list are meant."""
    if how == "whole" or "[]" in at:
        return target
    value, right = json.loads(answer.content), json.loads(target.content)
    *above, last = at.strip("/").split("/")
    inside, inside_right = value, right
    for key in above:
        inside, inside_right = inside[key], inside_right[key]
    if last in inside_right:
        inside[last] = inside_right[last]
    else:
        inside.pop(last, None)
    return Answer(answer.status, answer.headers, json.dumps(value).encode())


class Judge:
    """Compares answers against the list. `unexpected` is what the list does not say; `used`, what it said in time."""

    def __init__(self, entries):
        self.models, self.entries = Models(), entries
        self.used, self.unexpected = set(), []

    def judged(self, service, operation, moto, target):
        """moto's answer with what the list repairs, and what both say."""
        one, other = (self.models.read(service, operation, answer) for answer in (moto, target))
        answer = moto
        for difference in compared(one, other):
            entry = next((entry for entry in self.entries if expected(entry, service, operation, difference)), None)
            if entry is None:
                self.unexpected.append((service, operation, *difference))
                continue
            self.used.add(entry["id"])
            if entry.get("repair"):
                answer = repaired(answer, target, difference[0], entry["repair"])
        return answer, one.get("members"), other.get("members")


class DualProxy:
    """The proxy. `writes` has what would change either world; `pairs` the last two answers to each operation."""

    def __init__(self, moto, target):
        self.worlds, self.judge = Worlds(moto, target), Judge(known_differences())
        self.writes, self.pairs, self.calls = [], {}, 0
        self.turn = threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with proxy.turn:
                    try:
                        answer = proxy.answer(self.command, self.path, headers, body)
                    except Exception as error:  # what cannot be compared is a difference too
                        proxy.judge.unexpected.append(("proxy", f"{self.command} {self.path}", "", repr(error), "", ""))
                        raise
                self.send_response_only(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = forward

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, method, path, headers, body):
        region, service = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", headers["authorization"]).groups()
        target = self.worlds.ask_target(service, region, method, path, headers, body)
        if service == "iot":
            if method != "GET":
                self.writes.append(f"iot: {method} {path}")
                self.worlds.settle()
            return target
        operation = self.judge.models.operation(service, method, path, headers, body)
        moto = self.worlds.ask_moto(method, path, headers, body)
        self.calls += 1
        if not operation.startswith(READING):
            self.writes.append(f"{service}: {operation}")
            self.worlds.settle()
        if moto.status < 300 and target.status < 300:
            self.pairs[(service, operation)] = (moto, target)
        answer, one, other = self.judge.judged(service, operation, moto, target)
        self.worlds.learn(one, other)
        return answer

    def stop(self):
        self.server.shutdown()
