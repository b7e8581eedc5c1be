//! Hashes as hex text.

use ring::digest::{Context, SHA256};

/// The first `digits` hex digits of the SHA-256 of all `parts`, one after the other.
pub(crate) fn sha256_hex(parts: &[&[u8]], digits: usize) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let digest = context.finish();
    let nibbles = digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    nibbles.take(digits).filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect()
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
