//! Every second around the end of a token (`docs/reliability.md` 8.4).

use serde_json::json;

use super::support::{NOW, claims, decide_token, header, hs256, hs256_file, http_event, read, with};
use crate::deny::Deny;
use crate::json::{self, Json};
use crate::log::Trace;
use crate::{Verdict, claims as rules_of_claims, decide_bytes, lifetime_seconds};

/// For r = exp - now: denied from the end of the leeway on, otherwise refreshed after
/// clamp(r, 300, 86400), so that a connection overruns its token by at most 300 s and the leeway.
#[test]
fn every_second_from_two_minutes_after_to_a_day_before() {
    let (_, rules) = read(&hs256_file()).unwrap();
    let text = claims().to_string();
    let mut claims = json::parse_object(text.as_bytes()).unwrap();
    claims.insert("exp".into(), Json::Number(f64::from(u32::try_from(NOW).unwrap())));
    claims.retain(|name, _| name != "nbf" && name != "iat");
    let mut cases = 0;
    for remaining in -120..=90_000_i64 {
        let now = NOW.checked_add_signed(-remaining).unwrap();
        let mut trace = Trace::default();
        let checked = rules_of_claims::check(&claims, &rules, now, &mut trace);
        assert_eq!(trace.remaining_seconds, Some(remaining));
        match checked {
            Err(reason) => {
                assert_eq!(reason, Deny::Expired);
                assert!(remaining <= -60, "{remaining}");
            }
            Ok(checked) => {
                assert!(remaining > -60, "{remaining}");
                assert_eq!(checked.expires_at_seconds, NOW);
                let expected = u64::try_from(remaining.clamp(300, 86_400)).unwrap();
                assert_eq!(lifetime_seconds(NOW, now, false), Ok(expected));
                let strict = if remaining < 300 { Err(Deny::ExpiresTooSoon) } else { Ok(expected) };
                assert_eq!(lifetime_seconds(NOW, now, true), strict);
            }
        }
        cases += 1;
    }
    assert_eq!(cases, 90_121);
}

#[test]
fn not_before_and_issued_at_have_the_same_leeway() {
    for (claim, reason) in [("nbf", Deny::NotYetValid), ("iat", Deny::IssuedInFuture)] {
        for (offset, verdict) in [(60, None), (61, Some(reason)), (3600, Some(reason))] {
            let token =
                hs256(&header("HS256"), &with(claims(), json!({claim: NOW + offset, "exp": NOW + 9000})));
            match (decide_token(&hs256_file(), &token).verdict, verdict) {
                (Verdict::Allow(_), None) => {}
                (Verdict::Deny(found), Some(expected)) if found == expected => {}
                (found, expected) => panic!("{claim} {offset}: {found:?}, not {expected:?}"),
            }
        }
    }
}

/// With no leeway, a token ends at `exp` and not a second later (RFC 7519 4.1.4).
#[test]
fn the_end_is_the_end() {
    let file = with(hs256_file(), json!({"leeway_seconds": 0}));
    let token = |exp: f64| hs256(&header("HS256"), &with(claims(), json!({"exp": exp})));
    let now = f64::from(u32::try_from(NOW).unwrap());
    for (offset, is_good) in [(-1.0, false), (0.0, false), (0.5, false), (1.0, true)] {
        let verdict = decide_token(&file, &token(now + offset)).verdict;
        assert_eq!(matches!(verdict, Verdict::Allow(_)), is_good, "{offset}");
    }
}

/// Only MQTT outlives the token, so only MQTT is denied; an event that does not say counts as MQTT.
#[test]
fn strict_expiry_is_about_connections() {
    let (keys, rules) = read(&with(hs256_file(), json!({"strict_expiry": true}))).unwrap();
    let token = hs256(&header("HS256"), &with(claims(), json!({"exp": NOW + 299})));
    let verdict = |event: &[u8]| decide_bytes(event, &keys, &rules, NOW).verdict;
    assert!(matches!(verdict(&http_event(&token)), Verdict::Allow(_)));
    for event in [
        json!({"token": token}),
        json!({"token": token, "protocols": ["tls", "mqtt"]}),
        json!({"token": token, "protocols": ["tls", "http", "mqtt"]}),
        json!({"token": token, "protocols": ["tls", "http"], "protocolData": {"mqtt": {}}}),
    ] {
        assert_eq!(verdict(event.to_string().as_bytes()), Verdict::Deny(Deny::ExpiresTooSoon), "{event}");
    }
}
