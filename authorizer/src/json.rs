//! Strict JSON: what two readers could understand differently is refused.
//!
//! RFC 8259 leaves repeated keys to the reader, and readers differ. So a repeated key is an error
//! here, as are nesting beyond [`DEPTH_MAX`], numbers that do not fit (`1e400`) and trailing data.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// How deep objects and arrays may be nested; the outermost is 1.
pub const DEPTH_MAX: usize = 16;

/// The members of an object.
pub type Object<'a> = BTreeMap<Cow<'a, str>, Json<'a>>;

/// A JSON value. Texts without escapes are those of the input, not copies.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number, finite. Whole numbers are exact below 2^53, and never rounded from above to below it.
    Number(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Json<'a>>),
    /// An object, no key repeated.
    Object(Object<'a>),
}

impl Json<'_> {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads one JSON value that fills `bytes`. The error says what is wrong, and where.
pub fn parse(bytes: &[u8]) -> Result<Json<'_>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth_left: DEPTH_MAX }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Reads one JSON object that fills `bytes`; `None` for everything else.
pub fn parse_object(bytes: &[u8]) -> Option<Object<'_>> {
    match parse(bytes) {
        Ok(Json::Object(object)) => Some(object),
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth_left: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left }),
            None => Err(E::custom(format_args!("nested deeper than {DEPTH_MAX}"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "only values under 2^53 are used, which are exact")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "only values under 2^53 are used, which are exact")]
    fn visit_i64<E: Error>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut object = Object::new();
        // A key is read as a value, which a JSON reader only takes for a text.
        while let Some(key) = members.next_key_seed(inner)? {
            let Json::Text(key) = key else { return Err(A::Error::custom("a key that is no text")) };
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!("key {key:?} appears twice")));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, parse, parse_object};

    #[track_caller]
    fn refused(text: &str, because: &str) {
        let error = parse(text.as_bytes()).expect_err(text).to_string();
        assert!(error.contains(because), "{text}: {error}");
    }

    #[test]
    fn what_readers_could_understand_differently_is_refused() {
        refused(r#"{"a":1,"a":2}"#, "appears twice");
        refused(r#"{"a":1,"\u0061":2}"#, "appears twice");
        refused(r#"{"b":[{"a":1,"a":1}]}"#, "appears twice");
        refused(r#"{"a":1}{"#, "trailing");
        refused("\u{feff}{}", "expected value");
        refused(r#"{"a":1e400}"#, "out of range");
        refused(r#"{"a":NaN}"#, "expected value");
        refused(r#"{"a":01}"#, "invalid number");
        refused(r#"{"a":1,}"#, "trailing comma");
        refused("{'a':1}", "key must be a string");
        refused(r#""\ud800""#, "hex escape");
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn sixteen_levels_and_no_more() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(16).as_bytes()).is_ok());
        refused(&nested(17), "nested deeper");
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn only_objects_are_objects() {
        assert_eq!(parse_object(br#" {"a":null} "#).and_then(|mut o| o.remove("a")), Some(Json::Null));
        for other in ["[]", "null", "1", "\"a\"", "true", ""] {
            assert_eq!(parse_object(other.as_bytes()), None, "{other}");
        }
    }
}
