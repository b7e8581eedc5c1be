//! Answers that mean "not yet", and how long each is worth waiting for. Nothing else retries, besides
//! the SDK's own attempts (throttling, 5xx, broken connections).

use std::time::Duration;

use super::wait::Condition;

/// How often the SDK sends one request, the first time included.
pub const ATTEMPTS_MAX: u32 = 5;
/// One attempt of an ordinary call.
pub const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(30);
/// One attempt of a call that carries a package (50 MB at most).
pub const UPLOAD_TIME_MAX: Duration = minutes(2);

/// Until there are credentials: somebody may have to touch a key for them.
pub const CREDENTIALS_TIME_MAX: Duration = minutes(1);

/// A new role cannot be assumed by Lambda at once. Five minutes is what Terraform waits
/// (`internal/service/lambda`, `iamPropagationTimeout` and `lambdaPropagationTimeout`).
pub const ROLE_PROPAGATION: Condition =
    Condition { until: "the role can be assumed by Lambda", within: minutes(5) };
/// A function that is being created or changed refuses the next change (Lambda developer guide,
/// "Lambda function states").
pub const FUNCTION_SETTLED: Condition = Condition { until: "the function has settled", within: minutes(5) };
/// An authorizer just switched off is still taken for active for a few seconds
/// (`aws-cloudformation-resource-providers-iot`, `aws-iot-authorizer` delete handler: 5 s).
pub const AUTHORIZER_INACTIVE: Condition =
    Condition { until: "the authorizer counts as inactive", within: minutes(1) };
/// A deleted authorizer is still described for a while (same handler: polls until it is gone).
pub const AUTHORIZER_GONE: Condition = Condition { until: "the authorizer is gone", within: minutes(2) };
/// A key that an update took away may be described for as long as a status change is (same handler).
pub const KEYS_GONE: Condition =
    Condition { until: "the keys that were taken away are gone", within: minutes(1) };
/// IAM answers from copies: a new role is not found for a while (Terraform: 2 min,
/// `internal/service/iam/role.go`).
pub const ROLE_SEEN: Condition =
    Condition { until: "the new role is seen with this stack's tag", within: minutes(2) };
/// As [`ROLE_SEEN`]; no source says how long.
pub const LOG_GROUP_SEEN: Condition =
    Condition { until: "the new log group is seen with this stack's tag", within: minutes(1) };
/// As [`ROLE_SEEN`]; no source says how long.
pub const FUNCTION_SEEN: Condition =
    Condition { until: "the new function is seen with this stack's tag", within: minutes(1) };
/// As [`ROLE_SEEN`]; no source says how long.
pub const AUTHORIZER_SEEN: Condition =
    Condition { until: "the new authorizer is seen with this stack's tag", within: minutes(1) };
/// Lists of parameters are made "on a best-effort basis" (Systems Manager API reference,
/// `DescribeParameters`); no source says how long. A key that is not seen would be registered too late.
pub const KEY_SEEN: Condition =
    Condition { until: "the new signing key is seen with this stack's tag", within: minutes(2) };
/// What was written is read back at the end of a run; copies may lag behind as those of [`ROLE_SEEN`].
pub const SETTLED: Condition =
    Condition { until: "everything that was written is read back", within: minutes(1) };
/// A deleted function is still there in state `Deleting`.
pub const FUNCTION_GONE: Condition = Condition { until: "the function is gone", within: minutes(2) };
/// Detached and deleted policies still count against `DeleteRole` for a while (Terraform: 2 min,
/// `internal/service/iam/role.go`).
pub const ROLE_DELETABLE: Condition =
    Condition { until: "the role's policies are gone everywhere", within: minutes(2) };
/// Two changes of one log group at the same time (CloudWatch Logs API reference,
/// `OperationAbortedException`).
pub const LOG_GROUP_FREE: Condition =
    Condition { until: "no other change of the log group runs", within: minutes(1) };
/// Two changes of one role at the same time (IAM API reference, `ConcurrentModification`).
pub const ROLE_FREE: Condition = Condition { until: "no other change of the role runs", within: minutes(1) };

/// What a write of AWS IoT is about may not be known to the copy that answers it: a status just changed
/// ([`AUTHORIZER_INACTIVE`]), the default just cleared, an alias just made. No code tells that from a request
/// that is wrong for good, so that the patience is short.
pub const IOT_CAUGHT_UP: Condition =
    Condition { until: "AWS IoT knows what was changed before", within: Duration::from_secs(20) };
/// The code in `$LATEST` is compared by a copy that does not have the last upload yet; as
/// [`FUNCTION_SEEN`].
pub const CODE_SEEN: Condition =
    Condition { until: "the code that was uploaded is seen", within: Duration::from_secs(30) };
/// A version or an alias that was just made is unknown to the call that needs it (Terraform:
/// `internal/service/lambda/permission.go` tries `AddPermission` again after a not-found).
pub const RELEASE_SEEN: Condition =
    Condition { until: "what was just made of the function is seen", within: minutes(1) };
/// The slot says that it is taken by our own authorizer, after it was found empty: by a copy from before it
/// was cleared, or for good, which only time tells.
pub const DEFAULT_SETTLED: Condition =
    Condition { until: "the default authorizer is known everywhere", within: Duration::from_secs(20) };

/// Others in the account use up what AWS allows it together, for longer than the SDK's attempts last; AWS
/// fills its buckets within a second, so that a minute of refusals is no burst.
pub const TAKES_REQUESTS: Condition =
    Condition { until: "AWS takes more requests", within: Duration::from_mins(1) };

/// An answer that means "not yet".
#[derive(Debug, PartialEq, Eq)]
pub struct NotYet {
    /// The operations that give it; empty: every operation.
    operations: &'static [&'static str],
    /// The error code as on the wire.
    code: &'static str,
    /// What its text says; empty: anything.
    says: &'static str,
    /// What to wait for, and how long.
    pub condition: Condition,
    /// What it meant all along, when that time is up.
    pub otherwise: Otherwise,
}

/// What an answer means that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// What was waited for did not come.
    TimedOut,
    /// The request is wrong.
    Invalid,
}

/// The table. Texts are recorded from AWS; each row's source is in the doc of its condition.
pub const NOT_YET: &[NotYet] = &[
    NotYet {
        operations: &["CreateFunction", "UpdateFunctionConfiguration"],
        code: "InvalidParameterValueException",
        says: "cannot be assumed by Lambda",
        condition: ROLE_PROPAGATION,
        otherwise: Otherwise::TimedOut,
    },
    // A just written policy that Lambda does not see yet (Terraform, `retryFunctionOp`).
    NotYet {
        operations: &["CreateFunction", "UpdateFunctionConfiguration"],
        code: "InvalidParameterValueException",
        says: "execution role does not have permissions",
        condition: ROLE_PROPAGATION,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &[],
        code: "ResourceConflictException",
        says: "in progress",
        condition: FUNCTION_SETTLED,
        otherwise: Otherwise::TimedOut,
    },
    // A function in state Pending refuses changes, in one of two texts (recorded in remotion-dev/remotion
    // issue 1186 and aws/serverless-application-model issue 2356).
    NotYet {
        operations: &[],
        code: "ResourceConflictException",
        says: "in the following state: Pending",
        condition: FUNCTION_SETTLED,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &[],
        code: "ResourceConflictException",
        says: "in the following state: 'Pending'",
        condition: FUNCTION_SETTLED,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &["DeleteAuthorizer"],
        code: "DeleteConflictException",
        says: "",
        condition: AUTHORIZER_INACTIVE,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &["DeleteAuthorizer"],
        code: "InvalidRequestException",
        says: "",
        condition: AUTHORIZER_INACTIVE,
        otherwise: Otherwise::TimedOut,
    },
    // A new role that this copy of IAM does not see yet.
    NotYet {
        operations: &["PutRolePolicy"],
        code: "NoSuchEntity",
        says: "",
        condition: ROLE_SEEN,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &["DeleteRole"],
        code: "DeleteConflict",
        says: "",
        condition: ROLE_DELETABLE,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &[],
        code: "ConcurrentModification",
        says: "",
        condition: ROLE_FREE,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &[],
        code: "OperationAbortedException",
        says: "",
        condition: LOG_GROUP_FREE,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &["CreateAuthorizer", "UpdateAuthorizer", "SetDefaultAuthorizer"],
        code: "InvalidRequestException",
        says: "",
        condition: IOT_CAUGHT_UP,
        otherwise: Otherwise::Invalid,
    },
    NotYet {
        operations: &["SetDefaultAuthorizer", "TagResource"],
        code: "ResourceNotFoundException",
        says: "",
        condition: AUTHORIZER_SEEN,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &["UpdateFunctionConfiguration", "UpdateFunctionCode"],
        code: "ResourceNotFoundException",
        says: "",
        condition: FUNCTION_SEEN,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &["PublishVersion", "CreateAlias", "UpdateAlias", "AddPermission"],
        code: "ResourceNotFoundException",
        says: "",
        condition: RELEASE_SEEN,
        otherwise: Otherwise::TimedOut,
    },
    NotYet {
        operations: &["PublishVersion"],
        code: "InvalidParameterValueException",
        says: "is different from current CodeSHA256 in $LATEST",
        condition: CODE_SEEN,
        otherwise: Otherwise::Invalid,
    },
];

/// The row that an answer stands in.
pub(crate) fn row(operation: &str, code: &str, text: &str) -> Option<&'static NotYet> {
    NOT_YET.iter().find(|row| {
        (row.operations.is_empty() || row.operations.contains(&operation))
            && same_code(row.code, code)
            && text.contains(row.says)
    })
}

const fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

/// IAM's codes lack the suffix on the wire (`DeleteConflict`), and some SDKs add it.
fn same_code(row: &str, code: &str) -> bool {
    row.trim_end_matches("Exception") == code.trim_end_matches("Exception")
}
