"""Where a stack on AWS sends its calls, derived from the data of botocore and from nothing of ours.

botocore builds and signs each call of a stack's life in each partition that has AWS IoT, by its endpoint rule
sets, `partitions.json` and service models; the call is stopped before it is sent. `endpoints.txt` holds what
came out; the test `cli::tests::endpoints` compares it with what the deployer sends. This suite derives it again
(`python3 tests/peers/endpoints.py write` writes it), checks the list of Regions that `validate` knows, and that
no variable and no file of AWS's configuration leads a stack elsewhere.
"""

import json
import os
import re
import subprocess
import sys
import urllib.parse

import botocore
import botocore.awsrequest
import botocore.session

sys.path.insert(0, os.path.dirname(__file__))

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "endpoints.txt")
REGIONS = os.path.join(HERE, "..", "..", "src", "stack", "regions.rs")
STACK_REGIONS = ("eu-west-1", "cn-north-1", "us-gov-west-1")
ACCOUNT = "000000000000"


def operations(region, partition):
    """The calls of a stack named `demo` whose authorizer is `door`, by service: operation and parameters."""
    function, role = "thinggate-demo", f"thinggate-demo-{region}"
    role_arn = f"arn:{partition}:iam::{ACCOUNT}:role/{role}"
    function_arn = f"arn:{partition}:lambda:{region}:{ACCOUNT}:function:{function}"
    authorizer_arn = f"arn:{partition}:iot:{region}:{ACCOUNT}:authorizer/door"
    group_arn = f"arn:{partition}:logs:{region}:{ACCOUNT}:log-group:/thinggate/demo"
    named, alias = {"FunctionName": function}, {"FunctionName": function, "Name": "live"}
    policy = {"RoleName": role, "PolicyName": "thinggate-logs"}
    tag = [{"Key": "thinggate:stack", "Value": f"demo@{region}"}]
    parameter = {"ResourceType": "Parameter", "ResourceId": "/demo/keys/1"}
    group, door = {"logGroupName": "/thinggate/demo"}, {"authorizerName": "door"}
    return {
        "sts": [("GetCallerIdentity", {})],
        "iam": [
            ("CreateRole", {"RoleName": role, "AssumeRolePolicyDocument": "{}"}), ("DeleteRole", {"RoleName": role}),
            ("GetRole", {"RoleName": role}), ("GetRolePolicy", policy), ("DeleteRolePolicy", policy),
            ("PutRolePolicy", {**policy, "PolicyDocument": "{}"}), ("ListRolePolicies", {"RoleName": role}),
            ("ListAttachedRolePolicies", {"RoleName": role}), ("TagRole", {"RoleName": role, "Tags": tag}),
            ("SimulatePrincipalPolicy", {"PolicySourceArn": role_arn, "ActionNames": ["iam:GetRole"]})],
        "iot": [
            ("CreateAuthorizer", {**door, "authorizerFunctionArn": function_arn}), ("UpdateAuthorizer", door),
            ("DescribeAuthorizer", door), ("DeleteAuthorizer", door), ("SetDefaultAuthorizer", door),
            ("DescribeDefaultAuthorizer", {}), ("ClearDefaultAuthorizer", {}), ("DescribeEndpoint", {}),
            ("TagResource", {"resourceArn": authorizer_arn, "tags": tag}),
            ("ListTagsForResource", {"resourceArn": authorizer_arn})],
        "lambda": [
            ("CreateFunction", {**named, "Role": role_arn, "Code": {"ZipFile": b""}}), ("GetFunction", named),
            ("GetFunctionConfiguration", named), ("UpdateFunctionCode", named),
            ("UpdateFunctionConfiguration", named), ("DeleteFunction", named), ("PublishVersion", named),
            ("CreateAlias", {**alias, "FunctionVersion": "1"}), ("GetAlias", alias), ("UpdateAlias", alias),
            ("DeleteAlias", alias), ("ListAliases", named),
            ("ListFunctionUrlConfigs", named), ("ListProvisionedConcurrencyConfigs", named), ("GetPolicy", named),
            ("AddPermission", {**named, "StatementId": "thinggate-iot", "Action": "lambda:InvokeFunction",
                               "Principal": "iot.amazonaws.com"}),
            ("RemovePermission", {**named, "StatementId": "thinggate-iot"}),
            ("TagResource", {"Resource": function_arn, "Tags": {"team": "iot"}})],
        "ssm": [
            ("PutParameter", {"Name": "/demo/keys/1", "Value": "v", "Type": "SecureString", "Tags": tag}),
            ("GetParameter", {"Name": "/demo/hs256", "WithDecryption": True}),
            ("DescribeParameters", {}), ("DeleteParameter", {"Name": "/demo/keys/1"}),
            ("AddTagsToResource", {**parameter, "Tags": tag}), ("ListTagsForResource", parameter)],
        "logs": [
            ("CreateLogGroup", group), ("DescribeLogGroups", {}), ("DeleteLogGroup", group),
            ("PutRetentionPolicy", {**group, "retentionInDays": 30}),
            ("TagResource", {"resourceArn": group_arn, "tags": {"team": "iot"}}),
            ("ListTagsForResource", {"resourceArn": group_arn})],
    }


def unconfigured():
    """A botocore session that no variable and no file of this machine changes."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    session = botocore.session.Session()
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", os.devnull)
    session.set_credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    return session


def data(name):
    with open(os.path.join(botocore.__path__[0], "data", name), encoding="utf-8") as file:
        return json.load(file)


def partition_of(region):
    """The partition whose `regionRegex` the Region matches."""
    return next(one["id"] for one in data("partitions.json")["partitions"] if re.match(one["regionRegex"], region))


class Stopped(Exception):
    """Carries a signed call out of botocore, which does not send it."""

    def __init__(self, request):
        super().__init__()
        self.request = request


def stop(request, **_):
    raise Stopped(request)


def signed(client, operation, parameters):
    """The call as botocore would send it."""
    method = next(name for name, known in client.meta.method_to_api_mapping.items() if known == operation)
    try:
        getattr(client, method)(**parameters)
    except Stopped as stopped:
        return stopped.request
    raise RuntimeError(f"{operation} was not stopped")


def line(region, request):
    """One call as a line of the table."""
    def text(value):
        return value.decode() if isinstance(value, bytes) else value

    headers = {name.lower(): text(value) for name, value in request.headers.items()}
    url = urllib.parse.urlsplit(request.url)
    _, _, signing_region, signing_name, _ = re.search(r"Credential=([^,]+)", headers["authorization"])[1].split("/")
    action = headers.get("x-amz-target")
    if action is None and request.body and "x-www-form-urlencoded" in headers.get("content-type", ""):
        action = dict(urllib.parse.parse_qsl(text(request.body)))["Action"]
    return " ".join((region, url.netloc, request.method, url.path, action or "-", signing_name, signing_region))


def derived():
    """The table's lines."""
    lines = set()
    for region in STACK_REGIONS:
        session = unconfigured()
        for service, calls in operations(region, partition_of(region)).items():
            client = session.create_client(service, region_name=region)
            client.meta.events.register("before-send", stop)
            lines.update(line(region, signed(client, *call)) for call in calls)
    return sorted(lines)


def table():
    head = f"# Region, host, method, path, action, signing name, signing Region; from botocore {botocore.__version__}"
    return "\n".join([head, *derived(), ""])


def regions_with_iot():
    """Every Region that botocore's data lists for the AWS IoT control plane, without the entries for FIPS."""
    found = set()
    for partition in data("endpoints.json")["partitions"]:
        endpoints = partition["services"].get("iot", {}).get("endpoints", {})
        found.update(name for name in endpoints if name in partition["regions"])
    return sorted(found)


def every_region():
    return sorted(name for partition in data("endpoints.json")["partitions"] for name in partition["regions"])


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def known_regions():
    """The Regions that the deployer knows."""
    return re.findall(r'^ +"([a-z0-9-]+)",$', read(REGIONS), flags=re.M)


def main():
    if sys.argv[1:] == ["write"]:
        with open(TABLE, "w", encoding="utf-8") as file:
            file.write(table())
        return
    from endpoints_suite import suite
    suite()


if __name__ == "__main__":
    main()
