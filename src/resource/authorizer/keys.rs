//! Which public keys are registered, and what it means to change them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

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
            comparison.differs(Impact::None, "key key-1", key, "none", *because);
            (&BTreeMap::new(), &retired[..], true)
        }
    };
    for (name, pem) in wanted {
        let found = live.get(name.as_str());
        if found.is_none_or(|found| body(found) != body(pem.as_str())) {
            // Another text under its name: devices of that key are cut.
            let impact = if found.is_some() { Impact::All } else { Impact::None };
            let found = found.map_or_else(|| "none".to_owned(), |found| fingerprint(found));
            comparison.differs(impact, &format!("key {name}"), key, found, fingerprint(pem.as_str()));
        }
    }
    let known: BTreeSet<String> = wanted.values().map(|pem| body(pem.as_str())).collect();
    let retired: BTreeSet<String> = retired.iter().map(|pem| body(pem.as_str())).collect();
    for (name, pem) in live {
        let found = body(pem);
        let stays = wanted.keys().any(|wanted| wanted.as_str() == name);
        if known.contains(&found) {
            // Registered under another name as well, or only: no signature is refused without it.
            if !stays {
                comparison.differs(Impact::None, &format!("key {name}"), key, fingerprint(pem), "none");
            }
            continue;
        }
        if !stays {
            let wanted = if retired.contains(&found) { "retired" } else { "none" };
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
            "put the lost key store back in its place; or, to give that key up together with its devices: aws \
             iot update-authorizer --region {region} --authorizer-name {authorizer} --status INACTIVE && aws iot \
             delete-authorizer --region {region} --authorizer-name {authorizer}"
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

/// The key without what may differ between two texts of it: armour and line breaks.
fn body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).flat_map(str::split_whitespace).collect()
}

/// As `ssh-keygen` and others write it: SHA-256 of the key's DER, base64 without padding.
pub(crate) fn fingerprint(pem: &str) -> String {
    match STANDARD.decode(body(pem)) {
        Ok(der) => format!("SHA256:{}", STANDARD_NO_PAD.encode(digest(&SHA256, &der))),
        Err(_) => "not a key".to_owned(),
    }
}
