"""Requests that are not signed as AWS wants it: refused by every service in its own code and form.

Codes: "Common Error Types" of the API References. Texts, word for word where AWS's are known: aws/aws-cli#6676 (key,
signature), aws/aws-sdk-java-v2#988 and cognitect-labs/aws-api#27 (Region), convox/rack#235 (time).
"""

import datetime
import http.client
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from judge import wire
from judge.bases import REGION
from support import check, planted

FORM = "application/x-www-form-urlencoded; charset=utf-8"
REQUESTS = {
    "sts": ("POST", "/", {"content-type": FORM}, b"Action=GetCallerIdentity&Version=2011-06-15"),
    "iam": ("POST", "/", {"content-type": FORM}, b"Action=ListRoles&Version=2010-05-08"),
    "lambda": ("GET", "/2015-03-31/functions", {}, b""),
    "iot": ("GET", "/authorizers/", {}, b""),
    "logs": ("POST", "/", {"content-type": "application/x-amz-json-1.1",
                           "x-amz-target": "Logs_20140328.DescribeLogGroups"}, b"{}"),
    "ssm": ("POST", "/", {"content-type": "application/x-amz-json-1.1",
                          "x-amz-target": "AmazonSSM.DescribeParameters"}, b"{}"),
}
# For awsQuery, and for the JSON protocols.
CODES = {
    "missing": ("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
    "incomplete": ("IncompleteSignature", "IncompleteSignatureException"),
    "unknown key": ("InvalidClientTokenId", "UnrecognizedClientException"),
    "wrong": ("SignatureDoesNotMatch", "InvalidSignatureException"),
}
MISMATCH = ("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
            "and signing method. Consult the service documentation for details.")


class Signed:
    """A request, and how it is signed."""

    def __init__(self, world, service):
        self.world, self.service = world, service
        self.method, self.path, headers, self.body = REQUESTS[service]
        self.headers = dict(headers)
        run = world.target.run
        self.key = botocore.credentials.Credentials(run["access_key_id"], run["secret_access_key"])
        self.scope = (service, REGION)
        self.at = datetime.datetime.fromtimestamp(world.now_milliseconds() / 1000, datetime.timezone.utc)

    def sign(self):
        request = botocore.awsrequest.AWSRequest(
            self.method, self.world.proxy.url + self.path, headers=self.headers, data=self.body)
        signer = At(self.key, *self.scope, self.at)
        signer.add_auth(request)
        self.headers = dict(request.headers.items())
        return self

    def send(self):
        """The exchange, as the proxy kept it."""
        address = urllib.parse.urlsplit(self.world.proxy.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        connection.request(self.method, self.path, self.body, self.headers)
        connection.getresponse().read()
        connection.close()
        return {**self.world.proxy.exchanges[-1], "service": self.service}

    def change(self, before, after):
        self.headers["Authorization"] = self.headers["Authorization"].replace(before, after)
        return self


class At(botocore.auth.SigV4Auth):
    """Botocore's signer at a given time."""

    def __init__(self, key, service, region, at):
        super().__init__(key, service, region)
        self.at = at

    def add_auth(self, request):
        request.context["timestamp"] = self.at.strftime("%Y%m%dT%H%M%SZ")
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))


def flipped(one):
    last = one.sign().headers["Authorization"][-1]
    one.headers["Authorization"] = one.headers["Authorization"][:-1] + ("0" if last != "0" else "1")
    return one


def minutes(one, number):
    one.at += datetime.timedelta(minutes=number)
    return one.sign()


def rescoped(one, service=None, region=None):
    one.scope = (service or one.service, region or REGION)
    return one.sign()


def changed_body(one):
    one.sign()
    if one.method == "POST":
        one.body += b" "
    else:
        one.path += "?x=y"
    return one


def another_key(one):
    one.key = botocore.credentials.Credentials("AKIAIOSFODNN7EXAMPLE", one.key.secret_key)
    return one.sign()


def another_secret(one):
    one.key = botocore.credentials.Credentials(one.key.access_key, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    return one.sign()


def with_token(one):
    one.key = botocore.credentials.Credentials(one.key.access_key, one.key.secret_key, "token")
    return one.sign()


def undated(one):
    one.sign().headers.pop("X-Amz-Date")
    return one


# Name, what is done, kind of refusal, part of the text.
CASES = [
    ("a signature with another last digit", flipped, "wrong", MISMATCH),
    ("another secret", another_secret, "wrong", MISMATCH),
    ("a request that changed after it was signed", changed_body, "wrong", MISMATCH),
    ("signed 6 minutes ago", lambda one: minutes(one, -6), "wrong", "Signature expired: "),
    ("signed 6 minutes ahead", lambda one: minutes(one, 6), "wrong", "Signature not yet current: "),
    ("a scope of another day", lambda one: one.sign().change(one.at.strftime("/%Y%m%d/"), "/20150830/"), "wrong",
     "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"),
    ("a scope of another Region than was signed", lambda one: one.sign().change(f"/{REGION}/", "/us-east-1/"), "wrong", MISMATCH),
    ("a Region that is none", lambda one: rescoped(one, region="aws-global"), "wrong",
     "Credential should be scoped to a valid region, not 'aws-global'."),
    ("a service that is another", lambda one: one.sign().change(f"/{one.service}/aws4", "/s3/aws4"), "wrong",
     "Credential should be scoped to correct service"),
    ("another terminator", lambda one: one.sign().change("/aws4_request", "/aws3_request"), "wrong",
     "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3_request'."),
    ("no signature", lambda one: one, "missing", "issing Authentication Token"),
    ("an access key that nobody has", another_key, "unknown key", "The security token included in the request is invalid."),
    ("a session token that nobody gave", with_token, "unknown key", "The security token included in the request is invalid."),
    ("no date", undated, "incomplete", "X-Amz-Date"),
    ("a header that is not whole", lambda one: one.sign().change("Signature=", "Sig="), "incomplete", "Signature"),
]


def refused(name, one, kind, text):
    """The request is refused in the service's own form, with code and text."""
    exchange = one.send()
    findings = wire.judge(exchange, request_too=False)
    code = CODES[kind][0 if one.service in ("iam", "sts") else 1]
    said = exchange["body"].decode() + str(exchange["headers"])
    holds = not findings and exchange["status"] >= 400 and code in said and text in said.replace("&apos;", "'")
    return check(f"{one.service}: {name}: {code}", holds, f"{exchange['status']} {said} {findings}")


def run(world):
    for service in REQUESTS:
        exchange = Signed(world, service).sign().send()
        check(f"{service}: signed as it should be: 200", exchange["status"] == 200, exchange["body"])
        for name, do, kind, text in CASES:
            refused(name, do(Signed(world, service)), kind, text)
    planted("a good signature where a bad one should be", lambda: refused("good", Signed(world, "iam").sign(), "wrong", MISMATCH))
    planted("the refusal of another kind", lambda: refused("other", another_key(Signed(world, "iot")), "wrong", ""))
