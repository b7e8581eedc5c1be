//! Who asks: the OAuth clients, and how they prove it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};

use super::Dialect;
use super::form::{Form, Refusal};
use super::keys::{Algorithm, Keys, equal};

/// A registered client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Client {
    /// Its id, and the `aud` of its tokens.
    pub(super) id: &'static str,
    /// How its tokens are signed.
    pub(super) algorithm: Algorithm,
    /// Whether it has no secret.
    public: bool,
}

const CLIENTS: [Client; 3] = [
    Client { id: "deviceagent", algorithm: Algorithm::Hs256, public: false },
    Client { id: "deviceagent-rs256", algorithm: Algorithm::Rs256, public: false },
    Client { id: "deviceagent-public", algorithm: Algorithm::Hs256, public: true },
];

const FAILED: &str = "Client authentication failed";

/// The client with this id, without any proof.
pub(super) fn named(dialect: Dialect, form: &Form) -> Result<&'static Client, Refusal> {
    form.get("client_id").and_then(|id| CLIENTS.iter().find(|client| client.id == id)).ok_or(failed(dialect))
}

/// The client, proven as RFC 6749 2.3 has it; the legacy dialect takes the secret from the form only.
pub(super) fn proven(
    dialect: Dialect,
    headers: &HeaderMap,
    form: &Form,
    keys: &Keys,
) -> Result<&'static Client, Refusal> {
    if let Some(value) = headers.get(header::AUTHORIZATION).filter(|_| dialect == Dialect::Rfc8628) {
        return by_header(value.to_str().unwrap_or_default(), form, keys)
            .map_err(|refusal| if refusal.status() == 401 { refusal.challenging() } else { refusal });
    }
    let client = named(dialect, form)?;
    match (client.public && dialect == Dialect::Rfc8628, form.get("client_secret")) {
        (true, None) => Ok(client),
        (false, Some(secret)) if !client.public && equal(secret, keys.client_secret()) => Ok(client),
        _ => Err(failed(dialect)),
    }
}

fn by_header(value: &str, form: &Form, keys: &Keys) -> Result<&'static Client, Refusal> {
    let failed = failed(Dialect::Rfc8628);
    let (scheme, encoded) = value.split_once(' ').ok_or(failed.clone())?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(failed);
    }
    let pair = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = pair.ok_or(failed.clone())?;
    let (id, secret) = pair.split_once(':').ok_or(failed.clone())?;
    let (id, secret) = (decoded(id), decoded(secret));
    let contradicts = form.get("client_id").is_some_and(|given| given != id);
    if contradicts || form.get("client_secret").is_some() {
        return Err(Refusal::new(400, "invalid_request", "the client authenticates in two ways at once"));
    }
    CLIENTS
        .iter()
        .find(|client| client.id == id && !client.public && equal(&secret, keys.client_secret()))
        .ok_or(failed)
}

/// Both halves of a Basic pair are form-encoded (RFC 6749 2.3.1).
fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

fn failed(dialect: Dialect) -> Refusal {
    let status = match dialect {
        Dialect::Rfc8628 => 401,
        Dialect::OpenamLegacy => 400,
    };
    Refusal::new(status, "invalid_client", FAILED)
}
