//! What was looked at, field by field, as texts: what a saved plan is bound to.
//!
//! Every field of every kind is told here by name. One that is read later on and not told does not compile,
//! so that a plan is never carried out in a world that moved in a place that nobody compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::configuration::{Fingerprint, Found};
use super::function::Beside;
use super::permission::Statement;
use super::{
    Code, Environment, Facts, Live, Owner, SigningKeys, authorizer, default_authorizer, function, json,
    log_group, permission, release, role, signing_key,
};
use crate::keys::{Exposed, Foreign, Generation, PublicKeyPem};
use crate::names::{AccountId, AuthorizerName, Identity, Parameters, Region, StackName};
use crate::stack::{Stack, values};

/// The group of the stack file's values.
pub const STACK_FILE: &str = "stack file";
/// The group of the account and what names derive from.
pub const IDENTITY: &str = "identity";
/// The group of what the package is made from.
pub const PACKAGE: &str = "package";
/// The part of [`PACKAGE`] that is the hash of all others.
pub const INPUTS: &str = "inputs";

/// What was seen of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact {
    /// Its value.
    Text(String),
    /// It holds a secret, of which only a mark is kept.
    Secret(SecretMark),
    /// It could not be looked at.
    Unseen(Unseen),
}

/// What is kept of a secret: see `docs/plan-file.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretMark {
    /// Sixteen bits, as hex.
    pub secret: String,
}

/// Why a field could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unseen {
    /// Which secret or permission is missing.
    pub unseen: String,
}

/// The fields of one group that have a value, by name.
pub type Group = BTreeMap<String, Fact>;

/// All that a plan was made from: the stack file's values, who and where, the package, and each resource that
/// there is, by its kind's word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Picture(pub BTreeMap<String, Group>);

impl Picture {
    /// Of these facts.
    pub fn of(facts: &Facts) -> Self {
        let Facts {
            stack,
            identity,
            keys,
            code,
            environment,
            // It decides which steps are refused, and the steps are compared too.
            machine_forgets: _,
            live,
        } = facts;
        let counted: BTreeSet<&str> = stack.tags.keys().map(String::as_str).collect();
        let mut painter = Painter { picture: Self::default(), counted: &counted };
        painter.picture.0.insert(STACK_FILE.to_owned(), stack_file(stack));
        painter.add(IDENTITY, Some(identity));
        painter.add(PACKAGE, Some(code));
        painter.add("public keys", Some(keys));
        painter.add("environment", Some(environment));
        let Live {
            signing_key,
            role,
            log_group,
            function,
            release,
            permission,
            authorizer,
            default_authorizer,
        } = live;
        // Somebody else's default is none of our business when we want none ourselves.
        let slot =
            default_authorizer.as_ref().filter(|slot| stack.authorizer.default || slot.owner == Owner::Ours);
        painter.add("signing key", signing_key.as_ref());
        painter.add("role", role.as_ref());
        painter.add("log group", log_group.as_ref());
        painter.add("function", function.as_ref());
        painter.add("release", release.as_ref());
        painter.add("permission", permission.as_ref());
        painter.add("authorizer", authorizer.as_ref());
        painter.add("default authorizer", slot);
        painter.picture
    }
}

/// The values of a stack file. Paths are told from its folder, so that it may be named from elsewhere.
fn stack_file(stack: &Stack) -> Group {
    let folder = stack.file.parent().unwrap_or(Path::new(""));
    let told = values(stack).into_iter().filter_map(|one| {
        let fact = match (one.mark, one.value) {
            (Some(secret), _) => Fact::Secret(SecretMark { secret }),
            (None, Json::Null) => return None,
            (None, Json::Object(members)) if members.is_empty() => return None,
            (None, Json::String(text)) => Fact::Text(from_folder(text, folder)),
            (None, value) => Fact::Text(value.to_string()),
        };
        Some((one.key, fact))
    });
    told.collect()
}

/// `file:FOLDER/PATH` as `file:PATH`.
fn from_folder(text: String, folder: &Path) -> String {
    let path = text.strip_prefix("file:").map(Path::new);
    match path.and_then(|path| path.strip_prefix(folder).ok()) {
        Some(path) => format!("file:{}", path.display()),
        None => text,
    }
}

struct Painter<'a> {
    picture: Picture,
    counted: &'a BTreeSet<&'a str>,
}

impl Painter<'_> {
    fn add<T: Told>(&mut self, group: &str, told: Option<&T>) {
        let Some(told) = told else { return };
        let mut teller = Teller { group: Group::new(), counted: self.counted };
        told.tell("", &mut teller);
        self.picture.0.insert(group.to_owned(), teller.group);
    }
}

/// Takes down the fields of one group.
struct Teller<'a> {
    group: Group,
    /// The tags that the stack file declares. Those of others are no difference, and none here.
    counted: &'a BTreeSet<&'a str>,
}

impl Teller<'_> {
    fn text(&mut self, at: &str, text: impl Into<String>) {
        self.group.insert(at.to_owned(), Fact::Text(text.into()));
    }

    fn unseen(&mut self, at: &str, because: &str) {
        self.group.insert(at.to_owned(), Fact::Unseen(Unseen { unseen: because.to_owned() }));
    }
}

/// What can be told as fields with texts.
trait Told {
    fn tell(&self, at: &str, teller: &mut Teller<'_>);
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// Tells every field of a struct. There is no `..`: a new field does not compile before it has a place here.
/// `field by how` tells one with a function.
macro_rules! told {
    ($($type:path { $($field:ident $(by $how:ident)?),+ $(,)? })+) => {
        $(impl Told for $type {
            fn tell(&self, at: &str, teller: &mut Teller<'_>) {
                let Self { $($field),+ } = self;
                $(told!(@field teller, join(at, stringify!($field)), $field $(, $how)?);)+
            }
        })+
    };
    (@field $teller:ident, $at:expr, $field:ident) => { $field.tell(&$at, $teller) };
    (@field $teller:ident, $at:expr, $field:ident, $how:ident) => { $how($field, &$at, $teller) };
}

told! {
    Identity { stack, region, account, partition, authorizer, parameters by of_the_stack_file }
    Code { inputs by inputs_hash, parts by parts_alone, package by made_from_the_inputs }
    signing_key::Live {
        generations by numbered, unfinished, exposed by modes, foreign by somebody_elses, tags by tags_of_each,
    }
    Generation { number, retired, public }
    role::Live {
        name, id, path, description, trust, inline, attached, boundary, session_seconds_max, tags by counted_tags, owner,
    }
    log_group::Live { name, arn, retention_days, class, key, deletion_protected, tags by counted_tags, owner }
    function::Live {
        name, arn, configuration, state by health, last_update by health, reserved_concurrency, beside,
        tags by seen_tags, owner,
    }
    Beside { urls, provisioned }
    Found {
        code_sha256, role_arn, runtime, handler, architecture, memory_mb, timeout_seconds, environment, log_group,
        log_format, description, extras, fixed_extras, package_type,
    }
    release::Live {
        function, version, description, routing, aliases, state by health, revision by follows_from_the_others,
        configuration,
    }
    permission::Live { function, statements by by_id, renamed }
    authorizer::Live {
        name, arn, function_arn, token_key_name, keys by fingerprints, status, signing_disabled, http_caching,
        tags by counted_tags, owner,
    }
    default_authorizer::Live { authorizer, owner }
}

macro_rules! told_as_text {
    ($($type:ty),+) => {
        $(impl Told for $type {
            fn tell(&self, at: &str, teller: &mut Teller<'_>) {
                teller.text(at, self.to_string());
            }
        })+
    };
}

told_as_text!(String, bool, i32, u32, StackName, Region, AccountId, AuthorizerName);

macro_rules! told_as_list {
    ($($type:ty),+) => {
        $(impl Told for Vec<$type> {
            /// In no order: AWS has none.
            fn tell(&self, at: &str, teller: &mut Teller<'_>) {
                let mut texts: Vec<String> = self.iter().map(ToString::to_string).collect();
                texts.sort();
                if !texts.is_empty() {
                    teller.text(at, texts.join(", "));
                }
            }
        })+
    };
}

told_as_list!(String, u32);

impl<T: Told> Told for Option<T> {
    fn tell(&self, at: &str, teller: &mut Teller<'_>) {
        if let Some(told) = self {
            told.tell(at, teller);
        }
    }
}

impl<T: Told> Told for Box<T> {
    fn tell(&self, at: &str, teller: &mut Teller<'_>) {
        T::tell(self, at, teller);
    }
}

impl<T: Told> Told for BTreeMap<String, T> {
    fn tell(&self, at: &str, teller: &mut Teller<'_>) {
        for (name, told) in self {
            told.tell(&join(at, name), teller);
        }
    }
}

impl<T: Told> Told for Result<T, String> {
    fn tell(&self, at: &str, teller: &mut Teller<'_>) {
        match self {
            Ok(told) => told.tell(at, teller),
            Err(because) => teller.unseen(at, because),
        }
    }
}

impl Told for Json {
    fn tell(&self, at: &str, teller: &mut Teller<'_>) {
        teller.text(at, json::normal(self).to_string());
    }
}

impl Told for PublicKeyPem {
    fn tell(&self, at: &str, teller: &mut Teller<'_>) {
        teller.text(at, self.fingerprint());
    }
}

impl Told for Fingerprint {
    fn tell(&self, at: &str, teller: &mut Teller<'_>) {
        teller.group.insert(at.to_owned(), Fact::Secret(SecretMark { secret: self.mark() }));
    }
}

impl Told for Owner {
    fn tell(&self, at: &str, teller: &mut Teller<'_>) {
        match self {
            Self::Ours => teller.text(at, "this stack"),
            Self::Foreign(Some(other)) => teller.text(at, other.clone()),
            Self::Foreign(None) => teller.text(at, "nobody"),
        }
    }
}

impl Told for SigningKeys {
    fn tell(&self, at: &str, teller: &mut Teller<'_>) {
        match self {
            // Those are the signing key's own fields.
            Self::Generated(_) | Self::Off => {}
            Self::Provided(keys) => {
                for (name, key) in keys {
                    key.tell(&join(at, name.as_str()), teller);
                }
            }
        }
    }
}

impl Told for Environment {
    fn tell(&self, at: &str, teller: &mut Teller<'_>) {
        match self {
            Self::Known(variables) => {
                for (name, value) in variables {
                    Fingerprint::of(value.expose()).tell(&join(at, name), teller);
                }
            }
            Self::Unseen { names, because } => {
                for name in names {
                    teller.unseen(&join(at, name), because);
                }
            }
        }
    }
}

fn inputs_hash(inputs: &Result<crate::build::InputsHash, String>, at: &str, teller: &mut Teller<'_>) {
    match inputs {
        Ok(hash) => teller.text(at, hash.0.clone()),
        Err(because) => teller.unseen(at, because),
    }
}

/// By their own names: `src/main.rs`.
fn parts_alone(parts: &BTreeMap<String, String>, _at: &str, teller: &mut Teller<'_>) {
    for (name, hash) in parts {
        teller.text(if name == "configuration" { "authorizer.json" } else { name }, hash.clone());
    }
}

/// Its bytes carry traces of the machine that linked it: the same inputs are the same package.
fn made_from_the_inputs<T>(_package: &T, _at: &str, _teller: &mut Teller<'_>) {}

/// AWS makes another revision of an alias with each change of it: what changed is told.
fn follows_from_the_others(_revision: &str, _at: &str, _teller: &mut Teller<'_>) {}

/// Lambda puts idle functions to sleep and wakes them by itself: only a failure counts.
fn health(state: &str, at: &str, teller: &mut Teller<'_>) {
    if state == "Failed" {
        teller.text(at, state);
    }
}

fn counted_tags(tags: &BTreeMap<String, String>, at: &str, teller: &mut Teller<'_>) {
    for (name, value) in tags {
        // IAM takes the names of tags in any case.
        let is_declared = teller.counted.iter().any(|counted| counted.eq_ignore_ascii_case(name));
        if is_declared || name.starts_with("thinggate:") {
            teller.text(&join(at, name), value.clone());
        }
    }
}

#[expect(clippy::ref_option, reason = "it is handed the field as it is")]
fn seen_tags(found: &Option<BTreeMap<String, String>>, at: &str, teller: &mut Teller<'_>) {
    match found {
        Some(found) => counted_tags(found, at, teller),
        None => teller.unseen(at, "this caller may not list the function's tags"),
    }
}

fn numbered(generations: &[Generation], at: &str, teller: &mut Teller<'_>) {
    for generation in generations {
        generation.tell(&join(at, &generation.number.to_string()), teller);
    }
}

#[expect(clippy::ref_option, reason = "it is handed the field as it is")]
fn somebody_elses(foreign: &Option<Foreign>, at: &str, teller: &mut Teller<'_>) {
    if let Some(Foreign { place, owner }) = foreign {
        teller.text(&join(at, place), owner.as_deref().unwrap_or("no owner"));
    }
}

fn tags_of_each(tags: &BTreeMap<u32, BTreeMap<String, String>>, at: &str, teller: &mut Teller<'_>) {
    for (number, tags) in tags {
        counted_tags(tags, &join(at, &number.to_string()), teller);
    }
}

/// The stack file's values are told themselves.
fn of_the_stack_file(_parameters: &Parameters, _at: &str, _teller: &mut Teller<'_>) {}

fn modes(exposed: &[Exposed], at: &str, teller: &mut Teller<'_>) {
    for Exposed { path, mode } in exposed {
        let path: &PathBuf = path;
        teller.text(&join(at, &path.display().to_string()), format!("{mode:04o}"));
    }
}

fn by_id(statements: &[Statement], at: &str, teller: &mut Teller<'_>) {
    for Statement { qualifier, id, body } in statements {
        let of = qualifier.as_deref().unwrap_or("the function");
        body.tell(&join(at, &format!("{id} on {of}")), teller);
    }
}

fn fingerprints(keys: &BTreeMap<String, String>, at: &str, teller: &mut Teller<'_>) {
    for (name, text) in keys {
        let told = PublicKeyPem::parse(text).map_or_else(|_| text.clone(), |key| key.fingerprint());
        teller.text(&join(at, name), told);
    }
}
