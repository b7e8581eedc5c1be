//! Addresses: what may stand where a stack file names one.

use url::{Host, Url};

use super::checks::{Checks, Found};
use super::finding::Shown;
use super::model::Target;

/// What an identity provider's address looks like.
const PROVIDER: &str = "https://openam.example.com/openam/oauth2";
/// What a service's address looks like.
const SERVICE: &str = "https://iam.example.com:8443";
/// The embedded provider's host, which only the local target can resolve.
const EMBEDDED_HOST: &str = "identity.thinggate.local";

/// An issuer: compared as a text, so it is kept as written, but it must be an address.
pub(super) fn issuer(
    checks: &mut Checks<'_>,
    found: &Found<String>,
    target: Option<Target>,
) -> Option<String> {
    address(checks, found, target, PROVIDER)?;
    Some(found.value.clone())
}

/// An address that devices talk to: `https`, unless it is this machine or the target is local.
pub(super) fn endpoint(
    checks: &mut Checks<'_>,
    found: &Found<String>,
    target: Option<Target>,
) -> Option<String> {
    let url = address(checks, found, target, PROVIDER)?;
    secure(checks, found, target, &url)?;
    Some(found.value.clone())
}

fn secure(checks: &mut Checks<'_>, found: &Found<String>, target: Option<Target>, url: &Url) -> Option<()> {
    if url.scheme() == "http" && target == Some(Target::Aws) && !is_loopback(url) {
        let message = format!("`{}` must be `https`: secrets and tokens travel over it", found.place.key);
        checks.error(&found.place, "insecure", message);
        return None;
    }
    Some(())
}

/// Where a service of AWS is asked: scheme, host and port alone. Secrets travel there, so it is `https`
/// unless it is this machine.
pub(super) fn service_address(checks: &mut Checks<'_>, found: &Found<String>) -> Option<String> {
    let url = address(checks, found, Some(Target::Aws), SERVICE)?;
    secure(checks, found, Some(Target::Aws), &url)?;
    if url.path() != "/" || url.query().is_some() {
        let message = format!("`{}` is a scheme, a host and perhaps a port, nothing else", found.place.key);
        checks.report(&found.place, "bad_address", message, Shown::ToStart, None);
        return None;
    }
    Some(found.value.trim_end_matches('/').to_owned())
}

fn address(
    checks: &mut Checks<'_>,
    found: &Found<String>,
    target: Option<Target>,
    example: &str,
) -> Option<Url> {
    let key = &found.place.key;
    let url = Url::parse(&found.value).ok().filter(|url| {
        ["http", "https"].contains(&url.scheme()) && url.has_host() && !found.value.contains([' ', '\\'])
    });
    let Some(url) = url else {
        let message = format!("`{key}` is an address such as `{example}`");
        checks.error(&found.place, "bad_address", message);
        return None;
    };
    let problem = if !url.username().is_empty() || url.password().is_some() {
        "must not hold a user or a password"
    } else if url.fragment().is_some() {
        "must not have a `#` part"
    } else if target == Some(Target::Aws) && url.host_str() == Some(EMBEDDED_HOST) {
        "is the embedded provider's, and this stack's target is `aws`"
    } else {
        return Some(url);
    };
    checks.report(&found.place, "bad_address", format!("`{key}` {problem}"), Shown::ToStart, None);
    None
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
