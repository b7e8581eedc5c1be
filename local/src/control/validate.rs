//! AWS's own checks of parameters: all of them before a service looks at its state, all failures in one text.
//!
//! The text's form is AWS's: "2 validation errors detected: Value '…' at '…' failed to satisfy constraint: …;
//! Value …". Recorded from real AWS in `LocalStack`'s snapshots, such as
//! `tests/aws/services/lambda_/test_lambda_api.snapshot.json` (for functionName).

use std::collections::BTreeMap;

use super::ServiceError;

/// A pattern as AWS quotes it, and the same as a function.
pub(crate) type Pattern = (&'static str, fn(&str) -> bool);

/// What a text may be. Lengths are in characters.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    /// At least.
    pub(crate) length_min: usize,
    /// At most.
    pub(crate) length_max: usize,
    /// The model's pattern.
    pub(crate) pattern: Option<Pattern>,
}

/// Checks under way.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    failures: Vec<String>,
}

impl Checks {
    /// A parameter that must be there. The text is empty when it is not; [`Self::finish`] refuses then.
    pub(crate) fn required<'a>(&mut self, member: &str, value: Option<&'a str>, rule: &Text) -> &'a str {
        if value.is_none() {
            self.missing(member);
        }
        self.optional(member, value, rule).unwrap_or_default()
    }

    /// A parameter that may be there.
    pub(crate) fn optional<'a>(
        &mut self,
        member: &str,
        value: Option<&'a str>,
        rule: &Text,
    ) -> Option<&'a str> {
        let text = value?;
        let length = text.chars().count();
        if length < rule.length_min {
            let least = format!("Member must have length greater than or equal to {}", rule.length_min);
            self.fail(member, text, &least);
        }
        if length > rule.length_max {
            let most = format!("Member must have length less than or equal to {}", rule.length_max);
            self.fail(member, text, &most);
        }
        if let Some((pattern, matches)) = rule.pattern
            && !matches(text)
        {
            self.fail(member, text, &format!("Member must satisfy regular expression pattern: {pattern}"));
        }
        Some(text)
    }

    /// A list of texts: how many there may be, at least and at most, and what each may be.
    pub(crate) fn list(
        &mut self,
        member: &str,
        texts: &[String],
        (least, most): (usize, usize),
        rule: &Text,
    ) {
        if texts.len() < least {
            self.fail(member, "[]", &format!("Member must have length greater than or equal to {least}"));
        }
        if texts.len() > most {
            self.fail(member, "[...]", &format!("Member must have length less than or equal to {most}"));
        }
        for (index, text) in texts.iter().enumerate() {
            self.optional(&format!("{member}.{}.member", index + 1), Some(text), rule);
        }
    }

    /// A map of texts: how many there may be, at least and at most, and what keys and values may be.
    pub(crate) fn map(
        &mut self,
        member: &str,
        texts: &BTreeMap<String, String>,
        (least, most): (usize, usize),
        (key_rule, value_rule): (&Text, &Text),
    ) {
        if texts.len() < least {
            self.fail(member, "{}", &format!("Member must have length greater than or equal to {least}"));
        }
        if texts.len() > most {
            self.fail(member, "{...}", &format!("Member must have length less than or equal to {most}"));
        }
        for (key, value) in texts {
            self.optional(&format!("{member}.key"), Some(key), key_rule);
            self.optional(&format!("{member}.{key}.member"), Some(value), value_rule);
        }
    }

    /// A number that may be there.
    pub(crate) fn number(&mut self, member: &str, value: Option<i64>, least: i64, most: i64) -> Option<i64> {
        let number = value?;
        if number < least {
            let constraint = format!("Member must have value greater than or equal to {least}");
            self.fail(member, &number.to_string(), &constraint);
        }
        if number > most {
            let constraint = format!("Member must have value less than or equal to {most}");
            self.fail(member, &number.to_string(), &constraint);
        }
        Some(number)
    }

    /// A word out of a closed list that may be there.
    pub(crate) fn word<'a>(
        &mut self,
        member: &str,
        value: Option<&'a str>,
        words: &[&str],
    ) -> Option<&'a str> {
        let word = value?;
        if !words.contains(&word) {
            let constraint = format!("Member must satisfy enum value set: [{}]", words.join(", "));
            self.fail(member, word, &constraint);
        }
        Some(word)
    }

    /// The parameter is not there, and must be.
    pub(crate) fn missing(&mut self, member: &str) {
        self.failures
            .push(format!("Value null at '{member}' failed to satisfy constraint: Member must not be null"));
    }

    /// The value at `member` breaks this constraint.
    pub(crate) fn fail(&mut self, member: &str, value: &str, constraint: &str) {
        self.failures
            .push(format!("Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"));
    }

    /// All failures in one refusal with the service's code.
    pub(crate) fn finish(self, code: &'static str) -> Result<(), ServiceError> {
        let errors = match self.failures.len() {
            0 => return Ok(()),
            1 => "1 validation error".to_owned(),
            several => format!("{several} validation errors"),
        };
        Err(ServiceError::new(400, code, format!("{errors} detected: {}", self.failures.join("; "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Text = Text {
        length_min: 1,
        length_max: 4,
        pattern: Some(("[a-z]+", |text| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase())
        })),
    };

    #[test]
    fn all_failures_are_told_at_once() {
        let mut checks = Checks::default();
        checks.required("roleName", None, &NAME);
        checks.optional("path", Some("ABCDE"), &NAME);
        checks.optional("fine", Some("abcd"), &NAME);
        checks.number("limit", Some(0), 1, 50);
        checks.word("class", Some("X"), &["A", "B"]);
        let refused = checks.finish("ValidationError").unwrap_err();
        assert_eq!(
            refused.message,
            "5 validation errors detected: \
             Value null at 'roleName' failed to satisfy constraint: Member must not be null; \
             Value 'ABCDE' at 'path' failed to satisfy constraint: Member must have length less than or equal to 4; \
             Value 'ABCDE' at 'path' failed to satisfy constraint: Member must satisfy regular expression pattern: \
             [a-z]+; \
             Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1; \
             Value 'X' at 'class' failed to satisfy constraint: Member must satisfy enum value set: [A, B]"
        );
    }
}
