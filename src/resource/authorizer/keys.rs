//! Which public keys are registered, and what it means to change them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::compare::Comparison;
use super::super::facts::Value;
use super::super::{Impact, Refusal};
use super::{Desired, Keys};
use crate::keys::PublicKeyPem;
use crate::names::KeyName;
use crate::problem::Problem;

/// Compares the registered keys with those that should be. A missing one is added without harm; one too
/// many is removed only if it is known, because devices may sign with it.
pub(super) fn compare(comparison: &mut Comparison, desired: &Desired, live: &BTreeMap<String, String>) {
    let key = Some("signing");
    let (wanted, retired, foreign_is_refused) = match &desired.keys {
        Keys::Off => return,
        Keys::Provided(keys) => (keys, &[][..], false),
        Keys::Generated { live: Value::Known(keys), retired } => (keys, &retired[..], true),
        Keys::Generated { live: Value::Later { because }, retired } => {
            comparison.differs(Impact::None, "keys", key, "none of the key store's", *because);
            (&BTreeMap::new(), &retired[..], true)
        }
    };
    for (name, pem) in wanted {
        let found = live.get(name.as_str());
        if found.is_none_or(|found| fingerprint(found) != pem.fingerprint()) {
            // Another text under its name: devices of that key are cut.
            let impact = if found.is_some() { Impact::All } else { Impact::None };
            let found = found.map_or_else(|| "none".to_owned(), |found| fingerprint(found));
            comparison.differs(impact, &format!("key {name}"), key, found, pem.fingerprint());
        }
    }
    let known: BTreeSet<String> = wanted.values().map(PublicKeyPem::fingerprint).collect();
    let retired: BTreeSet<String> = retired.iter().map(PublicKeyPem::fingerprint).collect();
    for (name, pem) in live {
        let found = fingerprint(pem);
        let stays = wanted.keys().any(|wanted| wanted.as_str() == name);
        if known.contains(&found) {
            // Registered under another name as well, or only: no signature is refused without it.
            if !stays {
                comparison.differs(Impact::None, &format!("key {name}"), key, fingerprint(pem), "none");
            }
            continue;
        }
        if !stays {
            let wanted = match (retired.contains(&found), foreign_is_refused) {
                (true, _) => "retired",
                (false, true) => "none: the key store does not know it",
                (false, false) => "none",
            };
            comparison.differs(Impact::All, &format!("key {name}"), key, fingerprint(pem), wanted);
        }
        if !retired.contains(&found) && foreign_is_refused {
            comparison.refuse(foreign(desired, wanted, name, pem));
        }
    }
}

/// The map to register; `None` when no signature is checked.
pub(super) fn registered(keys: &Keys) -> Result<Option<HashMap<String, String>>, Problem> {
    let keys = match keys {
        Keys::Off => return Ok(None),
        Keys::Provided(keys) | Keys::Generated { live: Value::Known(keys), .. } => keys,
        Keys::Generated { live: Value::Later { .. }, .. } => {
            return Err(Problem::failed("no_signing_key", "the signing key is not made yet")
                .next("run `thinggate deploy` again: it makes the key first"));
        }
    };
    Ok(Some(keys.iter().map(|(name, pem)| (name.to_string(), pem.as_str().to_owned())).collect()))
}

/// Removing a key that our store does not know would cut the devices that sign with it.
fn foreign(desired: &Desired, wanted: &BTreeMap<KeyName, PublicKeyPem>, name: &str, pem: &str) -> Refusal {
    let region = &desired.identity.region;
    let authorizer = &desired.name;
    let because = format!(
        "the key `{name}` ({}) is registered, and the key store does not know it: removing it would cut the \
         devices whose tokens it checks",
        fingerprint(pem)
    );
    let next = if wanted.is_empty() {
        format!(
            "put the lost key store back in its place; or, to give that key up together with its devices: {}",
            deletion(desired)
        )
    } else {
        let keys: BTreeMap<&str, &str> =
            wanted.iter().map(|(name, pem)| (name.as_str(), pem.as_str())).collect();
        let keys = serde_json::to_string(&keys).expect("a map of texts is JSON");
        format!(
            "aws iot update-authorizer --region {region} --authorizer-name {authorizer} \
             --token-signing-public-keys '{keys}'"
        )
    };
    Refusal { code: "foreign_key", because, next }
}

/// The commands that delete the authorizer, as a shell takes them. The default is no authorizer that AWS
/// deletes, and one just switched off counts as active for some seconds (`aws-cloudformation-resource-
/// providers-iot`, delete handler: 5 s).
pub(super) fn deletion(desired: &Desired) -> String {
    let (region, name) = (&desired.identity.region, &desired.name);
    let clear = if desired.is_default {
        format!("aws iot clear-default-authorizer --region {region} && ")
    } else {
        String::new()
    };
    format!(
        "{clear}aws iot update-authorizer --region {region} --authorizer-name {name} --status INACTIVE && sleep \
         10 && aws iot delete-authorizer --region {region} --authorizer-name {name}"
    )
}

/// SHA-256 of the key, however its text is wrapped; of what is no key, the text itself is compared.
fn fingerprint(pem: &str) -> String {
    PublicKeyPem::parse(pem).map_or_else(|_| format!("not an RSA key: {pem:?}"), |key| key.fingerprint())
}
