//! Custom authentication: which authorizer, whose signature, what the function says.
//!
//! The order is AWS's (AWS IoT Developer Guide, "Understanding the custom authentication workflow"): the
//! token signature is checked before anything runs, so a stranger costs no invocation.

use serde_json::{Map, Value, json};

use super::credentials::{Ambiguous, Credentials, SIGNATURE};
use super::http_cache::Key;
use super::policy::Policies;
use crate::control::iot::answer::Answer;
use crate::control::iot::{self, Authorizer, Status, signature};
use crate::control::lambda;
use crate::lambda_host::{Invocation, Invokable, Invoked};
use crate::refusal_log::{Who, Why};
use crate::switches::{HeaderNames, SignatureInEvent, Switches};
use crate::{Request, Target};

/// The longest own word of an authorizer that is taken into the target's log.
const REASON_BYTES_MAX: usize = 64;

/// A device that an authorizer accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) authorizer: String,
    pub(super) policies: Policies,
    /// 0 when an earlier answer of the same connection still holds.
    pub(super) invocations: u32,
}

/// A device that was refused, and what the target's log says about it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) who: Who,
    pub(super) why: Why,
    pub(super) detail: String,
    pub(super) reason: Option<String>,
    pub(super) authorizer: Option<String>,
    pub(super) invocations: u32,
}

impl Refusal {
    fn by_gateway(why: Why, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { who: Who::Gateway, why, detail, reason: None, authorizer: None, invocations: 0 }
    }

    fn by_authorizer(invocation: &Invocation, why: Why, detail: impl Into<String>) -> Self {
        let invocations = u32::from(invocation.started);
        Self { who: Who::Authorizer, invocations, ..Self::by_gateway(why, detail) }
    }
}

impl From<Ambiguous> for Refusal {
    fn from(Ambiguous(name): Ambiguous) -> Self {
        Self::by_gateway(Why::AmbiguousCredentials, format!("`{name}` has two different values"))
    }
}

/// The connection that a request came on, as the event tells it.
pub(super) struct Connection<'a> {
    pub(super) region: &'a str,
    pub(super) server_name: &'a str,
    pub(super) id: &'a str,
    /// Whether further requests may come on it.
    pub(super) lasting: bool,
}

/// Asks the authorizer about the device of an HTTP request. Blocks while the function runs.
pub(super) fn authenticate(
    target: &Target,
    connection: &Connection<'_>,
    request: &Request,
) -> Result<Accepted, Refusal> {
    let credentials = Credentials::of(request);
    let authorizer = find(target, connection.region, &credentials)?;
    let asked = ask(target, connection, request, &credentials, &authorizer);
    asked.map_err(|refusal| Refusal { authorizer: Some(authorizer.name.clone()), ..refusal })
}

fn find(target: &Target, region: &str, credentials: &Credentials<'_>) -> Result<Authorizer, Refusal> {
    let name = credentials.authorizer_name()?;
    let found = target.with_world(|world| {
        let iot = &world.regions.get(region)?.iot;
        let authorizer = match &name {
            Some(name) => iot.authorizer(name),
            None => iot.default_authorizer(),
        };
        authorizer.cloned()
    });
    match (found, name) {
        (Some(authorizer), Some(_)) => Ok(authorizer),
        (Some(authorizer), None) => {
            let key_name = authorizer.token_key_name.as_deref().unwrap_or_default();
            let nothing = credentials.signature()?.is_none()
                && (key_name.is_empty() || credentials.token(key_name)?.is_none());
            if nothing && !authorizer.signing_disabled {
                let detail = format!("no token under `{key_name}`, the default authorizer's token key name");
                return Err(Refusal::by_gateway(Why::NoCredentials, detail));
            }
            Ok(authorizer)
        }
        (None, Some(name)) => {
            let detail = format!("no authorizer is named `{}` in {region}", name.escape_debug());
            Err(Refusal::by_gateway(Why::UnknownAuthorizer, detail))
        }
        (None, None) if credentials.signature()?.is_some() => {
            let detail = format!("the request names no authorizer, and {region} has no default");
            Err(Refusal::by_gateway(Why::UnknownAuthorizer, detail))
        }
        (None, None) => {
            let detail = format!("the request names no authorizer, and {region} has no default");
            Err(Refusal::by_gateway(Why::NoCredentials, detail))
        }
    }
}

fn ask(
    target: &Target,
    connection: &Connection<'_>,
    request: &Request,
    credentials: &Credentials<'_>,
    authorizer: &Authorizer,
) -> Result<Accepted, Refusal> {
    if authorizer.status != Status::Active {
        return Err(Refusal::by_gateway(Why::InactiveAuthorizer, "the authorizer is INACTIVE"));
    }
    let token = match &authorizer.token_key_name {
        Some(name) => credentials.token(name)?,
        None => None,
    };
    let signature = credentials.signature()?;
    if !authorizer.signing_disabled {
        check_signature(authorizer, token.as_deref(), signature.as_deref())?;
    }
    let switches = &target.options().switches;
    let function = permitted(target, connection.region, authorizer, switches)?;
    let (now, cache) = (target.clock().now(), &target.gateway().cache);
    let caches = authorizer.enable_caching_for_http && connection.lasting;
    let (for_token, for_signature) = (token.as_deref().unwrap_or_default(), signature.unwrap_or_default());
    let key = caches.then(|| Key::new(connection.id, &authorizer.arn, for_token, &for_signature));
    if let Some(policies) = key.as_ref().and_then(|key| cache.get(key, now)) {
        return Ok(Accepted { authorizer: authorizer.name.clone(), policies, invocations: 0 });
    }
    let event = event(connection, request, authorizer, token, switches);
    let invocation = target.run(&function, event.to_string().into(), target.options().authorizer_limit);
    let (policies, refresh_after_seconds) = decided(&invocation)?;
    if let Some(key) = key {
        cache.keep(key, &policies, now, refresh_after_seconds);
    }
    Ok(Accepted { authorizer: authorizer.name.clone(), policies, invocations: 1 })
}

fn check_signature(authorizer: &Authorizer, token: Option<&str>, sent: Option<&str>) -> Result<(), Refusal> {
    let Some(token) = token else {
        let name = authorizer.token_key_name.as_deref().unwrap_or_default();
        return Err(Refusal::by_gateway(Why::MissingToken, format!("no header or parameter `{name}`")));
    };
    let Some(sent) = sent else {
        let detail = format!("no header or parameter `{SIGNATURE}`");
        return Err(Refusal::by_gateway(Why::MissingTokenSignature, detail));
    };
    if !signature::verify(&authorizer.public_keys, token, sent) {
        let keys = authorizer.public_keys.len();
        let detail = format!("none of the {keys} registered keys made this token signature");
        return Err(Refusal::by_gateway(Why::BadTokenSignature, detail));
    }
    Ok(())
}

fn permitted(
    target: &Target,
    region: &str,
    authorizer: &Authorizer,
    switches: &Switches,
) -> Result<Invokable, Refusal> {
    let now = target.clock().now();
    target.with_world(|world| {
        let function = &authorizer.function_arn;
        if !iot::may_invoke(world, region, authorizer, switches) {
            let detail = format!(
                "the resource policy of {function} does not let iot.amazonaws.com invoke it with source {}",
                authorizer.arn
            );
            return Err(Refusal::by_gateway(Why::MissingInvokePermission, detail));
        }
        lambda::resolve(world, region, function, now)
            .map_err(|because| Refusal::by_gateway(Why::FunctionUnavailable, because.to_string()))
    })
}

/// The policies of an acceptance, and for how many seconds they hold.
fn decided(invocation: &Invocation) -> Result<(Policies, u64), Refusal> {
    let refusal = |why, detail: String| Refusal::by_authorizer(invocation, why, detail);
    let malformed = |because: &dyn std::fmt::Display| {
        refusal(Why::MalformedAnswer, format!("the function's answer: {because}"))
    };
    let answer = match &invocation.invoked {
        Invoked::Answered(answer) => answer,
        // What a function says about its failure may quote the token, so only the type is kept.
        Invoked::Failed { kind, .. } => {
            let detail = format!("the function reported {}", kind.escape_debug());
            return Err(refusal(Why::FunctionError, detail));
        }
        Invoked::Crashed(because) => {
            return Err(refusal(Why::FunctionCrash, because.clone()));
        }
        Invoked::Throttled => {
            let detail = "the function works on as many events as its reserved concurrency allows";
            return Err(Refusal::by_gateway(Why::FunctionUnavailable, detail));
        }
        Invoked::TimedOut => {
            let detail = "the function did not answer within the limit of an authorizer call";
            return Err(refusal(Why::FunctionTimeout, detail.to_owned()));
        }
    };
    let grant = match Answer::read(answer).map_err(|because| malformed(&because))? {
        Answer::Accepted(grant) => grant,
        Answer::Refused => {
            let denied = refusal(Why::DeniedByAuthorizer, "isAuthenticated is false".to_owned());
            return Err(Refusal { reason: logged_reason(invocation), ..denied });
        }
    };
    let policies = Policies::read(&grant.policy_documents).map_err(|because| malformed(&because))?;
    Ok((policies, grant.refresh_after_seconds))
}

/// The word in the `reason` of the JSON line that the function logged for this very request.
fn logged_reason(invocation: &Invocation) -> Option<String> {
    invocation.lines.iter().rev().find_map(|line| {
        let line: Map<String, Value> = serde_json::from_str(line).ok()?;
        if line.get("request_id").and_then(Value::as_str) != Some(&invocation.request_id) {
            return None;
        }
        let reason = line.get("reason")?.as_str()?;
        let word = (1..=REASON_BYTES_MAX).contains(&reason.len())
            && reason.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        word.then(|| reason.to_owned())
    })
}

/// The event of an HTTP request (aws-facts 2.6): no MQTT in it, and no member that has no value.
fn event(
    connection: &Connection<'_>,
    request: &Request,
    authorizer: &Authorizer,
    token: Option<String>,
    switches: &Switches,
) -> Value {
    let keep_signature = switches.signature_in_event == SignatureInEvent::Kept;
    let mut headers = Map::new();
    for name in request.headers().keys() {
        if name == SIGNATURE && !keep_signature {
            continue;
        }
        let values: Vec<_> = request
            .headers()
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        headers.insert(header_name(name.as_str(), switches.header_names), json!(values.join(", ")));
    }
    let mut http = json!({ "headers": headers });
    if let Some(query) = request.uri().query() {
        let kept = query.split('&').filter(|pair| keep_signature || !names_signature(pair));
        http["queryString"] = json!(format!("?{}", kept.collect::<Vec<_>>().join("&")));
    }
    let mut event = json!({
        "signatureVerified": !authorizer.signing_disabled,
        "protocols": ["tls", "http"],
        "protocolData": { "tls": { "serverName": connection.server_name }, "http": http },
        "connectionMetadata": { "id": connection.id },
    });
    if let Some(token) = token {
        event["token"] = json!(token);
    }
    event
}

/// Whether this pair of a query string, however it is encoded, is the token signature.
fn names_signature(pair: &str) -> bool {
    form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == SIGNATURE)
}

fn header_name(name: &str, names: HeaderNames) -> String {
    match names {
        HeaderNames::Lower => name.to_owned(),
        HeaderNames::Capitalised => {
            let word = |word: &str| {
                let (first, rest) = word.split_at(word.len().min(1));
                first.to_ascii_uppercase() + rest
            };
            name.split('-').map(word).collect::<Vec<_>>().join("-")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ran_is_an_invocation() {
        for started in [true, false] {
            let invocation = Invocation {
                invoked: Invoked::TimedOut,
                request_id: String::new(),
                stream: String::new(),
                lines: Vec::new(),
                started,
            };
            assert_eq!(decided(&invocation).unwrap_err().invocations, u32::from(started));
        }
    }
}
