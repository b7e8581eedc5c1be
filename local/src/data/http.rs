//! The device gateway over HTTP: one request to publish, answered as AWS IoT answers it. What AWS hides
//! from the device goes to the target's log, under the trace id of the answer.

use std::time::UNIX_EPOCH;

use http::{HeaderValue, header};
use serde_json::json;

use super::broker::Message;
use super::custom_auth::{Accepted, Connection, Refusal, authenticate};
use super::endpoint::{Endpoint, Peer};
use super::policy::{Action, Variables, Verdict};
use super::publish::{Invalid, Publish};
use crate::refusal_log::{Entry, Who, Why};
use crate::switches::FailedAuthentication;
use crate::{ACCOUNT, Request, Response, Target, random};

/// Answers one device.
pub(super) fn handle(target: &Target, request: &Request) -> Response {
    let mut entry = Entry {
        at_ms: milliseconds(target),
        trace_id: random::uuid(),
        region: None,
        who: None,
        why: Why::Delivered,
        reason: None,
        detail: String::new(),
        authorizer: None,
        subject: None,
        invocations: 0,
    };
    let answer = answer(target, request, &mut entry);
    target.refusal_log().record(entry);
    answer
}

/// Answers, and completes the log's entry.
fn answer(target: &Target, request: &Request, entry: &mut Entry) -> Response {
    let publish = match Publish::read(request) {
        Ok(publish) => publish,
        Err(invalid) => return not_a_publish(&invalid, entry),
    };
    entry.subject = Some(publish.topic.to_string());
    let peer = request.extensions().get::<Peer>();
    let (region, server_name) = match endpoint(target, request, peer) {
        Ok(endpoint) => endpoint,
        Err(because) => {
            return refused(target, entry, (Who::Gateway, Why::UnknownEndpoint), because.to_owned());
        }
    };
    entry.region = Some(region.clone());
    let id = peer.map_or_else(random::uuid, |peer| peer.connection.clone());
    let connection =
        Connection { region: &region, server_name: &server_name, id: &id, lasting: peer.is_some() };
    match authenticate(target, &connection, request) {
        Ok(accepted) => authorised(target, &region, publish, &accepted, entry),
        Err(Refusal { who, why, detail, reason, authorizer, invocations }) => {
            entry.reason = reason;
            entry.authorizer = authorizer;
            entry.invocations = invocations;
            refused(target, entry, (who, why), detail)
        }
    }
}

fn authorised(
    target: &Target,
    region: &str,
    publish: Publish,
    accepted: &Accepted,
    entry: &mut Entry,
) -> Response {
    entry.authorizer = Some(accepted.authorizer.clone());
    entry.invocations = accepted.invocations;
    let retain = publish.retain.then_some(Action::RetainPublish);
    for action in [Some(Action::Publish), retain].into_iter().flatten() {
        let resource = action.resource(region, ACCOUNT, publish.topic.as_str());
        let detail = match accepted.policies.verdict(action, &resource, &Variables::default()) {
            Verdict::Allowed => continue,
            Verdict::NotAllowed => format!("no statement allows {} on {resource}", action.name()),
            Verdict::Denied { document, statement } => format!(
                "statement {statement} of policy document {document} denies {} on {resource}",
                action.name()
            ),
        };
        return refused(target, entry, (Who::Policy, Why::DeniedByPolicy), detail);
    }
    let broker = &target.gateway().broker;
    if broker.drops_messages() {
        entry.who = Some(Who::Broker);
        entry.why = Why::Dropped;
        "the broker was told to lose messages".clone_into(&mut entry.detail);
    }
    broker.deliver(Message {
        region: region.to_owned(),
        topic: publish.topic,
        payload: publish.payload,
        qos: publish.qos,
        retain: publish.retain,
        at: target.clock().now(),
        trace_id: entry.trace_id.clone(),
    });
    told(200, "OK", None, &entry.trace_id)
}

/// The Region of the endpoint that the device speaks to, and the name by which it does. "The Host header or
/// SNI must match one of the account's data endpoints"; two that differ are a device that does not know.
fn endpoint(
    target: &Target,
    request: &Request,
    peer: Option<&Peer>,
) -> Result<(String, String), &'static str> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let host = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    let names = [peer.map(|peer| peer.server_name.as_str()), host];
    let ours: Vec<(Endpoint, &str)> =
        names.into_iter().flatten().filter_map(|name| Some((Endpoint::of(name)?, name))).collect();
    let mut regions = ours.iter().filter_map(|(endpoint, name)| match endpoint {
        Endpoint::Region(region) => Some((region, *name)),
        Endpoint::Localhost => None,
    });
    match (regions.next(), regions.next(), ours.first()) {
        (Some((region, _)), Some((other, _)), _) if region != other => {
            Err("the server name and the Host are endpoints of different Regions")
        }
        (Some((region, name)), _, _) => Ok((region.clone(), name.to_owned())),
        (None, _, Some((_, name))) => only_region(target).map(|region| (region, (*name).to_owned())).ok_or(
            "`localhost` names no Region, and not exactly one Region has an authorizer: \
             use the name that DescribeEndpoint answers",
        ),
        (None, _, None) => Err("neither the server name nor the Host is a data endpoint of this target"),
    }
}

/// `localhost` names no Region: it is the only one that has an authorizer.
fn only_region(target: &Target) -> Option<String> {
    target.with_world(|world| {
        let mut having = world.regions.iter().filter(|(_, regional)| !regional.iot.authorizers.is_empty());
        match (having.next(), having.next()) {
            (Some((region, _)), None) => Some(region.clone()),
            _ => None,
        }
    })
}

fn not_a_publish(invalid: &Invalid, entry: &mut Entry) -> Response {
    entry.who = Some(Who::Gateway);
    entry.why = invalid.why;
    entry.detail.clone_from(&invalid.text);
    let kind = match invalid.status {
        404 => "ResourceNotFoundException",
        405 => "MethodNotAllowedException",
        413 => "RequestEntityTooLargeException",
        _ => "InvalidRequestException",
    };
    told(invalid.status, &invalid.text, Some(kind), &entry.trace_id)
}

/// A refusal tells the device nothing but a trace id. Without any credentials AWS answers in other words
/// (recorded: aws-facts 2.2); the status of a failed authentication is an open question, and a switch.
fn refused(target: &Target, entry: &mut Entry, (who, why): (Who, Why), detail: String) -> Response {
    entry.who = Some(who);
    entry.why = why;
    entry.detail = detail;
    let unauthorized = target.options().switches.failed_authentication == FailedAuthentication::Unauthorized;
    match why {
        Why::NoCredentials => {
            told(403, "Missing Authentication Token", Some("ForbiddenException"), &entry.trace_id)
        }
        Why::DeniedByPolicy => told(403, "Forbidden", Some("ForbiddenException"), &entry.trace_id),
        _ if unauthorized => told(401, "Unauthorized", Some("UnauthorizedException"), &entry.trace_id),
        _ => told(403, "Forbidden", Some("ForbiddenException"), &entry.trace_id),
    }
}

fn told(status: u16, message: &str, error: Option<&str>, trace_id: &str) -> Response {
    let mut response = crate::json_answer(status, &json!({ "message": message, "traceId": trace_id }));
    let mut insert = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            response.headers_mut().insert(name, value);
        }
    };
    insert("x-amzn-requestid", trace_id);
    if let Some(error) = error {
        insert("x-amzn-errortype", &format!("{error}:"));
    }
    response
}

fn milliseconds(target: &Target) -> u64 {
    let since = target.clock().now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
