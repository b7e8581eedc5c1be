"""A valid request for every operation that the local target answers; names that it takes are made by `world`."""

import json

ACCOUNT = "000000000000"
REGION = "eu-west-1"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
INLINE = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]})
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/ready"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ready"
AUTHORIZER_ARN = f"arn:aws:iot:{REGION}:{ACCOUNT}:authorizer/none"
GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:none"
MANAGED = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
TAGS = [{"Key": "team", "Value": "iot"}]
ROLE = {"RoleName": "none"}
FUNCTION = {"FunctionName": "none"}
GROUP = {"logGroupName": "none"}
CALLER = "arn:aws:iam::000000000000:user/local"
SESSION = {"RoleArn": "arn:aws:iam::000000000000:role/none", "RoleSessionName": "none"}
STREAM = {"logGroupName": "none", "logStreamName": "none"}


def bases(package):
    """By service and operation; `package` is a zip that Lambda takes."""
    return {
        "sts": {"GetCallerIdentity": {}, "AssumeRole": SESSION,
                "AssumeRoleWithWebIdentity": {**SESSION, "WebIdentityToken": "token"}},
        "iam": iam(), "iot": iot(), "lambda": functions(package), "logs": logs(), "ssm": ssm(),
    }


def iam():
    return {
        "CreateRole": {"RoleName": "made", "AssumeRolePolicyDocument": TRUST},
        "GetRole": ROLE,
        "UpdateRole": ROLE,
        "UpdateAssumeRolePolicy": {**ROLE, "PolicyDocument": TRUST},
        "DeleteRole": ROLE,
        "ListRoles": {},
        "ListInstanceProfilesForRole": ROLE,
        "PutRolePermissionsBoundary": {**ROLE, "PermissionsBoundary": MANAGED},
        "DeleteRolePermissionsBoundary": ROLE,
        "PutRolePolicy": {**ROLE, "PolicyName": "logs", "PolicyDocument": INLINE},
        "GetRolePolicy": {**ROLE, "PolicyName": "logs"},
        "DeleteRolePolicy": {**ROLE, "PolicyName": "logs"},
        "ListRolePolicies": ROLE,
        "AttachRolePolicy": {**ROLE, "PolicyArn": MANAGED},
        "DetachRolePolicy": {**ROLE, "PolicyArn": MANAGED},
        "ListAttachedRolePolicies": ROLE,
        "TagRole": {**ROLE, "Tags": TAGS},
        "UntagRole": {**ROLE, "TagKeys": ["team"]},
        "ListRoleTags": ROLE,
        "SimulatePrincipalPolicy": {"PolicySourceArn": CALLER, "ActionNames": ["iam:GetRole"]},
    }


def iot():
    name = {"authorizerName": "none"}
    return {
        "CreateAuthorizer": {"authorizerName": "made", "authorizerFunctionArn": FUNCTION_ARN, "signingDisabled": True},
        "UpdateAuthorizer": name,
        "DescribeAuthorizer": name,
        "DeleteAuthorizer": name,
        "ListAuthorizers": {},
        "SetDefaultAuthorizer": name,
        "DescribeDefaultAuthorizer": {},
        "ClearDefaultAuthorizer": {},
        "TestInvokeAuthorizer": name,
        "TagResource": {"resourceArn": AUTHORIZER_ARN, "tags": TAGS},
        "UntagResource": {"resourceArn": AUTHORIZER_ARN, "tagKeys": ["team"]},
        "ListTagsForResource": {"resourceArn": AUTHORIZER_ARN},
        "DescribeEndpoint": {"endpointType": "iot:Data-ATS"},
    }


def functions(package):
    arn = {"Resource": FUNCTION_ARN.replace("ready", "none")}
    return {
        "CreateFunction": {"FunctionName": "made", "Role": ROLE_ARN, "Code": {"ZipFile": package},
                           "Handler": "bootstrap", "Runtime": "provided.al2023"},
        "GetFunction": FUNCTION,
        "GetFunctionConfiguration": FUNCTION,
        "GetFunctionCodeSigningConfig": FUNCTION,
        "ListFunctions": {},
        "DeleteFunction": FUNCTION,
        "UpdateFunctionCode": {**FUNCTION, "ZipFile": package},
        "UpdateFunctionConfiguration": FUNCTION,
        "PublishVersion": FUNCTION,
        "ListVersionsByFunction": FUNCTION,
        "CreateAlias": {**FUNCTION, "Name": "live", "FunctionVersion": "1"},
        "UpdateAlias": {**FUNCTION, "Name": "live"},
        "GetAlias": {**FUNCTION, "Name": "live"},
        "DeleteAlias": {**FUNCTION, "Name": "live"},
        "ListAliases": FUNCTION,
        "AddPermission": {**FUNCTION, "StatementId": "iot", "Action": "lambda:InvokeFunction",
                          "Principal": "iot.amazonaws.com"},
        "GetPolicy": FUNCTION,
        "RemovePermission": {**FUNCTION, "StatementId": "iot"},
        "Invoke": FUNCTION,
        "PutFunctionConcurrency": {**FUNCTION, "ReservedConcurrentExecutions": 1},
        "GetFunctionConcurrency": FUNCTION,
        "DeleteFunctionConcurrency": FUNCTION,
        "CreateFunctionUrlConfig": {**FUNCTION, "AuthType": "NONE"},
        "GetFunctionUrlConfig": FUNCTION,
        "ListFunctionUrlConfigs": FUNCTION,
        "DeleteFunctionUrlConfig": FUNCTION,
        "PutProvisionedConcurrencyConfig": {**FUNCTION, "Qualifier": "live", "ProvisionedConcurrentExecutions": 1},
        "GetProvisionedConcurrencyConfig": {**FUNCTION, "Qualifier": "live"},
        "ListProvisionedConcurrencyConfigs": FUNCTION,
        "DeleteProvisionedConcurrencyConfig": {**FUNCTION, "Qualifier": "live"},
        "TagResource": {**arn, "Tags": {"team": "iot"}},
        "UntagResource": {**arn, "TagKeys": ["team"]},
        "ListTags": arn,
    }


def ssm():
    tagged = {"ResourceType": "Parameter", "ResourceId": "/none"}
    return {
        "PutParameter": {"Name": "/made", "Value": "v", "Type": "SecureString"},
        "GetParameter": {"Name": "/none"},
        "DescribeParameters": {},
        "DeleteParameter": {"Name": "/none"},
        "AddTagsToResource": {**tagged, "Tags": TAGS},
        "RemoveTagsFromResource": {**tagged, "TagKeys": ["team"]},
        "ListTagsForResource": tagged,
    }


def logs():
    return {
        "CreateLogGroup": {"logGroupName": "made"},
        "DeleteLogGroup": GROUP,
        "DescribeLogGroups": {},
        "PutRetentionPolicy": {**GROUP, "retentionInDays": 7},
        "DeleteRetentionPolicy": GROUP,
        "TagResource": {"resourceArn": GROUP_ARN, "tags": {"team": "iot"}},
        "UntagResource": {"resourceArn": GROUP_ARN, "tagKeys": ["team"]},
        "ListTagsForResource": {"resourceArn": GROUP_ARN},
        "CreateLogStream": STREAM,
        "DeleteLogStream": STREAM,
        "DescribeLogStreams": GROUP,
        "PutLogEvents": {**STREAM, "logEvents": [{"timestamp": 1, "message": "m"}]},
        "GetLogEvents": STREAM,
        "FilterLogEvents": GROUP,
    }
