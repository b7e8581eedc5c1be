use super::*;

// All fixtures were made with OpenSSL 3 (`openssl genpkey`, `openssl pkey -pubout`).
const RSA: &str = include_str!("fixtures/rsa-2048.pem");

#[test]
fn openssl_s_key_keeps_its_text_and_its_fingerprint() {
    let key = PublicKeyPem::parse(RSA).unwrap();
    assert_eq!(key.as_str(), RSA);
    assert_eq!(key.bits(), 2048);
    // `openssl pkey -pubin -outform DER | sha256sum`
    let expected =
        "8e:ec:b1:d9:73:0c:a0:31:9c:2a:33:2f:c1:b2:73:a0:40:f7:70:8f:97:30:23:aa:e3:be:f3:01:53:67:ee:33";
    assert_eq!(key.fingerprint(), expected);
    assert_eq!(format!("{key:?}"), format!("PublicKeyPem(2048 bit, {expected})"));
    let PublicKey { kid, n, e } = key.components();
    assert_eq!((kid, e.as_str(), n.len()), (None, "AQAB", 342));
    assert_eq!(Jwks::of_pem(RSA).unwrap().keys, [key.components()]);
    // `openssl pkey -text_pub`: the modulus begins 00:ce:ec:b9.
    assert!(URL_SAFE_NO_PAD.decode(n).unwrap().starts_with(&[0xce, 0xec, 0xb9]));
}

#[test]
fn any_wrapping_is_the_same_key() {
    let key = PublicKeyPem::parse(RSA).unwrap();
    let one_line = RSA.replace('\n', "").replace("KEY-----M", "KEY-----\nM").replace("=-----", "=\n-----");
    for text in
        [RSA.replace('\n', "\r\n"), format!("a comment\n\n  {RSA}\n"), RSA.trim_end().to_owned(), one_line]
    {
        assert_eq!(PublicKeyPem::parse(&text).unwrap(), key, "{text}");
    }
    let der = STANDARD.decode(block(RSA).unwrap().1).unwrap();
    // The same key without the algorithm's NULL parameter: 05 00, and two lengths shorter by two.
    let mut bare = der.clone();
    assert_eq!(bare[17..19], [5, 0]);
    bare.drain(17..19);
    bare[5] -= 2;
    bare[3] -= 2;
    assert_eq!(PublicKeyPem::from_der(&bare).unwrap(), key);
}

#[test]
fn openssl_s_signature_is_verified_and_no_other() {
    let key = PublicKeyPem::parse(RSA).unwrap();
    // `printf hello | openssl dgst -sha256 -sign KEY`
    let mut signature = STANDARD.decode(include_str!("fixtures/hello.signature")).unwrap();
    assert!(key.verifies(b"hello", &signature));
    assert!(!key.verifies(b"hellO", &signature));
    signature[100] ^= 1;
    assert!(!key.verifies(b"hello", &signature));
}

#[test]
fn everything_else_is_refused_with_its_own_words() {
    let relabelled = |label: &str| RSA.replace("PUBLIC KEY", label);
    let mut broken = RSA.to_owned();
    broken.replace_range(60..61, "*");
    let truncated = format!("{}-----END PUBLIC KEY-----\n", &RSA[..157]);
    let cases = [
        (include_str!("fixtures/pkcs1.pem").to_owned(), "PKCS#1"),
        (include_str!("fixtures/ec.pem").to_owned(), "elliptic-curve"),
        (include_str!("fixtures/ed25519.pem").to_owned(), "Ed25519"),
        (include_str!("fixtures/rsa-pss.pem").to_owned(), "RSA-PSS"),
        (include_str!("fixtures/rsa-1024.pem").to_owned(), "1024 bits; at least 2048"),
        (relabelled("CERTIFICATE"), "certificate"),
        (relabelled("PRIVATE KEY"), "private key"),
        (relabelled("ENCRYPTED PRIVATE KEY"), "private key"),
        (relabelled("EC PRIVATE KEY"), "private key"),
        (relabelled("CERTIFICATE REQUEST"), "another kind of PEM"),
        ("ssh-rsa AAAAB3NzaC1yc2E".to_owned(), "not PEM"),
        (String::new(), "not PEM"),
        (broken, "not base64"),
        (truncated, "not a public key (SubjectPublicKeyInfo)"),
    ];
    for (text, expected) in cases {
        let problem = PublicKeyPem::parse(&text).unwrap_err();
        assert!(problem.to_string().contains(expected), "{expected}: {problem}");
    }
    let mut with_tail = STANDARD.decode(block(RSA).unwrap().1).unwrap();
    with_tail.push(0);
    PublicKeyPem::from_der(&with_tail).unwrap_err();
}
