//! `local status`: where the target is served, since when, and what it holds.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::super::local_target::RunFile;
use super::super::session::Session;
use super::{admin, running_file};
use crate::device::printable;
use crate::problem::Problem;

/// Prints it for people; as JSON everything that the target says of itself, and where it is.
pub(super) async fn show(session: &Session, folder: &Path) -> Result<(), Problem> {
    let run = running_file(session, folder)?;
    let mut status = admin(session, &run, http::Method::GET, "/_local/status").await?;
    let text = shown(&run, folder, &status);
    status["pid"] = run.pid.into();
    status["state_dir"] = folder.display().to_string().into();
    status["control_url"] = run.control_url.into();
    status["data_port"] = run.data_port.into();
    status["identity_url"] = run.identity_url.into();
    session.printer.result(&text, &status);
    Ok(())
}

/// Two columns: what it is, and its name or place.
struct Table(String);

impl Table {
    fn line(&mut self, what: &str, value: &str) {
        let _ = writeln!(self.0, "  {what:<20} {value}");
    }

    fn heading(&mut self, text: &str) {
        let _ = writeln!(self.0, "{text}");
    }
}

fn shown(run: &RunFile, folder: &Path, status: &Value) -> String {
    let mut table = Table(String::new());
    table.heading(&format!("served by process {} since {}", run.pid, text(status, "since")));
    table.line("state", &folder.display().to_string());
    table.line("AWS APIs", &run.control_url);
    let gateway = "https://thinggatelocal-ats.iot.REGION.amazonaws.com";
    table.line("device gateway", &format!("{gateway} (127.0.0.1:{})", run.data_port));
    table.line("identity provider", &run.identity_url);
    table.line("account", &text(status, "account"));
    let (roles, regions) = (list(status, "roles"), members(status, "regions"));
    if roles.is_empty() && regions.is_empty() {
        table.heading("it holds nothing");
    }
    if !roles.is_empty() {
        table.heading("all Regions");
    }
    for role in roles {
        table.line("role", &printable(role.as_str().unwrap_or_default()));
    }
    for (name, region) in regions {
        table.heading(&printable(name));
        for function in list(region, "functions") {
            table.line("function", &described(function));
        }
        for authorizer in list(region, "authorizers") {
            let default = if authorizer["default"] == true { ", the default" } else { "" };
            let (name, status) = (text(authorizer, "name"), text(authorizer, "status"));
            table.line("authorizer", &format!("{name} ({status}{default})"));
        }
        for group in list(region, "log_groups") {
            table.line(
                "log group",
                &format!("{} ({})", text(group, "name"), counted(group, "events", "event")),
            );
        }
    }
    let unusual = members(status, "unusual");
    if !unusual.is_empty() {
        table.heading("not as by default");
    }
    for (name, value) in unusual {
        let shown = value.as_str().map_or_else(|| value.to_string(), printable);
        table.line(&printable(name), &shown);
    }
    table.0
}

/// A function with its aliases: `f (2 versions, live = 2)`.
fn described(function: &Value) -> String {
    let mut about = vec![counted(function, "versions", "version")];
    for (alias, version) in members(function, "aliases") {
        about.push(format!("{} = {}", printable(alias), printable(version.as_str().unwrap_or_default())));
    }
    if let Some(reserved) = function["reserved_concurrency"].as_u64() {
        about.push(format!("reserved concurrency {reserved}"));
    }
    format!("{} ({})", text(function, "name"), about.join(", "))
}

fn counted(value: &Value, name: &str, one: &str) -> String {
    match value[name].as_u64().unwrap_or_default() {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

fn text(value: &Value, name: &str) -> String {
    printable(value[name].as_str().unwrap_or_default())
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn members<'a>(value: &'a Value, name: &str) -> Vec<(&'a String, &'a Value)> {
    value[name].as_object().into_iter().flatten().collect()
}
