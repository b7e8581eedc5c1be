"""The person at the browser, who approves a device by filling in the provider's pages."""

import html.parser
import http.client
import urllib.parse


class Forms(html.parser.HTMLParser):
    """The one form of a page: where it goes and what it holds."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields, self.buttons = None, {}, []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        of = dict(attributes)
        if tag == "form":
            self.action = of.get("action")
        elif tag == "input" and "name" in of:
            self.fields[of["name"]] = of.get("value", "")
        elif tag == "button" and "name" in of:
            self.buttons.append((of["name"], of.get("value", "")))


def approve(address, code):
    """Fills in the pages as a browser without scripts does."""
    cookies, body, posts = {}, None, 0
    known = {"user_code": code, "username": "demo", "password": "changeit"}
    for _ in range(8):
        parts = urllib.parse.urlsplit(address)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        headers = {"cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())} if cookies else {}
        if body is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                cookies[key] = rest.split(";")[0]
        if answer.status in (302, 303):
            address, body = urllib.parse.urljoin(address, answer.getheader("location")), None
            continue
        form = Forms(page)
        if form.action is None:
            return answer.status == 200 and posts > 0
        fields = {name: known.get(name, value) for name, value in form.fields.items()}
        fields.update(button for button in form.buttons if button[1] == "allow")
        address, body = urllib.parse.urljoin(address, form.action), urllib.parse.urlencode(fields)
        posts += 1
    return False
