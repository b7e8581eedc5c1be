//! One entry of an `[[allow]]`: a client id, a topic or a topic filter with `{claim}` in it.
//!
//! A claim's value is filled in per token. After a `{claim}` only the end or a `/` may stand, so that
//! subject `a` never matches what belongs to `a-b`.

use super::checks::{Checks, Found};
use super::finding::quoted;

/// Which kind of entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// An MQTT client id.
    Connect,
    /// A topic to publish to.
    Publish,
    /// A topic filter to subscribe to.
    Subscribe,
}

/// Longest topic, in bytes (AWS IoT quotas, "Topic and topic filter").
const TOPIC_LENGTH_MAX: usize = 256;
/// Most slashes of a topic (AWS IoT quotas, "Maximum number of forward slashes in topic and topic filter").
const SLASHES_MAX: usize = 7;
/// Longest client id, in bytes (AWS IoT quotas, "Client ID size").
const CLIENT_ID_LENGTH_MAX: usize = 128;
/// Longest name of a claim, in characters.
const CLAIM_LENGTH_MAX: usize = 64;

/// Checks one entry; each mistake is recorded once.
pub(super) fn check(checks: &mut Checks<'_>, entry: &Found<String>, slot: Slot) {
    if let Err((message, help)) = rules(&entry.value, slot) {
        let message = format!("{}: {message}", quoted(&entry.value));
        match help {
            Some(help) => checks.error_with_help(&entry.place, "bad_template", message, help),
            None => checks.error(&entry.place, "bad_template", message),
        }
        return;
    }
    if slot == Slot::Subscribe && entry.value.starts_with(['+', '#']) {
        let message = "every good token may read what all devices publish";
        let help = "begin the filter with a fixed level or a `{claim}`";
        checks.warn(&entry.place, "wide_filter", message, Some(help));
    }
}

type Refusal = (String, Option<&'static str>);

fn refuse<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err((message.into(), None))
}

/// How many claims an entry has; their names, their braces and what follows each are checked.
fn claims(text: &str) -> Result<usize, Refusal> {
    let mut count = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let Some(inside) = rest[at..].strip_prefix('{') else { return refuse("a `}` without its `{`") };
        let Some((claim, after)) = inside.split_once('}') else { return refuse("a `{` without its `}`") };
        // The `/` and `:` are those of a provider whose claims are addresses: `https://example.com/tenant`.
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.:/@".contains(c);
        if claim.is_empty() || claim.len() > CLAIM_LENGTH_MAX || !claim.chars().all(is_name) {
            let message =
                format!("a claim's name is 1 to {CLAIM_LENGTH_MAX} letters, digits and `_ - . : / @`");
            return Err((message, Some("for example `{sub}`")));
        }
        if !after.is_empty() && !after.starts_with('/') {
            let message = format!("after `{{{claim}}}` only the end or a `/` may stand");
            return Err((message, Some("otherwise subject `a` would match what belongs to `a-b`")));
        }
        count += 1;
        rest = after;
    }
    Ok(count)
}

fn rules(text: &str, slot: Slot) -> Result<(), Refusal> {
    if let Some(odd) = text.chars().find(|c| !c.is_ascii() || " \"\\".contains(*c)) {
        return refuse(format!(
            "an entry is made of printable ASCII without spaces, quotes and `\\`; found {odd:?}"
        ));
    }
    if text.starts_with('$') {
        return Err(("topics that begin with `$` are AWS's own".to_owned(), None));
    }
    if text.contains('$') {
        return refuse("a `$` begins a policy variable, and none is needed here: use `{claim}`");
    }
    if text.contains('?') {
        return refuse("a `?` is a wildcard of IoT policies, and no entry takes it");
    }
    let claims = claims(text)?;
    match slot {
        Slot::Connect => connect(text, claims),
        Slot::Publish => {
            if text.contains(['*', '+', '#']) {
                return refuse("a topic to publish to has no wildcard");
            }
            topic(text)
        }
        Slot::Subscribe => {
            filter(text)?;
            topic(text)
        }
    }
}

fn connect(text: &str, claims: usize) -> Result<(), Refusal> {
    if text.contains(['+', '#']) {
        return refuse("a client id has no `+` or `#`");
    }
    if let Some(at) = text.find('*') {
        let help = Some("write `{sub}/*`: any client id below the token's own");
        if at + 1 != text.len() || !text[..at].ends_with('/') {
            return Err(("a `*` stands only at the end, after a `/`".to_owned(), help));
        }
        if claims == 0 {
            let message = "without a `{claim}` every device could take over every other's client id";
            return Err((message.to_owned(), help));
        }
    }
    if text.len() > CLIENT_ID_LENGTH_MAX {
        return refuse(format!("a client id has at most {CLIENT_ID_LENGTH_MAX} bytes"));
    }
    Ok(())
}

/// MQTT 3.1.1, 4.7.1: `+` fills a level; `#` fills the last one.
fn filter(text: &str) -> Result<(), Refusal> {
    if text.contains('*') {
        return Err(("a topic filter has `+` and `#`, not `*`".to_owned(), None));
    }
    let text = without_claims(text);
    let levels: Vec<&str> = text.split('/').collect();
    for (number, level) in levels.iter().enumerate() {
        if level.contains('#') && (*level != "#" || number + 1 != levels.len()) {
            return refuse("a `#` is the whole of the last level");
        }
        if level.contains('+') && *level != "+" {
            return refuse("a `+` is the whole of its level");
        }
    }
    Ok(())
}

/// The text without the names of its claims.
fn without_claims(text: &str) -> String {
    let parts = text.split('{').enumerate();
    let literals = parts.map(|(number, part)| match part.split_once('}') {
        Some((_, after)) if number > 0 => after,
        _ => part,
    });
    literals.collect()
}

fn topic(text: &str) -> Result<(), Refusal> {
    if text.len() > TOPIC_LENGTH_MAX {
        return refuse(format!("a topic has at most {TOPIC_LENGTH_MAX} bytes; this one has {}", text.len()));
    }
    let slashes = without_claims(text).matches('/').count();
    if slashes > SLASHES_MAX {
        return refuse(format!("a topic has at most {SLASHES_MAX} slashes; this one has {slashes}"));
    }
    Ok(())
}
