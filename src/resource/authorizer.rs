//! The AWS IoT custom authorizer: which header carries the token, which public keys check its
//! signature, and which function decides.
//!
//! AWS keeps the name and whether signatures are checked for life; everything else changes in place. An
//! update replaces the whole map of keys. It refuses to delete an active one, so `delete` switches it
//! off first.

mod keys;
mod write;

use std::collections::BTreeMap;

use aws_sdk_iot::error::SdkError;
use aws_sdk_iot::operation::describe_authorizer::{DescribeAuthorizerError, DescribeAuthorizerOutput};

use super::compare::Comparison;
use super::facts::{SigningKeys, Value};
use super::made::made;
use super::{Change, Facts, Impact, Kind, Owner, Resource};
use crate::aws::retry::{AUTHORIZER_GONE, AUTHORIZER_SEEN};
use crate::aws::wait::Look;
use crate::aws::{Aws, Fault};
use crate::keys::{Generation, PublicKeyPem};
use crate::names::{AuthorizerName, Identity, KeyName, TokenKeyName};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authorizer;

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Its name.
    pub name: AuthorizerName,
    /// The alias that decides.
    pub function_arn: String,
    /// The header or parameter that carries the token.
    pub token_key_name: TokenKeyName,
    /// Which signatures are good.
    pub keys: Keys,
    /// Whether AWS caches answers on kept-alive HTTP connections.
    pub http_caching: bool,
    /// The tags that count.
    pub tags: BTreeMap<String, String>,
    /// To judge what is found under its name.
    pub identity: Identity,
    /// Whether the account's default authorizer is this one: for the commands that a refusal prints.
    pub is_default: bool,
}

/// Which signatures are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Those of the key store's live generations.
    Generated {
        /// The live generations' public halves; later, when the first one is not made yet.
        live: Value<BTreeMap<KeyName, PublicKeyPem>>,
        /// Public halves of retired generations: known, and to be removed.
        retired: Vec<PublicKeyPem>,
    },
    /// Those that the stack file names.
    Provided(BTreeMap<KeyName, PublicKeyPem>),
    /// No signature is checked.
    Off,
}

/// What AWS has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The function that decides.
    pub function_arn: String,
    /// The header or parameter that carries the token.
    pub token_key_name: Option<String>,
    /// The registered public keys, by name.
    pub keys: BTreeMap<String, String>,
    /// `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// Whether no signature is checked.
    pub signing_disabled: bool,
    /// Whether answers are cached.
    pub http_caching: bool,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// Whose it is.
    pub owner: Owner,
}

/// The keys that a step registers, once the signing key's step is done: `keys` with what was to be made
/// later filled in from the store.
pub fn with_generations(keys: &Keys, generations: &[Generation]) -> Keys {
    match keys {
        Keys::Generated { live: Value::Later { .. }, .. } => generated(generations),
        known => known.clone(),
    }
}

fn generated(generations: &[Generation]) -> Keys {
    let (retired, live): (Vec<_>, Vec<_>) = generations.iter().partition(|generation| generation.retired);
    let live: BTreeMap<_, _> = live.iter().map(|one| (one.key_name(), one.public.clone())).collect();
    Keys::Generated {
        live: if live.is_empty() {
            Value::Later { because: "the signing key is made by an earlier step" }
        } else {
            Value::Known(live)
        },
        retired: retired.iter().map(|generation| generation.public.clone()).collect(),
    }
}

impl Resource for Authorizer {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::Authorizer;

    fn desired(facts: &Facts) -> Option<Desired> {
        let authorizer = &facts.stack.authorizer;
        Some(Desired {
            name: authorizer.name.clone(),
            function_arn: facts.identity.alias_arn(),
            token_key_name: authorizer.token_key_name.clone(),
            keys: match &facts.keys {
                SigningKeys::Generated(generations) => generated(generations),
                SigningKeys::Provided(keys) => Keys::Provided(keys.clone()),
                SigningKeys::Off => Keys::Off,
            },
            http_caching: authorizer.http_caching,
            tags: super::tags(facts),
            identity: facts.identity.clone(),
            is_default: facts.live.default_authorizer.as_ref().is_some_and(|slot| slot.owner == Owner::Ours),
        })
    }

    fn diff(desired: Option<&Desired>, live: Option<&Live>) -> Change {
        let (desired, live) = match (desired, live) {
            (None, None) => return Change::keep(),
            (None, Some(_)) => return Change::delete(Impact::All),
            (Some(_), None) => return Change::create(),
            (Some(desired), Some(live)) => (desired, live),
        };
        let Live {
            // Read under the wanted name.
            name: _,
            // Derived from the name.
            arn: _,
            function_arn,
            token_key_name,
            keys,
            status,
            signing_disabled,
            http_caching,
            tags,
            // Judged before any write, by the plan.
            owner: _,
        } = live;
        let mut comparison = Comparison::new();
        let signing = |disabled: bool| if disabled { "off" } else { "on" };
        let signing_off = desired.keys == Keys::Off;
        if *signing_disabled == signing_off {
            keys::compare(&mut comparison, desired, keys);
        } else {
            let (found, wanted) = (signing(*signing_disabled), signing(signing_off));
            comparison.immutable(Impact::All, "signing", Some("signing"), found, wanted);
        }
        let key = Some("authorizer.token_key_name");
        let found = token_key_name.as_deref().unwrap_or("none");
        let wanted = desired.token_key_name.as_str();
        comparison.field_cutting(Impact::All, "token_key_name", key, found, wanted);
        // Another function decides otherwise: a repaired one may refuse what was allowed.
        let impact = Impact::NewConnections;
        comparison.field_cutting(impact, "function", None, function_arn, &desired.function_arn);
        comparison.field("status", None, status.as_str(), ACTIVE);
        let key = Some("authorizer.http_caching");
        comparison.field("http_caching", key, http_caching, &desired.http_caching);
        comparison.tags(tags, &desired.tags);
        comparison.finish()
    }

    fn owner(live: &Live) -> Owner {
        live.owner.clone()
    }

    async fn read(aws: &Aws, identity: &Identity) -> Result<Option<Live>, Problem> {
        let name = identity.authorizer.as_str();
        read(aws, name, identity).await.map_err(|fault| fault.problem(place(name)))
    }

    async fn apply(aws: &Aws, desired: &Desired, live: Option<&Live>) -> Result<(), Problem> {
        let place = place(desired.name.as_str());
        let registered = keys::registered(&desired.keys).map_err(|problem| problem.at(place.clone()))?;
        if live.is_none() {
            let create = || async {
                let created = write::create(aws, desired, registered.as_ref()).await;
                created.map_err(|fault| write::problem(fault, desired))
            };
            let read = || Self::read(aws, &desired.identity);
            if made(aws, (&place, AUTHORIZER_SEEN), create, read, Self::owner).await?.by_us {
                return Ok(());
            }
        }
        // An update replaces the map of keys, and AWS IoT has no revision to hold on to: what is there
        // is looked at right before, so that no key registered since the plan is taken away.
        let now = Self::read(aws, &desired.identity).await?;
        let now = now.ok_or_else(|| changed_meanwhile("it is gone").at(place.clone()))?;
        write::check_unchanged(desired, live, &now)?;
        let updated = write::update(aws, desired, registered.as_ref(), &now).await;
        let removed = updated.map_err(|fault| write::problem(fault, desired))?;
        if removed { write::keys_are_gone(aws, desired, registered.as_ref()).await } else { Ok(()) }
    }

    async fn delete(aws: &Aws, live: &Live) -> Result<(), Problem> {
        let name = &live.name;
        write::switch_off_and_delete(aws, live).await?;
        aws.until(AUTHORIZER_GONE, || async {
            match aws.call("DescribeAuthorizer", || describe(aws, name)).await {
                Ok(_) => Ok(Look::NotYet),
                Err(fault) if fault.not_found() => Ok(Look::Yes(())),
                Err(fault) => Err(fault.problem(place(name))),
            }
        })
        .await
    }
}

const ACTIVE: &str = "ACTIVE";

fn place(name: &str) -> String {
    format!("authorizer {name}")
}

fn changed_meanwhile(because: &str) -> Problem {
    Problem::refused(
        "changed_meanwhile",
        "the authorizer was changed by someone else since the plan was made",
    )
    .because(because)
    .next("run `thinggate plan` to see what it is now, then `thinggate deploy` again")
}

async fn describe(
    aws: &Aws,
    name: &str,
) -> Result<DescribeAuthorizerOutput, SdkError<DescribeAuthorizerError>> {
    aws.iot.describe_authorizer().authorizer_name(name).send().await
}

/// The authorizer `name`, judged by `identity`.
pub(super) async fn read(aws: &Aws, name: &str, identity: &Identity) -> Result<Option<Live>, Fault> {
    let answer = match aws.call("DescribeAuthorizer", || describe(aws, name)).await {
        Ok(answer) => answer,
        Err(fault) if fault.not_found() => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let description = answer.authorizer_description.ok_or_else(|| Fault::odd("DescribeAuthorizer"))?;
    let arn = description.authorizer_arn().unwrap_or_default().to_owned();
    let tags = match tags(aws, &arn).await {
        Ok(tags) => tags,
        // Deleted since the first look.
        Err(fault) if fault.not_found() => return Ok(None),
        Err(fault) => return Err(fault),
    };
    Ok(Some(Live {
        name: name.to_owned(),
        arn,
        function_arn: description.authorizer_function_arn().unwrap_or_default().to_owned(),
        token_key_name: description.token_key_name().map(str::to_owned),
        status: description.status().map_or(ACTIVE, |status| status.as_str()).to_owned(),
        signing_disabled: description.signing_disabled().unwrap_or(false),
        http_caching: description.enable_caching_for_http().unwrap_or(false),
        keys: description.token_signing_public_keys.unwrap_or_default().into_iter().collect(),
        owner: Owner::by_tags(&tags, identity),
        tags,
    }))
}

async fn tags(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>, Fault> {
    let mut tags = BTreeMap::new();
    let mut token: Option<String> = None;
    loop {
        let request =
            || aws.iot.list_tags_for_resource().resource_arn(arn).set_next_token(token.clone()).send();
        let page = aws.call("ListTagsForResource", request).await?;
        for tag in page.tags.unwrap_or_default() {
            tags.insert(tag.key, tag.value.unwrap_or_default());
        }
        match page.next_token {
            Some(next) => token = Some(next),
            None => return Ok(tags),
        }
    }
}

#[cfg(test)]
mod tests;
