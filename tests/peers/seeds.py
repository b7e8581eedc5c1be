"""`seeds.py FOLDER`: what the fuzz targets begin with, a folder for each, from what the tests know to be good and bad."""

import base64
import json
import os
import sys

TOP = os.path.join(os.path.dirname(__file__), "..", "..")
NOW = 1767225600  # as in `fuzz/src/check/authorizer.rs`
ISSUER = "https://identity.example.com:443/oauth2"
GOOD = {"iss": ISSUER, "sub": "demo", "aud": "deviceagent", "exp": NOW + 3600, "nbf": NOW, "iat": NOW, "scope": "mail cn",
        "tokenName": "access_token", "jti": "1"}
CONFIGURATION = {
    "version": 1, "arn_prefix": "arn:aws:iot:eu-west-1:000000000000", "issuer": ISSUER, "audience": ["deviceagent"],
    "audience_claims": ["aud"], "scopes": ["mail"], "scope_claims": ["scope", "scp"], "types": ["JWT", "at+jwt", ""],
    "require": {"tokenName": "access_token"}, "leeway_seconds": 60, "strict_expiry": False,
    "key": {"hs256": {"secret_variable": "SECRET", "encoding": "base64", "allow_short_secret": False}},
    "allow": [{"connect": ["{sub}/*"], "publish": ["devices/{sub}/events"], "subscribe": ["{sub}/#", "+/a"]}],
}


def text(*parts):
    with open(os.path.join(TOP, *parts), encoding="utf-8") as file:
        return file.read()


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def token_seeds():
    vectors = json.loads(text("authorizer", "tests", "tokens", "vectors.json"))
    yield from (vector["token"] for vector in vectors)
    for more in ({}, {"typ": "JWT"}, {"typ": "at+jwt", "kid": "a"}, {"zip": "NONE"}, {"zip": "DEF"}, {"crit": ["b64"]}, {"jwk": {}},
                 {"typ": "application/at+jwt"}, {"x": [[[[1]]]]}, {"kid": 1}):
        yield compact({"alg": "HS256"} | more)
    yield '{"alg":"HS256","alg":"none"}'


def event_seeds():
    http = {"token": "a.b.c", "signatureVerified": True, "protocols": ["tls", "http"], "protocolData": {
        "tls": {"serverName": "x"}, "http": {"headers": {"token": "a"}, "queryString": "?a"}}, "connectionMetadata": {"id": "1"}}
    mqtt = {"token": "a\u00e9\"", "protocols": ["mqtt"], "protocolData": {"mqtt": {"username": "u", "password": "cA==", "clientId": "c"}}}
    for event in (http, mqtt, {"token": None}, {"token": ""}, {"protocolData": {"http": None}}, {}, {"key1": "value1"}):
        yield compact(event)


def claims_seeds():
    for more in ({}, {"aud": ["x", "deviceagent"]}, {"scope": ["mail"]}, {"sub": "a/b"}, {"exp": NOW + 90000.5}, {"exp": NOW - 59},
                 {"nbf": NOW + 60.5}, {"aud": None, "client_id": "deviceagent"}, {"tokenName": "id_token"}, {"exp": "1"}, {"iat": 1e300}):
        yield compact(GOOD | more)
    yield compact({name: value for name, value in GOOD.items() if name not in ("aud", "scope")} | {"client_id": "deviceagent", "scp": ["mail"]})
    yield compact(GOOD)[:-1] + ',"sub":"demo"}'


def policy_seeds():
    for case in json.loads(text("local", "src", "data", "policy", "cases.json")):
        yield from (compact(document) for document in case["policies"] if isinstance(document, dict))
    yield from ("\x02\x00\x01\n\x02\n\x00\x01", "\x00\x02\x03\n\x05\x02\n\x00\x00\x05\x01", "\x01\x04\x02\x04\x02\n\x02\n\x04")


def key_seeds():
    vectors = json.loads(text("authorizer", "tests", "tokens", "vectors.json"))
    keys = [vector["key"] for vector in vectors if "n" in vector["key"]]
    yield compact(CONFIGURATION)
    yield compact(CONFIGURATION | {"key": {"rs256": {"keys": keys[:1]}}})
    yield f"{keys[0]['n']}\n{keys[0]['e']}"
    yield base64.b64encode(bytes(range(32))).decode()
    yield "s" * 40


def stack_seeds():
    for folder in ("stacks", os.path.join("tests", "it", "stack_errors")):
        for name in sorted(os.listdir(os.path.join(TOP, folder))):
            if name.endswith(".toml"):
                yield text(folder, name)


SEEDS = {
    "token": token_seeds, "event": event_seeds, "claims": claims_seeds, "policy": policy_seeds, "key": key_seeds, "stack": stack_seeds,
    "topic": lambda: ["\x03abcabc", "\x05\x00\x02\x03\x00\x02\x01", "\x03\x03\x02\x04\x00\x02\x01\x02\x00"],
    "query": lambda: ["\x00\x00\x01\x09", "\x01\x0c\x01\x06\x02\x00\x01\x0a", "\x00\x01\x09\x02\x00\x01\x09"],
}


def main():
    for target, seeds in SEEDS.items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder)
        for number, seed in enumerate(seeds()):
            with open(os.path.join(folder, f"{number:03}"), "w", encoding="utf-8", newline="") as file:
                file.write(seed)


main()
