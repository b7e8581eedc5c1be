"""Pipelines: a runner with an empty HOME, no terminal and a fresh clone takes a stack through its whole life.

Once for each kind of credentials (credential_kinds.py), with key and secrets in Parameter Store, so that no private key
is on any machine; once with a key whose public half alone is committed; and once as the workflows that `ci init` writes
do it: their own `run:` lines, in roles made from the policies beside them, with tokens as GitHub and GitLab hand them
out. A proxy outside counts what is written. The guide is followed command by command (pipeline_guide.py).
"""

import base64
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import time

import yaml

sys.path.insert(0, os.path.dirname(__file__))
import credential_kinds
import pipeline_guide
from credential_kinds import ACCOUNT, REGION, Account
from support import BINARY, Proxy, Target, bootstrap, check, finish, folder, planted, said, stack_file, wait_for

SECRETS = ("hs256", "client")
# What a stack writes to; who asks STS for a session writes nothing.
WRITTEN = ("iam", "iot", "lambda", "logs", "ssm")
REPOSITORY, PROJECT = "octo-org/octo-repo", "octo-group/octo-project"
GITLAB = "https://gitlab.com"
PARALLEL = 3


class Runner:
    """A machine of a pipeline: nothing but the program, and an empty HOME for each job."""

    def __init__(self, home, name):
        self.home, self.name, self.number = os.path.join(home, name), name, 0
        self.bin = os.path.join(self.home, "bin")
        os.makedirs(self.bin)
        os.symlink(BINARY, os.path.join(self.bin, "thinggate"))
        self.texts = []

    def run(self, repository, lines, **variables):
        """Runs lines in a fresh clone: exit code and what was said."""
        self.number += 1
        place = os.path.join(self.home, f"job-{self.number}")
        empty = os.path.join(place, "empty-home")
        os.makedirs(empty)
        git("clone", "--quiet", repository, os.path.join(place, "clone"))
        environment = {"PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin", "HOME": empty, "CI": "true",
                       "CI_PROJECT_DIR": os.path.join(place, "clone"), "TMPDIR": place, **variables}
        # As a runner does it: a shell that stops at the first line that fails, without any terminal.
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)], cwd=os.path.join(place, "clone"), env=environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False, start_new_session=True)
        said(done.stdout, done.stderr)
        self.texts.append(done.stdout + done.stderr)
        self.texts += [text for text in small_files(place) if "PRIVATE KEY" in text]
        shutil.rmtree(place)
        return done


def small_files(place):
    for at, _, names in os.walk(place):
        for name in names:
            path = os.path.join(at, name)
            if not os.path.islink(path) and os.path.getsize(path) < 100_000:
                with open(path, encoding="utf-8", errors="replace") as file:
                    yield file.read()


def git(*arguments, cwd=None):
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t",
             "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t", "PATH": os.environ["PATH"]}
    done = subprocess.run(["git", *arguments], cwd=cwd, env=quiet, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"git {arguments}: {done.stderr}")


class Pipeline:
    """A repository with one stack for AWS, which here is the local target."""

    def __init__(self, home, target, ready, name, more, store=True):
        self.home, self.target, self.name = os.path.join(home, name), target, name
        os.makedirs(self.home)
        self.path = os.path.join(self.home, "repository")
        os.makedirs(os.path.join(self.path, "stacks"))
        self.account = Account(target)
        self.secrets = []
        for one in SECRETS:
            value = base64.b64encode(os.urandom(32)).decode()
            self.secrets.append(value)
            self.account.client("ssm").put_parameter(Name=f"/{name}/{one}", Type="SecureString", Value=value)
        kept = f'[signing.generated]\nstore = "ssm:/{name}/keys"\n\n' if store else ""
        stack_file(os.path.join(self.path, "stacks"), name, replace=[
            ('target = "local"', f'target = "aws"\naccount = "{ACCOUNT}"\nprotect = false'),
            ("identity.thinggate.local", "id.example.com"), ('"local:hs256"', f'"ssm:/{name}/hs256"'),
            ('"local:client"', f'"ssm:/{name}/client"'), ("[token]\n", f"{kept}[token]\n"),
            ('"iot-openam-authorizer"', f'"{name}"'), ("default        = true", "default        = false"),
            ("[authorizer]\n", f'[function]\nbootstrap = "{ready}"\n\n[authorizer]\n')])
        self.stack = f"stacks/{name}.toml"
        with open(os.path.join(self.path, self.stack), "a", encoding="utf-8") as file:
            file.write(more)
        git("init", "--quiet", "--initial-branch=main", self.path)
        self.commit()
        self.runner = Runner(self.home, "runner")

    def commit(self):
        git("add", "--all", cwd=self.path)
        git("commit", "--quiet", "--message", "a change", cwd=self.path)

    def run(self, line, **variables):
        return self.runner.run(self.path, [line], **variables)

    def by_hand(self):
        """What nobody should do: a change beside the pipeline."""
        function, functions = {"FunctionName": f"thinggate-{self.name}"}, self.account.client("lambda")
        functions.update_function_configuration(**function, MemorySize=512)
        wait_for(lambda: functions.get_function_configuration(**function)["LastUpdateStatus"] == "Successful")

    def left(self):
        """What is there of the stack, but for the secrets that were there before it."""
        found = [one["Name"] for one in self.account.client("ssm").describe_parameters()["Parameters"]]
        found = [one for one in found if one.startswith(f"/{self.name}/keys")]
        groups = self.account.client("logs").describe_log_groups(logGroupNamePrefix=f"/thinggate/{self.name}")["logGroups"]
        functions = [one["FunctionName"] for one in self.account.client("lambda").list_functions()["Functions"]]
        return found + groups + [one for one in functions if one == f"thinggate-{self.name}"]

    def leaks(self, more=()):
        """Where a secret was said, or a private key was on a runner."""
        told = "\n".join(self.runner.texts)
        return [name for name, secret in (("a private key", "PRIVATE KEY"), ("a secret", self.secrets[0]),
                                          ("a client secret", self.secrets[1]), *more) if secret in told]


def writes(exchanges):
    return [one["operation"] for one in exchanges if one["writes"] and one["service"] in WRITTEN]


def life(home, target, ready, name):
    """A whole life with one kind of credentials: what does not hold, in order."""
    wrong, began = [], time.monotonic()
    with credential_kinds.ready(name, target, os.path.join(home, f"home-{name}")) as kind:
        proxy = Proxy(kind.url)
        try:
            # Sessions are asked for where the kind has its server; all else goes through the proxy.
            more = kind.toml(proxy.url).replace(f'sts = "{proxy.url}"', f'sts = "{kind.url}"')
            pipeline = Pipeline(home, target, ready, f"with-{name}", more)
            # An empty HOME, unless the credentials are in it.
            variables = dict(kind.environment)
            if not os.path.isdir(os.path.join(kind.home, ".aws")):
                variables.pop("HOME")

            def step(what, line, wanted, written=None):
                before = len(proxy.exchanges)
                done = pipeline.run(f"{line.replace('STACK', pipeline.stack)}", **variables)
                count = writes(proxy.exchanges[before:])
                if done.returncode != wanted:
                    wrong.append(f"{what}: exit {done.returncode}, not {wanted}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
                if written is not None and (count != [] if written == 0 else count == []):
                    wrong.append(f"{what}: wrote {count}")

            step("validate", "thinggate validate STACK", 0, 0)
            step("plan", "thinggate plan STACK --exit-code", 2, 0)
            step("deploy", "thinggate deploy STACK", 0, 1)
            step("deploy again", "thinggate deploy STACK", 0, 0)
            step("drift", "thinggate drift STACK", 0, 0)
            if not wrong:
                pipeline.by_hand()
            step("drift after a change by hand", "thinggate drift STACK", 2, 0)
            step("destroy", "thinggate destroy STACK --yes --delete-key", 0, 1)
            wrong += [f"left: {one}" for one in pipeline.left()] + [f"leaked: {one}" for one in pipeline.leaks()]
        finally:
            proxy.stop()
    return wrong, time.monotonic() - began


def lives(home, target, ready, kinds):
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        running = {name: pool.submit(life, home, target, ready, name) for name in kinds}
    for name, one in running.items():
        wrong, seconds = one.result()
        check(f"{name}: validate, plan, deploy, deploy again (0 writes), drift (0), by hand, drift (2), destroy ({seconds:.0f} s)",
              not wrong, "\n        ".join(wrong))


def committed_half(home, target, ready):
    """The key is made where it stays; the pipeline has the public half alone."""
    more = "\n[aws.endpoints]\n" + "".join(f'{one} = "{target.run["control_url"]}"\n' for one in credential_kinds.SERVICES)
    pipeline = Pipeline(home, target, ready, "with-file", more, store=False)
    variables = {**pipeline.account.key(), "AWS_EC2_METADATA_DISABLED": "true"}
    refused = pipeline.run(f"thinggate deploy {pipeline.stack}", **variables)
    check("a key in a folder is not made on a runner: exit 4, and what to do instead",
          refused.returncode == 4 and "ssm:/PATH" in refused.stderr, f"{refused.returncode} {refused.stderr}")
    here = {"PATH": f"{pipeline.runner.bin}:/usr/bin:/bin", "HOME": pipeline.home, **variables}
    made = subprocess.run(["thinggate", "deploy", pipeline.stack], cwd=pipeline.path, env=here, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, check=False)
    said(made.stdout, made.stderr)
    pipeline.commit()
    done = [pipeline.run(f"thinggate {verb} {pipeline.stack}", **variables) for verb in ("deploy", "drift")]
    told = made.stderr + "".join(one.stdout + one.stderr for one in done)
    check("with the public half committed: deploy (0), drift (0), and no private key in the clone",
          [made.returncode, *(one.returncode for one in done)] == [0, 0, 0] and not pipeline.leaks(), f"{told} {pipeline.leaks()}")
    pipeline.run(f"thinggate destroy {pipeline.stack} --yes", **variables)
    return pipeline


class Workflow:
    """What `ci init` wrote for one service, with roles made from it."""

    def __init__(self, pipeline, service, repository):
        self.pipeline, self.name = pipeline, pipeline.name
        done = subprocess.run(
            [BINARY, "ci", "init", service, pipeline.stack, "--repository", repository], cwd=pipeline.path,
            env={"PATH": "/usr/bin:/bin", "HOME": pipeline.home}, capture_output=True, text=True, timeout=60, check=False)
        said(done.stdout, done.stderr)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        pipeline.commit()
        file = f".github/workflows/thinggate-{self.name}.yml" if service == "github" else f".gitlab/thinggate-{self.name}.yml"
        with open(os.path.join(pipeline.path, file), encoding="utf-8") as text:
            self.text = text.read()
        self.jobs = yaml.safe_load(self.text)
        for role in ("read", "deploy"):
            self.make(role)

    def file(self, role, what):
        with open(os.path.join(self.pipeline.path, "ci", self.name, f"{role}.{what}.json"), encoding="utf-8") as text:
            return text.read()

    def make(self, role):
        iam, name = self.pipeline.account.client("iam"), f"thinggate-ci-{self.name}-{REGION}-{role}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=self.file(role, "trust"))
        iam.put_role_policy(RoleName=name, PolicyName="thinggate", PolicyDocument=self.file(role, "policy"))

    def arn(self, role):
        return f"arn:aws:iam::{ACCOUNT}:role/thinggate-ci-{self.name}-{REGION}-{role}"

    def session(self, role, token):
        """What the login step of a job gets; or the code of the refusal."""
        sts = self.pipeline.account.client("sts")
        try:
            given = sts.assume_role_with_web_identity(RoleArn=self.arn(role), RoleSessionName="job", WebIdentityToken=token)
        except sts.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return credential_kinds.session_variables(given["Credentials"])


def trusts(workflow, tokens, rows):
    """Who may take on which role: by a subject, letter by letter."""
    wrong = []
    for subject, audience, read, deploy in rows:
        token = tokens(subject, audience)
        got = [isinstance(workflow.session(role, token), dict) for role in ("read", "deploy")]
        if got != [read, deploy]:
            wrong.append(f"{subject} for {audience}: {got}, not {[read, deploy]}")
    return wrong


def github(home, target, ready):
    more = "\n[aws.endpoints]\n" + "".join(f'{one} = "{target.run["control_url"]}"\n' for one in credential_kinds.SERVICES)
    pipeline = Pipeline(home, target, ready, "on-github", more)
    workflow = Workflow(pipeline, "github", REPOSITORY)
    issuer = credential_kinds.Issuer(pipeline.account)
    tokens = lambda subject, audience: issuer.token(sub=subject, aud=audience)
    repo, aws = f"repo:{REPOSITORY}", "sts.amazonaws.com"
    rows = [
        (f"{repo}:pull_request", aws, True, False), (f"{repo}:ref:refs/heads/main", aws, True, False),
        (f"{repo}:environment:on-github", aws, False, True), (f"{repo}:environment:On-Github", aws, False, False),
        (f"{repo}:ref:refs/heads/main2", aws, False, False), (f"{repo}:ref:refs/tags/main", aws, False, False),
        (f"repo:Octo-Org/octo-repo:pull_request", aws, False, False), ("repo:octo-org/octo-repo2:pull_request", aws, False, False),
        (f"{repo}:pull_request", "https://github.com/octo-org", False, False)]
    wrong = trusts(workflow, tokens, rows)
    check(f"GitHub: {len(rows)} subjects and audiences, each opens exactly its role", not wrong, "\n        ".join(wrong))
    planted("a subject of another case is expected to open the role", lambda: check("trust", not trusts(
        workflow, tokens, [("repo:Octo-Org/octo-repo:pull_request", aws, True, False)])))
    subjects = {"plan": f"{repo}:pull_request", "deploy": f"{repo}:environment:on-github", "drift": f"{repo}:ref:refs/heads/main"}
    jobs = workflow.jobs["jobs"]
    pinned = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    check("GitHub: actions are pinned by commit, permissions are two",
          all(len(one.partition("@")[2]) == 40 for one in pinned) and len(pinned) == 9
          and workflow.jobs["permissions"] == {"contents": "read", "id-token": "write"}, f"{pinned} {workflow.jobs['permissions']}")

    def job(name, wanted):
        role = next(step["with"]["role-to-assume"] for step in jobs[name]["steps"] if "role-to-assume" in step.get("with", {}))
        session = workflow.session(role.rpartition("-")[2], tokens(subjects[name], aws))
        lines = [step["run"] for step in jobs[name]["steps"] if "run" in step]
        # GitHub fills in `${{ … }}`; an input that nobody gave is empty.
        given = {key: "" for step in jobs[name]["steps"] for key in step.get("env", {})}
        done = pipeline.runner.run(pipeline.path, lines, **workflow.jobs["env"], **given, **(session if isinstance(session, dict) else {}))
        check(f"GitHub: the run: lines of `{name}`, in its role: exit {wanted}", done.returncode == wanted,
              f"{session if isinstance(session, str) else ''} {done.returncode} {done.stdout[-2000:]} {done.stderr[-2000:]}")

    job("plan", 0)
    job("deploy", 0)
    job("plan", 0)
    job("deploy", 0)
    job("drift", 0)
    pipeline.by_hand()
    job("drift", 2)
    over = workflow.session("read", tokens(subjects["plan"], aws))
    refused = pipeline.run(f"thinggate deploy {pipeline.stack}", **over)
    check("GitHub: the role that reads cannot deploy: exit 6", refused.returncode == 6, f"{refused.returncode} {refused.stderr}")
    check("GitHub: no secret was said, and no private key was on a runner", not pipeline.leaks(), str(pipeline.leaks()))
    planted("what a run says is not looked at", lambda: check("leaks", not pipeline.leaks([("a word", "signing key")])))
    pipeline.run(f"thinggate destroy {pipeline.stack} --yes --delete-key", **pipeline.account.key())


def gitlab(home, target, ready):
    more = "\n[aws.endpoints]\n" + "".join(f'{one} = "{target.run["control_url"]}"\n' for one in credential_kinds.SERVICES)
    pipeline = Pipeline(home, target, ready, "on-gitlab", more)
    workflow = Workflow(pipeline, "gitlab", PROJECT)
    issuer = credential_kinds.Issuer(pipeline.account)
    numbers = issuer.pair.public_key().public_numbers()
    key = {"kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig", "n": credential_kinds.unpadded(numbers.n),
           "e": credential_kinds.unpadded(numbers.e)}
    target.admin("PUT", "/_local/web-identity", {"issuer": GITLAB, "client_ids": [GITLAB], "jwks": {"keys": [key]}})
    tokens = lambda subject, audience: issuer.token(iss=GITLAB, sub=subject, aud=audience)
    ref = f"project_path:{PROJECT}:ref_type:branch:ref"
    rows = [
        (f"{ref}:main", GITLAB, True, True), (f"{ref}:feature", GITLAB, True, False),
        (f"project_path:{PROJECT}:ref_type:tag:ref:main", GITLAB, False, False),
        (f"project_path:{PROJECT}2:ref_type:branch:ref:main", GITLAB, False, False),
        (f"project_path:Octo-Group/octo-project:ref_type:branch:ref:main", GITLAB, False, False)]
    wrong = trusts(workflow, tokens, rows)
    check(f"GitLab: {len(rows)} subjects, each opens exactly its roles", not wrong, "\n        ".join(wrong))
    common = workflow.jobs[".thinggate-on-gitlab"]

    def job(name, branch, wanted):
        one = workflow.jobs[f"thinggate-on-gitlab-{name}"]
        token_file = os.path.join(pipeline.home, "id-token")
        variables = {**common["variables"], **one["variables"], "AWS_WEB_IDENTITY_TOKEN_FILE": token_file, "CI_JOB_ID": "7"}
        variables["AWS_ROLE_SESSION_NAME"] = variables["AWS_ROLE_SESSION_NAME"].replace("$CI_JOB_ID", "7")
        done = pipeline.runner.run(pipeline.path, [*common["before_script"], *one["script"]],
                                   AWS_ID_TOKEN=tokens(f"{ref}:{branch}", GITLAB), **variables)
        check(f"GitLab: the script of `{name}`, in its role: exit {wanted}", done.returncode == wanted,
              f"{done.returncode} {done.stdout[-2000:]} {done.stderr[-2000:]}")
        os.remove(token_file)

    job("plan", "feature", 0)
    job("deploy", "main", 0)
    job("drift", "main", 0)
    check("GitLab: no secret was said, and no private key was on a runner", not pipeline.leaks(), str(pipeline.leaks()))
    pipeline.run(f"thinggate destroy {pipeline.stack} --yes --delete-key", **pipeline.account.key())


def main():
    kinds = sys.argv[1:] or list(credential_kinds.ALL)
    with folder(recorded=False) as home:  # some kinds of credentials are files
        ready = bootstrap(home)
        target = Target(home)
        try:
            committed_half(home, target, ready)
            github(home, target, ready)
            gitlab(home, target, ready)
            pipeline_guide.follow(home, target, ready)
            lives(home, target, ready, kinds)
        finally:
            target.stop()
    finish()


if __name__ == "__main__":
    main()
