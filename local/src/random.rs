//! Names, ids and secrets that must not be guessed or collide.

use aws_lc_rs::rand;

/// Letters and digits of AWS's unique ids: base 32 (RFC 4648).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters of a secret access key, as AWS's look: base 64.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Random bytes of the operating system's quality.
///
/// # Panics
/// Never: without entropy the library ends the process itself.
pub fn bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).expect("aws-lc aborts the process itself when the system has no entropy");
    bytes
}

/// A random UUID (version 4), as AWS's request ids are.
pub fn uuid() -> String {
    let mut raw = bytes::<16>();
    raw[6] = (raw[6] & 0x0f) | 0x40;
    raw[8] = (raw[8] & 0x3f) | 0x80;
    let hexadecimal = hex(&raw);
    format!(
        "{}-{}-{}-{}-{}",
        &hexadecimal[..8],
        &hexadecimal[8..12],
        &hexadecimal[12..16],
        &hexadecimal[16..20],
        &hexadecimal[20..]
    )
}

/// An IAM unique id: a four-letter prefix such as `AROA` and 17 characters.
/// Source: IAM User Guide, "Unique identifiers".
pub fn unique_id(prefix: &str) -> String {
    let tail: String = bytes::<17>().iter().map(|byte| char::from(BASE32[usize::from(byte & 31)])).collect();
    format!("{prefix}{tail}")
}

/// 40 characters with 240 bits of randomness, the form of a secret access key.
pub fn secret_access_key() -> String {
    bytes::<40>().iter().map(|byte| char::from(BASE64[usize::from(byte & 63)])).collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_version_four_and_the_usual_form() {
        let made = uuid();
        let parts: Vec<usize> = made.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&made[14..15], "4");
        assert_ne!(made, uuid());
    }

    #[test]
    fn a_role_id_looks_like_one() {
        let made = unique_id("AROA");
        assert_eq!(made.len(), 21);
        assert!(made.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
    }
}
