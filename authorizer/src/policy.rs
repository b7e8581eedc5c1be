//! From the claims of a verified token to the policy documents that AWS IoT applies.
//!
//! Documents are values written by a serializer. What was written is read again and compared with
//! what was configured before it leaves: should a value ever slip through, the device is denied.

use serde::{Serialize, Serializer};

use crate::deny::Deny;
use crate::fingerprint::sha256_hex;
use crate::json::{self, Json, Object};
use crate::template::Template;
use crate::token::Verified;

/// The most policy documents in one answer (AWS IoT quota).
pub const DOCUMENTS_MAX: usize = 10;
/// The most characters in one policy document (AWS IoT quota).
pub const DOCUMENT_CHARACTERS_MAX: usize = 2048;

/// The policy language version, the only one with variables and the only one AWS documents here.
const VERSION: &str = "2012-10-17";

/// What a grant lets a device do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open an MQTT connection under a client id.
    Connect,
    /// Publish to a topic.
    Publish,
    /// Subscribe to a filter.
    Subscribe,
    /// Be sent messages on a topic.
    Receive,
}

impl Action {
    /// AWS IoT's name of the action.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "iot:Connect",
            Self::Publish => "iot:Publish",
            Self::Subscribe => "iot:Subscribe",
            Self::Receive => "iot:Receive",
        }
    }

    /// The kind of resource that the action is about (AWS IoT, "Action resources").
    fn resource_kind(self) -> &'static str {
        match self {
            Self::Connect => "client",
            Self::Publish | Self::Receive => "topic",
            Self::Subscribe => "topicfilter",
        }
    }
}

/// What a good token gets, for any values of its claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    /// `arn:PARTITION:iot:REGION:ACCOUNT`.
    pub arn_prefix: String,
    /// Sorted by action: connect, publish, subscribe, receive.
    pub grants: Vec<Grant>,
}

/// One action on one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What is granted.
    pub action: Action,
    /// On what.
    pub template: Template,
}

/// The text of one policy document. It was checked, and goes to AWS as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document(String);

impl Document {
    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Serialize)]
struct Draft {
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "Statement")]
    statements: Vec<Statement>,
}

#[derive(Debug, Serialize)]
struct Statement {
    #[serde(rename = "Effect")]
    effect: &'static str,
    #[serde(rename = "Action")]
    action: Action,
    #[serde(rename = "Resource")]
    resources: Vec<String>,
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The principal of a token: AWS allows letters and digits only, and two subjects must not become
/// one by leaving characters out.
pub fn principal(verified: &Verified<'_>) -> String {
    sha256_hex(&[verified.issuer().as_bytes(), b"\0", verified.subject().as_bytes()], 32)
}

/// The documents for a verified token.
pub fn for_device(verified: &Verified<'_>, grants: &Grants) -> Result<Vec<Document>, Deny> {
    for_claims(verified.claims(), grants)
}

/// The documents for these claims; [`for_device`] is the way in for tokens.
pub(crate) fn for_claims(claims: &Object<'_>, grants: &Grants) -> Result<Vec<Document>, Deny> {
    let mut packer = Packer::default();
    for Grant { action, template } in &grants.grants {
        let mut resource = String::with_capacity(RESOURCE_CHARACTERS);
        for part in [&grants.arn_prefix, ":", action.resource_kind(), "/"] {
            resource.push_str(part);
        }
        template.fill(claims, &mut resource)?;
        packer.add(*action, resource)?;
    }
    check(&packer.drafts, grants)
}

/// Fills documents one after the other; a statement that does not fit goes on in the next one.
#[derive(Default)]
struct Packer {
    drafts: Vec<Draft>,
    /// Characters of the last one.
    characters: usize,
}

/// What most resources fit in.
const RESOURCE_CHARACTERS: usize = 128;
/// `{"Version":"2012-10-17","Statement":[]}`
const DOCUMENT_CHARACTERS: usize = 39;
/// `{"Effect":"Allow","Action":"","Resource":[]}` and a comma.
const STATEMENT_CHARACTERS: usize = 45;

impl Packer {
    fn add(&mut self, action: Action, resource: String) -> Result<(), Deny> {
        // Two quotes and a comma. Nothing in a resource needs an escape.
        let resource_characters = resource.len() + 3;
        let statement_characters = STATEMENT_CHARACTERS + action.name().len() + resource_characters;

        let goes_on = self.drafts.last().and_then(|draft| draft.statements.last());
        let more = if goes_on.is_some_and(|statement| statement.action == action) {
            resource_characters
        } else {
            statement_characters
        };
        if self.drafts.is_empty() || self.characters + more > DOCUMENT_CHARACTERS_MAX {
            self.characters = DOCUMENT_CHARACTERS + statement_characters;
            if self.characters > DOCUMENT_CHARACTERS_MAX || self.drafts.len() == DOCUMENTS_MAX {
                return Err(Deny::PolicyTooLarge);
            }
            self.drafts.push(Draft { version: VERSION, statements: Vec::new() });
        } else {
            self.characters += more;
        }

        let Some(draft) = self.drafts.last_mut() else { return Err(Deny::PolicyTooLarge) };
        match draft.statements.last_mut() {
            Some(statement) if statement.action == action => statement.resources.push(resource),
            _ => draft.statements.push(Statement { effect: "Allow", action, resources: vec![resource] }),
        }
        Ok(())
    }
}

/// Writes the documents, reads each again as AWS will, and compares it with the configuration.
fn check(drafts: &[Draft], grants: &Grants) -> Result<Vec<Document>, Deny> {
    let mut expected = grants.grants.iter();
    let mut documents = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let text = serde_json::to_string(draft).map_err(|_| Deny::PolicyRefused)?;
        check_text(&text, &grants.arn_prefix, &mut expected).ok_or(Deny::PolicyRefused)?;
        documents.push(Document(text));
    }
    match (documents.len(), expected.next()) {
        (1..=DOCUMENTS_MAX, None) => Ok(documents),
        _ => Err(Deny::PolicyRefused),
    }
}

/// `Some` if the document grants exactly the next `expected` grants, in order, and nothing else.
fn check_text<'a>(
    text: &str,
    arn_prefix: &str,
    expected: &mut impl Iterator<Item = &'a Grant>,
) -> Option<()> {
    if text.chars().count() > DOCUMENT_CHARACTERS_MAX {
        return None;
    }
    let document = json::parse_object(text.as_bytes())?;
    let (Json::Text(version), Json::List(statements), 2) =
        (document.get("Version")?, document.get("Statement")?, document.len())
    else {
        return None;
    };
    if version != VERSION {
        return None;
    }
    for statement in statements {
        let Json::Object(statement) = statement else { return None };
        // With three members and these three present there is no `NotAction`, `NotResource` or `Condition`.
        let (Json::Text(effect), Json::Text(action), Json::List(resources), 3) =
            (statement.get("Effect")?, statement.get("Action")?, statement.get("Resource")?, statement.len())
        else {
            return None;
        };
        if effect != "Allow" || resources.is_empty() {
            return None;
        }
        for resource in resources {
            let grant = expected.next()?;
            let rest = resource.as_text()?.strip_prefix(arn_prefix)?.strip_prefix(':')?;
            let rest = rest.strip_prefix(grant.action.resource_kind())?.strip_prefix('/')?;
            if action != grant.action.name() || !grant.template.admits(rest) {
                return None;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests;
