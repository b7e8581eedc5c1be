//! The local target's policy evaluator against a matcher that tries everything.

use serde_json::json;

use crate::policy::{Action, Policies, Variables, Verdict};

const LETTERS: &[u8] = b"ab*?:/+#*${}-";
const ARN: &str = "arn:aws:iot:eu-west-1:000000000000:topic/";

/// Any bytes as a document; then two patterns, one that allows and one that denies, on a topic.
pub fn policy(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    if let Ok(policies) = Policies::read(&[text]) {
        let resource = format!("{ARN}a/b");
        let _ = policies.verdict(Action::Publish, &resource, &Variables { client_id: Some("a*") });
    }
    let mut parts = data.split(|byte| *byte == b'\n').map(|part| {
        let part = &part[..part.len().min(12)];
        part.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect::<String>()
    });
    let (Some(allow), Some(deny), Some(name)) = (parts.next(), parts.next(), parts.next()) else { return };
    let is_whole = data.first().is_some_and(|byte| byte % 2 == 0);
    let pattern = |part: &str| if is_whole { part.to_owned() } else { format!("{ARN}{part}") };
    let (allow, deny) = (pattern(&allow), pattern(&deny));
    // What a variable means has a table of its own (`cases.json`); and to try everything takes its time.
    let is_too_much = |pattern: &str| pattern.contains("${") || pattern.matches(['*', '?']).count() > 3;
    if is_too_much(&allow) || is_too_much(&deny) {
        return;
    }
    let resource = Action::Publish.resource("eu-west-1", "000000000000", &name);
    let statement = |effect: &str, resource: &str| json!({"Effect": effect, "Action": "iot:Publish", "Resource": resource});
    let document =
        json!({"Version": "2012-10-17", "Statement": [statement("Allow", &allow), statement("Deny", &deny)]});
    let policies = Policies::read(&[document.to_string()]).expect("the document is good");
    let found = policies.verdict(Action::Publish, &resource, &Variables::default());
    let expected = if fits(&deny, &resource, true) {
        Verdict::Denied { document: 1, statement: 2 }
    } else if fits(&allow, &resource, false) {
        Verdict::Allowed
    } else {
        Verdict::NotAllowed
    };
    assert_eq!(found, expected, "allow {allow:?}, deny {deny:?}, on {resource:?}");
}

/// What has no meaning, a wildcard in the service, gives no right; it stands for anything where it takes one.
fn fits(pattern: &str, text: &str, takes: bool) -> bool {
    let service = pattern.split(':').nth(2).unwrap_or_default();
    if service.contains(['*', '?']) && !takes {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    tries(&pattern, 0, &text)
}

/// Whether the rest of the pattern, from `at`, can be laid over all of `text`.
fn tries(pattern: &[char], at: usize, text: &[char]) -> bool {
    let Some(letter) = pattern.get(at) else { return text.is_empty() };
    let segment = pattern[..at].iter().filter(|letter| **letter == ':').count();
    let ends_segment = matches!(pattern.get(at + 1), None | Some(':'));
    match letter {
        '*' | '?' if segment == 2 => (0..=text.len()).any(|taken| tries(pattern, at + 1, &text[taken..])),
        '*' if segment < 5 && !ends_segment => {
            let own = text.iter().take_while(|letter| **letter != ':').count();
            (0..=own).any(|taken| tries(pattern, at + 1, &text[taken..]))
        }
        '*' => (0..=text.len()).any(|taken| tries(pattern, at + 1, &text[taken..])),
        '?' => !text.is_empty() && tries(pattern, at + 1, &text[1..]),
        letter => text.first() == Some(letter) && tries(pattern, at + 1, &text[1..]),
    }
}
