//! `local log`: who refused a device, and why, which AWS keeps to itself.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::super::local_target::{self, Found};
use super::super::session::Session;
use super::{KEY_HEADER, loopback, request, unreachable};
use crate::cli::shell_word;
use crate::device::printable;
use crate::problem::Problem;

/// Prints the entry of one trace id, or the last entries. A target that nobody serves is read in its folder.
pub(super) async fn show(
    session: &Session,
    folder: &Path,
    trace_id: Option<String>,
    last: u64,
) -> Result<(), Problem> {
    let query: String = match &trace_id {
        Some(id) => form_urlencoded::Serializer::new(String::new()).append_pair("trace_id", id).finish(),
        None => format!("last={last}"),
    };
    let path = format!("/_local/log?{query}");
    let (status, answer) = asked(session, folder, &path).await?;
    let missing = || unknown(folder, trace_id.as_deref().unwrap_or_default());
    if status == http::StatusCode::NOT_FOUND {
        return Err(missing());
    }
    if trace_id.is_some() {
        session.printer.result(&shown(&answer), &answer);
        return Ok(());
    }
    let entries = answer.get("entries").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = match entries {
        [] => "no device has asked for anything yet\n".to_owned(),
        entries => entries.iter().map(shown).collect(),
    };
    session.printer.result(&text, &json!({ "entries": entries }));
    Ok(())
}

/// What `/_local/…` says at `path`: the served target, else the one that this process opens meanwhile.
async fn asked(session: &Session, folder: &Path, path: &str) -> Result<(http::StatusCode, Value), Problem> {
    if !session.files.exists(folder)? {
        return Err(local_target::unserved(
            "there is no log of a local target",
            "no local target was used here",
        )
        .at(folder.display().to_string()));
    }
    let answer = match local_target::look(session, folder).await? {
        Found::Served(run) => {
            let asked = request(&run, http::Method::GET, path)?;
            loopback(session).send(asked).await.map_err(|error| unreachable(&run, &error))?
        }
        Found::Free(directory) => {
            let clock = local::clock::Clock::wall();
            let target = local::Target::open(&directory, clock, local::Options::default())
                .map_err(|error| local_target::unusable(folder, &error))?;
            let key = target.credentials().secret_access_key;
            let asked = http::Request::builder().uri(path).header(KEY_HEADER, key);
            let asked = asked.body(bytes::Bytes::new()).expect("the path is percent-encoded");
            target.admin(asked)
        }
    };
    let status = answer.status();
    if !status.is_success() && status != http::StatusCode::NOT_FOUND {
        return Err(Problem::failed("local_refused", "the local target refused").because(status.to_string()));
    }
    Ok((status, serde_json::from_slice(answer.body()).unwrap_or(Value::Null)))
}

fn unknown(folder: &Path, trace_id: &str) -> Problem {
    Problem::failed("unknown_trace_id", "the local target's log has no such trace id")
        .at(folder.display().to_string())
        .because(format!("`{}` is not in it", printable(trace_id)))
        .next("thinggate local log shows the last ones; --state-dir names another local target")
}

/// One entry: when, who, why; then the sentence; then what it was about.
fn shown(entry: &Value) -> String {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(printable);
    let number = |name: &str| entry.get(name).and_then(Value::as_u64).unwrap_or_default();
    let who = text("who").unwrap_or_else(|| "nobody refused".to_owned());
    let why = text("why").unwrap_or_default();
    let reason = text("reason").map(|reason| format!(" ({reason})")).unwrap_or_default();
    let mut shown = format!("{}  {who}: {why}{reason}\n", local::clock::rfc3339(number("at_ms")));
    if let Some(detail) = text("detail").filter(|detail| !detail.is_empty()) {
        let _ = writeln!(shown, "  {detail}");
    }
    let mut about = Vec::new();
    for (name, label) in [("authorizer", "authorizer"), ("subject", "topic"), ("region", "Region")] {
        about.extend(text(name).map(|value| format!("{label} {value}")));
    }
    about.push(match number("invocations") {
        1 => "1 invocation".to_owned(),
        count => format!("{count} invocations"),
    });
    about.extend(text("trace_id").map(|id| format!("trace id {id}")));
    let _ = writeln!(shown, "  {}", about.join(", "));
    shown
}

/// The refusal of a message on the local target, whose log says why: the command that shows it comes next.
pub(in super::super) fn pointed_to(session: &Session, stack: &Path, problem: Problem) -> Problem {
    let Some(id) = problem.request_id.clone().filter(|_| problem.code == "forbidden") else {
        return problem;
    };
    let folder = session.state_directory(Some(stack));
    let elsewhere = folder != session.state_directory(None) || session.global.state_dir.is_some();
    let place = elsewhere.then(|| format!(" --state-dir {}", shell_word(&folder.display().to_string())));
    problem.next(format!("thinggate local log {}{}", shell_word(&id), place.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_who_and_why() {
        let entry = json!({
            "at_ms": 1_440_938_160_999_u64, "trace_id": "t-1", "region": "eu-west-1", "who": "authorizer",
            "why": "denied_by_authorizer", "reason": "expired", "detail": "isAuthenticated is \u{1b}false",
            "authorizer": "gate", "subject": "a/b", "invocations": 1,
        });
        assert_eq!(
            shown(&entry),
            "2015-08-30T12:36:00Z  authorizer: denied_by_authorizer (expired)\n  \
             isAuthenticated is \u{fffd}false\n  \
             authorizer gate, topic a/b, Region eu-west-1, 1 invocation, trace id t-1\n"
        );
        let delivered =
            json!({ "at_ms": 0, "trace_id": "t-2", "who": null, "why": "delivered", "detail": "" });
        assert_eq!(
            shown(&delivered),
            "1970-01-01T00:00:00Z  nobody refused: delivered\n  0 invocations, trace id t-2\n"
        );
    }
}
