//! Filter patterns for plain text. Source: CloudWatch Logs User Guide, "Filter pattern syntax", section
//! "Using filter patterns to match terms in unstructured log events".

/// A pattern, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

/// Why a pattern is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    /// A quotation mark without its partner.
    Unclosed,
    /// JSON, space-delimited and regular expression patterns, which this target does not read.
    NotText,
}

impl Pattern {
    /// Reads a pattern: terms that all must be there, `"quoted phrases"`, `?either ?or`, `-not`.
    pub(super) fn read(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.starts_with(['{', '[', '%']) {
            return Err(Invalid::NotText);
        }
        let mut pattern = Self::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (list, after) = match first {
                '?' => (&mut pattern.any, &rest[1..]),
                '-' => (&mut pattern.none, &rest[1..]),
                _ => (&mut pattern.all, rest),
            };
            let (term, left) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or(Invalid::Unclosed)?,
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            if !term.is_empty() {
                list.push(term.to_owned());
            }
            rest = left.trim_start();
        }
        Ok(pattern)
    }

    /// Whether a message fits.
    pub(super) fn fits(&self, message: &str) -> bool {
        self.all.iter().all(|term| message.contains(term.as_str()))
            && (self.any.is_empty() || self.any.iter().any(|term| message.contains(term.as_str())))
            && !self.none.iter().any(|term| message.contains(term.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first rows are the guide's own examples.
    #[test]
    fn patterns_of_the_guide() {
        for (pattern, message, fits) in [
            ("ERROR", "[ERROR 400] BAD REQUEST", true),
            ("ERROR", "[error 400] bad request", false),
            ("ERROR ARGUMENTS", "[ERROR 401] INVALID ARGUMENTS", true),
            ("ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST", false),
            ("?ERROR ?ARGUMENTS", "[WARN] BAD ARGUMENTS", true),
            ("?ERROR ?ARGUMENTS", "[INFO] fine", false),
            ("\"INTERNAL SERVER ERROR\"", "[ERROR 500] INTERNAL SERVER ERROR", true),
            ("\"INTERNAL SERVER ERROR\"", "INTERNAL ERROR SERVER", false),
            ("ERROR -ARGUMENTS", "[ERROR 401] INVALID ARGUMENTS", false),
            ("ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST", true),
            ("", "anything", true),
        ] {
            assert_eq!(Pattern::read(pattern).unwrap().fits(message), fits, "{pattern} on {message}");
        }
        assert_eq!(Pattern::read("\"open"), Err(Invalid::Unclosed));
        assert_eq!(Pattern::read("{ $.level = \"x\" }"), Err(Invalid::NotText));
    }
}
