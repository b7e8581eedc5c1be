//! What the policies of an authorizer's answer allow. Expected results, each with its source, are in
//! `cases.json`; where AWS says nothing, a right is not given and a refusal stands.

mod pattern;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::control::iot::answer::{POLICY_DOCUMENT_CHARACTERS_MAX, POLICY_DOCUMENTS_MAX};
use crate::partition::partition;
use crate::strict_json;
use pattern::{Pattern, Unknown};

/// What a device may be allowed to do (AWS IoT Developer Guide, "AWS IoT Core policy actions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To connect with a client id.
    Connect,
    /// To publish to a topic.
    Publish,
    /// To publish with the retain flag; besides [`Action::Publish`].
    RetainPublish,
    /// To receive from a topic.
    Receive,
    /// To subscribe to a topic filter.
    Subscribe,
}

impl Action {
    /// As policies name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "iot:Connect",
            Self::Publish => "iot:Publish",
            Self::RetainPublish => "iot:RetainPublish",
            Self::Receive => "iot:Receive",
            Self::Subscribe => "iot:Subscribe",
        }
    }

    /// The type of its resource ("AWS IoT Core action resources").
    const fn resource_type(self) -> &'static str {
        match self {
            Self::Connect => "client",
            Self::Publish | Self::RetainPublish | Self::Receive => "topic",
            Self::Subscribe => "topicfilter",
        }
    }

    /// The ARN of what it is done to.
    pub fn resource(self, region: &str, account: &str, name: &str) -> String {
        format!("arn:{}:iot:{region}:{account}:{}/{name}", partition(region), self.resource_type())
    }
}

/// The values that `${…}` may stand for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variables<'a> {
    /// The MQTT client id; none over HTTP.
    pub client_id: Option<&'a str>,
}

impl Variables<'_> {
    /// The value of a variable. Names are not case sensitive.
    fn value(&self, name: &str) -> Option<&str> {
        name.eq_ignore_ascii_case("iot:ClientId").then_some(self.client_id).flatten()
    }
}

/// What the policies say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A statement allows it, and none denies it.
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement denies it; both are counted from 1.
    Denied {
        /// Which document.
        document: usize,
        /// Which statement of it.
        statement: usize,
    },
}

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("policy document {document}: {because}")]
pub struct BadPolicy {
    /// Which document, from 1.
    pub document: usize,
    /// What is wrong with it.
    pub because: &'static str,
}

/// The policies of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies(Vec<Vec<Statement>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    allows: bool,
    actions: Listed,
    resources: Listed,
    /// There is a condition, which is not evaluated here.
    conditional: bool,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Listed {
    Only(Vec<String>),
    AllBut(Vec<String>),
}

impl Policies {
    /// Reads policy documents: strictly, since a member that is misspelt would change their meaning.
    pub fn read(documents: &[String]) -> Result<Self, BadPolicy> {
        let bad = |place: usize, because| BadPolicy { document: place + 1, because };
        if documents.len() > POLICY_DOCUMENTS_MAX {
            return Err(bad(POLICY_DOCUMENTS_MAX, "there are more than 10 documents"));
        }
        let read = |(place, text): (usize, &String)| document(text).map_err(|because| bad(place, because));
        documents.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// What they say about doing `action` to the resource of this ARN.
    pub fn verdict(&self, action: Action, resource: &str, variables: &Variables<'_>) -> Verdict {
        let mut verdict = Verdict::NotAllowed;
        for (document, statements) in self.0.iter().enumerate() {
            for (statement, rule) in statements.iter().enumerate() {
                if !rule.applies(action, resource, variables) {
                    continue;
                }
                if !rule.allows {
                    return Verdict::Denied { document: document + 1, statement: statement + 1 };
                }
                verdict = Verdict::Allowed;
            }
        }
        verdict
    }
}

impl Statement {
    fn applies(&self, action: Action, resource: &str, variables: &Variables<'_>) -> bool {
        // A condition is unknown: not fulfilled where it would give a right, fulfilled where it takes one.
        if self.conditional && self.allows {
            return false;
        }
        let action_name = action.name().to_ascii_lowercase();
        let unknown =
            if self.allows == self.resources.names() { Unknown::Nothing } else { Unknown::Anything };
        self.actions.has(|text| Pattern::action(text).matches(&action_name, Unknown::Nothing))
            && self.resources.has(|text| Pattern::resource(text, variables).matches(resource, unknown))
    }
}

impl Listed {
    /// Whether it names what it means, rather than what it does not mean.
    const fn names(&self) -> bool {
        matches!(self, Self::Only(_))
    }

    fn has(&self, matches: impl FnMut(&String) -> bool) -> bool {
        match self {
            Self::Only(patterns) => patterns.iter().any(matches),
            Self::AllBut(patterns) => !patterns.iter().any(matches),
        }
    }
}

fn document(text: &str) -> Result<Vec<Statement>, &'static str> {
    if text.chars().count() > POLICY_DOCUMENT_CHARACTERS_MAX {
        return Err("it has more than 2048 characters");
    }
    let Some(Value::Object(members)) = strict_json::read(text.as_bytes()) else {
        return Err("it is not a JSON object, or repeats a key");
    };
    if members.keys().any(|name| !matches!(name.as_str(), "Version" | "Id" | "Statement")) {
        return Err("it has a member that is not Version, Id or Statement");
    }
    if members.get("Version").and_then(Value::as_str) != Some("2012-10-17") {
        return Err("its Version is not 2012-10-17");
    }
    match members.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().map(statement).collect(),
        Some(one @ Value::Object(_)) => Ok(vec![statement(one)?]),
        _ => Err("its Statement is missing, or neither an object nor a list"),
    }
}

fn statement(value: &Value) -> Result<Statement, &'static str> {
    const MEMBERS: [&str; 7] =
        ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    let Value::Object(members) = value else { return Err("a statement is not an object") };
    if members.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
        return Err("a statement has an unknown member");
    }
    let allows = match members.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err("a statement's Effect is neither Allow nor Deny"),
    };
    let actions = listed(members, "Action", "NotAction")
        .ok_or("a statement needs Action or NotAction, a text or a list of texts")?;
    let resources = listed(members, "Resource", "NotResource")
        .ok_or("a statement needs Resource or NotResource, a text or a list of texts")?;
    Ok(Statement { allows, actions, resources, conditional: members.contains_key("Condition") })
}

fn listed(members: &Map<String, Value>, only: &str, all_but: &str) -> Option<Listed> {
    match (members.get(only), members.get(all_but)) {
        (Some(value), None) => texts(value).map(Listed::Only),
        (None, Some(value)) => texts(value).map(Listed::AllBut),
        _ => None,
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) if !values.is_empty() => {
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}
