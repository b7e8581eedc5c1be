//! Signs with other code than the verifier's: HMAC written out as RFC 2104 has it, and the `rsa` crate.

use rsa::sha2::{Digest, Sha256, Sha384, Sha512};

/// The characters of base64url in the order of their values (RFC 4648 5).
pub(crate) const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64url without padding, bit by bit.
pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    let bits =
        bytes.as_ref().iter().flat_map(|byte| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1)));
    let bits: Vec<usize> = bits.collect();
    let six = |chunk: &[usize]| (0..6).fold(0, |value, bit| value << 1 | chunk.get(bit).unwrap_or(&0));
    bits.chunks(6).map(|chunk| char::from(LETTERS[six(chunk)])).collect()
}

/// The way back, for what [`b64`] wrote.
pub(crate) fn unb64(text: &str) -> Vec<u8> {
    let value = |letter: u8| LETTERS.iter().position(|known| *known == letter).expect("base64url");
    let bits = text.bytes().flat_map(|letter| {
        let value = value(letter);
        (0..6).rev().map(move |bit| value >> bit & 1 == 1)
    });
    let bits: Vec<bool> = bits.collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | u8::from(*bit))).collect()
}

/// HMAC (RFC 2104 2) with any hash of `block_bytes`.
fn hmac<Hash: Digest>(key: &[u8], text: &[u8], block_bytes: usize) -> Vec<u8> {
    let hash = |parts: [&[u8]; 2]| Hash::digest(parts.concat()).to_vec();
    let mut block = if key.len() > block_bytes { hash([key, b""]) } else { key.to_vec() };
    block.resize(block_bytes, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    hash([&pad(0x5c), &hash([&pad(0x36), text])])
}

/// Bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect()
}

pub(crate) fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::<Sha256>(key, text, 64)
}

pub(crate) fn hmac_sha384(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::<Sha384>(key, text, 128)
}

pub(crate) fn hmac_sha512(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::<Sha512>(key, text, 128)
}

/// RFC 4231 4.2 and 4.7, test cases 1 and 6: a short key, and one longer than a block.
#[test]
fn the_reference_is_right() {
    assert_eq!(
        hex(&hmac_sha256(&[0x0b; 20], b"Hi There")),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    );
    assert_eq!(
        hex(&hmac_sha384(&[0x0b; 20], b"Hi There")),
        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6"
    );
    let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
    assert_eq!(
        hex(&hmac_sha256(&[0xaa; 131], text)),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
    assert_eq!(
        hex(&hmac_sha512(&[0xaa; 131], text)),
        concat!(
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352",
            "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
        )
    );
    // RFC 4648 10, without padding.
    for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
        assert_eq!(b64(bytes), text);
        assert_eq!(unb64(text), bytes.as_bytes());
    }
}
