//! `[signing.…]`: who signs tokens for AWS IoT. Exactly one way; without the table, a pair of our own.

use std::collections::BTreeMap;

use crate::names::{KeyName, Region, StackName};

use super::checks::{Checks, Found};
use super::finding::Shown;
use super::model::{KeyStore, Signing};
use super::reader::TableReader;
use super::reference::{Expected, parameter, path_of, reference};
use super::root::named;

/// Key lengths that AWS IoT checks: at least 2,048 (its developer guide, "config-custom-auth").
pub(super) const BITS: [u16; 3] = [2048, 3072, 4096];
/// The key length of a stack that names none.
const BITS_DEFAULT: u16 = 2048;

/// Reads `[signing]`.
pub(super) fn signing(
    checks: &mut Checks<'_>,
    top: &mut TableReader<'_>,
    name: Option<&StackName>,
    region: Option<&Region>,
) -> Option<Signing> {
    let Some(mut table) = top.table(checks, "signing") else {
        return Some(Signing::Generated { bits: BITS_DEFAULT, store: default_store(checks, name?, region?) });
    };
    let ways: Vec<&str> =
        ["generated", "public", "idp", "off"].into_iter().filter(|way| table.has(way)).collect();
    if ways.len() > 1 {
        let message =
            format!("tokens are signed one way: keep one of `signing.{}`", ways.join("`, `signing."));
        checks.error(&table.later_of(ways[0], ways[1]), "conflict", message);
    }
    table.not_yet(checks, "idp", "use `[signing.generated]`, or `[signing.public]` with the provider's key");
    let generated = generated(checks, &mut table, name, region);
    let public = public(checks, &mut table);
    let off = off(checks, &mut table);
    let place = table.place.clone();
    table.finish(checks);
    if ways.is_empty() {
        let help = "`[signing.generated]`, `[signing.public]` or `[signing.off]`";
        checks.missing(&place, "`signing` does not say how tokens are signed", help);
    }
    generated.or(public).or(off)
}

fn default_store(checks: &Checks<'_>, name: &StackName, region: &Region) -> KeyStore {
    KeyStore::Folder(checks.folder().join("keys").join(format!("{name}@{region}")))
}

fn generated(
    checks: &mut Checks<'_>,
    signing: &mut TableReader<'_>,
    name: Option<&StackName>,
    region: Option<&Region>,
) -> Option<Signing> {
    let mut table = signing.table(checks, "generated")?;
    let bits = table.number(checks, "bits", &(0..=u16::MAX));
    if let Some(bits) = bits.as_ref().filter(|bits| !BITS.contains(&bits.value)) {
        let message = format!("a signing key has 2048, 3072 or 4096 bits, not {}", bits.value);
        checks.error(&bits.place, "bad_value", message);
    }
    let store = match table.text(checks, "store") {
        Some(found) => store(checks, &found),
        None => name.zip(region).map(|(name, region)| default_store(checks, name, region)),
    };
    table.finish(checks);
    Some(Signing::Generated { bits: bits.map_or(BITS_DEFAULT, |bits| bits.value), store: store? })
}

fn store(checks: &mut Checks<'_>, found: &Found<String>) -> Option<KeyStore> {
    let text = &found.value;
    if let Some(path) = text.strip_prefix("file:") {
        return path_of(checks, &found.place, path).map(KeyStore::Folder);
    }
    if let Some(path) = text.strip_prefix("ssm:") {
        let path = parameter(checks, &found.place, path)?;
        if path.is_path() {
            return Some(KeyStore::Parameters(path));
        }
        let message = format!("`{}` is the path that keys are kept below", found.place.key);
        let help = Some("write `ssm:/PATH`".to_owned());
        checks.report(&found.place, "bad_reference", message, Shown::ToStart, help);
    } else if let Some(prefix) = ["secretsmanager:", "kms:"].iter().find(|prefix| text.starts_with(**prefix))
    {
        let message = format!("a key store at `{prefix}…` is not yet in this version");
        checks.error_with_help(&found.place, "not_yet", message, "use `file:FOLDER` or `ssm:/PATH`");
    } else {
        let message = format!("`{}` says where keys are kept", found.place.key);
        let help = Some("write `file:FOLDER`, relative to the stack file, or `ssm:/PATH`".to_owned());
        checks.report(&found.place, "bad_reference", message, Shown::ToStart, help);
    }
    None
}

fn public(checks: &mut Checks<'_>, signing: &mut TableReader<'_>) -> Option<Signing> {
    let mut table = signing.table(checks, "public")?;
    table.require(checks, "keys", "`keys = { FirstKey = \"file:first.pub.pem\" }`");
    let place = table.place_of("keys");
    let found = table.text_map(checks, "keys");
    if table.is_empty("keys") {
        checks.error(&place, "bad_value", "`signing.public.keys` needs at least one key");
    }
    let expected = Expected { noun: "the public key", local: None };
    let mut keys = BTreeMap::new();
    for (name, value) in &found {
        let key_name = named(checks, name, KeyName::new);
        let file = reference(checks, value, None, &expected);
        if let (Some(name), Some(file)) = (key_name, file) {
            keys.insert(name, file);
        }
    }
    table.finish(checks);
    Some(Signing::Public { keys })
}

fn off(checks: &mut Checks<'_>, signing: &mut TableReader<'_>) -> Option<Signing> {
    let table = signing.table(checks, "off")?;
    let help = "anybody who finds the endpoint can then start your function; prefer `[signing.generated]`";
    checks.warn(&table.place, "signing_off", "AWS IoT checks no token signature", Some(help));
    table.finish(checks);
    Some(Signing::Off)
}
