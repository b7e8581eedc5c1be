//! `PutFunctionConcurrency`, `GetFunctionConcurrency`, `DeleteFunctionConcurrency`.
//! Texts: `TestLambdaReservedConcurrency` of aws-facts \[R\].

use serde::Deserialize;
use serde_json::json;

use super::errors::{Violations, function_not_found, invalid_parameter};
use super::input::{NameForm, Named, body};
use super::{empty, json, reference};
use crate::Response;
use crate::control::{Call, ServiceError};
use crate::state::World;

/// Concurrent executions of an account. (aws-facts 3.6)
const ACCOUNT_CONCURRENCY: u32 = 1000;
/// How much of it must stay unreserved. (aws-facts 3.6)
const UNRESERVED_MIN: u32 = 100;

/// What `PutFunctionConcurrency` takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    reserved_concurrent_executions: Option<i64>,
}

fn named(call: &Call, name: &str) -> Result<Named, ServiceError> {
    let named = Named::read(call, name, NameForm::Plain, None)?;
    if named.qualifier.is_some() {
        return Err(invalid_parameter(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this \
             operation. Please specify either a function name or an unqualified function ARN.",
        ));
    }
    Ok(named)
}

pub(super) fn put(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let named = named(call, name)?;
    let wanted: Put = body(call)?;
    let mut violations = Violations::default();
    let Some(number) = wanted.reserved_concurrent_executions else {
        violations.missing("reservedConcurrentExecutions");
        violations.refuse()?;
        return Err(invalid_parameter("ReservedConcurrentExecutions is missing."));
    };
    let member = "reservedConcurrentExecutions";
    violations.check(number >= 0, member, &number.to_string(), "have value greater than or equal to 0");
    violations.refuse()?;
    let functions = &mut world.region(call.region).lambda.functions;
    if !functions.contains_key(&named.name) {
        // With `$LATEST`: `put_function_concurrency_with_function_name_doesnotexist` [R].
        let arn = reference::arn(call.region, call.account, &named.name, Some("$LATEST"));
        return Err(function_not_found(&arn));
    }
    let others: i64 = functions
        .values()
        .filter(|function| function.name != named.name)
        .filter_map(|function| function.reserved_concurrency)
        .map(i64::from)
        .sum();
    let most = i64::from(ACCOUNT_CONCURRENCY - UNRESERVED_MIN);
    let reserved = u32::try_from(number).ok().filter(|_| others + number <= most);
    let Some(reserved) = reserved else {
        return Err(ServiceError::new(
            400,
            "InvalidParameterValueException",
            format!(
                "Specified ReservedConcurrentExecutions for function decreases account's \
                 UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MIN}]."
            ),
        ));
    };
    if let Some(function) = functions.get_mut(&named.name) {
        function.reserved_concurrency = Some(reserved);
    }
    Ok(json(200, &json!({ "ReservedConcurrentExecutions": reserved })))
}

pub(super) fn get(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let named = named(call, name)?;
    let functions = &world.region(call.region).lambda.functions;
    let function = functions.get(&named.name).ok_or_else(|| function_not_found(&named.function_arn(call)))?;
    Ok(json(
        200,
        &match function.reserved_concurrency {
            Some(reserved) => json!({ "ReservedConcurrentExecutions": reserved }),
            None => json!({}),
        },
    ))
}

pub(super) fn delete(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let named = named(call, name)?;
    let functions = &mut world.region(call.region).lambda.functions;
    let function =
        functions.get_mut(&named.name).ok_or_else(|| function_not_found(&named.function_arn(call)))?;
    function.reserved_concurrency = None;
    Ok(empty(204))
}
