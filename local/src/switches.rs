//! How the local target answers the questions about AWS that only a real account can settle: section 12
//! of aws-facts. One table, so that an answer can be corrected in one place. The defaults are the strict
//! ones: what works under them works under the others.

mod table;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use table::{BadSwitch, Row, TABLE};

/// One answer per open question. Each variant named first is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Switches {
    /// Question 1: `SetDefaultAuthorizer` while one is set.
    pub set_default_again: SetDefaultAgain,
    /// Question 2: the refusal of `DeleteAuthorizer` while it is active or the default.
    pub delete_refusal: DeleteRefusal,
    /// Question 3: `UpdateAuthorizer` to `INACTIVE` of the default.
    pub deactivate_default: DeactivateDefault,
    /// Question 4: whether the function of an authorizer must exist.
    pub function_existence: Check,
    /// Question 4: whether a signing key must be an RSA public key of 2048 bits or more.
    pub signing_keys: Check,
    /// Question 5: the map of signing keys in `UpdateAuthorizer`.
    pub keys_on_update: KeysOnUpdate,
    /// Question 6: the status that a device gets when its authentication fails.
    pub failed_authentication: FailedAuthentication,
    /// Question 7: `TestInvokeAuthorizer` with a wrong signature.
    pub test_with_wrong_signature: TestInvoke,
    /// Question 7: `TestInvokeAuthorizer` of an inactive authorizer.
    pub test_of_inactive: TestInvoke,
    /// Question 8: the names of `protocolData.http.headers`.
    pub header_names: HeaderNames,
    /// Question 8: whether the function sees the signature that the device sent.
    pub signature_in_event: SignatureInEvent,
    /// Question 9: authorizers per account and Region.
    pub authorizers_max: usize,
    /// Question 9: active authorizers per account and Region.
    pub active_authorizers_max: usize,
    /// Question 11: a permission whose source is the function instead of the authorizer.
    pub function_as_source: FunctionAsSource,
    /// Which of two texts refuses a role that is not known everywhere yet (aws-facts 3.1).
    pub unpropagated_role: UnpropagatedRole,
    /// Question 12: an alias or a version in an authorizer's function ARN.
    pub qualified_function: QualifiedFunction,
    /// Question 5: keys that one authorizer can have.
    pub signing_keys_max: usize,
    /// For how long, in milliseconds, the copies of IAM that answer do not have a change yet (aws-facts 4).
    pub iam_delay_ms: u64,
    /// The same of Lambda (aws-facts 3.2).
    pub lambda_delay_ms: u64,
    /// The same of AWS IoT (aws-facts 1.4: a status change is not instantly effective).
    pub iot_delay_ms: u64,
    /// The same of Parameter Store ("best-effort": `DescribeParameters` in AWS's API Reference).
    pub ssm_delay_ms: u64,
    /// The same of every service's tags.
    pub tags_delay_ms: u64,
    /// Which calls a delayed copy answers.
    pub delayed_calls: DelayedCalls,
    /// Question 9: how many requests are let through.
    pub rates: Rates,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            set_default_again: SetDefaultAgain::Refuse,
            delete_refusal: DeleteRefusal::Conflict,
            deactivate_default: DeactivateDefault::Refuse,
            function_existence: Check::Checked,
            signing_keys: Check::Checked,
            keys_on_update: KeysOnUpdate::Replace,
            failed_authentication: FailedAuthentication::Forbidden,
            test_with_wrong_signature: TestInvoke::Refuse,
            test_of_inactive: TestInvoke::Refuse,
            header_names: HeaderNames::Lower,
            signature_in_event: SignatureInEvent::Removed,
            authorizers_max: 100,
            active_authorizers_max: 50,
            function_as_source: FunctionAsSource::Refuse,
            unpropagated_role: UnpropagatedRole::CannotBeAssumed,
            qualified_function: QualifiedFunction::Accept,
            signing_keys_max: 10,
            iam_delay_ms: 0,
            lambda_delay_ms: 0,
            iot_delay_ms: 0,
            ssm_delay_ms: 0,
            tags_delay_ms: 0,
            delayed_calls: DelayedCalls::All,
            rates: Rates::Unlimited,
        }
    }
}

impl Switches {
    /// The longest delay of a copy; zero when every answer is of the newest state.
    pub fn delay_max(&self) -> Duration {
        let Self { iam_delay_ms, lambda_delay_ms, iot_delay_ms, ssm_delay_ms, tags_delay_ms, .. } = *self;
        let delays = [iam_delay_ms, lambda_delay_ms, iot_delay_ms, ssm_delay_ms, tags_delay_ms];
        Duration::from_millis(delays.into_iter().max().unwrap_or_default())
    }
}

/// A second `SetDefaultAuthorizer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetDefaultAgain {
    /// 409, whatever the name.
    Refuse,
    /// 409, unless it is the name that is set.
    RefuseOther,
    /// The new one takes the place.
    Overwrite,
}

/// How `DeleteAuthorizer` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteRefusal {
    /// 409 `DeleteConflictException`.
    Conflict,
    /// 400 `InvalidRequestException`.
    InvalidRequest,
}

/// Whether the default may be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeactivateDefault {
    /// 400.
    Refuse,
    /// It stays the default, and serves nobody.
    Allow,
}

/// Whether something is looked at when it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// 400 when it is bad.
    Checked,
    /// Taken; it shows when it is used.
    Unchecked,
}

/// What an update does to the keys that it does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysOnUpdate {
    /// They go.
    Replace,
    /// They stay.
    Merge,
}

/// What a device is told when it is not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedAuthentication {
    /// 403 `Forbidden`.
    Forbidden,
    /// 401 `Unauthorized`.
    Unauthorized,
}

/// Whether `TestInvokeAuthorizer` goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestInvoke {
    /// 400, and the function does not run.
    Refuse,
    /// The function runs; a wrong signature is told as `signatureVerified: false`.
    Run,
}

/// Header names in the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderNames {
    /// All lower case.
    Lower,
    /// Each word with a capital, as HTTP/1.1 clients like to write them.
    Capitalised,
}

/// The token signature in the event's headers, query string or user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureInEvent {
    /// It is left out.
    Removed,
    /// It is there.
    Kept,
}

/// A permission for the function's own ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionAsSource {
    /// It is for nobody.
    Refuse,
    /// It lets every authorizer of that function through.
    Accept,
}

/// A qualifier in the function's ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualifiedFunction {
    /// Taken, and its own resource policy counts.
    Accept,
    /// 400.
    Refuse,
}

/// How Lambda refuses a role that it cannot assume yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnpropagatedRole {
    /// "The role defined for the function cannot be assumed by Lambda."
    CannotBeAssumed,
    /// "The provided execution role does not have permissions to call …"
    LacksPermissions,
}

/// Which calls a copy answers that does not have the newest changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DelayedCalls {
    /// All.
    All,
    /// The first and every second one of each operation; the others meet the newest state.
    EverySecond,
}

/// Request rates: token buckets per Region, refilled by the target's clock, which hold what may come in
/// one second. (aws-facts 1.5, 3.6, 8)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rates {
    /// No request is throttled.
    Unlimited,
    /// AWS IoT 10 a second for each operation; Lambda `GetFunction` 100, `GetPolicy` 15, all other calls of
    /// its control plane 15 together. IAM's, CloudWatch Logs' and STS's are not in aws-facts.
    Published,
    /// A fifth of that: others work in the same account.
    Shared,
}
