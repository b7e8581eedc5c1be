//! AWS Signature Version 4, checked: who signed a request, for which service and Region, and whether the
//! signature fits every byte of it.
//!
//! Source: IAM User Guide, "Create a signed AWS API request". None of the services here takes an unsigned
//! payload or a signature in the query string.

mod canonical;

use std::time::{Duration, SystemTime};

use aws_lc_rs::{constant_time, digest, hmac};
use http::HeaderMap;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::ServiceError;
use super::caller::Caller;
use crate::random::hex;
use crate::{Credentials, Request};

/// How far the time of signing may be from the target's time. AWS: 5 minutes (in its own refusals:
/// "(… - 5 min.)").
const SKEW_MAX: Duration = Duration::from_mins(5);
/// The one algorithm.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What the `Authorization` header claims; nothing of it is proven yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    access_key_id: String,
    date: String,
    /// The Region of the credential scope.
    pub(crate) region: String,
    /// The signing name of the service.
    pub(crate) service: String,
    terminator: String,
    signed_headers: Vec<String>,
    signature: String,
}

/// Why a request is not taken as signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no signature.
    Missing,
    /// The header is not of the form; what is wrong.
    Incomplete(String),
    /// No such access key, or a session token that is not the one beside it.
    UnknownKey,
    /// The session has ended.
    Expired,
    /// Scope or time do not fit; which and why.
    Wrong(String),
    /// The signature is not the one of this request and key.
    Mismatch,
}

impl Refused {
    /// The refusal of services that speak JSON. Codes and texts as in public reports of real answers:
    /// aws/aws-sdk-js#254, aws/aws-cli#6676 and "Common Error Types" of the CloudWatch Logs API Reference.
    pub(crate) fn for_json(self) -> ServiceError {
        let (status, code) = match self {
            Self::Missing => (403, "MissingAuthenticationTokenException"),
            Self::Incomplete(_) => (403, "IncompleteSignatureException"),
            Self::UnknownKey => (403, "UnrecognizedClientException"),
            Self::Expired => (403, "ExpiredTokenException"),
            Self::Wrong(_) | Self::Mismatch => (403, "InvalidSignatureException"),
        };
        ServiceError::new(status, code, self.text("Missing Authentication Token"))
    }

    /// The refusal of services that speak awsQuery. Codes: "Common Errors" of the IAM and STS API
    /// References; texts as in public reports of real answers, such as aws/aws-cli#6676.
    pub(crate) fn for_query(self) -> ServiceError {
        let (status, code) = match self {
            Self::Missing => (403, "MissingAuthenticationToken"),
            Self::Incomplete(_) => (400, "IncompleteSignature"),
            Self::UnknownKey => (403, "InvalidClientTokenId"),
            Self::Expired => (403, "ExpiredToken"),
            Self::Wrong(_) | Self::Mismatch => (403, "SignatureDoesNotMatch"),
        };
        ServiceError::new(status, code, self.text("Request is missing Authentication Token"))
    }

    fn text(self, missing: &str) -> String {
        match self {
            Self::Missing => missing.to_owned(),
            Self::Incomplete(text) | Self::Wrong(text) => text,
            Self::UnknownKey => "The security token included in the request is invalid.".to_owned(),
            Self::Expired => "The security token included in the request is expired".to_owned(),
            Self::Mismatch => {
                "The request signature we calculated does not match the signature you provided. \
                               Check your AWS Secret Access Key and signing method. Consult the service \
                               documentation for details."
                    .to_owned()
            }
        }
    }
}

impl Claim {
    /// Reads the `Authorization` header.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Refused> {
        let mut values = headers.get_all("authorization").iter();
        let header = match (values.next(), values.next()) {
            (None, _) => return Err(Refused::Missing),
            (Some(_), Some(_)) => return Err(incomplete("there is more than one Authorization header")),
            (Some(value), None) => value.to_str().map_err(|_| incomplete("the header is not ASCII"))?,
        };
        let Some(fields) = header.strip_prefix(ALGORITHM) else {
            return Err(incomplete("the algorithm must be AWS4-HMAC-SHA256"));
        };
        let field = |name: &str| -> Result<&str, Refused> {
            let mut found =
                fields.split([',', ' ']).filter_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            match (found.next(), found.next()) {
                (Some(value), None) if !value.is_empty() => Ok(value),
                _ => Err(incomplete(&format!("Authorization header requires '{name}' parameter, once."))),
            }
        };
        let credential = field("Credential")?;
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = parts[..] else {
            return Err(incomplete("Credential must have exactly 5 slash-delimited elements"));
        };
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            terminator: terminator.to_owned(),
            signed_headers: field("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: field("Signature")?.to_owned(),
        })
    }

    /// Who claims to sign, with the credentials that the signature must be made with. `role_id`: see
    /// [`Caller::find`].
    pub(crate) fn caller(
        &self,
        headers: &HeaderMap,
        key: &Credentials,
        now: SystemTime,
        role_id: impl FnOnce(&str) -> Option<String>,
    ) -> Result<(Caller, Credentials), Refused> {
        let token = single(headers, "x-amz-security-token")?;
        Caller::find(key, &self.access_key_id, token, now, role_id)
    }

    /// Proves that the holder of `credentials` signed exactly `request` about now.
    pub(crate) fn verify(
        &self,
        request: &Request,
        credentials: &Credentials,
        now: SystemTime,
    ) -> Result<(), Refused> {
        let headers = request.headers();
        if self.access_key_id != credentials.access_key_id {
            return Err(Refused::UnknownKey);
        }
        let signed_at = single(headers, "x-amz-date")?.ok_or_else(|| {
            incomplete("Authorization header requires existence of an 'X-Amz-Date' header.")
        })?;
        self.check_scope(signed_at)?;
        check_time(signed_at, now)?;
        self.check_signed_headers(headers)?;
        let payload = payload_hash(request)?;
        let canonical = canonical::request(request, &self.signed_headers, &payload)
            .ok_or_else(|| incomplete("a signed header is not in the request"))?;
        let text = self.string_to_sign(signed_at, &canonical);
        let expected = hex(self.sign(&credentials.secret_access_key, &text).as_ref());
        constant_time::verify_slices_are_equal(expected.as_bytes(), self.signature.as_bytes())
            .map_err(|_| Refused::Mismatch)
    }

    fn check_scope(&self, signed_at: &str) -> Result<(), Refused> {
        if self.terminator != "aws4_request" {
            let text = "Credential should be scoped with a valid terminator: 'aws4_request'";
            return Err(Refused::Wrong(format!("{text}, not '{}'.", self.terminator)));
        }
        if !is_region(&self.region) {
            return Err(Refused::Wrong(format!(
                "Credential should be scoped to a valid region, not '{}'.",
                self.region
            )));
        }
        if signed_at.get(..8) != Some(self.date.as_str()) {
            return Err(Refused::Wrong(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{}' != '{}', from '{signed_at}'.",
                self.date,
                signed_at.get(..8).unwrap_or_default()
            )));
        }
        Ok(())
    }

    /// `host` and every `x-amz-` header must be under the signature, and the list in order.
    /// Source: IAM User Guide, "Elements of an AWS API request signature", `CanonicalHeaders`.
    fn check_signed_headers(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let in_order = self.signed_headers.windows(2).all(|pair| pair[0] < pair[1]);
        let lower =
            self.signed_headers.iter().all(|name| !name.bytes().any(|byte| byte.is_ascii_uppercase()));
        if !in_order || !lower {
            return Err(incomplete("SignedHeaders must be lower-case names in alphabetical order"));
        }
        let signed = |name: &str| self.signed_headers.iter().any(|signed| signed == name);
        let unsigned = headers
            .keys()
            .map(http::HeaderName::as_str)
            .find(|name| name.starts_with("x-amz-") && !signed(name));
        match unsigned.or((!signed("host")).then_some("host")) {
            Some(name) => {
                Err(Refused::Wrong(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")))
            }
            None => Ok(()),
        }
    }

    fn string_to_sign(&self, signed_at: &str, canonical: &[u8]) -> String {
        let Self { date, region, service, terminator, .. } = self;
        let hash = hex(digest::digest(&digest::SHA256, canonical).as_ref());
        format!("{ALGORITHM}\n{signed_at}\n{date}/{region}/{service}/{terminator}\n{hash}")
    }

    fn sign(&self, secret_access_key: &str, text: &str) -> hmac::Tag {
        let first = format!("AWS4{secret_access_key}");
        let key = |bytes: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let scope = [&self.date, &self.region, &self.service, &self.terminator];
        let signing_key = scope.iter().fold(key(first.as_bytes()), |previous, part| {
            key(hmac::sign(&previous, part.as_bytes()).as_ref())
        });
        hmac::sign(&signing_key, text.as_bytes())
    }
}

/// Whether a Region has the form of one, such as `eu-west-1` or `us-gov-west-1`; `aws-global` has not, and is
/// refused by AWS too (aws/aws-sdk-java-v2#988).
fn is_region(text: &str) -> bool {
    let Some((place, number)) = text.rsplit_once('-') else { return false };
    let words: Vec<&str> = place.split('-').collect();
    text.len() <= 32
        && words.len() >= 2
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn incomplete(because: &str) -> Refused {
    Refused::Incomplete(because.to_owned())
}

/// The value of a header that may be there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refused> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| incomplete(&format!("'{name}' is not ASCII")))
        }
        (Some(_), Some(_)) => Err(incomplete(&format!("'{name}' is there more than once"))),
    }
}

/// The hash of the body; one that the request names itself must be the body's.
fn payload_hash(request: &Request) -> Result<String, Refused> {
    let computed = hex(digest::digest(&digest::SHA256, request.body()).as_ref());
    match single(request.headers(), "x-amz-content-sha256")? {
        Some(named) if named != computed => Err(Refused::Mismatch),
        _ => Ok(computed),
    }
}

fn check_time(signed_at: &str, now: SystemTime) -> Result<(), Refused> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let Ok(parsed) = PrimitiveDateTime::parse(signed_at, &format) else {
        return Err(incomplete("Date must be in ISO-8601 'basic format', as 20150830T123600Z."));
    };
    let (parsed, now) = (parsed.assume_utc(), OffsetDateTime::from(now));
    let text = |moment: OffsetDateTime| moment.format(&format).unwrap_or_default();
    let (earliest, latest) = (now - SKEW_MAX, now + SKEW_MAX);
    if parsed < earliest.replace_nanosecond(0).unwrap_or(earliest) {
        return Err(Refused::Wrong(format!(
            "Signature expired: {signed_at} is now earlier than {} ({} - 5 min.)",
            text(earliest),
            text(now)
        )));
    }
    if parsed > latest {
        return Err(Refused::Wrong(format!(
            "Signature not yet current: {signed_at} is still later than {} ({} + 5 min.)",
            text(latest),
            text(now)
        )));
    }
    Ok(())
}

/// Signs `request` as a client would, for tests that go through the whole target.
#[cfg(test)]
pub(crate) fn sign(
    request: &mut Request,
    credentials: &Credentials,
    service: &str,
    region: &str,
    now: SystemTime,
) {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let signed_at = OffsetDateTime::from(now).format(&format).unwrap();
    request.headers_mut().insert("x-amz-date", signed_at.parse().unwrap());
    let mut signed_headers: Vec<String> =
        request.headers().keys().map(|name| name.as_str().to_owned()).chain(["host".to_owned()]).collect();
    signed_headers.sort();
    signed_headers.dedup();
    let claim = Claim {
        access_key_id: credentials.access_key_id.clone(),
        date: signed_at[..8].to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
        terminator: "aws4_request".to_owned(),
        signed_headers,
        signature: String::new(),
    };
    // A client signs the hash that it names, whatever the body is.
    let named = request.headers().get("x-amz-content-sha256").map(|value| value.to_str().unwrap().to_owned());
    let payload = named.unwrap_or_else(|| payload_hash(request).unwrap());
    let canonical = canonical::request(request, &claim.signed_headers, &payload).unwrap();
    let text = claim.string_to_sign(&signed_at, &canonical);
    let signature = hex(claim.sign(&credentials.secret_access_key, &text).as_ref());
    let Claim { access_key_id, date, signed_headers, .. } = claim;
    let header = format!(
        "{ALGORITHM} Credential={access_key_id}/{date}/{region}/{service}/aws4_request, \
         SignedHeaders={}, Signature={signature}",
        signed_headers.join(";")
    );
    request.headers_mut().insert("authorization", header.parse().unwrap());
}

#[cfg(test)]
mod tests;
