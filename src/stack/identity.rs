//! `[identity]`: where devices log in. Read by `device` and `demo` only.

use std::collections::BTreeMap;

use super::checks::Checks;
use super::model::{ClientAuth, Dialect, IdentityProvider, Reference, Target};
use super::reader::TableReader;
use super::reference::{Expected, reference};
use super::web::endpoint;

/// Parameters that the device flow sets itself.
pub(super) const OWN_PARAMETERS: [&str; 7] =
    ["client_id", "client_secret", "code", "device_code", "grant_type", "scope", "user_code"];

/// Reads `[identity]`. `None`: not given, or an error was recorded.
pub(super) fn identity(
    checks: &mut Checks<'_>,
    top: &mut TableReader<'_>,
    target: Option<Target>,
) -> Option<IdentityProvider> {
    let mut table = top.table(checks, "identity")?;
    let help = "the device authorization endpoint: `device_url = \"https://…/oauth2/device/code\"`";
    let device = table.required_text(checks, "device_url", help);
    let device_url = device.and_then(|found| endpoint(checks, &found, target));
    let help = "the token endpoint: `token_url = \"https://…/oauth2/access_token\"`";
    let token = table.required_text(checks, "token_url", help);
    let token_url = token.and_then(|found| endpoint(checks, &found, target));
    let client_id = table.required_text(checks, "client_id", "the OAuth client of the devices");
    let (client_auth, client_secret) = client(checks, &mut table, target);
    let scope = table.text_or_empty(checks, "scope").unwrap_or_default();
    let dialects =
        [("auto", Dialect::Auto), ("rfc8628", Dialect::Rfc8628), ("openam-legacy", Dialect::OpenamLegacy)];
    let dialect = table.choice(checks, "dialect", &dialects).unwrap_or(Dialect::Auto);
    let extra = extra(checks, &mut table);
    table.not_yet(checks, "openam", "set up the OpenAM realm by hand");
    table.finish(checks);
    Some(IdentityProvider {
        device_url: device_url?,
        token_url: token_url?,
        client_id: client_id?.value,
        client_secret,
        scope,
        dialect,
        client_auth,
        extra,
    })
}

/// How the client authenticates; without a word on it: with its secret in the form, if it has one.
fn client(
    checks: &mut Checks<'_>,
    table: &mut TableReader<'_>,
    target: Option<Target>,
) -> (ClientAuth, Option<Reference>) {
    let expected =
        Expected { noun: "the client's secret", local: Some(("local:client", Reference::LocalClient)) };
    let found = table.text(checks, "client_secret");
    let secret = found.and_then(|found| reference(checks, &found, target, &expected));
    let has_secret = table.has("client_secret");
    let ways = [("post", ClientAuth::Post), ("basic", ClientAuth::Basic), ("none", ClientAuth::None)];
    let default = if has_secret { ClientAuth::Post } else { ClientAuth::None };
    let way = table.choice(checks, "client_auth", &ways).unwrap_or(default);
    match (way, has_secret) {
        (ClientAuth::None, true) => {
            let message = "a client that authenticates by `none` has no `client_secret`";
            checks.error(&table.place_of("client_auth"), "conflict", message);
        }
        (ClientAuth::Post | ClientAuth::Basic, false) => {
            let help = "`client_secret = \"env:NAME\"`, or `client_auth = \"none\"` for a public client";
            table.require(checks, "client_secret", help);
        }
        _ => {}
    }
    (way, secret)
}

fn extra(checks: &mut Checks<'_>, table: &mut TableReader<'_>) -> BTreeMap<String, String> {
    let found = table.text_map(checks, "extra");
    for (name, _) in &found {
        if OWN_PARAMETERS.contains(&name.value.as_str()) {
            let message = format!("the device flow sets `{}` itself", name.value);
            checks.error(&name.place, "reserved", message);
        }
    }
    found.into_iter().map(|(name, value)| (name.value, value.value)).collect()
}
