"""What the scans look for: each secret in every form in which it could leak, and what any secret looks like."""

import base64
import json
import re
import sys
import urllib.parse

WINDOW = 24   # bytes of a secret that are enough to know it by: a piece of it is a leak as well
SHORTEST = 16  # bytes; shorter ones would be found by chance, and see `Needles.found`
BLOCK = 8

# Tokens, keys and secrets of the documentation and of unit tests, which are none.
FIXTURES = {
    # RFC 7515 A.1.1, the example of a JWT with HS256.
    b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
    b"LmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
}
# What any secret looks like, for those that nobody has told us: the last group is compared with FIXTURES.
PATTERNS = {
    "a private key": rb"(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----)",
    "a token": rb"(eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,})",
    "a named secret": rb"(?:client_secret|hs256_secret|HS256_SECRET|rs256_pkcs8|secret_access_key|SECRET_ACCESS_KEY"
                      rb"|access_token|refresh_token|id_token|device_code)[\"'\\]*\s*[:=]\s*[\"'\\]*([\w+/-]{20,}=*)",
}


def forms(data):
    """The forms of a few bytes, by name."""
    found = {"raw": data, "hex": data.hex().encode(), "upper hex": data.hex().upper().encode(),
             "as numbers": ", ".join(map(str, data)).encode(), "as bare numbers": ",".join(map(str, data)).encode()}
    once = urllib.parse.quote_from_bytes(data, safe="")
    found["url-encoded"] = once.encode()
    found["url-encoded in lower hex"] = re.sub("%..", lambda one: one.group().lower(), once).encode()
    found["url-encoded twice"] = urllib.parse.quote(once, safe="").encode()
    found["in JSON"] = json.dumps(data.decode("latin-1"))[1:-1].encode()
    for skipped in range(3):  # inside a longer text the same bytes have three forms, by where they begin
        text = bytes(skipped) + data
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            # The characters at both ends have bits of the neighbours in them.
            found[f"{name} at {skipped}"] = encode(text).rstrip(b"=")[-(-skipped * 8 // 6):-1]
    return found


def windows(data):
    """The pieces of a secret, which together are the whole of it."""
    if len(data) <= WINDOW:
        return [data]
    return [data[at:at + WINDOW] for at in [*range(0, len(data) - WINDOW, WINDOW), len(data) - WINDOW]]


def squeezed(content):
    """Without what wraps or groups a long text: lines, spaces, the colons of hex, line breaks in JSON."""
    return content.replace(b"\\n", b"").replace(b"\\r", b"").translate(None, b" \t\r\n:")


class Needles:
    """Secrets by name."""

    def __init__(self):
        self.by_form = {}   # what is looked for: the name of its secret, and of the form
        self.by_block = {}  # eight bytes of it: all forms in which they are
        self.blocks = None

    def add(self, name, secret):
        """A secret as bytes, or as text; text that is base64 is the same secret decoded, too."""
        data = secret if isinstance(secret, bytes) else secret.encode()
        if len(data) < SHORTEST:
            raise ValueError(f"the {name} is too short to be looked for")
        for piece in windows(data):
            for form, text in forms(piece).items():
                self.form(name, form, text)
        if isinstance(secret, str) and re.fullmatch(r"[\w+/-]+=*", secret):
            padded = secret.translate(str.maketrans("-_", "+/")).rstrip("=")
            try:
                decoded = base64.b64decode(padded + "=" * (-len(padded) % 4))
            except ValueError:
                return
            if len(decoded) >= SHORTEST:
                self.add(name, decoded)

    def form(self, name, form, text):
        self.by_form.setdefault(text, (name, form))
        for at in range(BLOCK):
            self.by_block.setdefault(int.from_bytes(text[at:at + BLOCK], sys.byteorder), set()).add(text)
        self.blocks = None

    def add_token(self, name, token):
        """A JWT: its signature is what makes it good. What else it says is public; its form is `PATTERNS`'."""
        self.add(name, token.rsplit(".", 1)[1] if token.count(".") == 2 else token)

    def add_private_key(self, name, der):
        """All the numbers of a key that are not public, from PKCS #8: they are in each of its forms."""
        for number in private_numbers(der):
            self.add(name, number)
            for piece in windows(str(int.from_bytes(number, "big")).encode()):
                self.form(name, "decimal", piece)

    def found(self, content):
        """The names of the secrets that are in `content`.

        A text of at least 15 bytes holds eight whole bytes that begin at a multiple of eight, wherever it is.
        """
        if self.blocks is None:
            self.blocks = set(self.by_block)
        names = set()
        for text in (content, squeezed(content)):
            met = self.blocks.intersection(memoryview(text)[:len(text) // BLOCK * BLOCK].cast("Q"))
            for form in set().union(*(self.by_block[block] for block in met)):
                if form in text:
                    names.add(self.by_form[form][0])
        return names


def patterns_in(content):
    """The kinds of secrets that something in `content` looks like."""
    return {name for name, pattern in PATTERNS.items()
            if any(one.group(1) not in FIXTURES for one in re.finditer(pattern, content))}


def leaks_in(places, needles, allowed, allowed_kinds):
    """The places in which a secret is that may not be there; and the exceptions that were met.

    `places` gives each place with its content; an exception is a secret, a pattern of places, and why. Those of
    `allowed_kinds` are for what only looks like a secret.
    """
    leaks, met = [], set()
    for place, content in places:
        found = [(name, allowed) for name in needles.found(content)]
        found += [(name, allowed_kinds) for name in patterns_in(content)]
        for name, table in found:
            row = next((row for row in table if row[0] == name and re.match(row[1], place)), None)
            if row:
                met.add(row)
            else:
                leaks.append(f"{name} in {place}")
    return leaks, met


def elements(der):
    """The elements of a DER text: tag and content."""
    at, found = 0, []
    while at + 2 <= len(der):
        tag, length = der[at], der[at + 1]
        at += 2
        if length & 0x80:
            digits = length & 0x7F
            length = int.from_bytes(der[at:at + digits], "big")
            at += digits
        found.append((tag, der[at:at + length]))
        at += length
    return found


def private_numbers(pkcs8):
    """RFC 5958: version, algorithm, key. RFC 8017 A.1.2: after version, modulus and exponent all is private.
    RFC 5915 3: version, private key."""
    inside = elements(elements(pkcs8)[0][1])[2][1]
    sequence = elements(elements(inside)[0][1])
    if sequence[1][0] == 0x04:
        return [sequence[1][1]]
    return [content.lstrip(b"\0") for _, content in sequence[3:9]]


def der_of(pem):
    """The content of a PEM file."""
    return base64.b64decode("".join(line for line in pem.splitlines() if "-----" not in line))
