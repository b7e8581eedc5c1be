//! Every value of a stack by its key, with where it comes from.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::mark::mark;
use super::mask::is_suspect;
use super::model::{
    Allow, AssumeRole, Authorizer, Aws, ClientAuth, Dialect, Encoding, Function, IdentityProvider, KeyPlace,
    KeyStore, Origin, Places, PublicKeys, Reference, Signing, Stack, Target, Token, TokenKey, VariableOrigin,
};
use super::reader::join;

/// One value of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct StackValue {
    /// Its dotted path, such as `token.issuer`.
    pub key: String,
    /// The value, as it holds: `null` where there is none. A secret is only named, `env:NAME`.
    pub value: Value,
    /// Where it comes from.
    pub origin: ValueOrigin,
    /// The mark of what is not shown, to see that it changed.
    pub(crate) mark: Option<String>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueOrigin {
    /// A stack file, or one that it extends.
    File {
        /// Where its key stands.
        place: KeyPlace,
        /// The variables that were filled in, with where their values come from.
        variables: Vec<(String, VariableOrigin)>,
    },
    /// An environment variable, by its name.
    Environment(&'static str),
    /// No file has it.
    Default,
}

/// What stands where a text may be a secret by its key.
const HIDDEN: &str = "(hidden: it sounds like a secret)";

/// Every value of `stack`, in the order of the stack file. Nothing is left out: each field is named here.
pub fn values(stack: &Stack) -> Vec<StackValue> {
    let Stack {
        file: _,
        name,
        target,
        region,
        account,
        protect,
        aws,
        tags,
        signing,
        token,
        identity,
        allow,
        authorizer,
        function,
        places,
    } = stack;
    let mut list = List { places, values: Vec::new() };
    list.add("name", json!(name.as_str()));
    list.add("target", json!(word_of_target(*target)));
    list.add("region", json!(region.as_str()));
    list.add("account", json!(account.as_ref().map(ToString::to_string)));
    list.add("protect", json!(protect));
    list.aws(aws);
    list.map("tags", tags);
    list.signing(signing);
    list.token(token);
    list.identity(identity.as_ref());
    list.allow(allow);
    list.authorizer(authorizer);
    list.function(function);
    list.values
}

struct List<'s> {
    places: &'s Places,
    values: Vec<StackValue>,
}

impl List<'_> {
    fn add(&mut self, key: impl Into<String>, value: Value) {
        let key = key.into();
        let origin = self.origin(&key);
        self.values.push(StackValue { key, value, origin, mark: None });
    }

    /// Where a key comes from; what was filled into elements of its list counts too.
    fn origin(&self, key: &str) -> ValueOrigin {
        let Some(Origin { place, variables }) = self.places.0.get(key) else { return ValueOrigin::Default };
        let mut variables = variables.clone();
        let elements = format!("{key}[");
        for (_, origin) in
            self.places.0.range(elements.clone()..).take_while(|(key, _)| key.starts_with(&elements))
        {
            let new: Vec<_> =
                origin.variables.iter().filter(|one| !variables.contains(one)).cloned().collect();
            variables.extend(new);
        }
        ValueOrigin::File { place: place.clone(), variables }
    }

    /// A table with the user's own keys.
    fn map(&mut self, key: &str, map: &BTreeMap<String, String>) {
        if map.is_empty() {
            self.add(key, json!({}));
        }
        for (name, value) in map {
            let hidden = is_suspect(name) || is_suspect(value);
            self.add(join(key, name), json!(if hidden { HIDDEN } else { value }));
            if let Some(added) = self.values.last_mut().filter(|_| hidden) {
                added.mark = Some(mark(value));
            }
        }
    }

    fn aws(&mut self, aws: &Aws) {
        let Aws { profile, endpoints, assume_role } = aws;
        self.add("aws.profile", json!(profile));
        if endpoints.is_empty() {
            self.add("aws.endpoints", json!({}));
        }
        for (service, address) in endpoints {
            self.add(format!("aws.endpoints.{}", service.as_str()), json!(address));
        }
        if assume_role.is_empty() {
            self.add("aws.assume_role", json!([]));
        }
        for (number, role) in assume_role.iter().enumerate() {
            let AssumeRole { arn, external_id, session_name, duration_seconds } = role;
            let key = |key: &str| format!("aws.assume_role[{number}].{key}");
            self.add(key("arn"), json!(arn));
            self.add(key("external_id"), json!(external_id));
            self.add(key("session_name"), json!(session_name));
            self.add(key("duration_s"), json!(duration_seconds));
        }
    }

    fn signing(&mut self, signing: &Signing) {
        match signing {
            Signing::Generated { bits, store } => {
                self.add("signing.generated.bits", json!(bits));
                self.add("signing.generated.store", key_store(store));
            }
            Signing::Public { keys } => {
                for (name, key) in keys {
                    self.add(join("signing.public.keys", name.as_str()), reference(key));
                }
            }
            Signing::Off => self.add("signing.off", json!({})),
        }
    }

    fn token(&mut self, token: &Token) {
        let Token {
            issuer,
            audience,
            audience_claims,
            scopes,
            scope_claims,
            types,
            require,
            leeway_seconds,
            strict_expiry,
            key,
        } = token;
        self.add("token.issuer", json!(issuer));
        self.add("token.audience", json!(audience));
        self.add("token.audience_claims", json!(audience_claims));
        self.add("token.scopes", json!(scopes));
        self.add("token.scope_claims", json!(scope_claims));
        self.add("token.types", json!(types));
        self.map("token.require", require);
        self.add("token.leeway_s", json!(leeway_seconds));
        self.add("token.strict_expiry", json!(strict_expiry));
        match key {
            TokenKey::Hs256 { secret, encoding, allow_short_secret, in_environment } => {
                let encoding = match encoding {
                    Encoding::Base64 => "base64",
                    Encoding::Utf8 => "utf8",
                };
                self.add("token.hs256.secret", reference(secret));
                self.add("token.hs256.encoding", json!(encoding));
                self.add("token.hs256.allow_short_secret", json!(allow_short_secret));
                self.add("token.hs256.in_environment", json!(in_environment));
            }
            TokenKey::Rs256(PublicKeys::Pem(keys)) => self.add("token.rs256.pem", reference(keys)),
            TokenKey::Rs256(PublicKeys::Jwks(keys)) => self.add("token.rs256.jwks", reference(keys)),
        }
    }

    fn identity(&mut self, identity: Option<&IdentityProvider>) {
        let Some(identity) = identity else { return self.add("identity", Value::Null) };
        let IdentityProvider {
            device_url,
            token_url,
            client_id,
            client_secret,
            scope,
            dialect,
            client_auth,
            extra,
        } = identity;
        let dialect = match dialect {
            Dialect::Auto => "auto",
            Dialect::Rfc8628 => "rfc8628",
            Dialect::OpenamLegacy => "openam-legacy",
        };
        let client_auth = match client_auth {
            ClientAuth::Post => "post",
            ClientAuth::Basic => "basic",
            ClientAuth::None => "none",
        };
        self.add("identity.device_url", json!(device_url));
        self.add("identity.token_url", json!(token_url));
        self.add("identity.client_id", json!(client_id));
        self.add("identity.client_secret", client_secret.as_ref().map_or(Value::Null, reference));
        self.add("identity.scope", json!(scope));
        self.add("identity.dialect", json!(dialect));
        self.add("identity.client_auth", json!(client_auth));
        self.map("identity.extra", extra);
    }

    fn allow(&mut self, allow: &[Allow]) {
        for (number, Allow { connect, publish, subscribe }) in allow.iter().enumerate() {
            for (key, entries) in [("connect", connect), ("publish", publish), ("subscribe", subscribe)] {
                self.add(format!("allow[{number}].{key}"), json!(entries));
            }
        }
    }

    fn authorizer(&mut self, authorizer: &Authorizer) {
        let Authorizer { name, token_key_name, default, http_caching } = authorizer;
        self.add("authorizer.name", json!(name.as_str()));
        self.add("authorizer.token_key_name", json!(token_key_name.as_str()));
        self.add("authorizer.default", json!(default));
        self.add("authorizer.http_caching", json!(http_caching));
    }

    fn function(&mut self, function: &Function) {
        let Function { architecture, memory_mb, log_retention_days, source, bootstrap } = function;
        self.add("function.architecture", json!(architecture.map(super::Architecture::as_str)));
        self.add("function.memory_mb", json!(memory_mb));
        self.add("function.log_retention_days", json!(log_retention_days));
        self.add("function.source", source.as_deref().map_or(Value::Null, file));
        self.add("function.bootstrap", bootstrap.as_deref().map_or(Value::Null, file));
    }
}

const fn word_of_target(target: Target) -> &'static str {
    match target {
        Target::Local => "local",
        Target::Aws => "aws",
    }
}

fn file(path: &Path) -> Value {
    json!(format!("file:{}", path.display()))
}

fn key_store(store: &KeyStore) -> Value {
    match store {
        KeyStore::Folder(path) => file(path),
        KeyStore::Parameters(path) => json!(format!("ssm:{path}")),
    }
}

fn reference(reference: &Reference) -> Value {
    match reference {
        Reference::Environment(name) => json!(format!("env:{name}")),
        Reference::File(path) => file(path),
        Reference::Parameter(name) => json!(format!("ssm:{name}")),
        Reference::LocalHs256 => json!("local:hs256"),
        Reference::LocalJwks => json!("local:jwks"),
        Reference::LocalClient => json!("local:client"),
    }
}
