//! Topic names and topic filters, as AWS IoT limits them and as MQTT matches them.

use std::fmt;

/// A topic's and a filter's length (AWS IoT Core quotas, "Topic size": 256 bytes of UTF-8).
pub const TOPIC_BYTES_MAX: usize = 256;
/// Forward slashes in a topic or filter (AWS IoT Core quotas: "a maximum of seven forward slashes").
pub const TOPIC_SLASHES_MAX: usize = 7;

/// Why a text is no topic or filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTopic {
    /// Nothing.
    #[error("it is empty")]
    Empty,
    /// Too many bytes.
    #[error("it is longer than {TOPIC_BYTES_MAX} bytes")]
    TooLong,
    /// Too many levels.
    #[error("it has more than {TOPIC_SLASHES_MAX} slashes")]
    TooDeep,
    /// `$…` belongs to AWS.
    #[error("topics that begin with `$` are reserved")]
    Reserved,
    /// `+` or `#` in a topic name.
    #[error("`+` and `#` are for filters")]
    Wildcard,
    /// A control character, which MQTT lets a server refuse (MQTT 3.1.1, 1.5.3); U+0000 it must.
    #[error("it has a control character")]
    Control,
    /// `+` or `#` that is not a level of its own, or `#` before the end (MQTT 3.1.1, 4.7.1).
    #[error("`+` and `#` stand for a whole level, and `#` comes last")]
    Misplaced,
}

/// The name of a topic that a device may ask to publish to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic(String);

impl Topic {
    /// Takes `text` as it is: a topic is never normalised.
    pub fn new(text: &str) -> Result<Self, BadTopic> {
        check_size(text)?;
        if text.contains(['+', '#']) {
            return Err(BadTopic::Wildcard);
        }
        if text.starts_with('$') {
            return Err(BadTopic::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A topic filter: which topics a subscriber wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter(String);

impl Filter {
    /// Checks `text` by the rules of MQTT 3.1.1, 4.7.1, and AWS's limits.
    pub fn new(text: &str) -> Result<Self, BadTopic> {
        check_size(text)?;
        let levels: Vec<&str> = text.split('/').collect();
        let last = levels.len() - 1;
        let misplaced = levels.iter().enumerate().any(|(at, level)| {
            level.contains(['+', '#']) && (level.len() > 1 || (*level == "#" && at != last))
        });
        if misplaced {
            return Err(BadTopic::Misplaced);
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether a message on `topic` is for this filter (MQTT 3.1.1, 4.7).
    pub fn matches(&self, topic: &str) -> bool {
        // 4.7.2: a filter that begins with a wildcard does not match topics that begin with `$`.
        if topic.starts_with('$') && self.0.starts_with(['+', '#']) {
            return false;
        }
        let mut levels = topic.split('/');
        for wanted in self.0.split('/') {
            // 4.7.1.2: `#` stands for the parent level too.
            if wanted == "#" {
                return true;
            }
            match levels.next() {
                Some(level) if wanted == "+" || wanted == level => {}
                _ => return false,
            }
        }
        levels.next().is_none()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_size(text: &str) -> Result<(), BadTopic> {
    if text.is_empty() {
        return Err(BadTopic::Empty);
    }
    if text.len() > TOPIC_BYTES_MAX {
        return Err(BadTopic::TooLong);
    }
    if text.bytes().filter(|byte| *byte == b'/').count() > TOPIC_SLASHES_MAX {
        return Err(BadTopic::TooDeep);
    }
    if text.chars().any(char::is_control) {
        return Err(BadTopic::Control);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Filter, topic, whether it matches. From MQTT 3.1.1 (OASIS), 4.7.1 and 4.7.2, its own examples.
    const MATCHES: &[(&str, &str, bool)] = &[
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
        ("sport/#", "sport", true),
        ("#", "anything/at/all", true),
        ("sport/tennis/+", "sport/tennis/player1", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("+", "/finance", false),
        ("#", "$SYS/monitor/Clients", false),
        ("+/monitor/Clients", "$SYS/monitor/Clients", false),
        ("$SYS/#", "$SYS/monitor/Clients", true),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
        ("ACCOUNTS", "Accounts", false),
        ("a/b", "a/b/", false),
        ("a//b", "a/b", false),
        ("a/+/b", "a//b", true),
    ];

    #[test]
    fn filters_match_as_in_the_mqtt_standard() {
        for (filter, topic, expected) in MATCHES {
            assert_eq!(Filter::new(filter).unwrap().matches(topic), *expected, "{filter} on {topic}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in ["sport/tennis#", "sport/tennis/#/ranking", "sport+", "a/+b"] {
            assert_eq!(Filter::new(filter), Err(BadTopic::Misplaced), "{filter}");
        }
    }

    #[test]
    fn topics_have_awss_limits() {
        assert!(Topic::new(&"t".repeat(256)).is_ok());
        assert_eq!(Topic::new(&"t".repeat(257)), Err(BadTopic::TooLong));
        // 256 bytes, not characters.
        assert_eq!(Topic::new(&"é".repeat(129)), Err(BadTopic::TooLong));
        assert!(Topic::new("1/2/3/4/5/6/7/8").is_ok());
        assert_eq!(Topic::new("1/2/3/4/5/6/7/8/"), Err(BadTopic::TooDeep));
        assert_eq!(Topic::new("$aws/things/x"), Err(BadTopic::Reserved));
        assert_eq!(Topic::new("a/+"), Err(BadTopic::Wildcard));
        assert_eq!(Topic::new("a/#"), Err(BadTopic::Wildcard));
        assert_eq!(Topic::new(""), Err(BadTopic::Empty));
        assert_eq!(Topic::new("a\0b"), Err(BadTopic::Control));
        for literal in ["a//b", "a/", "/a", "a/../b", "%2F", "A"] {
            assert_eq!(Topic::new(literal).unwrap().as_str(), literal);
        }
    }
}
