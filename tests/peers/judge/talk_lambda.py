"""The Lambda part of the conversation: a command of the AWS CLI, the code that it ends with (empty: none), the exact
text of the refusal where it is known, and where it is known from.

Sources are tests of LocalStack whose snapshots were recorded from AWS, `tests/aws/services/lambda_/` of
localstack/localstack at 8b9a79f05, in `test_lambda_api.snapshot.json` unless said otherwise.
"""

INVALID, VALIDATION = "InvalidParameterValueException", "ValidationException"
MISSING, CONFLICT, STALE = "ResourceNotFoundException", "ResourceConflictException", "PreconditionFailedException"
ONE = "1 validation error detected: Value"
UNSATISFIED = "failed to satisfy constraint: Member must"
STALE_FUNCTION = ("The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
                  "retrieve the latest Revision Id")
STALE_POLICY = ("The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the "
                "latest Revision Id")
NAME = (r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
        r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?")
QUALIFIER = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
ROLE = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
RUNTIMES = ("nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, "
            "python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, "
            "java11, dotnet6, nodejs18.x, provided.al2, java8.al2")
CREATE = ("lambda create-function --runtime provided.al2023 --handler bootstrap --role {role} --zip-file fileb://{zip} "
          "--function-name")
BARE = "lambda create-function --runtime provided.al2023 --handler bootstrap --role {role}"
GRANT = "lambda add-permission --function-name f --action lambda:InvokeFunction --statement-id"
IOT = "--principal iot.amazonaws.com"

CREATING = [
    ("lambda get-function --function-name f", MISSING, "Function not found: {fn}", "test_function_lifecycle"),
    ("lambda get-function-configuration --function-name f", MISSING, "Function not found: {fn}", "test_function_lifecycle"),
    (f"{CREATE} f --architectures x86_64 arm64", VALIDATION, f"{ONE} '[x86_64, arm64]' at 'architectures' {UNSATISFIED} "
     "have length less than or equal to 1", "test_create_lambda_exceptions"),
    (f"{CREATE} f --architectures X86_64", VALIDATION, f"{ONE} '[X86_64]' at 'architectures' {UNSATISFIED} satisfy constraint: "
     "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]", "test_create_lambda_exceptions"),
    (f"{CREATE} f --role r1", VALIDATION, f"{ONE} 'r1' at 'role' {UNSATISFIED} satisfy regular expression pattern: {ROLE}",
     "test_create_lambda_exceptions"),
    (f"{CREATE} f --runtime non-existent-runtime", INVALID, "Value non-existent-runtime at 'runtime' failed to satisfy "
     f"constraint: Member must satisfy enum value set: [{RUNTIMES}] or be a valid ARN", "test_create_lambda_exceptions"),
    (f"{CREATE} f --runtime nodejs12.x", INVALID, "The runtime parameter of nodejs12.x is no longer supported for creating or "
     "updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.",
     "test_lambda_runtimes.snapshot.json, TestRuntimeValidation"),
    (f"{CREATE} f --runtime nodejs14.x", INVALID, "The runtime parameter of nodejs14.x is no longer supported for creating or "
     "updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.",
     "test_lambda_runtimes.snapshot.json, TestRuntimeValidation"),
    (f"{CREATE} {{long65}}", INVALID, f"{ONE} '{{long65}}' at 'functionName' {UNSATISFIED} have length less than or equal to 64",
     "test_function_arns"),
    (f"{CREATE} f --timeout 901", VALIDATION, "", ""),
    (f"{CREATE} f --environment Variables={{AWS_REGION=x}}", INVALID, "", ""),
    (f"{CREATE} f --environment Variables={{AAA={{long4096}}}}", INVALID, "Lambda was unable to configure your environment "
     "variables because the environment variables you have provided exceeded the 4KB limit. String measured: "
     '{"AAA":"{long4096}"}', "test_large_environment_variables_fails"),
    (f"{CREATE} f --role arn:aws:iam::000000000000:role/nobody", INVALID,
     "The role defined for the function cannot be assumed by Lambda.", "terraform-provider-aws internal/service/lambda/function.go"),
    (f"{CREATE} f --tags team=iot", "", "", ""),
    (f"{CREATE} f", CONFLICT, "Function already exist: f", "LocalStack's services/lambda_/provider.py"),
    "-30",  # the function is pending until its clock says otherwise
    ("lambda update-function-configuration --function-name f --timeout 9", CONFLICT, "", ""),
    "30",
    ("lambda get-function --function-name f", "", "", ""),
    "3",
    ("lambda get-function --function-name f", "", "", ""),
    ("lambda get-function-configuration --function-name f", "", "", ""),
    ("lambda get-function-configuration --function-name {fn}", "", "", ""),
    ("lambda get-function --function-name f --qualifier $LATEST", "", "", ""),
    ("lambda get-function --function-name f --qualifier invalid!", VALIDATION, f"{ONE} 'invalid!' at 'qualifier' {UNSATISFIED} "
     f"satisfy regular expression pattern: {QUALIFIER}", "test_function_name_and_qualifier_validation"),
    ("lambda get-function --function-name f:1 --qualifier 2", INVALID, "The derived qualifier from the function name does not "
     "match the specified qualifier.", "test_ops_with_arn_qualifier_mismatch"),
    ("lambda get-function --function-name f --qualifier $latest", MISSING, "Function not found: {fn}:$latest",
     "test_function_name_and_qualifier_validation"),
    ("lambda get-function --function-name my-function!", VALIDATION, f"{ONE} 'my-function!' at 'functionName' {UNSATISFIED} "
     f"satisfy regular expression pattern: {NAME}", "test_function_name_and_qualifier_validation"),
    ("lambda get-function --function-name arn:aws:lambda:eu-north-1:000000000000:function:f", MISSING,
     "Functions from 'eu-north-1' are not reachable in this region ('eu-west-1')", "test_function_arns"),
    ("lambda get-function-code-signing-config --function-name f", "", "", ""),
    ("lambda list-functions", "", "", ""),
    ("lambda list-functions --function-version ALL", "", "", ""),
    ("lambda list-functions --function-version invalid", VALIDATION, f"{ONE} 'invalid' at 'functionVersion' {UNSATISFIED} satisfy "
     "enum value set: [ALL]", "test_list_functions"),
]

CHANGING = [
    ("lambda update-function-configuration --function-name f --timeout 5", "", "", ""),
    "-30",
    ("lambda update-function-code --function-name f --zip-file fileb://{zip2}", CONFLICT, "The operation cannot be performed at "
     "this time. An update is in progress for resource: {fn}", "test_lambda.snapshot.json, test_lambda_concurrent_code_updates"),
    "33",
    ("lambda update-function-configuration --function-name f --revision-id wrong --timeout 6", STALE, STALE_FUNCTION,
     "test_function_revisions_basic"),
    ("lambda update-function-configuration --function-name none --timeout 5", MISSING, "Function not found: {none}",
     "test_lambda.snapshot.json, test_lambda_update_nonexisting"),
    ("lambda update-function-configuration --function-name f --environment Variables={AA=1} --memory-size 256", "", "", ""),
    "3",
    ("lambda update-function-code --function-name f --zip-file fileb://{zip2} --dry-run", "", "", ""),
    ("lambda update-function-code --function-name f --zip-file fileb://{zip2} --revision-id wrong", STALE, STALE_FUNCTION,
     "test_function_revisions_basic"),
    ("lambda update-function-code --function-name f --zip-file fileb://{zip2}", "", "", ""),
    "3",
    ("lambda update-function-code --function-name none --zip-file fileb://{zip2}", MISSING, "Function not found: {none}",
     "test_lambda.snapshot.json, test_lambda_update_nonexisting"),
    ("lambda publish-version --function-name f --code-sha256 somenonexistentsha256", INVALID, "CodeSHA256 (somenonexistentsha256) is "
     "different from current CodeSHA256 in $LATEST ({sha2}). Please try again with the CodeSHA256 in $LATEST.",
     "test_publish_with_wrong_sha256"),
    ("lambda publish-version --function-name f --revision-id wrong", STALE, STALE_FUNCTION, "test_function_revisions_version_and_alias"),
    ("lambda publish-version --function-name f --description one", "", "", ""),
    ("lambda publish-version --function-name f", "", "", ""),
    ("lambda publish-version --function-name none", MISSING, "Function not found: {none}", "test_version_on_nonexistent"),
    ("lambda list-versions-by-function --function-name f", "", "", ""),
    ("lambda list-versions-by-function --function-name none", MISSING, "", ""),
    ("lambda get-function-configuration --function-name f --qualifier 1", "", "", ""),
    ("lambda get-function-configuration --function-name f --qualifier 7", MISSING, "Function not found: {fn}:7", "test_version_lifecycle"),
    ("lambda create-alias --function-name f --name live --function-version 7", MISSING, "Function not found: {fn}:7",
     "test_notfound_and_invalid_routingconfigs"),
    ("lambda create-alias --function-name f --name 2024 --function-version 1", VALIDATION, f"{ONE} '2024' at 'name' {UNSATISFIED} "
     "satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)", "test_alias_naming"),
    ("lambda create-alias --function-name f --name live --function-version 1 --description d", "", "", ""),
    ("lambda create-alias --function-name f --name live --function-version 1", CONFLICT, "Alias already exists: {fn}:live",
     "test_alias_lifecycle"),
    ("lambda create-alias --function-name none --name live --function-version 1", MISSING, "Function not found: {none}:1",
     "test_notfound_and_invalid_routingconfigs"),
    ("lambda create-alias --function-name f --name two --function-version 1 --routing-config AdditionalVersionWeights={1=0.5}", INVALID,
     "Invalid function version 1. Function version 1 is already included in routing configuration.",
     "test_notfound_and_invalid_routingconfigs"),
    ("lambda create-alias --function-name f --name two --function-version $LATEST --routing-config AdditionalVersionWeights={1=0.5}",
     INVALID, "$LATEST is not supported for an alias pointing to more than 1 version", "test_notfound_and_invalid_routingconfigs"),
    ("lambda create-alias --function-name f --name two --function-version 1 --routing-config AdditionalVersionWeights={1=0.5,2=0.5}",
     INVALID, "Number of items in AdditionalVersionWeights cannot be greater than 1", "test_notfound_and_invalid_routingconfigs"),
    ("lambda get-alias --function-name f --name live", "", "", ""),
    ("lambda get-alias --function-name f --name none", MISSING, "Cannot find alias arn: {fn}:none", "test_alias_lifecycle"),
    ("lambda update-alias --function-name f --name live --description e", "", "", ""),
    ("lambda update-alias --function-name f --name live --revision-id wrong", STALE, STALE_FUNCTION,
     "test_function_revisions_version_and_alias"),
    ("lambda update-alias --function-name f --name none --description e", MISSING, "Alias not found: {fn}:none",
     "test_non_existent_alias_update"),
    ("lambda list-aliases --function-name f", "", "", ""),
    ("lambda list-aliases --function-name f --function-version 1", "", "", ""),
    ("lambda delete-function --function-name f --qualifier $LATEST", INVALID, "$LATEST version cannot be deleted without deleting the "
     "function.", "test_delete_on_nonexisting_version"),
    ("lambda delete-function --function-name f --qualifier 1233", "", "", ""),
]

GRANTING = [
    ("lambda get-policy --function-name f", MISSING, "The resource you requested does not exist.", "test_permission_exceptions"),
    ("lambda get-policy --function-name none", MISSING, "The resource you requested does not exist.", "test_permission_exceptions"),
    ("lambda remove-permission --function-name f --statement-id s", MISSING, "No policy is associated with the given resource.",
     "test_permission_exceptions"),
    ("lambda remove-permission --function-name none --statement-id s", MISSING, "No policy found for: {none}",
     "test_remove_multi_permissions"),
    (f"{GRANT} example.com {IOT}", VALIDATION, f"{ONE} 'example.com' at 'statementId' {UNSATISFIED} satisfy regular expression "
     "pattern: ([a-zA-Z0-9-_]+)", "test_permission_exceptions"),
    (f"{GRANT} s {IOT} --qualifier $LATEST", INVALID, "We currently do not support adding policies for $LATEST.",
     "test_permission_exceptions"),
    (f"{GRANT} s --principal invalid.nonaws.com", INVALID, "The provided principal was invalid. Please check the principal and try "
     "again.", "test_permission_exceptions"),
    (f"{GRANT} s {IOT} --qualifier none", MISSING, "Cannot find alias arn: {fn}:none", "test_permission_exceptions"),
    (f"{GRANT} s {IOT} --qualifier 42", MISSING, "Function not found: {fn}:42", "test_permission_exceptions"),
    (f"{GRANT} s {IOT} --qualifier invalid-qualifier-with-?-char", VALIDATION, f"{ONE} 'invalid-qualifier-with-?-char' at 'qualifier' "
     f"{UNSATISFIED} satisfy regular expression pattern: {QUALIFIER}", "test_permission_exceptions"),
    (f"{GRANT} s {IOT} --source-arn {{auth}} --source-account 000000000000", "", "", ""),
    (f"{GRANT} s {IOT}", CONFLICT, "The statement id (s) provided already exists. Please provide a new statement id, or remove the "
     "existing statement.", "test_permission_exceptions"),
    (f"{GRANT} t {IOT} --revision-id wrong", STALE, STALE_POLICY, "test_function_revisions_permissions"),
    (f"{GRANT} s {IOT} --qualifier live --source-arn {{auth}} --source-account 000000000000", "", "", ""),
    ("lambda get-policy --function-name f", "", "", ""),
    ("lambda get-policy --function-name f --qualifier live", "", "", ""),
    ("lambda remove-permission --function-name f --statement-id t", MISSING, "Statement t is not found in resource policy.",
     "test_remove_multi_permissions"),
    ("lambda remove-permission --function-name f --statement-id s --revision-id wrong", STALE, STALE_POLICY,
     "test_function_revisions_permissions"),
    ("lambda remove-permission --function-name f --statement-id s", "", "", ""),
    ("lambda list-tags --resource {fn}", "", "", ""),
    ("lambda list-tags --resource arn:aws:something", VALIDATION, "", ""),
    ("lambda tag-resource --resource {fn} --tags a=b", "", "", ""),
    ("lambda tag-resource --resource {fn}:live --tags a=b", INVALID, "Tags on function aliases and versions are not supported. Please "
     "specify a function ARN.", "TestLambdaTags"),
    ("lambda tag-resource --resource {fn} --tags {}", INVALID, "An error occurred and the request cannot be processed.",
     "TestLambdaTags"),
    ("lambda tag-resource --resource {fn} --tags {many}", INVALID, "Number of tags exceeds resource tag limit.", "TestLambdaTags"),
    ("lambda tag-resource --resource {none} --tags a=b", MISSING, "Function not found: {none}", "TestLambdaTags"),
    ("lambda untag-resource --resource {fn} --tag-keys a", "", "", ""),
    ("lambda put-function-concurrency --function-name f --reserved-concurrent-executions 901", INVALID, "Specified "
     "ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
     "TestLambdaReservedConcurrency"),
    ("lambda put-function-concurrency --function-name none --reserved-concurrent-executions 1", MISSING,
     "Function not found: {none}:$LATEST", "TestLambdaReservedConcurrency"),
    ("lambda put-function-concurrency --function-name f:live --reserved-concurrent-executions 1", INVALID, "This operation is permitted "
     "on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an "
     "unqualified function ARN.", "TestLambdaReservedConcurrency"),
    ("lambda put-function-concurrency --function-name f --reserved-concurrent-executions 5", "", "", ""),
    ("lambda get-function-concurrency --function-name f", "", "", ""),
    ("lambda delete-function-concurrency --function-name f", "", "", ""),
    ("lambda get-function-concurrency --function-name f", "", "", ""),
    ("lambda invoke --function-name f {out}", "", "", ""),
    ("lambda invoke --function-name f --invocation-type DryRun {out}", "", "", ""),
    ("lambda invoke --function-name none {out}", MISSING, "Function not found: {none}:$LATEST", "test_function_arns, incomplete_arn"),
]

ENDING = [
    ("lambda delete-alias --function-name f --name live", "", "", ""),
    ("lambda delete-alias --function-name f --name live", "", "", ""),
    ("lambda delete-function --function-name f", "", "", ""),
    ("lambda delete-function --function-name f", MISSING, "Function not found: {fn}", "test_function_lifecycle"),
]

# What the AWS CLI itself would not send; sent with botocore. Operation, parameters, code, text, source.
UNSENT = [
    ("CreateFunction", {"Code": {"ZipFile": b"no zip"}}, INVALID, "Could not unzip uploaded file. Please check your file, then try to "
     "upload again.", "test_create_lambda_exceptions"),
    ("CreateFunction", {"Timeout": 0}, VALIDATION, f"1 validation error detected: Value '0' at 'timeout' {UNSATISFIED} have value greater "
     "than or equal to 1", "the form of test_function_arns"),
    ("CreateFunction", {"FunctionName": None}, VALIDATION, f"1 validation error detected: Value null at 'functionName' {UNSATISFIED} not "
     "be null", "the form of TestLambdaTags"),
    ("UntagResource", {"TagKeys": None}, VALIDATION, f"1 validation error detected: Value null at 'tagKeys' {UNSATISFIED} not be null",
     "TestLambdaTags"),
]
