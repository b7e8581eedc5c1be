//! `Invoke`: at once and waiting for the answer, or only asking whether it may.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Value, json};

use super::errors::{Violations, conflict, function_not_found, invalid_parameter, user};
use super::input::{NameForm, Named, parameter};
use super::resolve::{self, NotInvokable, milliseconds};
use super::{empty, reference};
use crate::Response;
use crate::control::{Answerer, Call, Reply, Run, ServiceError};
use crate::lambda_host::{INIT_LIMIT, Invocation, Invokable, Invoked};
use crate::state::World;

/// The payload of a synchronous call. Source: Lambda quotas \[D\], 6 MB.
const PAYLOAD_BYTES_MAX: usize = 6_291_456;
/// How much of the log an answer carries. Source: API reference of Invoke \[D\].
const LOG_TAIL_BYTES_MAX: usize = 4096;
/// `ThrottleReason` of a function whose reserved concurrency is used up. Source: the model.
const RESERVED_USED_UP: &str = "ReservedFunctionConcurrentInvocationLimitExceeded";

pub(super) fn invoke(world: &mut World, call: &Call, name: &str) -> Result<Reply, ServiceError> {
    let named = Named::read(call, name, NameForm::Namespaced, parameter(call, "Qualifier"))?;
    let kind = header(call, "x-amz-invocation-type").unwrap_or("RequestResponse");
    let log = header(call, "x-amz-log-type").unwrap_or("None");
    let mut violations = Violations::default();
    let kinds = ["Event", "RequestResponse", "DryRun"];
    let constraint = "satisfy enum value set: [Event, RequestResponse, DryRun]";
    violations.check(kinds.contains(&kind), "invocationType", kind, constraint);
    let constraint = "satisfy enum value set: [None, Tail]";
    violations.check(["None", "Tail"].contains(&log), "logType", log, constraint);
    let execution = header(call, "x-amz-durable-execution-name");
    if let Some(execution) = execution {
        let constraint = "satisfy regular expression pattern: [a-zA-Z0-9-_]+";
        violations.check(reference::is_word(execution), "durableExecutionName", execution, constraint);
        violations.length(1..=64, "durableExecutionName", execution);
    }
    let tenant = header(call, "x-amz-tenant-id");
    if let Some(tenant) = tenant {
        let good = tenant.chars().all(|c| c.is_ascii_alphanumeric() || "._:/=+-@ ".contains(c));
        let constraint = r"satisfy regular expression pattern: [a-zA-Z0-9\._:\/=+\-@ ]+";
        violations.check(good, "tenantId", tenant, constraint);
        violations.length(1..=256, "tenantId", tenant);
    }
    violations.refuse()?;
    if execution.is_some() || tenant.is_some() {
        return Err(invalid_parameter("The local target has neither durable functions nor tenants."));
    }
    let qualifier = named.qualifier.as_deref();
    // The refusal has `$LATEST` where nothing was asked for: `incomplete_arn-invoke` [R].
    let arn = reference::arn(call.region, call.account, &named.name, Some(qualifier.unwrap_or("$LATEST")));
    let functions = &world.region(call.region).lambda.functions;
    let missing = || function_not_found(&arn);
    let function = functions.get(&named.name).ok_or_else(missing)?.clone();
    let (number, _) = function.version(qualifier).ok_or_else(missing)?;
    check_event(call, kind)?;
    let now = milliseconds(call.now);
    match resolve::resolve_in(world, &function, qualifier, call.region, now) {
        Ok(_) if kind == "DryRun" => Ok(Reply::Answer(empty(204))),
        Ok(invokable) => {
            let answer = answerer(invokable.clone(), log == "Tail");
            let event = if call.body.is_empty() { Bytes::from_static(b"{}") } else { call.body.clone() };
            // The function's own timeout counts from its event; the start of an environment has its own.
            let limit = invokable.timeout + INIT_LIMIT;
            Ok(Reply::Run(Run { function: invokable, event, limit, answer }))
        }
        Err(because) => refused(&because, &number).map(Reply::Answer),
    }
}

fn header<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.headers.get(name).and_then(|value| value.to_str().ok())
}

fn check_event(call: &Call, kind: &str) -> Result<(), ServiceError> {
    if kind == "Event" {
        return Err(invalid_parameter("The local target has no asynchronous invocations."));
    }
    if call.body.len() > PAYLOAD_BYTES_MAX {
        let text = format!("Request must be smaller than {PAYLOAD_BYTES_MAX} bytes for the Invoke operation");
        return Err(super::errors::too_large(text));
    }
    if !call.body.is_empty() && serde_json::from_slice::<Value>(call.body).is_err() {
        let text = "Could not parse request body into json: Could not parse payload into json";
        return Err(user(400, "InvalidRequestContentException", text));
    }
    Ok(())
}

/// What the caller of a function that cannot run gets.
fn refused(because: &NotInvokable, number: &str) -> Result<Response, ServiceError> {
    match because {
        NotInvokable::Pending(_) => Err(conflict(
            "The operation cannot be performed at this time. The function is currently in the following \
             state: Pending",
        )),
        NotInvokable::RoleMissing(_) | NotInvokable::RoleReplaced(_) | NotInvokable::RoleDistrusts(_) => {
            Err(ServiceError::new(
                403,
                "AccessDeniedException",
                "The role defined for the function cannot be assumed by Lambda.",
            ))
        }
        NotInvokable::Throttled(_) => Err(throttled(RESERVED_USED_UP)),
        NotInvokable::OtherRuntime(_) | NotInvokable::OtherArchitecture { .. } => {
            let body =
                json!({ "errorType": "Runtime.InvalidEntrypoint", "errorMessage": because.to_string() });
            Ok(failed(&body, number))
        }
        NotInvokable::NotAFunctionArn(arn)
        | NotInvokable::Elsewhere(arn)
        | NotInvokable::FunctionMissing(arn)
        | NotInvokable::QualifierMissing { function: arn, .. } => Err(function_not_found(arn)),
    }
}

fn throttled(reason: &str) -> ServiceError {
    let mut error = ServiceError::new(429, "TooManyRequestsException", "Rate Exceeded.");
    error.members = vec![("Type", "User".to_owned()), ("Reason", reason.to_owned())];
    error
}

/// Makes the answer once the function has ended.
fn answerer(function: Invokable, with_log: bool) -> Answerer {
    Box::new(move |invocation| {
        if invocation.invoked == Invoked::Throttled {
            return Err(throttled(RESERVED_USED_UP));
        }
        if !invocation.started && invocation.invoked == Invoked::TimedOut {
            // All processes were busy for so long.
            return Err(throttled("ConcurrentInvocationLimitExceeded"));
        }
        let mut response = ended(&invocation, &function);
        if with_log && let Ok(value) = HeaderValue::from_str(&STANDARD.encode(tail(&invocation.lines))) {
            response.headers_mut().insert("x-amz-log-result", value);
        }
        Ok(response)
    })
}

/// The end of the log, whole characters, at most 4 KB.
fn tail(lines: &[String]) -> String {
    let mut text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    let from = text.len().saturating_sub(LOG_TAIL_BYTES_MAX);
    text.split_off(text.ceil_char_boundary(from))
}

/// The function's answer, or its error in Lambda's form.
fn ended(invocation: &Invocation, function: &Invokable) -> Response {
    let error = |kind: &str, text: &str| {
        failed(&json!({ "errorType": kind, "errorMessage": text }), &function.version)
    };
    match &invocation.invoked {
        Invoked::Answered(body) => {
            let mut response = crate::answer(200, "application/json", body.to_vec());
            executed(&mut response, &function.version);
            response
        }
        Invoked::Failed { kind, message } => error(kind, message),
        Invoked::TimedOut => {
            let (id, seconds) = (&invocation.request_id, function.timeout.as_secs_f64());
            error(
                "Sandbox.Timedout",
                &format!("RequestId: {id} Error: Task timed out after {seconds:.2} seconds"),
            )
        }
        Invoked::Crashed(because) => error("Runtime.ExitError", because),
        Invoked::Throttled => error("Sandbox.Throttled", "Rate Exceeded."),
    }
}

fn failed(body: &Value, version: &str) -> Response {
    let mut response = crate::json_answer(200, body);
    response.headers_mut().insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    executed(&mut response, version);
    response
}

fn executed(response: &mut Response, version: &str) {
    if let Ok(value) = HeaderValue::from_str(version) {
        response.headers_mut().insert("x-amz-executed-version", value);
    }
}
