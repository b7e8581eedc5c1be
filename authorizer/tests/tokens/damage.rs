//! Damage: every byte of a good token as every other byte, every bit of its signature turned, every piece of
//! it left out or doubled.

use authorizer::deny::Deny;
use serde_json::json;

use crate::reference::{LETTERS, b64, unb64};
use crate::support::{NOW, Tally, Verifier, claims, header, hs256, hs256_file, rs256, rs256_file};

fn tokens() -> [(&'static str, Verifier, String); 2] {
    [
        ("HS256", Verifier::new(&hs256_file()), hs256(header("HS256").to_string(), claims().to_string())),
        ("RS256", Verifier::new(&rs256_file()), rs256(header("RS256").to_string(), claims().to_string())),
    ]
}

/// The event with this token's bytes as they are, also where they are no UTF-8.
fn event(token: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(token) {
        Ok(token) => json!({"token": token}).to_string().into_bytes(),
        Err(_) => [b"{\"token\":\"", token, b"\"}"].concat(),
    }
}

/// All 255 other values of each byte of the HS256 token; of the RS256 token those that are base64url or a
/// dot, and all eight bits turned: what else is no base64url is the same code for both.
#[test]
fn every_byte() {
    let mut tally = Tally::new("every byte");
    for (name, verifier, token) in tokens() {
        tally.allowed(name, &verifier.decide_event(&event(token.as_bytes()), NOW));
        for position in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            let good = bytes[position];
            let near = |byte: u8| LETTERS.contains(&byte) || byte == b'.' || (byte ^ good).is_power_of_two();
            for byte in (0..=255).filter(|byte| *byte != good && (name == "HS256" || near(*byte))) {
                bytes[position] = byte;
                let verdict = verifier.decide_event(&event(&bytes), NOW);
                tally.refused(&format!("{name}: byte {position} as {byte:#04x}"), &verdict, &[]);
            }
        }
    }
    tally.end();
}

#[test]
fn every_bit_of_the_signature() {
    let mut tally = Tally::new("every bit of the signature");
    for (name, verifier, token) in tokens() {
        tally.allowed(name, &verifier.decide(&token));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let bytes = unb64(signature);
        assert_eq!(bytes.len(), if name == "HS256" { 32 } else { 256 });
        for bit in 0..bytes.len() * 8 {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            let verdict = verifier.decide(&format!("{signed}.{}", b64(turned)));
            tally.refused(&format!("{name}: bit {bit}"), &verdict, &[Deny::BadSignature]);
        }
    }
    tally.end();
}

/// Every bit of the decoded header and payload, under the signature of what was there before.
#[test]
fn every_bit_of_what_is_signed() {
    let mut tally = Tally::new("every bit of what is signed");
    for (name, verifier, token) in tokens() {
        tally.allowed(name, &verifier.decide(&token));
        let parts: Vec<&str> = token.split('.').collect();
        for which in 0..2 {
            let bytes = unb64(parts[which]);
            for bit in 0..bytes.len() * 8 {
                let mut turned = bytes.clone();
                turned[bit / 8] ^= 1 << (bit % 8);
                let mut parts = parts.clone();
                let turned = b64(turned);
                parts[which] = &turned;
                // A header that is no JSON any more is refused as such; a payload is not even read.
                let reasons: &[Deny] = if which == 0 { &[] } else { &[Deny::BadSignature] };
                tally.refused(
                    &format!("{name}: bit {bit} of {which}"),
                    &verifier.decide(&parts.join(".")),
                    reasons,
                );
            }
        }
    }
    tally.end();
}

/// Cut off, left out, doubled and exchanged with its neighbour, at every place.
#[test]
fn every_piece() {
    let mut tally = Tally::new("every piece");
    for (name, verifier, token) in tokens() {
        tally.allowed(name, &verifier.decide(&token));
        for at in 0..token.len() {
            let (before, after) = token.split_at(at);
            let mut swapped = token.clone().into_bytes();
            swapped.swap(at, (at + 1) % token.len());
            let swapped = String::from_utf8(swapped).unwrap();
            let pieces = [
                ("cut before", after[1..].to_owned()),
                ("cut after", before.to_owned()),
                ("left out", format!("{before}{}", &after[1..])),
                ("doubled", format!("{before}{}{after}", &after[..1])),
                ("exchanged", swapped),
                ("turned round", format!("{after}{before}")),
            ];
            for (how, changed) in pieces.into_iter().filter(|(_, changed)| *changed != token) {
                tally.refused(&format!("{name}: {how} at {at}"), &verifier.decide(&changed), &[]);
            }
        }
    }
    tally.end();
}
