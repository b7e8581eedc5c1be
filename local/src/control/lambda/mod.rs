//! The Lambda control plane: functions, versions, aliases, resource policies, concurrency, tags.
//! Protocol rest-json, model `lambda 2015-03-31`.

mod alias;
mod beside;
mod concurrency;
mod errors;
mod function;
mod input;
mod invoke;
mod package;
mod permission;
mod policy;
pub mod reference;
mod resolve;
mod role;
mod runtime;
mod settings;
mod state;
mod tags;
mod update;
mod version;
mod view;

#[cfg(test)]
mod tests;

pub use policy::{Caller, Policy};
pub use resolve::{NotInvokable, may_invoke, resolve};
pub use state::{
    Alias, Architecture, Change, ChangeKind, Code, Environment, Function, FunctionUrl, Logging, Milliseconds,
    Settings, State, Version,
};

use super::{Call, Reply, ServiceError};
use crate::Response;
use crate::state::World;

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("POST", ["2015-03-31", "functions", name, "invocations"]) => invoke::invoke(world, call, name),
        (method, ["2015-03-31", "functions", rest @ ..]) => functions(world, call, method, rest),
        ("PUT", ["2017-10-31", "functions", name, "concurrency"]) => {
            concurrency::put(world, call, name).map(Reply::Answer)
        }
        ("DELETE", ["2017-10-31", "functions", name, "concurrency"]) => {
            concurrency::delete(world, call, name).map(Reply::Answer)
        }
        ("GET", ["2019-09-30", "functions", name, "concurrency"]) => {
            concurrency::get(world, call, name).map(Reply::Answer)
        }
        ("GET", ["2020-06-30", "functions", name, "code-signing-config"]) => {
            function::get_code_signing(world, call, name).map(Reply::Answer)
        }
        (method, ["2021-10-31", "functions", name, what]) => urls(world, call, method, name, what),
        (method, ["2019-09-30", "functions", name, "provisioned-concurrency"]) => {
            provisioned(world, call, method, name)
        }
        ("GET", ["2017-03-31", "tags", resource]) => tags::list(world, call, resource).map(Reply::Answer),
        ("POST", ["2017-03-31", "tags", resource]) => tags::tag(world, call, resource).map(Reply::Answer),
        ("DELETE", ["2017-03-31", "tags", resource]) => tags::untag(world, call, resource).map(Reply::Answer),
        _ => Err(ServiceError::unknown_operation(call)),
    }
}

/// Function URLs.
fn urls(world: &mut World, call: &Call, method: &str, name: &str, what: &str) -> Result<Reply, ServiceError> {
    let answer = match (method, what) {
        ("POST", "url") => beside::create_url(world, call, name),
        ("GET", "url") => beside::get_url(world, call, name),
        ("DELETE", "url") => beside::delete_url(world, call, name),
        ("GET", "urls") => beside::list_urls(world, call, name),
        _ => Err(ServiceError::unknown_operation(call)),
    };
    answer.map(Reply::Answer)
}

/// Provisioned concurrency.
fn provisioned(world: &mut World, call: &Call, method: &str, name: &str) -> Result<Reply, ServiceError> {
    let answer = match method {
        "PUT" => beside::put_provisioned(world, call, name),
        "GET" => beside::provisioned(world, call, name),
        "DELETE" => beside::delete_provisioned(world, call, name),
        _ => Err(ServiceError::unknown_operation(call)),
    };
    answer.map(Reply::Answer)
}

/// What is below `/2015-03-31/functions`.
fn functions(world: &mut World, call: &Call, method: &str, path: &[&str]) -> Result<Reply, ServiceError> {
    let answer = match (method, path) {
        ("POST", []) => function::create(world, call),
        ("GET", []) => function::list(world, call),
        ("GET", [name]) => function::get(world, call, name),
        ("DELETE", [name]) => function::delete(world, call, name),
        ("GET", [name, "configuration"]) => function::get_configuration(world, call, name),
        ("PUT", [name, "configuration"]) => update::configuration(world, call, name),
        ("PUT", [name, "code"]) => update::code(world, call, name),
        ("POST", [name, "versions"]) => version::publish(world, call, name),
        ("GET", [name, "versions"]) => version::list(world, call, name),
        ("POST", [name, "aliases"]) => alias::create(world, call, name),
        ("GET", [name, "aliases"]) => alias::list(world, call, name),
        ("GET", [name, "aliases", alias]) => alias::get(world, call, name, alias),
        ("PUT", [name, "aliases", alias]) => alias::update(world, call, name, alias),
        ("DELETE", [name, "aliases", alias]) => alias::delete(world, call, name, alias),
        ("POST", [name, "policy"]) => permission::add(world, call, name),
        ("GET", [name, "policy"]) => permission::get(world, call, name),
        ("DELETE", [name, "policy", sid]) => permission::remove(world, call, name, sid),
        _ => Err(ServiceError::unknown_operation(call)),
    };
    answer.map(Reply::Answer)
}

/// A JSON answer.
fn json(status: u16, value: &serde_json::Value) -> Response {
    crate::json_answer(status, value)
}

/// An answer without a body.
fn empty(status: u16) -> Response {
    crate::answer(status, "application/json", Vec::new())
}

/// How long a change of a function takes.
fn settling(call: &Call) -> Milliseconds {
    Milliseconds::try_from(call.options.function_settling.as_millis()).unwrap_or(Milliseconds::MAX)
}
