//! `TestInvokeAuthorizer`: the authorizer's function, as strictly as for a device, on an event of its own:
//! the token, and whatever contexts are given. (aws-facts 0.10, 2.6)

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Grant};
use super::authorizer::find;
use super::errors::{invalid_request, invalid_response, open_question, require};
use super::input::{body, check_name};
use super::state::{Authorizer, Status};
use super::{may_invoke, signature};
use crate::Response;
use crate::control::{Call, Reply, Run, ServiceError, lambda};
use crate::lambda_host::{Invocation, Invoked};
use crate::state::World;
use crate::switches::TestInvoke;

/// What `TestInvokeAuthorizer` takes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    token: Option<String>,
    token_signature: Option<String>,
    http_context: Option<HttpContext>,
    mqtt_context: Option<MqttContext>,
    tls_context: Option<TlsContext>,
}

/// `HttpContext`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpContext {
    headers: Option<BTreeMap<String, String>>,
    query_string: Option<String>,
}

/// `MqttContext`; the password is base64 on the wire and in the event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MqttContext {
    username: Option<String>,
    password: Option<String>,
    client_id: Option<String>,
}

/// `TlsContext`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TlsContext {
    server_name: Option<String>,
}

pub(super) fn test_invoke(world: &mut World, call: &Call, name: &str) -> Result<Reply, ServiceError> {
    check_name(name)?;
    let wanted: Wanted = body(call)?;
    wanted.check()?;
    let authorizer = find(world, call, name)?.clone();
    if authorizer.status != Status::Active && call.options.switches.test_of_inactive == TestInvoke::Refuse {
        let text = format!("Invalid request provided: authorizer {name} is INACTIVE");
        return Err(invalid_request(open_question(7, &text)));
    }
    let verified = check_signature(call, &authorizer, &wanted)?;
    let function_arn = &authorizer.function_arn;
    if !may_invoke(world, call.region, &authorizer, &call.options.switches) {
        return Err(invalid_request(format!(
            "Invalid request provided: iot.amazonaws.com may not invoke {function_arn} for {}",
            authorizer.arn
        )));
    }
    let function = lambda::resolve(world, call.region, function_arn, call.now)
        .map_err(|because| invalid_request(format!("Invalid request provided: {because}")))?;
    Ok(Reply::Run(Run {
        function,
        event: wanted.event(verified).to_string().into(),
        limit: call.options.authorizer_limit,
        answer: Box::new(|invocation| answer(&invocation)),
    }))
}

impl Wanted {
    /// The constraints of the model: aws-facts 1.1, 1.2.
    fn check(&self) -> Result<(), ServiceError> {
        let length = |text: Option<&String>, member: &str, most: usize| {
            let characters = text.map_or(1, |text| text.chars().count());
            require((1..=most).contains(&characters), member, &format!("have length from 1 to {most}"))
        };
        length(self.token.as_ref(), "token", 6144)?;
        length(self.token_signature.as_ref(), "tokenSignature", 2560)?;
        if let Some(signature) = &self.token_signature {
            let body = signature.trim_end_matches('=');
            let good = signature.len() - body.len() <= 2
                && !body.is_empty()
                && body.chars().all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '/');
            require(good, "tokenSignature", "satisfy regular expression pattern: [A-Za-z0-9+/]+={0,2}")?;
        }
        if let Some(http) = &self.http_context {
            for (name, value) in http.headers.iter().flatten() {
                length(Some(name), "httpContext.headers", 8192)?;
                length(Some(value), "httpContext.headers", 8192)?;
            }
            length(http.query_string.as_ref(), "httpContext.queryString", 4096)?;
        }
        if let Some(mqtt) = &self.mqtt_context {
            length(mqtt.username.as_ref(), "mqttContext.username", 65_535)?;
            length(mqtt.client_id.as_ref(), "mqttContext.clientId", 65_535)?;
        }
        let tls = self.tls_context.as_ref().and_then(|tls| tls.server_name.as_ref());
        length(tls, "tlsContext.serverName", 253)
    }

    /// The event: the token, and what contexts there are.
    fn event(&self, verified: bool) -> Value {
        let mut event = json!({ "signatureVerified": verified });
        if let Some(token) = &self.token {
            event["token"] = json!(token);
        }
        let mut protocols = Vec::new();
        let mut data = Map::new();
        if let Some(tls) = &self.tls_context {
            protocols.push("tls");
            data.insert("tls".to_owned(), members([("serverName", tls.server_name.as_ref())]));
        }
        if let Some(http) = &self.http_context {
            protocols.push("http");
            let mut shown = members([("queryString", http.query_string.as_ref())]);
            if let Some(headers) = &http.headers {
                shown["headers"] = json!(headers);
            }
            data.insert("http".to_owned(), shown);
        }
        if let Some(mqtt) = &self.mqtt_context {
            protocols.push("mqtt");
            let shown = members([
                ("username", mqtt.username.as_ref()),
                ("password", mqtt.password.as_ref()),
                ("clientId", mqtt.client_id.as_ref()),
            ]);
            data.insert("mqtt".to_owned(), shown);
        }
        if !protocols.is_empty() {
            event["protocols"] = json!(protocols);
            event["protocolData"] = Value::Object(data);
        }
        event
    }
}

/// An object of the members that are there.
fn members<const LENGTH: usize>(given: [(&str, Option<&String>); LENGTH]) -> Value {
    let there = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
    Value::Object(there.collect())
}

/// Whether the token is signed by a registered key; refuses when it has to be, and is not.
fn check_signature(call: &Call, authorizer: &Authorizer, wanted: &Wanted) -> Result<bool, ServiceError> {
    if authorizer.signing_disabled {
        return Ok(false);
    }
    let (Some(token), Some(signed)) = (&wanted.token, &wanted.token_signature) else {
        return Err(invalid_request(format!(
            "Invalid request provided: authorizer {} needs a token and its signature",
            authorizer.name
        )));
    };
    let verified = signature::verify(&authorizer.public_keys, token, signed);
    if !verified && call.options.switches.test_with_wrong_signature == TestInvoke::Refuse {
        let text = "Invalid request provided: the token signature does not verify";
        return Err(invalid_request(open_question(7, text)));
    }
    Ok(verified)
}

/// The answer of the API from the function's.
fn answer(invocation: &Invocation) -> Result<Response, ServiceError> {
    let body = match &invocation.invoked {
        Invoked::Answered(body) => body,
        Invoked::Failed { kind, .. } => {
            return Err(invalid_response(format!("The authorizer's function failed: {kind}")));
        }
        Invoked::TimedOut => {
            return Err(invalid_response("The authorizer's function did not answer in time"));
        }
        Invoked::Throttled => {
            return Err(invalid_response(
                "The authorizer's function is throttled by its reserved concurrency",
            ));
        }
        Invoked::Crashed(_) => {
            return Err(invalid_response("The authorizer's function ended without an answer"));
        }
    };
    let shown = match Answer::read(body) {
        Ok(Answer::Refused) => json!({ "isAuthenticated": false }),
        Ok(Answer::Accepted(Grant {
            principal_id,
            policy_documents,
            refresh_after_seconds,
            disconnect_after_seconds,
        })) => json!({
            "isAuthenticated": true,
            "principalId": principal_id,
            "policyDocuments": policy_documents,
            "refreshAfterInSeconds": refresh_after_seconds,
            "disconnectAfterInSeconds": disconnect_after_seconds,
        }),
        Err(malformed) => return Err(invalid_response(format!("The authorizer's answer: {malformed}"))),
    };
    Ok(crate::json_answer(200, &shown))
}
