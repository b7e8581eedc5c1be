"""Requests that break one constraint of the model each: made from the model, refused by the target."""

import copy

from judge import model

# The most characters or entries of a value that is too long; a limit above is not tried.
TRIED_MAX = 200_000
# Values of which one fits most patterns of the models.
EXAMPLES = ("a", "1", "key1", "/", "Name", "a1", "123456789012", "$LATEST", "arn:aws:iam::000000000000:role/ready",
            "arn:aws:iot:eu-west-1:000000000000:authorizer/none", "arn:aws:lambda:eu-west-1::layer:a:1", "lambda:InvokeFunction",
            "arn:aws:lambda:eu-west-1:000000000000:layer:a:1", "o-a1b2c3d4e5", "/mnt/a",
            "arn:aws:lambda:eu-west-1:000000000000:code-signing-config:csc-a1b2c3d4e5f6a7b8c",
            "arn:aws:elasticfilesystem:eu-west-1:000000000000:access-point/fsap-a1b2c3d4e5f6a7b8c",
            "arn:aws:lambda:eu-west-1:000000000000:capacity-provider:a")
MISFITS = ("a b", "!", "§", "\u2603", ":", "a:b", "a*", "", " ", "1", "-", "/", "a/", "\x01")


class NoExample(Exception):
    """No value that fits a shape is known."""


def example(shape):
    """A value that fits the shape."""
    kind, least = shape.type_name, shape.metadata.get("min") or 0
    if kind == "structure":
        return {name: example(shape.members[name]) for name in shape.required_members}
    if kind == "list":
        return [example(shape.member)] * max(1, least)
    if kind == "map":
        return {example(shape.key): example(shape.value)}
    if kind in ("integer", "long", "float", "double"):
        return max(1, least)
    if kind == "boolean":
        return True
    if kind == "blob":
        return b"x"
    if kind == "timestamp":
        return 1
    if shape.enum:
        return shape.enum[0]
    pattern = shape.metadata.get("pattern")
    for text in EXAMPLES:
        text = text * max(1, -(-least // len(text)))
        if (not pattern or model.pattern(pattern).fullmatch(text)) and len(text) <= (shape.metadata.get("max") or 1e9):
            return text
    raise NoExample(f"{shape.name}: {pattern}")


def several(shape, number):
    """So many different values that fit."""
    first = example(shape)
    if first == {} and shape.type_name == "structure":  # awsQuery has no form for a structure without members
        name = next(iter(shape.members))
        first = {name: example(shape.members[name])}
    if isinstance(first, str) and not shape.enum:
        texts = [f"{first}{index}" for index in range(number)]
        pattern = shape.metadata.get("pattern")
        if not pattern or all(model.pattern(pattern).fullmatch(one) for one in texts):
            return texts
    return [first] * number


def breaks(shape, location=None):
    """What is wrong, and the value, for each constraint of the shape itself."""
    kind, least, most = shape.type_name, shape.metadata.get("min"), shape.metadata.get("max")
    if kind == "string":
        yield from broken_text(shape, location, least, most)
    elif kind in ("integer", "long", "float", "double"):
        if least is not None:
            yield "min", least - 1
        if most is not None and most < 2**31 - 1:
            yield "max", most + 1
    elif kind == "list":
        if least:
            yield "min", []
        if most is not None and most < TRIED_MAX and location != "querystring":
            yield "max", several(shape.member, most + 1)
    elif kind == "map":
        if least:
            yield "min", {}
        if most is not None and most < TRIED_MAX:
            yield "max", {key: example(shape.value) for key in several(shape.key, most + 1)}


def broken_text(shape, location, least, most):
    pattern = shape.metadata.get("pattern")
    if shape.enum:
        yield "enum", "no-such-value"
        return
    if least and location != "uri":  # an empty label is another URI
        yield "min", ""
    if most is not None and most < TRIED_MAX:
        text = example(shape)
        yield "max", (text * (most // len(text) + 2))[:most + 1] if len(set(text)) == 1 else text + "a" * most
    if pattern:
        compiled = model.pattern(pattern)
        fits = (one for one in MISFITS if not compiled.fullmatch(one) and len(one) >= (least or 0)
                and len(one) <= (most or 1e9) and (one or location != "uri") and (one.isascii() or location != "header"))
        for text in fits:
            yield "pattern", text
            return


def cases(shape, path=(), seen=frozenset()):
    """Path, kind and value for every constraint of an input, at any depth. A path's steps are member names, `[]`
    for the entry of a list, `{}` for the value and `()` for the key of a map."""
    if shape.name in seen:
        return
    seen = seen | {shape.name}
    for name in shape.required_members:
        if shape.members[name].serialization.get("location") != "uri":
            yield path + (name,), "required", None
    for name, member in shape.members.items():
        yield from inner_cases(member, path + (name,), seen)


def inner_cases(shape, path, seen):
    location = shape.serialization.get("location")
    for kind, value in breaks(shape, location):
        yield path, kind, value
    if shape.type_name == "structure":
        yield from cases(shape, path, seen)
    elif shape.type_name == "list":
        yield from inner_cases(shape.member, path + ("[]",), seen)
    elif shape.type_name == "map":
        for kind, value in breaks(shape.key):
            yield path + ("()",), kind, value
        yield from inner_cases(shape.value, path + ("{}",), seen)


# A member that may not be beside the other.
INSTEAD = {"logGroupIdentifier": "logGroupName"}


def placed(shape, base, path, value):
    """`base` with `value` at `path`; what is missing on the way is made to fit."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if step == "[]":
        return [placed(shape.member, base[0] if base else example(shape.member), rest, value)]
    if step == "{}":
        return {example(shape.key): placed(shape.value, example(shape.value), rest, value)}
    if step == "()":
        return {value: example(shape.value)}
    whole = copy.copy(base) if base is not None else example(shape)
    whole.pop(INSTEAD.get(step), None)
    if not rest and value is None:
        whole.pop(step, None)
    else:
        whole[step] = placed(shape.members[step], whole.get(step), rest, value)
    return whole


def requests(service, operation, base):
    """All wrong requests of an operation: path, kind, parameters; or the reason why one is not made."""
    shape = model.service(service).operation_model(operation).input_shape
    if shape is None:
        return
    for path, kind, value in cases(shape):
        try:
            yield path, kind, placed(shape, base, path, value)
        except NoExample as reason:
            yield path, kind, reason


def shown(path):
    return ".".join(path)


def named(path):
    """The last member of a path, which a refusal names."""
    return [step for step in path if step not in ("[]", "{}", "()")][-1]


def careless(shape, deep=0):
    """A value of the shape's type that may not fit."""
    kind = shape.type_name
    if kind == "structure":
        return {name: careless(shape.members[name], deep + 1) for name in shape.required_members} if deep < 5 else {}
    if kind == "list":
        return [careless(shape.member, deep + 1)]
    if kind == "map":
        return {"a": careless(shape.value, deep + 1)}
    return "a" * max(1, shape.metadata.get("min") or 0) if kind == "string" else example(shape)
