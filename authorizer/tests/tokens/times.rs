//! Times (`docs/reliability.md` 8.4): every second around the end of a token, the way of the device through
//! the whole decision. r = exp - now; refreshed and disconnected after clamp(r, 300, 86400).

use authorizer::deny::Deny;
use serde_json::{Value, json};

use crate::support::{NOW, Tally, Verifier, hs256_file, with, with_claims};

/// What becomes of a token with `remaining` seconds left, by the book.
fn expected(remaining: i64, leeway: i64, is_strict: bool) -> Result<u64, Deny> {
    if remaining + leeway <= 0 {
        return Err(Deny::Expired);
    }
    if is_strict && remaining < 300 {
        return Err(Deny::ExpiresTooSoon);
    }
    Ok(match remaining {
        ..300 => 300,
        86_401.. => 86_400,
        _ => u64::try_from(remaining).unwrap(),
    })
}

fn event(token: &str, protocol: &str) -> Vec<u8> {
    json!({"token": token, "protocols": ["tls", protocol]}).to_string().into_bytes()
}

#[test]
fn every_second_over_mqtt() {
    every_second("every second, MQTT", "mqtt", 60, false);
}

#[test]
fn every_second_over_mqtt_with_strict_expiry() {
    every_second("every second, MQTT, strict", "mqtt", 0, true);
}

/// A single HTTP request is over before anything could end it, so that strictness is not about it.
#[test]
fn every_second_over_http() {
    every_second("every second, HTTP, strict", "http", 100, true);
}

fn every_second(name: &'static str, protocol: &str, leeway: i64, is_strict: bool) {
    let mut tally = Tally::new(name);
    let token = with_claims(json!({"exp": NOW, "nbf": null, "iat": null}));
    let event = event(&token, protocol);
    let rules = json!({"leeway_seconds": leeway, "strict_expiry": is_strict});
    let verifier = Verifier::new(&with(hs256_file(), rules));
    for remaining in -120..=90_000_i64 {
        let now = NOW.checked_add_signed(-remaining).unwrap();
        let verdict = verifier.decide_event(&event, now);
        match expected(remaining, leeway, is_strict && protocol == "mqtt") {
            Err(reason) => tally.refused(&format!("{remaining} s left"), &verdict, &[reason]),
            Ok(seconds) => {
                let Some(allowed) = tally.allowed("a token in its time", &verdict) else { continue };
                let overrun = i64::try_from(allowed.lifetime_seconds).unwrap() - remaining;
                if allowed.lifetime_seconds != seconds || overrun > (300 - remaining).max(0) {
                    tally.holds(&format!("{remaining} s left: {} s", allowed.lifetime_seconds), false);
                }
            }
        }
    }
    tally.end();
}

/// `nbf` and `iat` in the future, second by second, for every leeway that matters; with a fraction they are
/// rounded to the side on which less is allowed.
#[test]
fn beginnings() {
    let mut tally = Tally::new("beginnings");
    for leeway in [0, 1, 59, 60, 299, 300] {
        let verifier = Verifier::new(&with(hs256_file(), json!({"leeway_seconds": leeway})));
        for (claim, reason) in [("nbf", Deny::NotYetValid), ("iat", Deny::IssuedInFuture)] {
            for ahead in -10..=310_i64 {
                for fraction in ["", ".0", ".5", ".001"] {
                    let whole = NOW.checked_add_signed(ahead).unwrap();
                    let value: Value = serde_json::from_str(&format!("{whole}{fraction}")).unwrap();
                    let verdict = verifier.decide(&with_claims(json!({claim: value, "exp": NOW + 4000})));
                    let rounded_up = ahead + i64::from(fraction == ".5" || fraction == ".001");
                    let case = format!("{claim} {ahead}{fraction} s ahead, leeway {leeway}");
                    if rounded_up > leeway {
                        tally.refused(&case, &verdict, &[reason]);
                    } else {
                        tally.allowed(&case, &verdict);
                    }
                }
            }
        }
    }
    tally.end();
}

/// An end with a fraction is rounded down; what is no time between 0 and 2^53 is none.
#[test]
fn ends() {
    let mut tally = Tally::new("ends");
    for leeway in [0, 60, 300] {
        let verifier = Verifier::new(&with(hs256_file(), json!({"leeway_seconds": leeway})));
        for ahead in -310..=10_i64 {
            for fraction in ["", ".0", ".5", ".999"] {
                let whole = NOW.checked_add_signed(ahead).unwrap();
                let value: Value = serde_json::from_str(&format!("{whole}{fraction}")).unwrap();
                let verdict = verifier.decide(&with_claims(json!({"exp": value, "nbf": null, "iat": null})));
                let case = format!("exp {ahead}{fraction}, leeway {leeway}");
                if ahead + leeway <= 0 {
                    tally.refused(&case, &verdict, &[Deny::Expired]);
                } else {
                    tally.allowed(&case, &verdict);
                }
            }
        }
    }
    // The clock at its ends: nothing overflows, and nothing is good that is not.
    let verifier = Verifier::new(&hs256_file());
    let (first, last) = (0, u64::MAX);
    for exp in [0_u64, 1, 59, 60, 61, NOW, (1 << 53) - 1] {
        let token = with_claims(json!({"exp": exp, "nbf": null, "iat": null}));
        let at = |now| verifier.decide_event(&event(&token, "mqtt"), now);
        tally.allowed("at the beginning of time", &at(first));
        tally.refused("at the end of time", &at(last), &[Deny::Expired]);
        tally.refused("a minute after its end", &at(exp + 60), &[Deny::Expired]);
        tally.allowed("a second before that", &at(exp + 59));
    }
    tally.end();
}
