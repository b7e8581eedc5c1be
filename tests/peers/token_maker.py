"""Random access tokens, good and nearly good, each from a number: the same number makes the same token."""

import hashlib
import hmac
import json

from token_reference import DIGEST_INFO, b64, unb64

ISSUER = "https://identity.example.com:443/oauth2"
SECRET = bytes(range(1, 49))
# The key of RFC 7515 A.2, by its primes; and that of RFC 7520 3.4, which nobody configures but as `key-2`.
PRIMES = [
    ("4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_"
     "Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
     "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7Tje"
     "LQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc"),
    ("3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9"
     "JR0AzZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k",
     "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15v"
     "MMON8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc"),
]


def number(text):
    return int.from_bytes(unb64(text), "big")


class RsaKey:
    """RSASSA-PKCS1-v1_5 with SHA-256, as RFC 8017 8.2 has it."""

    def __init__(self, primes):
        self.p, self.q = map(number, primes)
        self.n, self.e = self.p * self.q, 65537
        self.d = pow(self.e, -1, (self.p - 1) * (self.q - 1))

    def sign(self, data):
        encoded = b"\x00\x01" + b"\xff" * (253 - len(DIGEST_INFO) - 32) + b"\x00" + DIGEST_INFO + hashlib.sha256(data).digest()
        return pow(int.from_bytes(encoded, "big"), self.d, self.n).to_bytes(256, "big")

    def jwk(self, key_id):
        return {"kid": key_id, "n": b64(self.n.to_bytes(256, "big")), "e": "AQAB"}


RSA = [RsaKey(primes) for primes in PRIMES]
ODD = [None, True, False, 0, 1, -1, 1.5, "", " ", "x", "0", [], [""], ["x"], [None], [1], {}, {"a": 1}, 2 ** 53, 2 ** 53 - 1,
       2 ** 64, 1e300, -0.0, "1900000000", [["mail"]]]
SUBJECTS = ["*", "?", "a*", "a/b", "+", "#", "${iot:ClientId}", "{sub}", "..", ".", "a b", " a", "a\n", "\u00e9", "\uff0a", "a\u202eb",
            'a","Effect":"Allow', "\0", "", "a" * 128, "a" * 129, "auth0|x", "(usr!x)", "%2F", "...", "a@b:c,d;e=f", "Demo", "\x7f"]
TYPES = ["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT", "application/jwt", "JOSE", "", "JWT ", "text/jwt", "logout+jwt",
         "\u212aWT"]
ALGORITHMS = ["HS256", "RS256", "hs256", "rs256", "Hs256", "HS384", "none", "None", "ES256", "PS256", "HS256 ", "", "EdDSA"]
OFFSETS = [-100000, -3600, -400, -301, -250, -120, -70, -61, -59, -10, -1, 0, 1, 30, 59, 61, 100, 250, 299, 301, 400, 3600, 86300,
           86500, 10 ** 6]


class Made:
    """A token in the making."""

    def __init__(self, rng, file, now):
        self.rng, self.file, self.now = rng, file, now
        self.is_hmac = "hs256" in file["key"]
        self.header = {"typ": rng.choice([one for one in file["types"] if one]), "alg": "HS256" if self.is_hmac else "RS256"}
        self.key = 0
        if not self.is_hmac and len(file["key"]["rs256"]["keys"]) > 1:
            self.key = rng.randrange(2)
            self.header["kid"] = file["key"]["rs256"]["keys"][self.key]["kid"]
        self.claims = {
            "iss": ISSUER, "sub": rng.choice(["demo", "a-b", "x|y", "u" * 40]), "aud": "deviceagent", "exp": now + 3000,
            "iat": now - 30, "nbf": now - 30, "scope": ["cn", "mail"], "tokenName": "access_token", "jti": "1f", "realm": "r"}
        self.header_text = self.payload_text = None
        self.signature = None

    def text_of(self, name):
        text = getattr(self, name + "_text")
        return text if text is not None else json.dumps(getattr(self, "header" if name == "header" else "claims")).encode()

    def token(self):
        segments = [b64(self.text_of("header")), b64(self.text_of("payload"))]
        signed = ".".join(segments).encode()
        if self.signature is not None:
            signature = self.signature(signed)
        elif self.is_hmac:
            signature = hmac.new(SECRET, signed, hashlib.sha256).digest()
        else:
            signature = RSA[self.key].sign(signed)
        return [*segments, b64(signature)]


def change_header(made):
    rng = made.rng
    name = rng.choice(["alg", "alg", "typ", "typ", "kid", "kid", "crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "other", "pad", "gone"])
    if name == "alg":
        made.header["alg"] = rng.choice([*ALGORITHMS, rng.choice(ODD)])
    elif name == "typ":
        made.header["typ"] = rng.choice([*TYPES, rng.choice(ODD)])
    elif name == "kid":
        made.header["kid"] = rng.choice(["key-1", "key-2", "KEY-1", "", "k" * 128, "k" * 129, "/dev/null", rng.choice(ODD)])
    elif name == "zip":
        made.header["zip"] = rng.choice(["NONE", "NONE", "DEF", "none", rng.choice(ODD)])
    elif name == "pad":
        made.header["pad"] = "x" * rng.randrange(600, 800)
    elif name == "gone":
        made.header.pop(rng.choice(["typ", "alg", "kid"]), None)
    else:
        made.header[name] = rng.choice([["exp"], "http://127.0.0.1:9/", RSA[1].jwk("key-1"), rng.choice(ODD)])


def change_claim(made):
    rng, claims = made.rng, made.claims
    name = rng.choice(["iss", "sub", "sub", "aud", "aud", "exp", "exp", "exp", "nbf", "iat", "scope", "scope", "tokenName", "jti", "realm"])
    kind = rng.randrange(4)
    if kind == 0:
        claims[name] = rng.choice(ODD)
    elif kind == 1:
        claims.pop(name, None)
        if rng.random() < 0.5:
            claims[{"aud": "client_id", "scope": "scp"}.get(name, "other")] = rng.choice(["deviceagent", "mail cn", ["mail"], "x"])
    elif name in ("exp", "nbf", "iat"):
        claims[name] = made.now + rng.choice(OFFSETS) + rng.choice([0, 0, 0.5])
    elif name in ("sub", "realm"):
        claims[name] = rng.choice(SUBJECTS)
    elif name == "aud":
        claims[name] = rng.choice(["deviceagent", ["x", "deviceagent"], ["deviceagent", 1], "DeviceAgent", ["x"], "deviceagent x"])
    elif name == "scope":
        claims[name] = rng.choice(["mail", "cn mail", "mail  cn", "mailx", ["mail cn"], ["mail", 1], "mail\tcn", ["cn"], "a b c"])
    else:
        text = str(claims.get(name, ""))
        at = rng.randrange(len(text) + 1)
        claims[name] = rng.choice([text[:at], text[at:], text.upper(), text + "/", text + " ", [text], text[:at] + "x" + text[at:]])


def change_text(made):
    """The JSON itself, signed as it is then."""
    rng = made.rng
    which = rng.choice(["header", "payload", "payload"])
    text = made.text_of(which)
    body = text[:-1]
    more = rng.choice([
        b', "a": 1, "a": 2}', b', "a": 1, "\\u0061": 2}', b', "a": {"b": 1, "b": 1}}', b', "sub": "demo"}', b', "alg": "HS256"}',
        b', "a": 1e400}', b', "a": -1e400}', b', "a": NaN}', b', "a": 01}', b', "a": 1.}', b',}', b', "a": "\\ud800"}',
        b', "a": "\\ud83d\\ude00"}', b', "a": "\xff"}', b', "a": "\x01"}', b', "a": "\xc0\xaf"}', b"}}", b"} ", b"}\n\t\r ", b"}\0", b"",
        b"}\x0b", b', "a": ' + b"[" * (depth := rng.randrange(10, 20)) + b"]" * depth + b"}",
        b', "a": ' + b'{"b":' * depth + b"1" + b"}" * depth + b"}", b', "a": 1' + b"0" * rng.randrange(300, 320) + b"}",
        b', "a": 1E5, "b": -0, "c": 0.1e-7}', b', "\\u0065": "\\/\\b\\f"}', b', "": ""}',
    ])
    changed = rng.choice([body + more, body + more, body + more, b" \n" + text, b"\xef\xbb\xbf" + text, b"[" + text + b"]", text + text, b"",
                          b"null", text.replace(b'"', b"'", 1), text.replace(b":", b" : ")])
    setattr(made, which + "_text", changed)


def change_signature(made):
    rng = made.rng
    right = RSA[made.key].sign if not made.is_hmac else lambda signed: hmac.new(SECRET, signed, hashlib.sha256).digest()
    bit, cut = rng.randrange(256), rng.randrange(40)

    def flipped(signed):
        data = bytearray(right(signed))
        data[bit % len(data)] ^= 1 << (bit % 8)
        return bytes(data)

    made.signature = rng.choice([
        flipped, flipped, lambda signed: right(signed)[:cut], lambda signed: right(signed) + bytes(1), lambda signed: b"",
        lambda signed: bytes(1) + right(signed), lambda signed: right(signed + b"."), RSA[1].sign, RSA[0].sign,
        lambda signed: hmac.new(b64(SECRET).encode(), signed, hashlib.sha256).digest(),
        lambda signed: hmac.new(b"", signed, hashlib.sha256).digest(), lambda signed: hmac.new(SECRET, signed, hashlib.sha512).digest(),
        lambda signed: hmac.new(RSA[0].n.to_bytes(256, "big"), signed, hashlib.sha256).digest(), lambda signed: hashlib.sha256(signed).digest()])


def change_segments(rng, segments):
    which = rng.randrange(3)
    text = segments[which]
    at = rng.randrange(len(text) + 1)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    segments[which] = rng.choice([
        text + "=", text + "==", text.replace("-", "+").replace("_", "/"), text[:-1], text[:at] + rng.choice(" +/\n.=\u00e9") + text[at:],
        text[:-1] + rng.choice(letters), text[:at] + rng.choice(letters) + text[at + 1:], "", text + "A", text.lower(), text + "." + text])
    if rng.random() < 0.2:
        rng.shuffle(segments)
    if rng.random() < 0.1:
        segments.pop()


def make(rng, file, now):
    """One token: a third good, most with one change, some with more."""
    made = Made(rng, file, now)
    for _ in range(rng.choices([0, 1, 2, 3], [20, 60, 15, 5])[0]):
        rng.choices([change_header, change_claim, change_text, change_signature], [25, 45, 20, 10])[0](made)
    if rng.random() < 0.02:
        made.claims["pad"] = "x" * rng.randrange(5000, 7000)
    segments = made.token()
    if rng.random() < 0.08:
        change_segments(rng, segments)
    return ".".join(segments)
