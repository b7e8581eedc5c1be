//! `outputs`: what devices and other tools need to know, and a ready curl command.

use std::collections::BTreeMap;

use super::Work;
use crate::cli::args::Audience;
use crate::cli::load::Loaded;
use crate::cli::local_target::{self, LocalTarget};
use crate::cli::session::Session;
use crate::gather::CodeMode;
use crate::problem::Problem;
use crate::report::{Command, Finding, Report};
use crate::resource::Live;
use crate::stack::Signing;

/// The outputs of one stack.
pub(in crate::cli) async fn run(session: &Session, loaded: Loaded, audience: Option<Audience>) -> Report {
    let work = match Work::begin(session, Command::Outputs, loaded.stack).await {
        Ok(work) => work,
        Err(report) => return report,
    };
    match gathered(&work, audience).await {
        Ok((outputs, findings)) => Report { findings, outputs, ..work.report() },
        Err(problem) => work.failed(problem),
    }
}

type Outputs = BTreeMap<String, String>;

async fn gathered(work: &Work<'_>, audience: Option<Audience>) -> Result<(Outputs, Vec<Finding>), Problem> {
    let is_hosted = work.connected.local.as_ref().is_some_and(LocalTarget::is_hosted);
    if audience == Some(Audience::Device) && is_hosted {
        let what = "no device can reach the local target";
        return Err(local_target::unserved(what, "it is not served, and its name leads nowhere"));
    }
    let live = work.gather(CodeMode::Ignore).await?.live;
    let endpoint = work.aws().data_endpoint().await?;
    let (mut outputs, missing) = of_resources(work, &live);
    if outputs.is_empty() || (audience.is_some() && live.authorizer.is_none()) {
        return Err(Problem::failed("not_deployed", "the stack is not deployed")
            .at(work.stack().file.display().to_string())
            .because(format!("there is no {}", missing.join(", no ")))
            .next("thinggate deploy STACK"));
    }
    let findings = if missing.is_empty() { Vec::new() } else { vec![not_whole(&missing)] };
    if audience == Some(Audience::Device) {
        return Ok((BTreeMap::from([("curl".to_owned(), curl(work, &endpoint))]), findings));
    }
    outputs.extend(place(work));
    outputs.insert("endpoint".to_owned(), endpoint);
    if let Some(store) = &work.connected.store {
        for generation in store.generations().await?.iter().filter(|generation| !generation.retired) {
            let name = format!("signing_key.{}", generation.key_name());
            outputs.insert(name, generation.public.fingerprint());
        }
    }
    if let Some(LocalTarget::Served(run)) = &work.connected.local {
        outputs.insert("local.ca".to_owned(), run.ca.display().to_string());
        outputs.insert("local.control_url".to_owned(), run.control_url.clone());
        outputs.insert("local.data_port".to_owned(), run.data_port.to_string());
        outputs.insert("local.identity_url".to_owned(), run.identity_url.clone());
    }
    Ok((outputs, findings))
}

/// What a deploy has made, by name: what needs no further request.
pub(super) fn named(work: &Work<'_>, live: &Live) -> Outputs {
    of_resources(work, live).0.into_iter().chain(place(work)).collect()
}

fn place(work: &Work<'_>) -> [(String, String); 2] {
    [
        ("account".to_owned(), work.identity.account.to_string()),
        ("region".to_owned(), work.identity.region.to_string()),
    ]
}

/// The names and ARNs of what is there, and the nouns of what is not.
fn of_resources(work: &Work<'_>, live: &Live) -> (Outputs, Vec<&'static str>) {
    let identity = &work.identity;
    let token_key_name = work.stack().authorizer.token_key_name.to_string();
    let resources = [
        (
            "authorizer",
            live.authorizer.is_some(),
            vec![
                ("authorizer_arn", identity.authorizer_arn()),
                ("authorizer_name", identity.authorizer.to_string()),
                ("token_key_name", token_key_name),
            ],
        ),
        ("release", live.release.is_some(), vec![("function_arn", identity.alias_arn())]),
        ("log group", live.log_group.is_some(), vec![("log_group", identity.log_group().to_string())]),
        ("role", live.role.is_some(), vec![("role_arn", identity.role_arn())]),
    ];
    let (mut outputs, mut missing) = (Outputs::new(), Vec::new());
    for (noun, is_there, values) in resources {
        if is_there {
            outputs.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value)));
        } else {
            missing.push(noun);
        }
    }
    (outputs, missing)
}

fn not_whole(missing: &[&str]) -> Finding {
    Finding {
        code: "not_whole",
        what: format!("the stack is not deployed whole: there is no {}", missing.join(", no ")),
        next: Some("thinggate deploy STACK".to_owned()),
    }
}

/// The article's request, with its corrections: no `-k`, and a signature in one line.
fn curl(work: &Work<'_>, endpoint: &str) -> String {
    let stack = work.stack();
    let topic = stack
        .allow
        .iter()
        .flat_map(|allow| &allow.publish)
        .find(|topic| !topic.contains('{'))
        .map_or("TOPIC", String::as_str);
    let reach = match &work.connected.local {
        Some(LocalTarget::Served(run)) => {
            format!(" --cacert {} --connect-to {endpoint}:443:127.0.0.1:{}", run.ca.display(), run.data_port)
        }
        _ => String::new(),
    };
    let signature = match &stack.signing {
        Signing::Generated { .. } | Signing::Public { .. } => {
            "-H \"x-amz-customauthorizer-signature: $TOKEN_SIGNATURE\" "
        }
        Signing::Off => "",
    };
    format!(
        "curl{reach} -H \"x-amz-customauthorizer-name: {}\" {signature}-H \"{}: $ACCESS_TOKEN\" --data 'hello' https://{endpoint}/topics/{topic}",
        stack.authorizer.name, stack.authorizer.token_key_name,
    )
}
