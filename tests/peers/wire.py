"""What goes over the wires of a device: relays that record its data plane, decrypted, and the identity provider;
and the fields of those messages that carry credentials, which is what they are for: CREDENTIAL_FIELDS."""

import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import typing
import urllib.parse

from support import Proxy, folder

HOST = "thinggatelocal-ats.iot.eu-west-1.amazonaws.com"
MASK = "MASKED"


class Field(typing.NamedTuple):
    """A field that may hold some secrets, and no other."""

    wire: str       # "data": the device and the gateway; "identity": the device and the provider
    place: str      # "header", "query" or "form" of a request, "member" of an answer's JSON
    name: str
    secrets: tuple
    reason: str


CREDENTIAL_FIELDS = [
    Field("data", "header", "token", ("access token", "token header"), "what the authorizer judges (token_key_name)"),
    Field("data", "query", "token", ("access token", "token header"), "the same, for devices that cannot set headers"),
    Field("data", "header", "x-amz-customauthorizer-signature", ("token signature",), "what the gateway checks"),
    Field("data", "query", "x-amz-customauthorizer-signature", ("token signature",), "the same"),
    Field("identity", "form", "client_secret", ("client secret",), "RFC 6749 2.3.1, client_auth = \"post\""),
    Field("identity", "header", "authorization", ("client secret",), "RFC 6749 2.3.1, client_auth = \"basic\""),
    Field("identity", "form", "device_code", ("device code",), "RFC 8628 3.4: what is redeemed"),
    Field("identity", "form", "code", ("device code",), "the same in OpenAM 13.5's dialect"),
    Field("identity", "form", "refresh_token", ("refresh token", "token header"), "RFC 6749 6"),
    Field("identity", "member", "device_code", ("device code",), "RFC 8628 3.2"),
    Field("identity", "member", "access_token", ("access token", "token header"), "RFC 6749 5.1"),
    Field("identity", "member", "refresh_token", ("refresh token", "token header"), "RFC 6749 5.1"),
    # No id_token: the provider issues none, and one that came would be found.
]


class Tls:
    """Ends a device's TLS with a certificate of the target's own authority, and opens it again to the target."""

    def __init__(self, state):
        authority, key = os.path.join(state, "ca.pem"), os.path.join(state, "ca.key")
        self.client = ssl.create_default_context(cafile=authority)
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with folder(recorded=False) as place:  # it gets a private key
            made = {name: os.path.join(place, name) for name in ("key", "request", "extensions", "certificate")}
            with open(made["extensions"], "w", encoding="utf-8") as file:
                file.write(f"subjectAltName=DNS:{HOST}\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\n")
            for command in (
                    f"req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=relay "
                    f"-keyout {made['key']} -out {made['request']}",
                    f"x509 -req -in {made['request']} -CA {authority} -CAkey {key} -set_serial 1 -days 2 "
                    f"-extfile {made['extensions']} -out {made['certificate']}"):
                subprocess.run(["openssl", *command.split()], check=True, capture_output=True, timeout=30)
            self.server.load_cert_chain(made["certificate"], made["key"])

    def connect(self, address):
        """A connection to the data endpoint behind `address`, as a device makes it."""
        connection = http.client.HTTPSConnection(HOST, context=self.client, timeout=60)
        plain = socket.create_connection((address.hostname, address.port), timeout=60)
        connection.sock = self.client.wrap_socket(plain, server_hostname=HOST)
        return connection


class Wires:
    """Puts a relay before the data plane and one before the provider: `run.json` leads whoever asks there."""

    def __init__(self, target):
        run = target.run
        self.tls = Tls(target.state)
        self.data = Proxy(f"https://127.0.0.1:{run['data_port']}", tls=self.tls)
        self.identity = Proxy(run["identity_url"])
        self.provider = run["identity_url"]
        path = os.path.join(target.state, "run.json")
        changed = {**run, "identity_url": self.identity.url, "data_port": urllib.parse.urlsplit(self.data.url).port}
        with open(path, "r+", encoding="utf-8") as file:  # the same file, so that nobody else can read it
            file.truncate()
            json.dump(changed, file)

    def page(self, address):
        """The provider's page, through the relay."""
        return address.replace(self.provider, self.identity.url)

    def publish_by_query(self, token, signature, topic):
        """A device that cannot set headers."""
        connection = self.tls.connect(urllib.parse.urlsplit(self.data.url))
        query = urllib.parse.urlencode({"x-amz-customauthorizer-signature": signature, "token": token})
        connection.request("POST", f"/topics/{topic}?{query}", b"hello")
        status = connection.getresponse().status
        connection.close()
        return status

    def refresh(self, token, secret):
        """A device whose access token has expired: the provider's answer."""
        form = urllib.parse.urlencode({"grant_type": "refresh_token", "refresh_token": token,
                                       "client_id": "deviceagent", "client_secret": secret})
        parts = urllib.parse.urlsplit(self.identity.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        connection.request("POST", "/oauth2/local/access_token", form, {"content-type": "application/x-www-form-urlencoded"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def issued(self):
        """Every secret that the provider gave to a device: name and text."""
        for one in self.identity.exchanges:
            for name, value in members(one["body"]) or []:
                if name in ("access_token", "refresh_token", "id_token", "device_code"):
                    yield name.replace("_", " "), value

    def places(self):
        """Every message without its credential fields, and each of those on its own."""
        for wire, proxy in (("data", self.data), ("identity", self.identity)):
            for one in proxy.exchanges:
                yield from masked(wire, one)

    def stop(self):
        self.data.stop()
        self.identity.stop()


def members(body):
    """The members of a JSON object in order, doubles too; None for anything else."""
    try:
        found = json.loads(body, object_pairs_hook=list)
    except ValueError:
        return None
    is_object = isinstance(found, list) and all(isinstance(one, tuple) for one in found)
    return found if is_object and found else None


def fields_of(wire, exchange):
    """A message in named parts: (place, name, value), and what is in no field."""
    path, _, query = exchange["path"].partition("?")
    said = [("", "request line", f"{exchange['method']} {path}".encode()), ("", "status", str(exchange["status"]).encode())]
    said += [("query", name, value.encode()) for name, value in pairs(query)]
    said += [("header", name.lower(), value.encode("latin-1")) for name, value in exchange["request_headers"]]
    said += [("answer header", name.lower(), value.encode("latin-1")) for name, value in exchange["headers"]]
    kind = dict((name.lower(), value) for name, value in exchange["request_headers"]).get("content-type", "")
    if wire == "identity" and kind.startswith("application/x-www-form-urlencoded"):
        said += [("form", name, value.encode()) for name, value in pairs(exchange["request_body"].decode("latin-1"))]
    else:
        said.append(("", "request body", exchange["request_body"]))
    answer = members(exchange["body"])
    if answer is None:
        said.append(("", "answer body", exchange["body"]))
    else:
        said += [("member", name, value.encode() if isinstance(value, str) else json.dumps(value).encode())
                 for name, value in answer]
    return said


def pairs(text):
    """`a=b&c=d`, as it is written: names in plain, values not."""
    for one in filter(None, text.split("&")):
        name, _, value = one.partition("=")
        yield urllib.parse.unquote_plus(name), value


def masked(wire, exchange):
    """The places of one exchange."""
    name = f"wire {wire}: {exchange['method']} {exchange['path'].partition('?')[0]}"
    rest, seen = [], set()
    for place, field, value in fields_of(wire, exchange):
        row = next((row for row in CREDENTIAL_FIELDS if row[:3] == (wire, place, field)), None)
        if row is None or row in seen:  # a field that comes twice is its own only once
            rest.append(f"{place} {field}: ".encode() + value)
            continue
        seen.add(row)
        rest.append(f"{place} {field}: {MASK}".encode())
        yield f"{name}: {place} {field}", plain(place, field, value)
    yield name, b"\n".join(rest)


def plain(place, field, value):
    """What a credential field says, in the form in which it is a secret."""
    if (place, field) == ("header", "authorization") and value.startswith(b"Basic "):
        return value
    return urllib.parse.unquote_to_bytes(value) if place in ("query", "form") else value


def allowed():
    """The credential fields as rows of the scan: secret, place, reason."""
    for row in CREDENTIAL_FIELDS:
        for secret in row.secrets:
            yield secret, rf"wire {row.wire}: \S+ \S+: {row.place} {re.escape(row.name)}$", row.reason
