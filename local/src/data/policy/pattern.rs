//! Patterns of a policy: wildcards and variables in a resource, wildcards in an action.
//!
//! `*` and `?` are the wildcards and cross `/`; `+` and `#` are characters like others.

use super::Variables;

/// The account, Region, service and so on of an ARN come before this many colons.
const SEGMENTS_BEFORE_NAME: usize = 5;
/// Which segment names the service; a wildcard is not valid there.
const SERVICE_SEGMENT: usize = 2;

/// A resource pattern with its variables filled in.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Character(char),
    /// `?`
    One,
    /// `*`
    Any,
    /// `*` with more of its ARN segment behind it: it does not cross a colon.
    AnyInSegment,
    /// Something that has no meaning here, such as a variable without a value.
    Unknown,
}

/// What something without a meaning stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// For nothing: a right is not given on a guess.
    Nothing,
    /// For anything: a right is refused on a guess.
    Anything,
}

impl Pattern {
    /// Reads a pattern as of the `Resource` of a statement.
    pub(super) fn resource(text: &str, variables: &Variables<'_>) -> Self {
        let mut tokens = Vec::new();
        let mut segment = 0;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some(inside) = rest.strip_prefix("${") {
                let Some((name, after)) = inside.split_once('}') else {
                    tokens.push(Token::Unknown);
                    break;
                };
                match name {
                    "*" | "?" | "$" => tokens.extend(name.chars().map(Token::Character)),
                    name => match variables.value(name) {
                        // As text: a wildcard in a value is no wildcard.
                        Some(value) => tokens.extend(value.chars().map(Token::Character)),
                        None => tokens.push(Token::Unknown),
                    },
                }
                rest = after;
                continue;
            }
            rest = &rest[character.len_utf8()..];
            let last_of_segment = rest.is_empty() || rest.starts_with(':');
            tokens.push(match character {
                '*' | '?' if segment == SERVICE_SEGMENT => Token::Unknown,
                '*' if segment < SEGMENTS_BEFORE_NAME && !last_of_segment => Token::AnyInSegment,
                '*' => Token::Any,
                '?' => Token::One,
                other => Token::Character(other),
            });
            if character == ':' {
                segment += 1;
            }
        }
        Self(tokens)
    }

    /// Reads a pattern as of the `Action` of a statement. Actions are not case sensitive.
    pub(super) fn action(text: &str) -> Self {
        let token = |character: char| match character {
            '*' => Token::Any,
            '?' => Token::One,
            other => Token::Character(other.to_ascii_lowercase()),
        };
        Self(text.chars().map(token).collect())
    }

    /// Whether the whole of `text` matches. Takes time in proportion to both lengths.
    pub(super) fn matches(&self, text: &str, unknown: Unknown) -> bool {
        if unknown == Unknown::Nothing && self.0.contains(&Token::Unknown) {
            return false;
        }
        let characters: Vec<char> = text.chars().collect();
        // `reached[n]`: the tokens so far match the first n characters.
        let mut reached = vec![false; characters.len() + 1];
        reached[0] = true;
        for token in &self.0 {
            let mut next = vec![false; characters.len() + 1];
            for position in 0..reached.len() {
                let before = position.checked_sub(1);
                next[position] = match (token, before) {
                    (Token::Any | Token::Unknown, Some(before)) => reached[position] || next[before],
                    (Token::AnyInSegment, Some(before)) => {
                        reached[position] || (next[before] && characters[before] != ':')
                    }
                    (Token::Any | Token::AnyInSegment | Token::Unknown, None) => reached[position],
                    (Token::One, Some(before)) => reached[before],
                    (Token::Character(character), Some(before)) => {
                        reached[before] && characters[before] == *character
                    }
                    (Token::One | Token::Character(_), None) => false,
                };
            }
            reached = next;
        }
        reached[characters.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::resource(pattern, &Variables::default()).matches(text, Unknown::Nothing)
    }

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "arn:aws:iot:r:a:topic/x", true),
            ("a:a:a:a:a:*b*", "a:a:a:a:a:xbx/:y", true),
            ("a:a:a:a:a:?*", "a:a:a:a:a:", false),
            ("a:a:a:a:a:**a**", "a:a:a:a:a:a", true),
            ("a:b*c:a", "a:b:c:a", false),
            ("a:b*c:a", "a:bxc:a", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_wildcards_take_no_time() {
        let pattern = format!("a:a:a:a:a:{}b", "*a".repeat(1000));
        let text = format!("a:a:a:a:a:{}", "a".repeat(2000));
        assert!(!matches(&pattern, &text));
    }
}
