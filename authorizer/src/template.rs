//! The texts under `allow`: a client id, a topic or a filter with `{claim}` in it.
//!
//! The operator's part may use `*` and `?`, which are wildcards in AWS IoT policies (`*` also
//! crosses `/`). A claim's value never can: see [`is_plain`]. After a `{claim}` only the end or a
//! `/` may stand, so that subject `a` never matches what belongs to `a-b`.

use crate::deny::Deny;
use crate::json::{Json, Object};

/// The greatest template, in bytes: AWS IoT's limit for a topic.
pub const TEMPLATE_BYTES_MAX: usize = 256;
/// The greatest claim value in a policy, in characters.
pub const VALUE_CHARACTERS_MAX: usize = 128;

/// What a template stands for, which decides what may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An MQTT client id, after `client/`.
    ClientId,
    /// A topic, after `topic/`.
    Topic,
    /// A topic filter, after `topicfilter/`: `+` and `#` may stand for whole levels.
    Filter,
}

/// A checked template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Claim(String),
}

impl Template {
    /// Checks `source` for its place. The error ends a sentence that begins with the template.
    pub fn parse(source: &str, place: Place) -> Result<Self, String> {
        if source.is_empty() {
            return Err("is empty".to_owned());
        }
        if source.len() > TEMPLATE_BYTES_MAX {
            return Err(format!("has {} bytes; at most {TEMPLATE_BYTES_MAX} are allowed", source.len()));
        }
        if let Some(odd) = source.chars().find(|c| c.is_control() || matches!(c, '"' | '\\')) {
            return Err(format!("has {odd:?}, which no topic should have"));
        }
        if source.contains("${") {
            return Err("has `${`, which begins an AWS policy variable; claims are written `{claim}`".into());
        }
        check_wildcards(source, place)?;
        Ok(Self { source: source.to_owned(), pieces: pieces(source)? })
    }

    /// The topics on which messages for this filter arrive, as policy resources.
    ///
    /// A policy has no wildcard for one level. `+` becomes `*`, which is wider: it crosses `/`. That
    /// gives a device nothing, since it can receive only what it can subscribe to, and the filter
    /// itself stands literally in the policy. Refusing `+` would push operators to `#`, wider still.
    /// A final `/#` also matches the level above it (MQTT 5, 4.7.1.2), hence two resources.
    pub fn topics_of_filter(&self) -> Result<Vec<Self>, String> {
        let levels = self.source.split('/').map(|level| if level == "+" { "*" } else { level });
        let topics = levels.collect::<Vec<_>>().join("/");
        match topics.strip_suffix('#') {
            None => Ok(vec![Self::parse(&topics, Place::Topic)?]),
            Some(parent) => {
                let mut all = Vec::new();
                if let Some(parent) = parent.strip_suffix('/').filter(|parent| !parent.is_empty()) {
                    all.push(Self::parse(parent, Place::Topic)?);
                }
                all.push(Self::parse(&format!("{parent}*"), Place::Topic)?);
                Ok(all)
            }
        }
    }

    /// Appends the text with every `{claim}` filled in, or gives the reason why that must not be.
    pub fn fill(&self, claims: &Object<'_>, text: &mut String) -> Result<(), Deny> {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Claim(name) => {
                    let value =
                        claims.get(name.as_str()).and_then(Json::as_text).ok_or(Deny::ClaimMissing)?;
                    if !is_plain(value) {
                        return Err(Deny::ClaimNotPlain);
                    }
                    text.push_str(value);
                }
            }
        }
        Ok(())
    }

    /// Whether `text` is this template filled in with plain values: the way back from [`Self::fill`].
    pub fn admits(&self, text: &str) -> bool {
        let mut rest = text;
        for piece in &self.pieces {
            let after = match piece {
                Piece::Literal(literal) => rest.strip_prefix(literal.as_str()),
                Piece::Claim(_) => {
                    let end = rest.find('/').unwrap_or(rest.len());
                    rest.split_at_checked(end).filter(|(value, _)| is_plain(value)).map(|(_, after)| after)
                }
            };
            match after {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.is_empty()
    }

    /// The names of the claims in it.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Claim(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

/// Whether a claim's value may stand in a policy: one level of printable ASCII without space and
/// without anything that is special in a policy, a filter or a topic, and neither `.` nor `..`.
pub fn is_plain(value: &str) -> bool {
    let special =
        |byte: u8| matches!(byte, b'*' | b'?' | b'+' | b'#' | b'/' | b'$' | b'{' | b'}' | b'"' | b'\\');
    (1..=VALUE_CHARACTERS_MAX).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_graphic() && !special(byte))
        && value != "."
        && value != ".."
}

fn check_wildcards(source: &str, place: Place) -> Result<(), String> {
    if place != Place::Filter {
        if source.contains(['+', '#']) {
            return Err("has `+` or `#`, which only a filter under `subscribe` may have".to_owned());
        }
        return Ok(());
    }
    let mut levels = source.split('/').peekable();
    while let Some(level) = levels.next() {
        if level.contains(['+', '#']) && level.len() > 1 {
            return Err("has `+` or `#` beside other characters; each fills a whole level".to_owned());
        }
        if level == "#" && levels.peek().is_some() {
            return Err("has `#` before its end".to_owned());
        }
    }
    Ok(())
}

fn pieces(source: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some((literal, from_name)) = rest.split_once('{') {
        if literal.contains('}') {
            return Err("has `}` without `{`".to_owned());
        }
        let (name, after) = from_name.split_once('}').ok_or("has `{` without `}`")?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/@".contains(&b)) {
            return Err(format!("has `{{{name}}}`, which is no claim name"));
        }
        if !after.is_empty() && !after.starts_with('/') {
            return Err(format!("has more after `{{{name}}}` than a `/`; another value could end in it"));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.to_owned()));
        }
        pieces.push(Piece::Claim(name.to_owned()));
        rest = after;
    }
    if rest.contains('}') {
        return Err("has `}` without `{`".to_owned());
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests;
