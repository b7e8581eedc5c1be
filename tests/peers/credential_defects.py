"""What is wrong with credentials, and what a run then says, word for word.

Each defect is a function that takes a kind which is set up, and breaks it. URL stands for the target's address.
"""

import datetime
import json
import os
import re

import credential_kinds
from credential_kinds import ACCOUNT, at
from support import check, planted

CANARY = "hunter2-of-a-program"  # what a broken program or file says, and no message repeats
PROBLEM = """error: `GetCallerIdentity` did not work
  at: AWS account
  because: {because}
  because: the stack file says iam, iot, lambda, logs, ssm, sts at URL

next: {next}
"""


def asked(kind):
    """How often the program or service of a kind was asked for credentials."""
    if kind.name == "process":
        with open(os.path.join(kind.home, "asked"), encoding="utf-8") as file:
            return len(file.readlines())
    requests = kind.server.helper.asked if kind.name == "sso" else kind.server.asked
    return sum(1 for one in requests if "/federation/" in one or "credentials" in one)


def nothing(_account, kind):
    kind.environment = {name: kind.environment[name] for name in ("HOME", "AWS_EC2_METADATA_DISABLED", "NO_PROXY")}


def no_such_profile(_account, kind):
    kind.environment["AWS_PROFILE"] = "nobody"


def role_distrusts(account, kind):
    account.role("credentials-profile", credential_kinds.trusts_account("Other-1"))


def program_fails(_account, kind):
    kind.write("process.sh", f"#!/bin/sh\necho {CANARY} >&2\necho {CANARY}\nexit 7\n", 0o700)


def program_says_something(_account, kind):
    kind.write("process.sh", f"#!/bin/sh\necho '{{\"Version\": 1, \"SecretAccessKey\": \"{CANARY}\"}}'\n", 0o700)


def file_is_broken(_account, kind):
    kind.write(".aws/config", f"[profile company\naws_secret_access_key = {CANARY}\n")


def signed_out(_account, kind):
    os.remove(sso_cache(kind))


def sign_on_expired(_account, kind):
    credential_kinds.sso_login(kind, kind.server, seconds=-60)


def signed_out_elsewhere(_account, kind):
    kind.server.signed_out = True


def old_form(_account, kind):
    """The form without a session, signed out."""
    with open(os.path.join(kind.home, ".aws/config"), encoding="utf-8") as file:
        text = file.read()
    text = text.split("[sso-session", maxsplit=1)[0] + "[services" + text.split("[services", maxsplit=1)[1]
    kind.write(".aws/config", text.replace(
        "sso_session = company", "sso_region = eu-west-1\nsso_start_url = https://company.awsapps.com/start"))


def sso_cache(kind):
    folder = os.path.join(kind.home, ".aws/sso/cache")
    return os.path.join(folder, os.listdir(folder)[0])


def token(**claims):
    return lambda _account, kind: kind.write("token", kind.server.token(**claims))


def no_token(_account, kind):
    os.remove(os.path.join(kind.home, "token"))


def other_repository(account, _kind):
    """The trust names another repository: upper and lower case differ."""
    account.role("credentials-web-identity", credential_kinds.trusts_github("repo:Octo-Org/octo-repo:*"))


def other_external_id(account, _kind):
    account.role("credentials-first", credential_kinds.trusts_account("Other-1"))


def second_role_distrusts(account, _kind):
    account.role("credentials-last", credential_kinds.trusts_account("Other-1"))


def no_base(_account, kind):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        kind.environment.pop(name)


def wrong_token(_account, kind):
    kind.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = CANARY


def service_is_gone(_account, kind):
    kind.server.stop()


def no_role(_account, kind):
    """A machine without an instance profile."""
    kind.server.answer = lambda handler, _: (
        (200, {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}, b"token") if handler.command == "PUT" else None)


def revoked(account, _kind):
    """The role is deleted: its sessions are no longer accepted."""
    iam = account.client("iam")
    iam.detach_role_policy(RoleName="credentials-session", PolicyArn=credential_kinds.ADMINISTRATOR)
    iam.delete_role(RoleName="credentials-session")


ROLE = f"the role arn:aws:iam::{ACCOUNT}:role/%s of `aws.assume_role` cannot be assumed"
DISTRUSTS = f"{ROLE}: its trust policy does not let the caller in, or wants %s `external_id`"
COMPARE = "compare the role's trust policy with the caller: aws iam get-role --role-name %s, aws sts get-caller-identity"
NONE = ("no AWS credentials were found", "set AWS_PROFILE, or `aws.profile` in the stack file, or log in: `aws sso login`")
LOGIN = "aws sso login --sso-session company"
BY_HAND = "run the command of `credential_process` by hand to see why"
TOKEN = "the token of AWS_WEB_IDENTITY_TOKEN_FILE, or of the profile"
ISSUER = ("check its audience, and that its issuer is an identity provider of the account: "
          "aws iam list-open-id-connect-providers")
# Name, kind, defect, and what is said: the causes and what helps.
DEFECTS = [
    ("nothing", "static", nothing, *NONE),
    ("a profile that is not there", "profile", no_such_profile, "the profile `nobody` is not in the AWS configuration files",
     "aws configure list-profiles"),
    ("the profile's role distrusts", "profile", role_distrusts,
     "the role of the profile cannot be assumed: STS answered AccessDenied",
     "check the role's trust policy, and `external_id` in the profile"),
    ("a program that fails", "process", program_fails, "the profile's `credential_process` failed", BY_HAND),
    ("a program that says something else", "process", program_says_something,
     "the profile's `credential_process` printed no credentials", BY_HAND),
    ("a file that is broken", "process", file_is_broken, "an AWS configuration file cannot be read",
     "mend the profile in ~/.aws/config or ~/.aws/credentials"),
    ("signed out", "sso", signed_out, "there is no single sign-on session", LOGIN),
    ("signed in yesterday", "sso", sign_on_expired, "the single sign-on session has expired", LOGIN),
    ("signed out by somebody else", "sso", signed_out_elsewhere, "the single sign-on session is not accepted any more", LOGIN),
    ("a profile without a session, signed out", "sso", old_form, "there is no single sign-on session",
     "aws sso login --profile company"),
    ("an old token", "web-identity", token(exp=1_000_000_000), f"{TOKEN}, has expired",
     "have the CI job, or the cluster, write a new token into the file"),
    ("a token for somebody else", "web-identity", token(aud="other"), f"AWS does not accept {TOKEN}", ISSUER),
    ("a token of nobody known", "web-identity", token(iss="https://id.example.com"), f"AWS does not accept {TOKEN}", ISSUER),
    ("a repository in other letters", "web-identity", other_repository,
     "the role's trust policy does not let the holder of the token in",
     "compare the `sub` and `aud` of the trust policy's conditions with the token's: upper and lower case differ"),
    ("no token", "web-identity", no_token, "the token file cannot be read",
     "check AWS_WEB_IDENTITY_TOKEN_FILE, or the profile's `web_identity_token_file`"),
    ("another external id", "assume-role", other_external_id, DISTRUSTS % ("credentials-first", "another"),
     COMPARE % "credentials-first"),
    ("the second role wants an external id", "assume-role", second_role_distrusts, DISTRUSTS % ("credentials-last", "an"),
     COMPARE % "credentials-last"),
    ("roles, and nobody to assume them", "assume-role", no_base, *NONE),
    ("a container's token that is wrong", "container", wrong_token, "the container's credentials service refused",
     "check the role of the container"),
    ("a container's service that is gone", "container", service_is_gone,
     "the service that gives the credentials cannot be reached",
     "check the network and the proxy, then run the same command again"),
    ("a machine without a role", "instance", no_role, *NONE),
    ("a session whose role was deleted", "session", revoked,
     "AWS does not accept the credentials: expired, wrong, or this machine's clock is off\n  because: AWS answered "
     "InvalidClientTokenId (HTTP 403): The security token included in the request is invalid.",
     "log in again and check with `aws sts get-caller-identity`, then run the same command again"),
]


def secrets_of(kind):
    """The secrets that a kind's runs know, by a name of each."""
    found = {f"{kind.name} {name}": value for name, value in kind.environment.items()
             if name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN") and value != CANARY}
    for folder, _, names in os.walk(kind.home):
        for name in names:
            if name in ("token", "process.json", "credentials") or "/sso/cache" in folder:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    text = file.read()
                if name == "token":
                    found["web identity token"] = text
                elif name == "process.json":
                    found.update({f"process {key}": json.loads(text)[key] for key in ("SecretAccessKey", "SessionToken")})
                elif name == "credentials":
                    found["profile secret"] = text.split("aws_secret_access_key = ")[1].strip()
                else:
                    found["single sign-on token"] = json.loads(text)["accessToken"]
    return found


def said(bench, kind, stack, name, because, following):
    """`plan` ends with exit code 6 and says this, word for word; a request id is another one each time."""
    done = bench.run(kind, "plan", stack)
    text = (done.stdout + done.stderr).replace(kind.url, "URL")
    text = re.sub(r"  AWS request id: [0-9a-f-]{36}\n", "", text)
    wanted = PROBLEM.format(because=because, next=following)
    return check(f"{kind.name}: {name}", done.returncode == 6 and text == wanted, f"exit {done.returncode}\n{text}")


def run(bench):
    """Every defect; gives the secrets that were around."""
    secrets = {"what a program said": CANARY}
    for number, (name, kind_name, break_it, because, following) in enumerate(DEFECTS):
        with bench.kind(kind_name, f"defect-{number}") as (kind, stack):
            secrets.update(secrets_of(kind))
            break_it(bench.account, kind)
            said(bench, kind, stack, name, because, following)
            if number == 0:
                planted("another cause is told", lambda: said(bench, kind, stack, name, "no key", following))
                kind.environment.update(bench.account.key())
                planted("credentials that are there", lambda: said(bench, kind, stack, name, because, following))
    ends_soon(bench)
    return secrets


def ends_soon(bench):
    """A session that ends soon is remarked, with its time, in every output; a long one is not."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    end = now + datetime.timedelta(minutes=10)
    with bench.kind("session", "soon") as (kind, stack):
        remark = f"ends at {end:%H:%M:%S} UTC, in "

        def remarked(until):
            done = bench.run(kind, "plan", stack, AWS_CREDENTIAL_EXPIRATION=at(until))
            return done.returncode == 0 and remark in done.stdout + done.stderr, done.stdout + done.stderr

        holds, text = remarked(end)
        check("a session that ends in 10 minutes is remarked, with its time", holds, text)
        planted("a session that lasts", lambda: check("it is remarked", *remarked(end + datetime.timedelta(hours=1))))
        done = bench.run(kind, "plan", stack, "--output", "json", AWS_CREDENTIAL_EXPIRATION=at(end))
        codes = [one["code"] for one in json.loads(done.stdout)["stacks"][0]["findings"]]
        check("and it is a finding for programs", "session_ends" in codes, done.stdout)
    with bench.kind("process", "soon-process") as (kind, stack):
        path = os.path.join(kind.home, "process.json")
        with open(path, encoding="utf-8") as file:
            given = json.load(file)
        kind.write("process.json", json.dumps({**given, "Expiration": at(end)}))
        done = bench.run(kind, "plan", stack)
        check("what a program gives is remarked too", done.returncode == 0 and remark in done.stdout + done.stderr
              and "credential_process" in done.stdout + done.stderr, done.stdout + done.stderr)
