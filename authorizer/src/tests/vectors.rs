//! Known answers from RFC 7515, appendix A. The example's claims are those of no access token, so
//! the verdict is the first rule about claims; that it is reached shows that the signature was taken.

use serde_json::{Value, json};

use super::support::{hs256_file, rs256_file};
use crate::deny::Deny;
use crate::{Verdict, config, decide_bytes};

const PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

#[track_caller]
fn verdicts(file: &Value, secret: &str, header: &str, signature: &str) {
    let (keys, rules) = config::read(file.to_string().as_bytes(), &|_| Some(secret.to_owned())).unwrap();
    let decide = |signature: &str| {
        let event = json!({"token": format!("{header}.{PAYLOAD}.{signature}")}).to_string();
        decide_bytes(event.as_bytes(), &keys, &rules, 1_300_819_000).verdict
    };
    assert_eq!(decide(signature), Verdict::Deny(Deny::AudienceMissing));
    let wrong = signature.replacen('J', "K", 1);
    assert_ne!(wrong, signature);
    assert_eq!(decide(&wrong), Verdict::Deny(Deny::BadSignature));
}

/// RFC 7515 A.1. The RFC's key in base64url is here in standard base64.
#[test]
fn hs256_of_rfc_7515_a1() {
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==";
    let mut file = hs256_file();
    file["issuer"] = json!("joe");
    let header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    verdicts(&file, secret, header, signature);
}

/// RFC 7515 A.2.
#[test]
fn rs256_of_rfc_7515_a2() {
    let mut file = rs256_file();
    file["issuer"] = json!("joe");
    file["key"] = json!({"rs256": {"keys": [{"kid": null, "e": "AQAB", "n": concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SF",
        "d2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo",
        "7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM",
        "Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    )}]}});
    verdicts(
        &file,
        "",
        "eyJhbGciOiJSUzI1NiJ9",
        concat!(
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb",
            "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383",
            "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy",
            "wlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        ),
    );
}
