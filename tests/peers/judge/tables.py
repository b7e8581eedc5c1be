"""What AWS's documentation says beyond the models; each row with its source."""

# Members that AWS always sends, although the model does not require them.
CONFIGURATION = (
    # LocalStack's records of AWS, `test_lambda_api.snapshot.json`, `test_function_lifecycle`: create_response.
    "FunctionName", "FunctionArn", "Runtime", "Role", "Handler", "CodeSize", "Description", "Timeout", "MemorySize",
    "LastModified", "CodeSha256", "Version", "TracingConfig.Mode", "RevisionId", "PackageType", "Architectures",
    "EphemeralStorage.Size", "SnapStart.ApplyOn", "SnapStart.OptimizationStatus", "LoggingConfig.LogFormat",
    "LoggingConfig.LogGroup",
)
STATED = CONFIGURATION + ("State", "RuntimeVersionConfig.RuntimeVersionArn")
ALIAS = ("AliasArn", "Name", "FunctionVersion", "Description", "RevisionId")  # the same file, `test_alias_lifecycle`
# Lambda API Reference, GetFunction and the file above: after an update or the creation.
ROLE = ("Role.Path", "Role.RoleName", "Role.RoleId", "Role.Arn", "Role.CreateDate", "Role.AssumeRolePolicyDocument")
DESCRIPTION = ("authorizerDescription.authorizerName", "authorizerDescription.authorizerArn",
               "authorizerDescription.authorizerFunctionArn", "authorizerDescription.status",
               "authorizerDescription.creationDate", "authorizerDescription.lastModifiedDate",
               "authorizerDescription.signingDisabled", "authorizerDescription.enableCachingForHttp")


def below(prefix, members):
    return tuple(f"{prefix}.{member}" for member in members)


ALWAYS = {
    # AWS CLI Command Reference, examples of the `iot` commands of these names.
    "iot:CreateAuthorizer": ("authorizerName", "authorizerArn"),
    "iot:UpdateAuthorizer": ("authorizerName", "authorizerArn"),
    "iot:DescribeAuthorizer": DESCRIPTION,
    "iot:DescribeDefaultAuthorizer": DESCRIPTION,
    "iot:SetDefaultAuthorizer": ("authorizerName", "authorizerArn"),
    "iot:ListAuthorizers": ("authorizers", "authorizers[].authorizerName", "authorizers[].authorizerArn"),
    "iot:ListTagsForResource": ("tags",),
    "iot:DescribeEndpoint": ("endpointAddress",),
    "iot:TestInvokeAuthorizer": ("isAuthenticated",),
    # STS API Reference, GetCallerIdentity, example.
    "sts:GetCallerIdentity": ("Arn", "UserId", "Account"),
    # IAM API Reference, examples of the actions of these names.
    "iam:CreateRole": ROLE,
    "iam:GetRole": ROLE + ("Role.MaxSessionDuration", "Role.RoleLastUsed"),
    "iam:ListRoles": ("IsTruncated", "Roles", "Roles[].MaxSessionDuration", "Roles[].Arn"),
    "iam:GetRolePolicy": ("RoleName", "PolicyName", "PolicyDocument"),
    "iam:ListRolePolicies": ("IsTruncated", "PolicyNames"),
    "iam:ListAttachedRolePolicies": (
        "IsTruncated", "AttachedPolicies", "AttachedPolicies[].PolicyName", "AttachedPolicies[].PolicyArn"),
    "iam:ListInstanceProfilesForRole": ("IsTruncated", "InstanceProfiles"),
    "iam:ListRoleTags": ("IsTruncated", "Tags"),
    "iam:SimulatePrincipalPolicy": (
        "IsTruncated", "EvaluationResults", "EvaluationResults[].EvalActionName",
        "EvaluationResults[].EvalResourceName", "EvaluationResults[].EvalDecision"),
    # LocalStack's records, `test_lambda_api.snapshot.json`.
    "lambda:CreateFunction": STATED,
    "lambda:GetFunction": below("Configuration", STATED) + ("Code.RepositoryType", "Code.Location"),
    "lambda:GetFunctionConfiguration": STATED,
    "lambda:UpdateFunctionConfiguration": STATED + ("LastUpdateStatus",),
    "lambda:UpdateFunctionCode": STATED + ("LastUpdateStatus",),
    "lambda:PublishVersion": STATED,
    "lambda:ListFunctions": ("Functions",) + below("Functions[]", CONFIGURATION),
    "lambda:ListVersionsByFunction": ("Versions",) + below("Versions[]", CONFIGURATION),
    "lambda:CreateAlias": ALIAS,
    "lambda:UpdateAlias": ALIAS,
    "lambda:GetAlias": ALIAS,
    "lambda:ListAliases": ("Aliases",) + below("Aliases[]", ALIAS),
    # Lambda API Reference, ListFunctionUrlConfigs and ListProvisionedConcurrencyConfigs, examples.
    "lambda:ListFunctionUrlConfigs": ("FunctionUrlConfigs",),
    "lambda:ListProvisionedConcurrencyConfigs": ("ProvisionedConcurrencyConfigs",),
    "lambda:AddPermission": ("Statement",),
    "lambda:GetPolicy": ("Policy", "RevisionId"),
    "lambda:Invoke": ("StatusCode",),
    "lambda:ListTags": ("Tags",),
    "lambda:PutFunctionConcurrency": ("ReservedConcurrentExecutions",),
    # `test_logs.snapshot.json` of the same records; CloudWatch Logs API Reference, examples.
    "logs:DescribeLogGroups": (
        "logGroups", "logGroups[].arn", "logGroups[].creationTime", "logGroups[].logGroupName",
        "logGroups[].metricFilterCount", "logGroups[].storedBytes", "logGroups[].logGroupArn",
        "logGroups[].logGroupClass"),
    "logs:DescribeLogStreams": (
        "logStreams", "logStreams[].arn", "logStreams[].creationTime", "logStreams[].logStreamName",
        "logStreams[].storedBytes"),
    "logs:ListTagsForResource": ("tags",),
    # AWS CLI Command Reference, examples of the `ssm` commands of these names.
    "ssm:PutParameter": ("Version", "Tier"),
    "ssm:GetParameter": ("Parameter.Name", "Parameter.Type", "Parameter.Value", "Parameter.Version",
                         "Parameter.LastModifiedDate", "Parameter.ARN", "Parameter.DataType"),
    "ssm:DescribeParameters": (
        "Parameters", "Parameters[].Name", "Parameters[].Type", "Parameters[].LastModifiedDate",
        "Parameters[].LastModifiedUser", "Parameters[].Version", "Parameters[].Tier", "Parameters[].Policies"),
    "ssm:ListTagsForResource": ("TagList",),
    "logs:GetLogEvents": (
        "events", "events[].ingestionTime", "events[].message", "events[].timestamp", "nextBackwardToken",
        "nextForwardToken"),
    "logs:FilterLogEvents": (
        "events", "events[].eventId", "events[].ingestionTime", "events[].logStreamName", "events[].message",
        "events[].timestamp"),
}

QUERY, REST, JSON = ("iam", "sts"), ("iot", "lambda"), ("logs", "ssm")
EVERY = QUERY + REST + JSON
# Errors that every operation may give, with their status. Source unless said otherwise: "Common Error Types" of the
# IAM, STS, Lambda, AWS IoT, CloudWatch Logs and Systems Manager API References.
COMMON = [
    (EVERY, "AccessDeniedException", 403),
    (EVERY, "InternalFailure", 500),
    (EVERY, "ServiceUnavailable", 503),
    (QUERY, "AccessDenied", 403),  # aws-actions/configure-aws-credentials#1446
    (QUERY, "IncompleteSignature", 400),
    (QUERY, "InvalidAction", 400),
    (QUERY, "InvalidClientTokenId", 403),
    (QUERY, "MalformedQueryString", 404),
    (QUERY, "MissingAction", 400),
    (QUERY, "MissingAuthenticationToken", 403),
    (QUERY, "SignatureDoesNotMatch", 403),  # aws/aws-sdk-go#156, cognitect-labs/aws-api#27
    (QUERY, "Throttling", 400),
    (QUERY, "ExpiredToken", 403),
    (QUERY, "ValidationError", 400),
    (QUERY, "InvalidInput", 400),  # botocore models it for most of iam's operations, not for all that check an ARN
    (QUERY, "MalformedInput", 400),  # Smithy, awsQuery: what cannot be read
    (QUERY, "NoSuchVersion", 400),
    (REST + JSON, "UnrecognizedClientException", 403),
    (REST + JSON, "ExpiredTokenException", 403),
    (REST + JSON, "IncompleteSignatureException", 403),
    (REST + JSON, "InvalidSignatureException", 403),  # aws/aws-sdk-js#4545
    (REST + JSON, "MissingAuthenticationTokenException", 403),
    (REST + JSON, "ThrottlingException", 400),
    (REST, "UnknownOperationException", 404),
    (JSON, "UnknownOperationException", 400),
    (("lambda",), "TooManyRequestsException", 429),
    (("lambda",), "ValidationException", 400),  # LocalStack's records, `test_create_lambda_exceptions`
    (("lambda",), "RequestEntityTooLargeException", 413),  # the same, `TestLambdaSizeLimits`
    (REST + JSON, "SerializationException", 400),  # Smithy, restJson1 and awsJson1_1: a body that is no input
    (JSON, "ValidationException", 400),  # DeleteLogGroup of the API Reference, deletion protection
]

# Where AWS's answers are not as its model says: service, kind of finding, end of the place, part of the text, source.
DOCUMENTED = [
    # IAM API Reference, AttachedPermissionsBoundary; AWS CLI, example of get-role with a boundary: "Policy".
    ("iam", "enum", "PermissionsBoundary.PermissionsBoundaryType", "'Policy'"),
    # LocalStack's records, `test_lambda_api.snapshot.json`, `test_function_lifecycle`: update_code_response.
    ("lambda", "enum", ".LastUpdateStatusReasonCode", "'Creating'"),
    # The same file, `get_function_csc_fnwithoutcsc`: a function without a configuration answers `{}`.
    ("lambda", "missing", "GetFunctionCodeSigningConfig.CodeSigningConfigArn", "required"),
    ("lambda", "missing", "GetFunctionCodeSigningConfig.FunctionName", "required"),
    # LocalStack's `services/lambda_/provider.py`, written after AWS: of a function that is not there it is this.
    ("lambda", "error code", "DeleteAlias", "ResourceNotFoundException"),
]
