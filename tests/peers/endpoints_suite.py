"""The checks of the suite `endpoints`: the table, the Regions, and addresses from outside the stack file."""

import http.server
import os
import re
import threading

import endpoints
from probe_suite import probe
from support import CHECKOUT, check, finish, folder, planted, thinggate

DENIED = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error><RequestId>0</RequestId></ErrorResponse>"


def table_is(text):
    """The checked-in table is the one that botocore's data gives."""
    wanted = endpoints.table().splitlines()
    odd = sorted(set(text.splitlines()) ^ set(wanted))
    check(f"{len(wanted) - 1} calls as botocore would send them", not odd, "\n        ".join(odd[:6]))


def regions_are(known):
    check("the Regions are those with AWS IoT", known == endpoints.regions_with_iot(),
          f"{sorted(set(known) ^ set(endpoints.regions_with_iot()))}")


def aws_stack(home, region="eu-west-1", name="stack.toml", more=""):
    """The article's stack in `region`, with the credentials that the machine has."""
    with open(os.path.join(CHECKOUT, "stacks", "openam-hs256.toml"), encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r'^target += +"[^"]*"', 'target = "aws"', text, count=1, flags=re.M)
    text = re.sub(r'^region += +"[^"]*"', f'region = "{region}"', text, count=1, flags=re.M)
    text = re.sub(r'^\[aws\]\nprofile .*$', "", text, count=1, flags=re.M)
    path = os.path.join(home, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + more)
    return path


def validated(home):
    """`validate` takes a Region exactly when botocore lists it for AWS IoT."""
    there = endpoints.regions_with_iot()
    paths = {region: aws_stack(home, region, f"{region}.toml") for region in endpoints.every_region()}
    wrong = []
    for region, path in paths.items():
        done = thinggate("validate", path)
        if (done.returncode, "is not a Region that has AWS IoT" in done.stderr) != ((0, False) if region in there else (64, True)):
            wrong.append(f"{region}: exit {done.returncode} {done.stderr}")
    check(f"validate takes {len(there)} of {len(paths)} Regions", not wrong, "\n".join(wrong))


class Probe:
    """An address of AWS's services that counts who asks, and refuses."""

    def __init__(self):
        self.asked = 0
        probe = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                probe.asked += 1
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(403)
                self.send_header("content-length", str(len(DENIED)))
                self.end_headers()
                self.wfile.write(DENIED)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Elsewhere:
    """A stack on AWS, and a machine whose variables or files name another address."""

    def __init__(self, home):
        self.home, self.probe = home, Probe()

    def plan(self, config="", more="", **variables):
        """Exit code and words of `plan`, and how often the other address was asked."""
        path = os.path.join(self.home, "config")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config.replace("PROBE", self.probe.url))
        before = self.probe.asked
        variables = {name: value.replace("PROBE", self.probe.url) for name, value in variables.items()}
        done = thinggate(
            "plan", aws_stack(self.home, more=more.replace("PROBE", self.probe.url)), HOME=self.home,
            AWS_CONFIG_FILE=path, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
            AWS_SECRET_ACCESS_KEY="secret", AWS_EC2_METADATA_DISABLED="true", OPENAM_HMAC_SECRET="c2VjcmV0" * 6,
            DEVICE_CLIENT_SECRET="client", HTTPS_PROXY="http://127.0.0.1:1", **variables)
        return done.returncode, done.stdout + done.stderr, self.probe.asked - before

    def refused(self, name, said, **machine):
        """It is refused by name, the address is shown, and nobody was asked there."""
        code, words, asked = self.plan(**machine)
        holds = code == 4 and said in words and self.probe.url in words and asked == 0
        check(f"refused: {name}", holds, f"exit {code}, asked {asked}: {words}")

    def followed(self, name, **machine):
        """It is followed, and the report says where to."""
        code, words, asked = self.plan(**machine)
        shown = re.search(r"the stack file says (.*, )?sts at " + re.escape(self.probe.url), words)
        check(f"followed and shown: {name}", code == 6 and asked >= 1 and shown, f"exit {code}, asked {asked}: {words}")


ALL = "\n[aws.endpoints]\niam = \"PROBE\"\niot = \"PROBE\"\nlambda = \"PROBE\"\nlogs = \"PROBE\"\nssm = \"PROBE\"\nsts = \"PROBE\"\n"
STS = "\n[aws.endpoints]\nsts = \"PROBE\"\n"


def addresses(home):
    """Variables and files that lead elsewhere, refused; the same address in the stack file, followed."""
    there = Elsewhere(home)
    for suffix in ("", "_IAM", "_IOT", "_LAMBDA", "_CLOUDWATCH_LOGS", "_STS", "_SSO", "_S3"):
        name = f"AWS_ENDPOINT_URL{suffix}"
        there.refused(name, name, **{name: "PROBE"})
    there.refused("one of five not named", "for `iam`", AWS_ENDPOINT_URL="PROBE", more=STS)
    there.refused("another service than the named one", "AWS_ENDPOINT_URL_IAM", AWS_ENDPOINT_URL_IAM="PROBE", more=STS)
    there.refused("another address than the named one", "the stack file says http://127.0.0.1:9", AWS_ENDPOINT_URL_STS="PROBE",
                  more=STS.replace("PROBE", "http://127.0.0.1:9"))
    there.refused("endpoint_url of the default profile", "`endpoint_url` for IAM", config="[default]\nendpoint_url = PROBE\n")
    there.refused("endpoint_url of AWS_PROFILE", "`endpoint_url` for IAM", AWS_PROFILE="company",
                  config="[profile company]\nendpoint_url = PROBE\n")
    for key, service in (("iam", "IAM"), ("iot", "IoT"), ("lambda", "Lambda"), ("cloudwatch_logs", "CloudWatch Logs"),
                         ("sts", "STS"), ("sso", "SSO"), ("sso_oidc", "SSO OIDC")):
        there.refused(f"services section, {key}", f"`endpoint_url` for {service},",
                      config=f"[default]\nservices = own\n[services own]\n{key} =\n  endpoint_url = PROBE\n")
    there.followed("the stack file names it", more=ALL)
    there.followed("one service alone", more=STS)
    there.followed("variable and stack file say the same", AWS_ENDPOINT_URL="PROBE", more=ALL)
    there.followed("services section and stack file say the same", more=STS,
                   config="[default]\nservices = own\n[services own]\nsts =\n  endpoint_url = PROBE\n")


def suite():
    text = endpoints.read(endpoints.TABLE)
    table_is(text)
    for wrong, right in ((" iam us-east-1", " iam eu-west-1"), ("iot.cn-north-1.amazonaws.com.cn", "iot.cn-north-1.amazonaws.com"),
                         (" lambda us-gov-west-1", " lambda us-gov-east-1"), ("iam.us-gov.", "iam.us-gov-west-1."),
                         ("arn%3Aaws-cn%3A", "arn%3Aaws%3A")):
        planted(f"{right.strip()} in the table", lambda: table_is(text.replace(wrong, right, 1)))
    regions_are(endpoints.known_regions())
    planted("a Region without AWS IoT in the list", lambda: regions_are([*endpoints.known_regions(), "af-south-1"]))
    with folder() as home:
        validated(home)
        addresses(home)
        there = Elsewhere(home)
        planted("a variable that nobody sets is refused", lambda: there.refused("nothing", "AWS_ENDPOINT_URL"))
        probe(home)
    finish()
