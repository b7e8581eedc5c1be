"""A value against a shape of a model: what does not fit, each with the kind of rule that it breaks."""

import base64
import binascii
import re

from judge import model

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
NUMBERS = {"integer": int, "long": int, "float": (int, float), "double": (int, float)}


def finding(kind, where, text):
    return {"kind": kind, "where": where, "text": text}


def validate(shape, value, where, protocol):
    """All findings about `value`, in the form in which it was on the wire."""
    kind = shape.type_name
    if kind == "structure":
        return structure(shape, value, where, protocol)
    if kind in ("list", "map"):
        return container(shape, value, where, protocol)
    if kind == "timestamp":
        return timestamp(shape, value, where, protocol)
    if kind == "blob":
        try:
            base64.b64decode(value, validate=True)
            return []
        except (TypeError, ValueError, binascii.Error):
            return [finding("type", where, "no base64")]
    if kind == "boolean":
        return [] if isinstance(value, bool) else [finding("type", where, f"{value!r} is no boolean")]
    if kind in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, NUMBERS[kind]):
            return [finding("type", where, f"{value!r} is no {kind}")]
        return bounds(shape, value, where, "range")
    if not isinstance(value, str):
        return [finding("type", where, f"{value!r} is no string")]
    found = bounds(shape, len(value), where, "length")
    if shape.enum and value not in shape.enum:
        found.append(finding("enum", where, f"{value!r} is none of {shape.enum}"))
    pattern = shape.metadata.get("pattern")
    if pattern and not model.pattern(pattern).fullmatch(value):
        found.append(finding("pattern", where, f"{value!r} does not match {pattern}"))
    return found


def bounds(shape, number, where, kind):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and number < least) or (most is not None and number > most):
        return [finding(kind, where, f"{number} is not within {least} and {most}")]
    return []


def structure(shape, value, where, protocol):
    if not isinstance(value, dict):
        return [finding("type", where, f"{value!r} is no structure")]
    known = {model.wire_name(member, inner): inner for member, inner in shape.members.items()}
    required = [model.wire_name(member, shape.members[member]) for member in shape.required_members]
    found = [finding("missing", f"{where}.{name}", "required") for name in required if value.get(name) is None]
    for name, one in value.items():
        if name not in known:
            found.append(finding("unknown", f"{where}.{name}", "no member of the shape"))
        elif one is not None:
            found.extend(validate(known[name], one, f"{where}.{name}", protocol))
    return found


def container(shape, value, where, protocol):
    wanted = list if shape.type_name == "list" else dict
    if not isinstance(value, wanted):
        return [finding("type", where, f"{value!r} is no {shape.type_name}")]
    found = bounds(shape, len(value), where, "length")
    if wanted is list:
        for index, one in enumerate(value):
            found.extend(validate(shape.member, one, f"{where}[{index}]", protocol))
    else:
        for key, one in value.items():
            found.extend(validate(shape.key, key, f"{where}({key})", protocol))
            found.extend(validate(shape.value, one, f"{where}[{key}]", protocol))
    return found


def timestamp(shape, value, where, protocol):
    """Seconds as a number in JSON, ISO 8601 in XML, unless the shape says otherwise."""
    form = shape.serialization.get("timestampFormat", "iso8601" if protocol == "query" else "unixTimestamp")
    if form == "unixTimestamp":
        plausible = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e11
    else:
        plausible = isinstance(value, str) and ISO.fullmatch(value) is not None
    return [] if plausible else [finding("timestamp", where, f"{value!r} is no {form}")]


def at(value, path):
    """All values at a path such as `Roles[].RoleName`; a missing one is None."""
    if not path:
        return [value]
    name, _, rest = path.partition(".")
    inner = value.get(name.removesuffix("[]")) if isinstance(value, dict) else None
    if name.endswith("[]"):
        return [one for item in inner or [] for one in at(item, rest)] if inner is not None else [None]
    return at(inner, rest) if inner is not None else [None]
