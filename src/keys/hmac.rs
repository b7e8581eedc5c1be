//! Whether a text can be the HMAC secret of the authorizer. The authorizer checks it again at its start,
//! where a wrong one refuses every device; here it is refused before anything is written.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::Secret;
use crate::problem::Problem;
use crate::stack::Encoding;

/// The shortest secret, in bytes once decoded (RFC 7518 3.2).
const BYTES_MIN: usize = 32;

/// The longest secret, in bytes of its text: what fits in a function's environment.
const TEXT_BYTES_MAX: usize = 4096;

/// As the authorizer decodes: padding may be missing, set bits after the last byte may not be there.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Checks a secret by the authorizer's own rules. No message repeats any of it.
pub fn check_hmac(secret: &Secret, encoding: Encoding, allow_short: bool) -> Result<(), Problem> {
    let text = secret.expose();
    if text.len() > TEXT_BYTES_MAX {
        return Err(refuse(format!("it has {} bytes; at most {TEXT_BYTES_MAX} are taken", text.len())));
    }
    if looks_like_key(text.as_bytes()) {
        return Err(like_a_key());
    }
    // The authorizer would take it as a part of a `utf8` secret, and every token would fail.
    if text.ends_with(['\r', '\n']) {
        return Err(refuse("it ends in a line break".to_owned())
            .next("leave the line break out, such as with `printf %s` instead of `echo`"));
    }
    let bytes = Zeroizing::new(match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Base64 => STANDARD.decode(text).map_err(|_| {
            refuse("it is not standard base64 (no spaces, no line breaks, `+` and `/`)".to_owned())
                .next("`encoding = \"utf8\"` under `[token.hs256]`, if the secret is the text itself")
        })?,
    });
    if looks_like_key(&bytes) {
        return Err(like_a_key());
    }
    if bytes.is_empty() {
        return Err(refuse("it is empty".to_owned()));
    }
    if bytes.len() < BYTES_MIN && !allow_short {
        return Err(refuse(format!(
            "it has {} bytes; HS256 needs at least {BYTES_MIN} (RFC 7518, 3.2)",
            bytes.len()
        ))
        .next("give the provider a longer secret; or `allow_short_secret = true`, and every plan warns"));
    }
    Ok(())
}

fn like_a_key() -> Problem {
    refuse("it looks like a public or private key; an HMAC secret is random bytes".to_owned())
        .next("`[token.rs256]`, if the provider signs with RSA")
}

/// Whether bytes are a key's text or DER: a public key as HMAC secret would let everybody sign.
fn looks_like_key(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let contains = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    is_der_sequence(bytes)
        || is_base64_of_der(bytes)
        || contains(b"-----BEGIN")
        || [&b"ssh-"[..], b"ecdsa-sha2-", b"sk-ssh-", b"---- BEGIN SSH2"].into_iter().any(begins)
        || (begins(b"{") && (contains(b"\"kty\"") || contains(b"\"keys\"")))
}

/// A PEM without its first and last line.
fn is_base64_of_der(text: &[u8]) -> bool {
    let body: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(body).is_ok_and(|bytes| is_der_sequence(&bytes))
}

/// A DER sequence that fills `bytes`, but for line ends, as keys and certificates are; under 128 bytes
/// no RSA key is one, and a random secret may begin like it.
fn is_der_sequence(bytes: &[u8]) -> bool {
    let (length, rest) = match bytes {
        [0x30, 0x81, length @ 0x80..=0xff, rest @ ..] => (usize::from(*length), rest),
        [0x30, 0x82, high @ 1..=0xff, low, rest @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return false,
    };
    rest.get(length..).is_some_and(|after| after.trim_ascii().is_empty())
}

fn refuse(because: String) -> Problem {
    Problem::usage("bad_secret", "the HMAC secret cannot be used").because(because)
}
