//! Which runtimes may be chosen.

use super::errors::{invalid_parameter, user};
use crate::control::ServiceError;

/// In the order of AWS's own text. Source: `test_create_lambda_exceptions` of aws-facts \[R\], 25-11-2025.
const RUNTIMES: [&str; 25] = [
    "nodejs20.x",
    "python3.14",
    "provided.al2023",
    "python3.12",
    "python3.13",
    "nodejs24.x",
    "nodejs22.x",
    "java25",
    "python3.10",
    "python3.11",
    "java21",
    "ruby3.3",
    "ruby3.4",
    "ruby3.2",
    "python3.8",
    "python3.9",
    "java17",
    "nodejs16.x",
    "dotnet10",
    "dotnet8",
    "java11",
    "dotnet6",
    "nodejs18.x",
    "provided.al2",
    "java8.al2",
];

/// In the model `lambda 2015-03-31` still, and refused. Source: `TestRuntimeValidation` of aws-facts \[R\];
/// nodejs8.10 is the article's.
const REFUSED: [&str; 20] = [
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "java8",
    "python2.7",
    "python3.6",
    "python3.7",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "provided",
    "ruby2.5",
    "ruby2.7",
];

/// Whether a function may be created with, or changed to, this runtime.
pub(super) fn check(runtime: &str) -> Result<(), ServiceError> {
    if RUNTIMES.contains(&runtime) {
        return Ok(());
    }
    if REFUSED.contains(&runtime) {
        return Err(invalid_parameter(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda \
             functions. We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    let set = RUNTIMES.join(", ");
    Err(user(
        400,
        "InvalidParameterValueException",
        format!(
            "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \
             [{set}] or be a valid ARN"
        ),
    ))
}
