"""A fresh target behind a recording proxy, and botocore clients that check nothing themselves."""

import io
import zipfile

import botocore.config
import botocore.exceptions

from judge import model
from judge.bases import REGION, ROLE_ARN, TRUST
from support import Proxy, Target

QUIET = botocore.config.Config(
    parameter_validation=False, inject_host_prefix=False, retries={"total_max_attempts": 1}, read_timeout=60)


def package(text="#!/bin/sh\nexit 1\n"):
    """A zip that Lambda takes, the same bytes each time."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, text)
    return kept.getvalue()


class World:
    """The target, the proxy, and what a client needs."""

    def __init__(self, home, *flags):
        self.target = Target(home, *flags)
        self.proxy = Proxy(self.target.run["control_url"])
        self.clients = {}

    def client(self, service, region=REGION):
        if (service, region) not in self.clients:
            run = self.target.run
            self.clients[service, region] = model.session().create_client(
                service, region_name=region, endpoint_url=self.proxy.url, config=QUIET,
                aws_access_key_id=run["access_key_id"], aws_secret_access_key=run["secret_access_key"])
        return self.clients[service, region]

    def call(self, service, operation, **parameters):
        """Status, code and text of a call's answer, and the answer; the code is empty where it succeeded."""
        try:
            answer = self.client(service)._make_api_call(operation, parameters)
        except botocore.exceptions.ClientError as error:
            answer = error.response
            return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"], answer
        return answer["ResponseMetadata"]["HTTPStatusCode"], "", "", answer

    def pass_time(self, seconds=20):
        self.target.admin("POST", "/_local/clock", {"advance_ms": seconds * 1000})

    def now_milliseconds(self):
        """The target's time."""
        return self.target.admin("POST", "/_local/clock", {"advance_ms": 0})[1]["now_ms"]

    def ready(self):
        """A role that Lambda may assume, and a function `ready`."""
        self.call("iam", "CreateRole", RoleName=ROLE_ARN.rpartition("/")[2], AssumeRolePolicyDocument=TRUST)
        self.pass_time()
        self.call("lambda", "CreateFunction", FunctionName="ready", Role=ROLE_ARN, Handler="bootstrap",
                  Runtime="provided.al2023", Code={"ZipFile": package()})
        self.pass_time()

    def stop(self):
        self.proxy.stop()
        self.target.stop()
