"""One exchange against the model: the request is valid, the answer is, and botocore's own parser reads the same."""

import base64
import datetime
import json
import re

import botocore.awsrequest
import botocore.parsers

from judge import model
from judge.shapes import at, finding, validate
from judge.tables import ALWAYS, COMMON, DOCUMENTED

CONTENT_TYPES = {"query": "text/xml", "json": "application/x-amz-json-1.1", "rest-json": "application/json"}
REQUEST_ID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


def judge(exchange, request_too=True):
    """All findings about one exchange; none when AWS could have had it. Without `request_too`, the request is
    one that is wrong on purpose."""
    try:
        operation, labels = model.recognise(exchange)
    except model.Unknown as error:
        return [finding("operation", exchange["operation"], str(error))]
    found = request(exchange, operation, labels) if request_too else []
    answer = failure if exchange["status"] >= 300 else success
    try:
        found += headers(exchange)
        found += answer(exchange, operation)
        found += parsed_alike(exchange, operation)
    except (ValueError, KeyError, SyntaxError) as error:
        found.append(finding("syntax", operation.name, f"{type(error).__name__}: {error}"))
    found = [one for one in found if not documented(operation, one)]
    return [{**one, "operation": f"{exchange['service']}:{operation.name}"} for one in found]


def documented(operation, one):
    """Whether AWS's documentation says that its answer is not as the model has it."""
    service = operation.service_model.service_name
    return any(service == row[0] and one["kind"] == row[1] and one["where"].endswith(row[2]) and row[3] in one["text"]
               for row in DOCUMENTED)


def request(exchange, operation, labels):
    protocol = operation.service_model.metadata["protocol"]
    values, unknown = model.request_values(exchange, operation, labels)
    found = [finding("request unknown", name, "no member takes it") for name in unknown]
    if operation.input_shape is not None:
        found += [{**one, "kind": f"request {one['kind']}"}
                  for one in validate(operation.input_shape, values, operation.name, protocol)]
    elif values:
        found.append(finding("request unknown", operation.name, f"{values} where there is no input"))
    if protocol == "json" and model.header(exchange["request_headers"], "content-type") != CONTENT_TYPES["json"]:
        found.append(finding("request content type", operation.name, str(exchange["request_headers"])))
    return found


def headers(exchange):
    """What every answer has: the content type of the protocol, and a request id."""
    protocol = model.service(exchange["service"]).metadata["protocol"]
    found = []
    sent = model.header(exchange["headers"], "content-type")
    if exchange["body"] and sent.split(";")[0] != CONTENT_TYPES[protocol]:
        found.append(finding("content type", "content-type", f"{sent!r} is not {CONTENT_TYPES[protocol]!r}"))
    request_id = model.header(exchange["headers"], "x-amzn-requestid")
    if not REQUEST_ID.fullmatch(request_id):
        found.append(finding("request id", "x-amzn-requestid", f"{request_id!r} is none"))
    if protocol == "query":
        root = model.parse_xml(exchange["body"])
        inside = [node.text for node in root.iter() if model.local(node.tag) == "RequestId"]
        if inside != [request_id]:
            found.append(finding("request id", "RequestId", f"{inside} is not {request_id!r}"))
    return found


def success(exchange, operation):
    shape, protocol = operation.output_shape, operation.service_model.metadata["protocol"]
    found = []
    in_status = shape is not None and any(
        one.serialization.get("location") == "statusCode" for one in shape.members.values())
    if exchange["status"] != operation.http.get("responseCode", 200) and not in_status:
        found.append(finding("status", operation.name, f"{exchange['status']}, not {operation.http}"))
    value, unknown = answer_values(exchange, operation)
    found += [finding("unknown", name, "no member of the output") for name in unknown]
    if shape is not None:
        found += validate(shape, value, operation.name, protocol)
    for path in ALWAYS.get(f"{exchange['service']}:{operation.name}", ()):
        if any(one is None for one in at(value, path)):
            found.append(finding("missing", f"{operation.name}.{path}", "always there in AWS's answers"))
    return found


def answer_values(exchange, operation):
    """The output by wire name, and what no member of it takes."""
    shape, protocol = operation.output_shape, operation.service_model.metadata["protocol"]
    if protocol == "query":
        return xml_values(exchange, operation)
    if shape is None:
        body = exchange["body"].strip()
        return {}, [] if body in (b"", b"{}") else [f"the body {body[:60]!r}"]
    payload = shape.serialization.get("payload")
    values = {}
    if payload is None:
        values = json.loads(exchange["body"] or b"{}")
    for member, inner in shape.members.items():
        name, location = model.wire_name(member, inner), inner.serialization.get("location")
        if location in ("header", "statusCode"):
            sent = model.header(exchange["headers"], name, None) if location == "header" else str(exchange["status"])
            if name in values:
                return values, [f"{name} in the body"]
            if sent is not None:
                values[name] = model.typed(inner, sent)
        elif member == payload:
            values[name] = base64.b64encode(exchange["body"]).decode()
    return values, []


def xml_values(exchange, operation):
    root = model.parse_xml(exchange["body"])
    namespace = operation.service_model.metadata["xmlNamespace"]
    unknown = []
    if root.tag != f"{{{namespace}}}{operation.name}Response":
        unknown.append(f"the root {root.tag}")
    children = {model.local(child.tag): child for child in root}
    shape = operation.output_shape
    wanted = {"ResponseMetadata"}
    values = {}
    if shape is not None:
        wrapper = shape.serialization["resultWrapper"]
        wanted.add(wrapper)
        if wrapper in children:
            values = model.read_xml(shape, children[wrapper], unknown)
    if set(children) != wanted:
        unknown.append(f"the children {sorted(children)} instead of {sorted(wanted)}")
    return values, unknown


def failure(exchange, operation):
    """An error: its code where the protocol has it, one that the operation or every service may give, with
    the status that belongs to it, and with the members of its shape."""
    service, protocol = exchange["service"], operation.service_model.metadata["protocol"]
    code, members, found = error_of(exchange, operation)
    if not code:
        return found + [finding("error place", operation.name, "no code where the protocol has it")]
    modelled = {one.error_code: one for one in operation.error_shapes}
    shape = modelled.get(code)
    if shape is not None:
        error = shape.metadata.get("error", {})
        status = error.get("httpStatusCode", 500 if shape.metadata.get("fault") else 400)
        known = {model.wire_name(member, inner).lower() for member, inner in shape.members.items()}
        # The shapes of logs' errors have no members, and every answer of AWS a text; awsQuery has the side as well.
        envelope = {"message", "type"} if protocol == "query" else {"message"}
        found += [finding("error member", name, f"no member of {code}")
                  for name in members if name.lower() not in known | envelope]
    else:
        status = next((row[2] for row in COMMON if code == row[1] and service in row[0]), None)
        if status is None:
            return found + [finding("error code", operation.name, f"{code} is none of {sorted(modelled)}, and not common")]
    if exchange["status"] != status:
        found.append(finding("error status", operation.name, f"{code} came with {exchange['status']}, not {status}"))
    text = members.get("message", members.get("Message"))
    if not isinstance(text, str) or not text:
        found.append(finding("error text", operation.name, f"{code} says nothing"))
    if protocol == "query" and members.get("Type") != ("Sender" if exchange["status"] < 500 else "Receiver"):
        found.append(finding("error member", "Type", str(members.get("Type"))))
    return found


def error_of(exchange, operation):
    """The code, the members, and findings about the place of the code."""
    protocol = operation.service_model.metadata["protocol"]
    found = []
    if protocol == "query":
        root = model.parse_xml(exchange["body"])
        namespace = operation.service_model.metadata["xmlNamespace"]
        if root.tag != f"{{{namespace}}}ErrorResponse":
            found.append(finding("error place", "root", root.tag))
        error = root.find(f"{{{namespace}}}Error")
        members = {model.local(one.tag): one.text for one in error} if error is not None else {}
        return members.pop("Code", None), members, found
    members = json.loads(exchange["body"] or b"{}")
    if protocol == "json":
        return members.pop("__type", "").rpartition("#")[2], members, found
    return model.header(exchange["headers"], "x-amzn-errortype").split(":")[0], members, found


def parsed_alike(exchange, operation):
    """Botocore's parser, which is what clients have, reads what the judge read."""
    protocol = operation.service_model.metadata["protocol"]
    parser = botocore.parsers.create_parser(protocol)
    answer = {"headers": botocore.awsrequest.HeadersDict(exchange["headers"]), "body": exchange["body"],
              "status_code": exchange["status"]}
    parsed = parser.parse(answer, operation.output_shape)
    if exchange["status"] >= 300:
        code, members, _ = error_of(exchange, operation)
        read = (parsed.get("Error", {}).get("Code"), parsed.get("Error", {}).get("Message"))
        mine = (code, members.get("message", members.get("Message")))
        return [] if read == mine else [finding("parser", operation.name, f"{read} is not {mine}")]
    if operation.output_shape is None:
        return []
    parsed.pop("ResponseMetadata", None)
    mine = as_parsed(operation.output_shape, answer_values(exchange, operation)[0])
    parsed = plain(parsed)
    payload = operation.output_shape.serialization.get("payload")
    if payload in mine:
        mine[payload] = mine[payload].decode("utf-8")  # a parser leaves the stream to the client, and gives its text
    if protocol == "query":
        parsed = without_empty(parsed)
        mine = without_empty(mine)
    return [] if parsed == mine else [finding("parser", operation.name, f"{parsed} is not {mine}")]


def as_parsed(shape, value):
    """A value by wire name as a parser gives it: by member name, blobs as bytes, times as seconds."""
    kind = shape.type_name
    if kind == "structure":
        names = {model.wire_name(member, inner): (member, inner) for member, inner in shape.members.items()}
        return {names[key][0]: as_parsed(names[key][1], one) for key, one in value.items() if one is not None}
    if kind == "list":
        return [as_parsed(shape.member, one) for one in value]
    if kind == "map":
        return {key: as_parsed(shape.value, one) for key, one in value.items()}
    if kind == "blob":
        return base64.b64decode(value)
    if kind == "timestamp" and isinstance(value, str):
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return value


def plain(value):
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.timestamp() if isinstance(value, datetime.datetime) else value


def without_empty(value):
    """Empty elements: XML does not tell an empty list from an empty structure."""
    if isinstance(value, dict):
        return {key: without_empty(one) for key, one in value.items() if one not in ({}, [], "", None)}
    return [without_empty(one) for one in value] if isinstance(value, list) else value
