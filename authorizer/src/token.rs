//! The access token: a JWS in compact form, three segments (RFC 7515 7.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::config::Rules;
use crate::deny::Deny;
use crate::fingerprint::sha256_hex;
use crate::json::{self, Object};
use crate::key::Keys;
use crate::log::Trace;
use crate::{claims, header};

/// The greatest token, in bytes. AWS IoT takes no more in a header.
pub const TOKEN_BYTES_MAX: usize = 8192;
/// The greatest first segment, in bytes.
pub const HEADER_BYTES_MAX: usize = 1024;

/// A token whose signature is that of a configured key. Nothing of its payload was read yet.
#[derive(Debug)]
pub struct Signed {
    payload: Vec<u8>,
}

/// A token whose signature and claims were checked. Only [`Signed::verify`] makes one, so no allow
/// can be written without it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified<'a> {
    issuer: &'a str,
    subject: String,
    expires_at_seconds: u64,
    claims: Object<'a>,
}

impl Verified<'_> {
    /// The configured issuer, which is the token's.
    pub fn issuer(&self) -> &str {
        self.issuer
    }

    /// `sub`, not empty. It may hold anything: see [`crate::template::is_plain`].
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `exp`, in whole seconds since 1970. Within the leeway it may be in the past.
    pub fn expires_at_seconds(&self) -> u64 {
        self.expires_at_seconds
    }

    /// All claims.
    pub fn claims(&self) -> &Object<'_> {
        &self.claims
    }
}

/// Checks lengths before any parsing, the header before the signature, and the signature before any
/// claim is read.
pub fn open(token: &str, keys: &Keys, rules: &Rules, trace: &mut Trace) -> Result<Signed, Deny> {
    trace.token_fingerprint = Some(sha256_hex(&[token.as_bytes()], 8));
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Deny::TokenTooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Deny::WrongSegmentCount)?;
    let (header, payload) = signed.split_once('.').ok_or(Deny::WrongSegmentCount)?;
    if payload.contains('.') {
        return Err(Deny::WrongSegmentCount);
    }
    if header.len() > HEADER_BYTES_MAX {
        return Err(Deny::HeaderTooLong);
    }
    let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);

    let header = json::parse_object(&header).ok_or(Deny::MalformedHeader)?;
    let key_id = header::key_id(&header)?;
    trace.key_id = key_id.map(str::to_owned);
    header::check(&header, keys, rules)?;
    keys.verify(key_id, signed.as_bytes(), &signature)?;
    Ok(Signed { payload })
}

impl Signed {
    /// Checks the claims.
    pub fn verify<'a>(
        &'a self,
        rules: &'a Rules,
        now_seconds: u64,
        trace: &mut Trace,
    ) -> Result<Verified<'a>, Deny> {
        let claims = json::parse_object(&self.payload).ok_or(Deny::MalformedPayload)?;
        let checked = claims::check(&claims, rules, now_seconds, trace)?;
        Ok(Verified {
            issuer: &rules.issuer,
            subject: checked.subject,
            expires_at_seconds: checked.expires_at_seconds,
            claims,
        })
    }
}

/// Strict: no padding, no foreign characters, no set bits after the last byte.
fn decode(segment: &str) -> Result<Vec<u8>, Deny> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| Deny::BadBase64)
}
