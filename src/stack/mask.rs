//! Which source lines may hold a secret, decided by their text alone.
//!
//! A stack file must not hold a secret, but a user may write one, and then no message may repeat it:
//! not for a wrong type, not for a syntax error, not on a continuation line. So the decision does not
//! rest on a parsed file. It errs on the side of hiding.

use super::finding::alike;
use super::lines::Lines;

/// Words that make a line suspect, in lower case.
const SUSPECT_WORDS: [&str; 12] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "private",
    "-----begin",
    "bearer",
    "apikey",
    "api_key",
    "eyj",
    "akia",
];

/// What of each line may be shown: `None` is all, `Some(n)` is the first `n` bytes.
#[derive(Debug)]
pub(super) struct Mask(Vec<Option<usize>>);

/// A stretch of lines that is hidden because of a line before it.
enum Hidden {
    /// Until the next line that is not blank, that one included: the value stands on a line of its own.
    NextLine,
    /// Until the next table header: the value, or the table, goes on.
    UntilHeader,
}

impl Mask {
    /// Looks at every line of `text`.
    pub(super) fn of(lines: &Lines<'_>) -> Self {
        let mut hidden: Option<Hidden> = None;
        let mut mask = Vec::with_capacity(lines.count());
        for line in lines.all() {
            if matches!(hidden, Some(Hidden::UntilHeader)) && is_plain_header(line) {
                hidden = None;
            }
            let continues = hidden.is_some();
            if matches!(hidden, Some(Hidden::NextLine)) && !is_blank(line) {
                hidden = None;
            }
            let suspect_at = suspect(line);
            if suspect_at.is_some() {
                hidden = goes_on(line).or(hidden);
            }
            mask.push(match (continues, suspect_at) {
                (true, _) => Some(0),
                (false, Some(at)) => Some(shown_before(line, at)),
                (false, None) => None,
            });
        }
        Self(mask)
    }

    /// What of line `number` (from 1) may be shown, in bytes; `None` is all of it.
    pub(super) fn shown(&self, number: usize) -> Option<usize> {
        self.0.get(number.wrapping_sub(1)).copied().flatten()
    }
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// A table header without a suspect word: `[token]`, `[[allow]]`.
fn is_plain_header(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    let name = line.trim_start_matches('[').trim_end_matches(']');
    line.starts_with('[')
        && line.ends_with(']')
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b))
        && suspect(line).is_none()
}

/// Whether a name sounds like that of a secret.
pub(super) fn is_suspect(name: &str) -> bool {
    suspect(name).is_some() || misspelt(&format!("{name} =")).is_some()
}

/// Where a suspect word begins, in bytes.
fn suspect(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let word = SUSPECT_WORDS.iter().filter_map(|word| lower.find(word)).min();
    // A text where the table `hs256` belongs is the secret itself, most likely.
    let table_as_text = lower.find("hs256").filter(|at| {
        let value = lower[at + 5..].trim_start().strip_prefix('=');
        value.is_some_and(|value| !value.trim_start().starts_with('{'))
    });
    // A quoted key may spell any word with escapes.
    let escaped_key = lower.split('=').next().filter(|key| key.contains('\\')).map(|_| 0);
    [word, table_as_text, escaped_key, misspelt(line), password_in_address(line)].into_iter().flatten().min()
}

/// Where a key begins that looks like one of a secret.
fn misspelt(line: &str) -> Option<usize> {
    let key = line.split_once('=')?.0;
    let last = key.rsplit('.').next()?.trim();
    alike(last, ["secret", "client_secret"]).map(|_| key.len() - key.trim_start().len())
}

/// Where an address with a user and a password begins: `//user:password@…`, the end maybe cut off.
fn password_in_address(line: &str) -> Option<usize> {
    line.match_indices("//").map(|(at, _)| at).find(|at| {
        let authority = line[at + 2..].split(['/', '?', '#', '"', '\'', ' ']).next().unwrap_or_default();
        let port = authority.split_once(':').map_or("", |(_, port)| port);
        authority.contains('@')
            || (!authority.starts_with('[') && port.contains(|c: char| !c.is_ascii_digit()))
    })
}

/// Whether the suspect value goes on after this line.
fn goes_on(line: &str) -> Option<Hidden> {
    if line.trim_start().starts_with('#') {
        return None;
    }
    // Without a `=` it is a table header, or a line inside something.
    let Some((_, value)) = line.split_once('=') else { return Some(Hidden::UntilHeader) };
    let count = |what: &str| value.matches(what).count();
    let is_open_text = count("\"\"\"") % 2 == 1 || count("'''") % 2 == 1;
    let is_open_list = count("[") > count("]") || count("{") > count("}");
    if is_open_text || is_open_list {
        return Some(Hidden::UntilHeader);
    }
    is_blank(value).then_some(Hidden::NextLine)
}

/// How much of a suspect line may be shown: its key and its `=`, and nothing from the first quote on.
fn shown_before(line: &str, suspect_at: usize) -> usize {
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_-. \t".contains(c);
    let rest = &line[suspect_at..];
    let key_end = rest.find(|c| !is_key(c)).unwrap_or(rest.len());
    let end = match rest[key_end..].strip_prefix('=') {
        Some(value) => line.len() - value.trim_start().len(),
        None => suspect_at,
    };
    let before_quote = line.find(['"', '\'']).unwrap_or(line.len());
    end.min(before_quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let lines = Lines::of(text);
        let mask = Mask::of(&lines);
        lines
            .all()
            .enumerate()
            .map(|(at, line)| line[..mask.shown(at + 1).unwrap_or(line.len())].to_owned())
            .collect()
    }

    #[test]
    fn a_plain_line_is_shown() {
        assert_eq!(shown("name = \"a\"\n[token]\n"), ["name = \"a\"", "[token]", ""]);
    }

    #[test]
    fn a_secret_ends_at_its_equals_sign() {
        assert_eq!(shown("client_secret = \"x\""), ["client_secret = "]);
        assert_eq!(shown("hs256 = { encoding = \"base64\", secret = \"x\" }"), ["hs256 = { encoding = "]);
        assert_eq!(shown("hs256 = \"x\""), ["hs256 = "]);
    }

    #[test]
    fn a_secret_on_later_lines_is_hidden() {
        assert_eq!(shown("secret =\n\"x\"\nname = 1"), ["secret = ".trim_end(), "", "name = 1"]);
        assert_eq!(
            shown("secret = \"\"\"\nx\n\"\"\"\ny = 1\n[token]\na = 1")[1..],
            ["", "", "", "[token]", "a = 1"]
        );
        assert_eq!(shown("[a.secret]\nvalue = \"x\"\n[token]")[1..], ["", "[token]"]);
    }

    #[test]
    fn an_escaped_key_is_hidden() {
        assert_eq!(shown("\"\\u0073ecret\" = \"x\""), [""]);
    }
}
