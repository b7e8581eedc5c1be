//! How a version looks on the wire. Members as recorded from AWS: `test_function_lifecycle`,
//! `test_publish_version_on_create` of aws-facts \[R\].

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::package;
use super::reference;
use super::state::{Alias, Function, Milliseconds, Settings, Version};
use crate::control::Call;
use crate::partition::partition;

/// How much of a version is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// All of it.
    Whole,
    /// As in a list: without its state and the runtime's version.
    Listed,
}

/// `FunctionConfiguration` of a version. `arn_qualifier` is what the ARN shows.
pub(super) fn configuration(
    call: &Call,
    function: &Function,
    number: &str,
    version: &Version,
    arn_qualifier: Option<&str>,
    detail: Detail,
) -> Value {
    let now = super::resolve::milliseconds(call.now);
    let arn = reference::arn(call.region, call.account, &function.name, arn_qualifier);
    let mut shown = settings(&version.settings);
    shown["FunctionName"] = json!(function.name);
    shown["FunctionArn"] = json!(arn);
    shown["Version"] = json!(number);
    shown["LastModified"] = json!(date(version.last_modified));
    shown["RevisionId"] = json!(version.revision(now));
    if detail == Detail::Whole {
        shown["RuntimeVersionConfig"] =
            json!({ "RuntimeVersionArn": runtime_version(call.region, &version.settings.runtime) });
        add_state(&mut shown, version, now);
    }
    shown
}

/// What the clock says: Pending, or Active with the state of the last update.
fn add_state(shown: &mut Value, version: &Version, now: Milliseconds) {
    if version.is_pending(now) {
        shown["State"] = json!("Pending");
        shown["StateReason"] = json!("The function is being created.");
        shown["StateReasonCode"] = json!("Creating");
        return;
    }
    shown["State"] = json!("Active");
    if version.is_updating(now) {
        shown["LastUpdateStatus"] = json!("InProgress");
        // Said of an update as well: `test_function_lifecycle` [R].
        shown["LastUpdateStatusReason"] = json!("The function is being created.");
        shown["LastUpdateStatusReasonCode"] = json!("Creating");
    } else {
        shown["LastUpdateStatus"] = json!("Successful");
    }
}

fn settings(settings: &Settings) -> Value {
    let mut shown = json!({
        "Architectures": [settings.architecture.as_str()],
        "CodeSha256": package::sha256_base64(&settings.code.sha256_hex),
        "CodeSize": settings.code.size_bytes,
        "Description": settings.description,
        "EphemeralStorage": { "Size": settings.ephemeral_storage_mb },
        "Handler": settings.handler,
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": settings.logging.group },
        "MemorySize": settings.memory_mb,
        "PackageType": "Zip",
        "Role": settings.role,
        "Runtime": settings.runtime,
        "SnapStart": {
            "ApplyOn": if settings.snap_start { "PublishedVersions" } else { "None" },
            "OptimizationStatus": "Off",
        },
        "Timeout": settings.timeout_seconds,
        "TracingConfig": { "Mode": if settings.tracing_active { "Active" } else { "PassThrough" } },
    });
    if let Some(environment) = &settings.environment {
        shown["Environment"] = json!({ "Variables": environment.0 });
    }
    shown
}

/// `AliasConfiguration`.
pub(super) fn alias(call: &Call, function: &str, alias: &Alias) -> Value {
    let mut shown = json!({
        "AliasArn": reference::arn(call.region, call.account, function, Some(&alias.name)),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    });
    if !alias.routing.is_empty() {
        shown["RoutingConfig"] = json!({ "AdditionalVersionWeights": alias.routing });
    }
    shown
}

/// `2019-08-14T22:26:11.234+0000`.
pub(super) fn date(milliseconds: Milliseconds) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_default()
}

/// The ARN of a runtime's version: the same for the same runtime.
fn runtime_version(region: &str, runtime: &str) -> String {
    let hash = crate::random::hex(digest(&SHA256, runtime.as_bytes()).as_ref());
    format!("arn:{}:lambda:{region}::runtime:{hash}", partition(region))
}
