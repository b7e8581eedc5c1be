//! `outputs`: what devices and other tools need to know, and a ready curl command.

use std::collections::BTreeMap;

use super::Work;
use crate::cli::args::Audience;
use crate::cli::load::Loaded;
use crate::cli::local_target::{self, LocalTarget};
use crate::cli::session::Session;
use crate::problem::Problem;
use crate::report::{Command, Report};
use crate::stack::Signing;

/// The outputs of one stack.
pub(in crate::cli) async fn run(session: &Session, loaded: Loaded, audience: Option<Audience>) -> Report {
    let work = match Work::begin(session, Command::Outputs, loaded.stack).await {
        Ok(work) => work,
        Err(report) => return report,
    };
    match gathered(&work, audience).await {
        Ok(outputs) => Report { outputs, ..work.report() },
        Err(problem) => work.failed(problem),
    }
}

async fn gathered(work: &Work<'_>, audience: Option<Audience>) -> Result<BTreeMap<String, String>, Problem> {
    let endpoint = work.aws().data_endpoint().await?;
    let identity = &work.identity;
    if audience == Some(Audience::Device) {
        if work.connected.local.as_ref().is_some_and(LocalTarget::is_hosted) {
            let what = "no device can reach the local target";
            return Err(local_target::unserved(what, "it is not served, and its name leads nowhere"));
        }
        return Ok(BTreeMap::from([("curl".to_owned(), curl(work, &endpoint))]));
    }
    let mut outputs = BTreeMap::from([
        ("account".to_owned(), identity.account.to_string()),
        ("authorizer_arn".to_owned(), identity.authorizer_arn()),
        ("authorizer_name".to_owned(), identity.authorizer.to_string()),
        ("endpoint".to_owned(), endpoint),
        ("function_arn".to_owned(), identity.alias_arn()),
        ("log_group".to_owned(), identity.log_group().to_string()),
        ("region".to_owned(), identity.region.to_string()),
        ("role_arn".to_owned(), identity.role_arn()),
        ("token_key_name".to_owned(), work.stack().authorizer.token_key_name.to_string()),
    ]);
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
    Ok(outputs)
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
