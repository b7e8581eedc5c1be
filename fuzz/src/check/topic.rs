//! Topics and filters against the words of MQTT 3.1.1, 4.7, level by level.

use crate::topic::{Filter, Topic};

/// Letters that matter; a random byte hardly ever makes a level that equals another one.
const LETTERS: &[char] = &['a', 'b', '/', '+', '#', '$', '/', '\u{e9}', '\0', ' '];

/// The first byte says how long the filter is, the rest are letters of both.
pub fn topic(data: &[u8]) {
    let Some((length, rest)) = data.split_first() else { return };
    let letter = |byte: &u8| LETTERS[usize::from(*byte) % LETTERS.len()];
    let (filter, topic) = rest.split_at(usize::from(*length).min(rest.len()));
    let (filter, topic): (String, String) =
        (filter.iter().map(letter).collect(), topic.iter().map(letter).collect());
    let is_size = |text: &str| {
        (1..=256).contains(&text.len())
            && text.matches('/').count() <= 7
            && !text.chars().any(char::is_control)
    };
    let is_topic = is_size(&topic) && !topic.contains(['+', '#']) && !topic.starts_with('$');
    assert_eq!(Topic::new(&topic).is_ok(), is_topic, "{topic:?}");

    let levels: Vec<&str> = filter.split('/').collect();
    let is_level = |level: &&str| !level.contains(['+', '#']) || ["+", "#"].contains(level);
    let hashes = filter.matches('#').count();
    let is_filter = is_size(&filter)
        && levels.iter().all(is_level)
        && (hashes == 0 || (hashes == 1 && levels.last() == Some(&"#")));
    let read = Filter::new(&filter);
    assert_eq!(read.is_ok(), is_filter, "{filter:?}");

    if let Ok(read) = read {
        let topic_levels: Vec<&str> = topic.split('/').collect();
        let hidden = topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'));
        let expected = !hidden && matches(&levels, &topic_levels);
        assert_eq!(read.matches(&topic), expected, "{filter:?} on {topic:?}");
    }
}

fn matches(filter: &[&str], topic: &[&str]) -> bool {
    match (filter.split_first(), topic.split_first()) {
        (None, None) => true,
        (Some((&"#", _)), _) => true,
        (Some((&"+", filter)), Some((_, topic))) => matches(filter, topic),
        (Some((wanted, filter)), Some((level, topic))) => wanted == level && matches(filter, topic),
        _ => false,
    }
}
