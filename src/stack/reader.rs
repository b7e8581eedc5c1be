//! Hands out the typed values of one table, and remembers which keys were asked for.
//!
//! Nothing here stops at the first mistake: a value of the wrong type is recorded and counts as absent.
//! When a reader is finished, every key that nobody asked for is an error.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::checks::{Checks, Found, Place};
use super::finding::{Shown, one_of, quoted};
use super::model::Origin;
use super::variables::Filled;

/// Types as messages name them.
const A_TEXT: &str = "a text";
const A_LIST: &str = "a list of texts";

/// The longest text, in bytes: more than any key takes, and no more than the authorizer does.
pub(super) const TEXT_LENGTH_MAX: usize = 1024;
/// The most elements of a list, and keys of a free table.
pub(super) const ELEMENTS_MAX: usize = 64;

/// The most characters of a key that a path repeats.
const KEY_SHOWN_MAX: usize = 60;

/// One table while it is read.
pub(super) struct TableReader<'t> {
    table: &'t DeTable<'t>,
    /// The table's own place; `key` is empty for the top of the file.
    pub(super) place: Place,
    asked: Vec<&'static str>,
}

impl<'t> TableReader<'t> {
    /// Reads `table`, which stands at `place`.
    pub(super) fn new(table: &'t DeTable<'t>, place: Place) -> Self {
        Self { table, place, asked: Vec::new() }
    }

    /// Whether the table has `key`, whatever its type.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.keys().any(|name| name.get_ref() == key)
    }

    /// The place of whichever of two keys stands later in the file.
    pub(super) fn later_of(&self, one: &str, other: &str) -> Place {
        let (one, other) = (self.place_of(one), self.place_of(other));
        if one.span.start > other.span.start { one } else { other }
    }

    /// Where the value of `key` begins among all texts.
    pub(super) fn start_of(&self, key: &str) -> Option<usize> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value.span().start)
    }

    /// Whether `key` is there as a list or a table with nothing in it.
    pub(super) fn is_empty(&self, key: &str) -> bool {
        let value =
            self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value.get_ref());
        match value {
            Some(DeValue::Array(list)) => list.is_empty(),
            Some(DeValue::Table(table)) => table.is_empty(),
            _ => false,
        }
    }

    /// The place of a key that is there, or else of the table.
    pub(super) fn place_of(&self, key: &str) -> Place {
        let name = self.table.keys().find(|name| name.get_ref() == key);
        name.map_or_else(
            || Place { key: join(&self.place.key, key), span: self.place.span.clone() },
            |name| Place { key: join(&self.place.key, key), span: name.span() },
        )
    }

    /// A text of 1 to 1,024 bytes without control characters.
    pub(super) fn text(&mut self, checks: &mut Checks<'_>, key: &'static str) -> Option<Found<String>> {
        let value = self.take(checks, key)?;
        let place = self.value_place(key, value);
        text_of(checks, value.get_ref(), place)
    }

    /// A text; an empty one counts too.
    pub(super) fn text_or_empty(&mut self, checks: &mut Checks<'_>, key: &'static str) -> Option<String> {
        if self.take(checks, key)?.get_ref().as_str() == Some("") {
            return Some(String::new());
        }
        self.text(checks, key).map(|found| found.value)
    }

    /// A text that must be there; `help` shows how to write it.
    pub(super) fn required_text(
        &mut self,
        checks: &mut Checks<'_>,
        key: &'static str,
        help: &str,
    ) -> Option<Found<String>> {
        self.require(checks, key, help);
        self.text(checks, key)
    }

    /// Records an error unless the table has `key`.
    pub(super) fn require(&self, checks: &mut Checks<'_>, key: &'static str, help: &str) {
        if self.has(key) {
            return;
        }
        let message = match self.place.key.as_str() {
            "" => format!("the key `{key}` is missing at the top of the file"),
            table => format!("the key `{key}` is missing in `{table}`"),
        };
        let place = Place { key: join(&self.place.key, key), span: self.place.span.clone() };
        checks.missing(&place, message, help);
    }

    /// One of a closed list of words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        checks: &mut Checks<'_>,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let found = self.text(checks, key)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == found.value) {
            return Some(*value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let message = format!("`{}` is {}, not {}", found.place.key, one_of(&words), quoted(&found.value));
        checks.error(&found.place, "bad_value", message);
        None
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, checks: &mut Checks<'_>, key: &'static str) -> Option<Found<bool>> {
        let value = self.take(checks, key)?;
        let place = self.value_place(key, value);
        let Some(boolean) = value.get_ref().as_bool() else {
            wrong_type(checks, &place, "`true` or `false`", value.get_ref(), Shown::Line);
            return None;
        };
        Some(Found { value: boolean, place })
    }

    /// A whole number within `range`.
    pub(super) fn number(
        &mut self,
        checks: &mut Checks<'_>,
        key: &'static str,
        range: &RangeInclusive<u16>,
    ) -> Option<Found<u16>> {
        let value = self.take(checks, key)?;
        let place = self.value_place(key, value);
        let Some(integer) = value.get_ref().as_integer() else {
            wrong_type(checks, &place, "a whole number", value.get_ref(), Shown::Line);
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number =
            number.and_then(|number| u16::try_from(number).ok()).filter(|number| range.contains(number));
        if number.is_none() {
            let message = format!("`{}` is a number from {} to {}", place.key, range.start(), range.end());
            checks.error(&place, "out_of_range", message);
        }
        number.map(|value| Found { value, place })
    }

    /// A list of texts, each with its place; an absent one is `None`.
    pub(super) fn texts(&mut self, checks: &mut Checks<'_>, key: &'static str) -> Option<Vec<Found<String>>> {
        self.elements(checks, key, false)
    }

    /// A list of texts in which an empty one means something.
    pub(super) fn texts_or_empty(
        &mut self,
        checks: &mut Checks<'_>,
        key: &'static str,
    ) -> Option<Vec<Found<String>>> {
        self.elements(checks, key, true)
    }

    fn elements(
        &mut self,
        checks: &mut Checks<'_>,
        key: &'static str,
        empty_is_legal: bool,
    ) -> Option<Vec<Found<String>>> {
        let value = self.take(checks, key)?;
        let place = self.value_place(key, value);
        let Some(list) = value.get_ref().as_array() else {
            wrong_type(checks, &place, A_LIST, value.get_ref(), Shown::Line);
            return None;
        };
        if list.len() > ELEMENTS_MAX {
            let message =
                format!("`{}` has at most {ELEMENTS_MAX} elements; this one has {}", place.key, list.len());
            checks.error(&place, "too_large", message);
            return None;
        }
        let mut texts: Vec<Found<String>> = Vec::new();
        for (number, element) in list.iter().enumerate() {
            let place = Place { key: format!("{}[{number}]", place.key), span: element.span() };
            if empty_is_legal && element.get_ref().as_str() == Some("") {
                texts.push(Found { value: String::new(), place });
            } else if let Some(text) = text_of(checks, element.get_ref(), place) {
                if texts.iter().any(|before| before.value == text.value) {
                    let message = format!("{} is listed twice", quoted(&text.value));
                    checks.error(&text.place, "duplicate", message);
                }
                texts.push(text);
            }
        }
        Some(texts)
    }

    /// A table whose keys are the user's own, each with a text, which may be empty: key and text, both
    /// with their places.
    pub(super) fn text_map(
        &mut self,
        checks: &mut Checks<'_>,
        key: &'static str,
    ) -> Vec<(Found<String>, Found<String>)> {
        let Some(reader) = self.table(checks, key) else { return Vec::new() };
        let count = reader.table.len();
        if count > ELEMENTS_MAX {
            let message =
                format!("`{}` has at most {ELEMENTS_MAX} keys; this one has {count}", reader.place.key);
            checks.error(&reader.place, "too_large", message);
            return Vec::new();
        }
        let mut pairs = Vec::new();
        for (name, value) in reader.table {
            let path = join(&reader.place.key, name.get_ref());
            let odd = name.get_ref().chars().any(char::is_control);
            if odd || name.get_ref().len() > TEXT_LENGTH_MAX {
                let message = format!("a key has at most {TEXT_LENGTH_MAX} bytes and no control characters");
                checks.report(&reader.place, "bad_value", message, Shown::ToStart, None);
                continue;
            }
            let place = Place { key: path.clone(), span: value.span() };
            let text = if value.get_ref().as_str() == Some("") {
                Some(Found { value: String::new(), place })
            } else {
                text_of(checks, value.get_ref(), place)
            };
            let place = Place { key: path, span: name.span() };
            pairs.extend(text.map(|text| (Found { value: name.get_ref().to_string(), place }, text)));
        }
        pairs
    }

    /// A sub-table.
    pub(super) fn table(&mut self, checks: &mut Checks<'_>, key: &'static str) -> Option<TableReader<'t>> {
        let value = self.take(checks, key)?;
        let place = self.place_of(key);
        let Some(table) = value.get_ref().as_table() else {
            // Somebody who writes a text where a table belongs may have written the secret itself.
            let value_place = self.value_place(key, value);
            wrong_type(checks, &value_place, "a table", value.get_ref(), Shown::ToStart);
            return None;
        };
        Some(TableReader::new(table, place))
    }

    /// A list of tables, such as `[[allow]]`; `None` when absent.
    pub(super) fn tables(
        &mut self,
        checks: &mut Checks<'_>,
        key: &'static str,
    ) -> Option<Vec<TableReader<'t>>> {
        let value = self.take(checks, key)?;
        let place = self.value_place(key, value);
        let name = self.place_of(key);
        let list =
            value.get_ref().as_array().filter(|list| list.iter().all(|each| each.get_ref().is_table()));
        let Some(list) = list else {
            let key = &place.key;
            let message = format!("`{key}` is a list of tables, each under a header `[[{key}]]`");
            checks.error(&name, "wrong_type", message);
            return None;
        };
        let tables = list.iter().enumerate().filter_map(|(number, element)| {
            let place = Place { key: format!("{}[{number}]", place.key), span: element.span() };
            element.get_ref().as_table().map(|table| TableReader::new(table, place))
        });
        Some(tables.collect())
    }

    /// A key that was read before the tables were.
    pub(super) fn is_read(&mut self, checks: &mut Checks<'_>, key: &'static str) {
        self.asked.push(key);
        checks.asked(&self.place.key, key);
    }

    /// A key that a later version will have; says so when it is used.
    pub(super) fn not_yet(&mut self, checks: &mut Checks<'_>, key: &'static str, instead: &str) {
        if self.has(key) {
            self.asked.push(key);
            let place = self.place_of(key);
            let message = format!("`{}` is not yet in this version", place.key);
            checks.report(&place, "not_yet", message, Shown::ToEnd, Some(instead.to_owned()));
        }
    }

    /// Refuses every key that nobody asked for.
    pub(super) fn finish(self, checks: &mut Checks<'_>) {
        for name in self.table.keys() {
            let key = name.get_ref().as_ref();
            if !self.asked.contains(&key) {
                let place = Place { key: join(&self.place.key, key), span: name.span() };
                checks.unknown(&self.place.key, key, place);
            }
        }
    }

    fn take(&mut self, checks: &mut Checks<'_>, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        checks.asked(&self.place.key, key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn value_place(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Place {
        Place { key: join(&self.place.key, key), span: value.span() }
    }
}

/// The dotted path of `key` in `table`; a key that is not bare is quoted.
pub(super) fn join(table: &str, key: &str) -> String {
    let is_bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let shown: String = key.chars().take(KEY_SHOWN_MAX).collect();
    let key = if is_bare { shown } else { format!("\"{}\"", shown.escape_debug()) };
    if table.is_empty() { key } else { format!("{table}.{key}") }
}

/// Where every key of `table` comes from, by dotted path.
pub(super) fn places(
    checks: &Checks<'_>,
    filled: &Filled,
    path: &str,
    table: &DeTable<'_>,
    places: &mut BTreeMap<String, Origin>,
) {
    let origin = |at: usize, value: &Spanned<DeValue<'_>>| Origin {
        place: checks.key_place(at),
        variables: filled.get(&value.span().start).cloned().unwrap_or_default(),
    };
    for (name, value) in table {
        let name: &Spanned<DeString<'_>> = name;
        let path = join(path, name.get_ref());
        places.insert(path.clone(), origin(name.span().start, value));
        match value.get_ref() {
            DeValue::Table(table) => self::places(checks, filled, &path, table, places),
            DeValue::Array(list) => {
                for (number, element) in list.iter().enumerate() {
                    let path = format!("{path}[{number}]");
                    places.insert(path.clone(), origin(element.span().start, element));
                    if let DeValue::Table(table) = element.get_ref() {
                        self::places(checks, filled, &path, table, places);
                    }
                }
            }
            _ => {}
        }
    }
}

fn text_of(checks: &mut Checks<'_>, value: &DeValue<'_>, place: Place) -> Option<Found<String>> {
    let Some(text) = value.as_str() else {
        wrong_type(checks, &place, A_TEXT, value, Shown::Line);
        return None;
    };
    if text.is_empty() {
        checks.error(&place, "bad_value", format!("`{}` must not be empty", place.key));
        return None;
    }
    if text.chars().any(char::is_control) {
        let message = format!("`{}` must not have control characters, such as a line break", place.key);
        checks.report(&place, "bad_value", message, Shown::ToStart, None);
        return None;
    }
    if text.len() > TEXT_LENGTH_MAX {
        let message = format!("`{}` has at most {TEXT_LENGTH_MAX} bytes", place.key);
        checks.report(&place, "too_large", message, Shown::ToStart, None);
        return None;
    }
    Some(Found { value: text.to_owned(), place })
}

fn wrong_type(checks: &mut Checks<'_>, place: &Place, wanted: &str, value: &DeValue<'_>, shown: Shown) {
    let found = match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    let help = match (wanted, value) {
        (A_TEXT, DeValue::Integer(_)) => Some("put it between quotes"),
        (A_LIST, DeValue::String(_)) => Some("put it between `[` and `]`"),
        _ => None,
    };
    let message = format!("`{}` is {wanted}, not {found}", place.key);
    checks.report(place, "wrong_type", message, shown, help.map(str::to_owned));
}
