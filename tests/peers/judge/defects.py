"""Defects planted into recorded exchanges: one for each kind of check of the judge, which must find that very kind."""

import contextlib
import copy
import json
import re

from judge import model, wire
from support import check


def pick(exchanges, operation, good, defect):
    """A recorded exchange of an operation, and the same with the defect."""
    for one in exchanges:
        if f"{one['service']}:{model.recognise(one)[0].name}" != operation or (one["status"] < 300) != good:
            continue
        changed = copy.deepcopy(one)
        with contextlib.suppress(LookupError):
            defect(changed)
            return one, changed
    raise RuntimeError(f"no exchange of {operation} has a place for the defect")


def answer(**changes):
    """Changes members of a JSON answer; None takes one away."""
    def change(one):
        body = json.loads(one["body"])
        for path, value in changes.items():
            *way, last = path.split("__")
            place = body
            for step in way:
                place = place[int(step)] if step.isdigit() else place[step]
            if value is None:
                place.pop(last)
            else:
                place[last] = value
        one["body"] = json.dumps(body).encode()
    return change


def asked(**changes):
    """The same with a JSON request."""
    def change(one):
        body = json.loads(one["request_body"])
        body.update(changes)
        one["request_body"] = json.dumps({key: value for key, value in body.items() if value is not None}).encode()
    return change


def text(pattern, replacement, member="body"):
    def change(one):
        changed = re.sub(pattern, replacement, one[member].decode(), count=1, flags=re.S).encode()
        if changed == one[member]:
            raise LookupError(f"{pattern} is not in {one[member][:400]}")
        one[member] = changed
    return change


def put(**members):
    return lambda one: one.update(members)


def head(name, value):
    def change(one):
        one["headers"] = [(key, kept) for key, kept in one["headers"] if key.lower() != name]
        if value is not None:
            one["headers"].append((name, value))
    return change


def one_less(name):
    """Takes a member out of the text of an XML answer."""
    return text(f"<{name}>.*?</{name}>", "")


OK, REFUSED = True, False
# What the judge must say, the operation, whether it succeeded, the defect.
DEFECTS = [
    ("type", "lambda:GetFunctionConfiguration", OK, answer(Timeout="3")),
    ("type", "iot:DescribeAuthorizer", OK, answer(authorizerDescription__signingDisabled="false")),
    ("type", "iam:GetRole", OK, text(r"<MaxSessionDuration>\d+<", "<MaxSessionDuration>an hour<")),
    ("missing", "lambda:GetFunctionConfiguration", OK, answer(CodeSha256=None)),
    ("missing", "iot:DescribeAuthorizer", OK, answer(authorizerDescription__creationDate=None)),
    ("missing", "logs:DescribeLogGroups", OK, answer(logGroups__0__creationTime=None)),
    ("missing", "iam:GetRole", OK, one_less("RoleId")),
    ("missing", "sts:GetCallerIdentity", OK, one_less("Account")),
    ("unknown", "lambda:GetFunctionConfiguration", OK, answer(Colour="red")),
    ("unknown", "iam:GetRole", OK, text("<RoleId>", "<RoleNumber>1</RoleNumber><RoleId>")),
    ("unknown", "iam:GetRole", OK, text("iam.amazonaws.com/doc", "example.com/doc")),
    ("unknown", "iam:GetRole", OK, text("GetRoleResult>(.*)</GetRoleResult", r"Result>\1</Result")),
    ("enum", "lambda:GetFunctionConfiguration", OK, answer(State="Ready")),
    ("enum", "iot:DescribeAuthorizer", OK, answer(authorizerDescription__status="ON")),
    ("timestamp", "iot:DescribeAuthorizer", OK, answer(authorizerDescription__creationDate="2026-05-28T20:26:41Z")),
    ("timestamp", "iam:GetRole", OK, text(r"<CreateDate>[^<]*<", "<CreateDate>1779999999<")),
    ("length", "iam:GetRole", OK, text(r"<RoleId>[^<]*<", "<RoleId>A<")),
    ("pattern", "iot:CreateAuthorizer", OK, answer(authorizerName="a b")),
    ("status", "lambda:CreateFunction", OK, put(status=200)),
    ("content type", "logs:DescribeLogGroups", OK, head("content-type", "application/json")),
    ("content type", "sts:GetCallerIdentity", OK, head("content-type", "application/json")),
    ("request id", "lambda:GetFunctionConfiguration", OK, head("x-amzn-requestid", None)),
    ("request id", "iam:GetRole", OK, text(r"<RequestId>[^<]*<", "<RequestId>another<")),
    ("error code", "lambda:GetFunctionConfiguration", REFUSED, head("x-amzn-errortype", "NoSuchFunction")),
    ("error code", "iam:GetRole", REFUSED, text("NoSuchEntity", "NoSuchEntityException")),
    ("error code", "logs:CreateLogGroup", REFUSED, text('"__type":"[^"]*"', '"__type":"ConflictException"')),
    ("error status", "lambda:GetFunctionConfiguration", REFUSED, put(status=400)),
    ("error status", "iot:DescribeAuthorizer", REFUSED, put(status=400)),
    ("error status", "logs:CreateLogGroup", REFUSED, put(status=409)),
    ("error place", "iot:DescribeAuthorizer", REFUSED, head("x-amzn-errortype", None)),
    ("error place", "logs:CreateLogGroup", REFUSED, text('"__type"', '"code"')),
    ("error place", "iam:GetRole", REFUSED, text("ErrorResponse(.*)ErrorResponse", r"Response\1Response")),
    ("error text", "iot:DescribeAuthorizer", REFUSED, answer(message=None)),
    ("error member", "iot:DescribeAuthorizer", REFUSED, answer(hint="look elsewhere")),
    ("error member", "iam:GetRole", REFUSED, text("<Type>Sender", "<Type>Receiver")),
    ("parser", "logs:CreateLogGroup", REFUSED, head("x-amzn-query-error", "Other;Sender")),
    ("syntax", "lambda:GetFunctionConfiguration", OK, put(body=b"{")),
    ("operation", "iot:DescribeAuthorizer", OK, put(path="/authoriser/a")),
    ("operation", "iam:GetRole", OK, text("Action=GetRole", "Action=GetRoll", "request_body")),
    ("request missing", "lambda:CreateFunction", OK, asked(Role=None)),
    ("request missing", "iam:GetRole", OK, text("RoleName=[^&]*", "", "request_body")),
    ("request unknown", "lambda:CreateFunction", OK, asked(Colour="red")),
    ("request unknown", "iam:GetRole", OK, text("Action=GetRole", "Colour=red&Action=GetRole", "request_body")),
    ("request unknown", "iot:DescribeAuthorizer", OK, lambda one: one.update(path=one["path"] + "?colour=red")),
    ("request enum", "lambda:CreateFunction", OK, asked(Runtime="cobol")),
    ("request range", "lambda:CreateFunction", OK, asked(Timeout=0)),
    ("request type", "lambda:CreateFunction", OK, asked(Timeout="3")),
    ("request pattern", "lambda:CreateFunction", OK, asked(Role="nobody")),
    ("request length", "lambda:CreateFunction", OK, asked(Description="d" * 257)),
    ("request content type", "logs:DescribeLogGroups", OK, put(request_headers=[
        ("x-amz-target", "Logs_20140328.DescribeLogGroups"), ("content-type", "application/json")])),
]


def run(exchanges):
    """Every defect is found as what it is, in an exchange in which nothing was found without it."""
    for kind, operation, good, defect in DEFECTS:
        one, changed = pick(exchanges, operation, good, defect)
        before = wire.judge(one)
        found = [finding["kind"] for finding in wire.judge(changed)]
        check(f"planted: {kind} in {operation}; the judge finds it", not before and kind in found, f"{before} {found}")
    print(f"{len(DEFECTS)} planted defects of {len({row[0] for row in DEFECTS})} kinds", flush=True)
