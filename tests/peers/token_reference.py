"""A second reading of what a good access token is: slow and obvious, with nothing but Python's own library.

The order of the rules is that of `Deny::ALL` in `authorizer/src/deny.rs`. A rule's name in `without` is a defect that is
planted on purpose: the verifier as it would be without that rule.
"""

import base64
import hashlib
import hmac
import json
import math
import re

# Of SHA-256 in EMSA-PKCS1-v1_5 (RFC 8017 9.2, note 1).
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
PLAIN = re.compile(r"[!-~]{1,128}")
SPECIAL = set('*?+#/${}"\\')


class Refused(Exception):
    """A deny, by the name of its reason."""


def b64(data):
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    """The way back, for what is written in the one canonical form only."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Refused("bad_base64")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(data) != text:
        raise Refused("bad_base64")
    return data


def lower(text):
    """Lower case of ASCII alone."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def depth(value):
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def texts_in(value):
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)
    elif isinstance(value, str):
        yield value


def numbers_in(value):
    if isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(one)
    elif is_number(value):
        yield value


class Reference:
    """A verifier for one `authorizer.json`."""

    def __init__(self, file, secret=None, without=()):
        self.file, self.secret, self.without = file, secret, set(without)

    def has(self, rule):
        return rule not in self.without

    def json_object(self, data, reason):
        """One JSON object of which there is one reading only."""
        def members(pairs):
            if self.has("repeated keys") and len({key for key, _ in pairs}) < len(pairs):
                raise ValueError("a repeated key")
            return dict(pairs)

        def no_constant(name):
            raise ValueError(name)

        try:
            value = json.loads(data.decode("utf-8"), object_pairs_hook=members, parse_constant=no_constant)
            if not isinstance(value, dict) or (self.has("depth") and depth(value) > 16):
                raise ValueError("no object, or a deep one")
            if any(not math.isfinite(float(number)) for number in numbers_in(value)):
                raise ValueError("a number that fits nowhere")
            for text in texts_in(value):
                text.encode("utf-8")  # half a surrogate has no bytes
        except (ValueError, OverflowError, RecursionError):
            raise Refused(reason) from None
        return value

    def decide(self, token, now, opens_connection):
        """The reason of a deny; or (principal, seconds, grants) of an allow."""
        try:
            return self.allow(token, now, opens_connection)
        except Refused as refused:
            return str(refused)
        except (TypeError, KeyError, AttributeError, UnicodeError):
            if self.without:  # a defect that met what a rule would have kept out
                return "crashed"
            raise

    def allow(self, token, now, opens_connection):
        if not token:
            raise Refused("token_missing")
        if len(token.encode()) > 8192 and self.has("length"):
            raise Refused("token_too_long")
        segments = token.split(".")
        if len(segments) != 3:
            raise Refused("wrong_segment_count")
        if len(segments[0].encode()) > 1024 and self.has("header length"):
            raise Refused("header_too_long")
        header, payload, signature = map(unb64, segments)
        header = self.json_object(header, "malformed_header")
        self.check_header(header)
        if not self.is_signed(header, token.rpartition(".")[0].encode(), signature) and self.has("signature"):
            raise Refused("bad_signature")
        claims = self.json_object(payload, "malformed_payload")
        expires = self.check_claims(claims, now)
        remaining = max(expires - now, 0)
        if self.file["strict_expiry"] and opens_connection and remaining < 300 and self.has("strict expiry"):
            raise Refused("expires_too_soon")
        seconds = min(max(remaining, 300), 86400)
        principal = hashlib.sha256(f"{claims.get('iss')}\0{claims['sub']}".encode()).hexdigest()[:32]
        return principal, seconds, self.grants(claims)

    def check_header(self, header):
        key_id = header.get("kid")
        if "kid" in header and (not isinstance(key_id, str) or len(key_id.encode()) > 128) and self.has("kid"):
            raise Refused("bad_key_id")
        algorithm, own = header.get("alg"), "HS256" if self.secret else "RS256"
        same = algorithm == own or ("alg case" in self.without and str(algorithm).upper() == own)
        if not same and self.has("alg"):
            raise Refused("wrong_algorithm")
        if ("crit" in header or "b64" in header) and self.has("crit"):
            raise Refused("critical_header")
        if header.get("zip", "NONE") != "NONE" and self.has("zip"):
            raise Refused("compressed")
        if {"jwk", "jku", "x5u", "x5c"} & set(header) and self.has("embedded keys"):
            raise Refused("embedded_key")

        def full(kind):
            return lower(kind) if "/" in kind else "application/" + lower(kind)

        types, kind = self.file["types"], header.get("typ")
        if "typ" not in header:
            good = "" in types
        else:
            good = isinstance(kind, str) and kind and full(kind) in {full(one) for one in types if one}
        if not good and self.has("typ"):
            raise Refused("wrong_type")

    def is_signed(self, header, signed, signature):
        if self.secret:
            right = hmac.new(self.secret, signed, hashlib.sha256).digest()
            return signature == right or ("signature prefix" in self.without and right.startswith(signature))
        keys, wanted = self.file["key"]["rs256"]["keys"], header.get("kid")
        if len(keys) == 1 and (keys[0]["kid"] is None or "kid" not in header):
            key = keys[0]
        elif "kid" not in header:
            raise Refused("key_id_missing")
        else:
            chosen = [key for key in keys if key["kid"] == wanted]
            if not chosen:
                raise Refused("unknown_key_id")
            key = chosen[0]
        n, e = (int.from_bytes(unb64(key[name]), "big") for name in ("n", "e"))
        size = (n.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != size or number >= n:
            return False
        padding = b"\xff" * (size - 3 - len(DIGEST_INFO) - 32)
        encoded = b"\x00\x01" + padding + b"\x00" + DIGEST_INFO + hashlib.sha256(signed).digest()
        return pow(number, e, n).to_bytes(size, "big") == encoded

    def listed(self, claims, names, missing, malformed):
        """The texts of the first of these claims that is there."""
        name = next((name for name in names if name in claims), None)
        if name is None:
            raise Refused(missing)
        value = claims[name]
        if isinstance(value, str):
            return value
        if isinstance(value, list) and (all(isinstance(one, str) for one in value) or "list elements" in self.without):
            return value
        raise Refused(malformed)

    def check_claims(self, claims, now):
        rules = self.file
        issuer, wanted = claims.get("iss"), rules["issuer"]
        near = "issuer prefix" in self.without and isinstance(issuer, str) and issuer.startswith(wanted)
        if issuer != wanted and not near and self.has("iss"):
            raise Refused("wrong_issuer")
        if self.has("aud"):
            found = self.listed(claims, rules["audience_claims"], "audience_missing", "malformed_audience")
            if not set(rules["audience"]) & {one for one in ([found] if isinstance(found, str) else found) if isinstance(one, str)}:
                raise Refused("wrong_audience")
        leeway = rules["leeway_seconds"]

        def time(name, whole):
            if name not in claims:
                return None
            value = claims[name]
            if "times as texts" in self.without and isinstance(value, str):
                return 2 ** 53 if name == "exp" else 0
            if not is_number(value) or not 0 <= float(value) < 2 ** 53:
                raise Refused("malformed_time")
            return int(whole(float(value)))

        expires = time("exp", math.floor)
        if expires is None:
            raise Refused("expiry_missing")
        if now >= expires + leeway and self.has("exp"):
            raise Refused("expired")
        for name, reason in (("nbf", "not_yet_valid"), ("iat", "issued_in_future")):
            begins = time(name, math.ceil)
            if begins is not None and begins > now + leeway and self.has(name):
                raise Refused(reason)
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise Refused("subject_missing")
        if "jti" in claims and not isinstance(claims["jti"], str) and self.has("jti"):
            raise Refused("malformed_token_id")
        if any(claims.get(name) != value for name, value in rules["require"].items()) and self.has("require"):
            raise Refused("required_claim")
        if rules["scopes"] and self.has("scope"):
            found = self.listed(claims, rules["scope_claims"], "scope_missing", "malformed_scope")
            given = found.split(" ") if isinstance(found, str) else found
            if not all(scope in given for scope in rules["scopes"]):
                raise Refused("scope_missing")
        return expires

    def grants(self, claims):
        """Every action and resource, in order."""
        def fill(template):
            def value(match):
                text = claims.get(match.group(1))
                if not isinstance(text, str):
                    raise Refused("claim_missing")
                plain = PLAIN.fullmatch(text) and not SPECIAL & set(text) and text not in (".", "..")
                if not plain and self.has("plain values"):
                    raise Refused("claim_not_plain")
                return text
            return re.sub(r"\{([^}]*)\}", value, template)

        actions = {"iot:Connect": ("client", []), "iot:Publish": ("topic", []), "iot:Subscribe": ("topicfilter", []),
                   "iot:Receive": ("topic", [])}
        for entry in self.file["allow"]:
            actions["iot:Connect"][1].extend(entry["connect"])
            actions["iot:Publish"][1].extend(entry["publish"])
            actions["iot:Subscribe"][1].extend(entry["subscribe"])
            for level in entry["subscribe"]:
                topic = "/".join("*" if one == "+" else one for one in level.split("/"))
                if topic.endswith("/#"):
                    actions["iot:Receive"][1].extend([topic[:-2], topic[:-1] + "*"])
                else:
                    actions["iot:Receive"][1].append(topic[:-1] + "*" if topic.endswith("#") else topic)
        return [(action, f"{self.file['arn_prefix']}:{kind}/{fill(template)}")
                for action, (kind, templates) in actions.items() for template in templates]
