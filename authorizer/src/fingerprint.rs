//! Hashes as hex text.

use std::fmt::Write as _;

use ring::digest::{Context, SHA256};

/// The first `digits` hex digits of the SHA-256 of all `parts`, one after the other.
pub(crate) fn sha256_hex(parts: &[&[u8]], digits: usize) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hex = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(digits);
    hex
}

#[cfg(test)]
mod tests {
    use super::sha256_hex;

    /// FIPS 180-2, appendix B.1: SHA-256 of `abc`.
    #[test]
    fn known_answer() {
        let all = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(&[b"a", b"bc"], 64), all);
        assert_eq!(sha256_hex(&[b"abc"], 8), "ba7816bf");
    }
}
