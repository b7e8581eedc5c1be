//! Addresses of AWS's services that a variable or AWS's configuration names. Such an address is refused
//! unless the stack file names the same: a stack does not go elsewhere because of the machine it is
//! deployed from.

use url::Url;

use super::environment::Environment;
use crate::aws;
use crate::problem::Problem;
use crate::stack::{AwsService, Stack};

const PREFIX: &str = "AWS_ENDPOINT_URL";

/// Refuses an address of a variable: `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_…`.
pub(super) fn refuse_variables(environment: &Environment, stack: &Stack) -> Result<(), Problem> {
    for name in environment.names_with_prefix(PREFIX) {
        let address = environment.get(name).unwrap_or_default();
        let what = format!("`{name}` is set, and the stack's target is `aws`");
        let away = format!("unset {name}");
        let services: Vec<AwsService> = if name == PREFIX {
            AwsService::ALL.to_vec()
        } else {
            AwsService::ALL.into_iter().filter(|service| name == variable(*service)).collect()
        };
        if services.is_empty() {
            return Err(refused(what, None, address, &away));
        }
        if let Some(service) = services.into_iter().find(|service| !is_named(stack, *service, address)) {
            return Err(refused(what, Some((service, stack)), address, &away));
        }
    }
    Ok(())
}

/// Refuses an address of AWS's configuration files: `endpoint_url`, in a profile or in its `services`.
pub(super) async fn refuse_files(stack: &Stack) -> Result<(), Problem> {
    let configured = aws::configured_endpoints(&stack.region, stack.aws.profile.as_deref()).await;
    for aws::ConfiguredEndpoint { service: id, address } in configured {
        let service = AwsService::ALL.into_iter().find(|service| service.id() == id);
        // Where credentials come from is named together with who hands them out.
        if is_named(stack, service.unwrap_or(AwsService::Sts), &address) {
            continue;
        }
        let what =
            format!("the AWS configuration has an `endpoint_url` for {id}, and the stack's target is `aws`");
        let away = "take it out of the profile in ~/.aws/config, or use another profile";
        return Err(refused(what, service.map(|service| (service, stack)), &address, away));
    }
    Ok(())
}

/// `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`.
fn variable(service: AwsService) -> String {
    format!("{PREFIX}_{}", service.id().to_uppercase().replace(' ', "_"))
}

fn is_named(stack: &Stack, service: AwsService, address: &str) -> bool {
    let named = stack.aws.endpoints.get(&service).and_then(|named| Url::parse(named).ok());
    named.is_some() && named == Url::parse(address).ok()
}

/// `service`: the one of the stack that the address is for, if it is for one.
fn refused(what: String, service: Option<(AwsService, &Stack)>, address: &str, away: &str) -> Problem {
    let problem = Problem::refused("endpoint_override", what);
    // A text that is no plain address may hold anything.
    let address = Url::parse(address)
        .ok()
        .filter(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none())
        .filter(|url| url.has_host() && url.username().is_empty() && url.password().is_none())
        .map(|url| url.as_str().trim_end_matches('/').to_owned());
    let problem = match &address {
        Some(address) => problem.because(format!("it says {address}")),
        None => problem.because("it is not a plain address"),
    };
    let Some((service, stack)) = service else { return problem.next(away) };
    let name = service.as_str();
    let problem = match stack.aws.endpoints.get(&service) {
        Some(named) => problem.because(format!("the stack file says {named} for `{name}`")),
        None => problem.because(format!("the stack file does not name another address for `{name}`")),
    };
    match &address {
        Some(address) if !stack.aws.endpoints.contains_key(&service) => {
            problem.next(format!("{away}; or, to go there: `{name} = \"{address}\"` below `[aws.endpoints]`"))
        }
        _ => problem.next(away),
    }
}

/// The addresses that the stack file names, for people: `iam, sts at http://127.0.0.1:5000`; `None`: all are AWS's own.
pub(super) fn text(stack: &Stack) -> Option<String> {
    let mut addresses: Vec<&str> = Vec::new();
    for address in stack.aws.endpoints.values() {
        if !addresses.contains(&address.as_str()) {
            addresses.push(address);
        }
    }
    let group = |address: &str| {
        let there = stack.aws.endpoints.iter().filter(|(_, at)| *at == address);
        let names: Vec<&str> = there.map(|(service, _)| service.as_str()).collect();
        format!("{} at {address}", names.join(", "))
    };
    let groups: Vec<String> = addresses.into_iter().map(group).collect();
    (!groups.is_empty()).then(|| groups.join("; "))
}
