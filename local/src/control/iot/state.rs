//! What the IoT control plane remembers in one Region: authorizers and which one is the default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Every authorizer of the Region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Authorizers by name. Names are case-sensitive.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// The name of the default authorizer: one slot per account and Region.
    pub default: Option<String>,
}

/// One custom authorizer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorizer {
    /// 1 to 128 of `[\w=,@-]`; for life.
    pub name: String,
    /// `arn:aws:iot:REGION:ACCOUNT:authorizer/NAME`.
    pub arn: String,
    /// The function, perhaps with a qualifier.
    pub function_arn: String,
    /// The header or query parameter that carries the token; always there when signing is enabled.
    pub token_key_name: Option<String>,
    /// PEM by key name.
    pub public_keys: BTreeMap<String, String>,
    /// Only an active one serves devices.
    pub status: Status,
    /// For life.
    pub signing_disabled: bool,
    /// Whether an answer may be kept for one HTTP connection.
    pub enable_caching_for_http: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Created, in milliseconds since 1970.
    pub created: u64,
    /// Last changed, in milliseconds since 1970.
    pub modified: u64,
}

/// Whether an authorizer serves devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It does.
    Active,
    /// It does not, and may be deleted.
    Inactive,
}

impl Status {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }
}

impl State {
    /// Gives everything the tags that it had in `then`.
    pub(crate) fn take_tags(&mut self, then: &Self) {
        crate::copies::take_tags(
            &mut self.authorizers,
            &then.authorizers,
            |one| &one.tags,
            |one, tags| one.tags = tags,
        );
    }

    /// The authorizer of this name.
    pub fn authorizer(&self, name: &str) -> Option<&Authorizer> {
        self.authorizers.get(name)
    }

    /// The one that serves a device which names none.
    pub fn default_authorizer(&self) -> Option<&Authorizer> {
        self.authorizers.get(self.default.as_ref()?)
    }
}
