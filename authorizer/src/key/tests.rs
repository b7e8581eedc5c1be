use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::{Encoding, Keys, RsaKey, RsaKeys, Secret};
use crate::deny::Deny;

#[track_caller]
fn secret_refused(text: &str, encoding: Encoding, allow_short: bool, because: &str) {
    let error = Secret::new(text, encoding, allow_short).expect_err(text);
    assert!(error.contains(because), "{text:?}: {error}");
    assert!(text.is_empty() || !error.contains(text), "the secret is in the message: {error}");
}

#[test]
fn secrets() {
    let bytes = [0xfb; 32];
    for text in [STANDARD.encode(bytes), STANDARD_NO_PAD.encode(bytes)] {
        let keys = Keys::Hs256(Secret::new(&text, Encoding::Base64, false).unwrap());
        let signature = crate::tests::support::hmac_sign(&bytes, b"signed");
        assert_eq!(keys.verify(None, b"signed", &signature), Ok(()));
        assert_eq!(keys.verify(Some("any"), b"signed", &signature), Ok(()));
        assert_eq!(keys.verify(None, b"Signed", &signature), Err(Deny::BadSignature));
        assert_eq!(keys.verify(None, b"signed", &signature[..31]), Err(Deny::BadSignature));
        assert_eq!(format!("{keys:?}"), "Hs256(Secret)");
    }
    assert!(Secret::new(&"é".repeat(16), Encoding::Utf8, false).is_ok());
    assert!(Secret::new("short", Encoding::Utf8, true).is_ok());
    assert!(Secret::new(&"a".repeat(4096), Encoding::Utf8, false).is_ok());

    secret_refused("", Encoding::Utf8, true, "is empty");
    secret_refused(&"a".repeat(31), Encoding::Utf8, false, "has 31 bytes; HS256 needs at least 32");
    // Long enough as text, too short once decoded.
    secret_refused(&STANDARD.encode([1; 31]), Encoding::Base64, false, "has 31 bytes");
    secret_refused(&URL_SAFE_NO_PAD.encode(bytes), Encoding::Base64, false, "not standard base64");
    secret_refused(&format!("{}\n", STANDARD.encode(bytes)), Encoding::Base64, false, "no line ends");
    secret_refused(&"a".repeat(4097), Encoding::Utf8, false, "at most 4096");
}

fn modulus(bits: usize) -> Vec<u8> {
    let mut n = vec![0xa5; bits / 8];
    n[0] = 0xc5;
    n
}

#[track_caller]
fn rsa_refused(n: &[u8], e: &[u8], because: &str) {
    let error = RsaKey::new(None, &URL_SAFE_NO_PAD.encode(n), &URL_SAFE_NO_PAD.encode(e)).expect_err(because);
    assert!(error.contains(because), "{error}");
}

#[test]
fn rsa_keys() {
    let good = |n: &[u8], e: &[u8]| {
        RsaKey::new(Some("k".to_owned()), &URL_SAFE_NO_PAD.encode(n), &URL_SAFE_NO_PAD.encode(e)).unwrap()
    };
    good(&modulus(2048), &[1, 0, 1]);
    good(&modulus(8192), &[1, 0, 1]);
    good(&modulus(2048), &[0, 1, 0, 3]);
    // OpenAM before 14.4.2: a leading zero octet is not a part of the number.
    good(&[vec![0], modulus(2048)].concat(), &[1, 0, 1]);

    let mut short = modulus(2048);
    short[0] = 0x7f;
    rsa_refused(&short, &[1, 0, 1], "has 2047 bits");
    rsa_refused(&modulus(1024), &[1, 0, 1], "has 1024 bits");
    rsa_refused(&modulus(8200), &[1, 0, 1], "has 8200 bits");
    rsa_refused(&[], &[1, 0, 1], "has 0 bits");
    let mut even = modulus(2048);
    *even.last_mut().unwrap() = 2;
    rsa_refused(&even, &[1, 0, 1], "even modulus");
    for exponent in [&[3][..], &[1, 0, 0], &[1, 0, 2], &[0xff, 0xff], &[], &[1; 9], &[2, 0, 0, 0, 1]] {
        rsa_refused(&modulus(2048), exponent, "exponent");
    }
    let with_padding = RsaKey::new(None, &(URL_SAFE_NO_PAD.encode(modulus(2048)) + "="), "AQAB");
    assert!(with_padding.unwrap_err().contains("`n` that is not base64url"));
    assert!(RsaKey::new(Some("k".repeat(129)), "", "").unwrap_err().contains("128 bytes"));
}

#[test]
fn several_keys_have_names() {
    let key = |key_id: Option<&str>| {
        RsaKey::new(key_id.map(str::to_owned), &URL_SAFE_NO_PAD.encode(modulus(2048)), "AQAB").unwrap()
    };
    assert!(RsaKeys::new(vec![key(None)]).is_ok());
    assert!(RsaKeys::new(vec![key(Some("a")), key(Some("b"))]).is_ok());
    assert!(RsaKeys::new(vec![]).unwrap_err().contains("is empty"));
    assert!(RsaKeys::new(vec![key(Some("a")), key(None)]).unwrap_err().contains("without `kid`"));
    assert!(RsaKeys::new(vec![key(Some("a")), key(Some("a"))]).unwrap_err().contains("same `kid`"));
}
