"""AWS's service models as botocore ships them: which operation a request is, and its parts as plain values."""

import base64
import functools
import json
import re
import sys
import unicodedata
import urllib.parse
import xml.etree.ElementTree

import botocore.session

SERVICES = ("iot", "lambda", "iam", "sts", "logs", "ssm")
LABEL = re.compile(r"\{([^}+]+)\+?\}")


@functools.cache
def session():
    return botocore.session.Session()


@functools.cache
def service(name):
    return session().get_service_model(name)


@functools.cache
def routes(name):
    """Method, URI as a regular expression, query, and operation, of a rest-json service; the most literal first."""
    found = []
    for operation in service(name).operation_names:
        model = service(name).operation_model(operation)
        path, _, query = model.http["requestUri"].partition("?")  # `?List=ALL` tells two operations apart
        parts = LABEL.split(path.rstrip("/"))
        text = "".join(re.escape(part) if index % 2 == 0 else "([^/]+)" for index, part in enumerate(parts))
        asked = set(urllib.parse.parse_qsl(query))
        found.append((len(parts), -len(asked), model.http["method"], re.compile(text + "/?"), parts[1::2], asked, model))
    return sorted(found, key=lambda one: one[:2])


class Unknown(Exception):
    """The request is none of the service's operations."""


def recognise(exchange):
    """The operation, by method and URI, by Action, or by X-Amz-Target; with the labels of the URI."""
    name = exchange["service"]
    if name not in SERVICES:
        raise Unknown(f"no service {name!r}")
    protocol = service(name).metadata["protocol"]
    operation, labels = None, {}
    if protocol == "query":
        operation = form(exchange).get("Action")
    elif protocol == "json":
        prefix, _, operation = header(exchange["request_headers"], "x-amz-target").partition(".")
        if prefix != service(name).metadata["targetPrefix"]:
            raise Unknown(f"target prefix {prefix!r}")
    else:
        path, _, query = exchange["path"].partition("?")
        given = set(urllib.parse.parse_qsl(query))
        for _, _, method, pattern, names, asked, model in routes(name):
            match = pattern.fullmatch(path)
            if match and method == exchange["method"] and asked <= given:
                return model, dict(zip(names, map(urllib.parse.unquote, match.groups())))
    if operation not in service(name).operation_names:
        raise Unknown(f"{name} has no operation {operation!r} ({exchange['method']} {exchange['path']})")
    return service(name).operation_model(operation), labels


def header(headers, name, default=""):
    return next((value for key, value in headers if key.lower() == name.lower()), default)


def form(exchange):
    return dict(urllib.parse.parse_qsl(exchange["request_body"].decode("utf-8"), keep_blank_values=True))


def wire_name(member, shape):
    return shape.serialization.get("name", member)


def request_values(exchange, model, labels):
    """The input as sent, by wire name, and what no member of the input takes."""
    shape = model.input_shape
    protocol = model.service_model.metadata["protocol"]
    if protocol == "query":
        left = form(exchange)
        unknown = [] if left.pop("Version", None) == model.service_model.api_version else ["Version"]
        left.pop("Action")
        values = read_form(shape, "", left) if shape else {}
        return values, unknown + sorted(left)
    if protocol == "json":
        return json.loads(exchange["request_body"] or b"{}"), []
    return rest_values(exchange, shape, labels, urllib.parse.parse_qsl(model.http["requestUri"].partition("?")[2]))


def rest_values(exchange, shape, labels, literal):
    """`literal` is the query that the operation always has."""
    query = urllib.parse.parse_qsl(exchange["path"].partition("?")[2], keep_blank_values=True)
    query = [one for one in query if one not in literal]
    body, values, taken = exchange["request_body"], {}, set()
    if shape is None:
        return {}, [name for name, _ in query] + (["the body"] if body not in (b"", b"{}") else [])
    payload = shape.serialization.get("payload")
    if payload is None and body:
        values = json.loads(body)
    for member, inner in shape.members.items():
        location, name = inner.serialization.get("location"), wire_name(member, inner)
        sent = None
        if location == "uri":
            sent = labels.get(name)
        elif location == "querystring":
            sent = [value for key, value in query if key == name] or None
            taken.add(name)
            if sent and inner.type_name != "list":
                sent = sent[-1]
        elif location == "header":
            sent = header(exchange["request_headers"], name, None)
        elif member == payload and body:
            sent = base64.b64encode(body).decode() if inner.type_name == "blob" else json.loads(body)
        if sent is not None:
            values[name] = typed(inner, sent)
    return values, sorted({name for name, _ in query} - taken)


def typed(shape, text):
    """A value of a URI, query string or header, or the text itself when it is none of its type."""
    if isinstance(text, list):
        return [typed(shape.member, one) for one in text]
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if shape.type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def read_form(shape, prefix, left):
    """The value at `prefix` of an awsQuery form; what is read is taken out of `left`."""
    if shape.type_name == "structure":
        values = {}
        for member, inner in shape.members.items():
            name = wire_name(member, inner)
            value = read_form(inner, f"{prefix}.{name}" if prefix else name, left)
            if value is not None:
                values[name] = value
        return values if values or not prefix else None
    if shape.type_name == "list":
        items = []
        while True:
            item = read_form(shape.member, f"{prefix}.member.{len(items) + 1}", left)
            if item is None:
                break
            items.append(item)
        return items or (left.pop(prefix, None) and [])
    text = left.pop(prefix, None)
    return None if text is None else typed(shape, text)


def local(tag):
    return tag.rpartition("}")[2]


def read_xml(shape, node, unknown, where=""):
    """The value of an awsQuery answer's element; elements that no member takes go to `unknown`."""
    if shape.type_name == "structure":
        known = {wire_name(member, inner): inner for member, inner in shape.members.items()}
        values = {}
        for child in node:
            name = local(child.tag)
            if name not in known or name in values:
                unknown.append(f"{where}.{name}".lstrip("."))
            else:
                values[name] = read_xml(known[name], child, unknown, f"{where}.{name}")
        return values
    if shape.type_name == "list":
        unknown.extend(f"{where}.{local(child.tag)}" for child in node if local(child.tag) != "member")
        return [read_xml(shape.member, child, unknown, f"{where}[]") for child in node]
    text = node.text or ""
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if shape.type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def parse_xml(body):
    return xml.etree.ElementTree.fromstring(body)


@functools.cache
def unicode_class(letter):
    """The members of a general category, as ranges for a character class."""
    ranges, begin = [], None
    for point in range(sys.maxunicode + 2):
        inside = point <= sys.maxunicode and unicodedata.category(chr(point)).startswith(letter)
        if inside and begin is None:
            begin = point
        elif not inside and begin is not None:
            ranges.append(f"\\U{begin:08x}-\\U{point - 1:08x}")
            begin = None
    return "".join(ranges)


@functools.cache
def pattern(text):
    """A model's pattern, which is Java's: it has categories, and its \\d and \\w are ASCII."""
    text = re.sub(r"\\p\{([LNZ])\}", lambda match: unicode_class(match.group(1)), text)
    text = text.replace("0-9-_", "0-9\\-_")
    return re.compile(text, re.ASCII)
