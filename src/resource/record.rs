//! The record in the alias's description: what serves, what it was made from, what served before.
//!
//! It fits AWS's 256 characters: four SHA-256 values in base64 without padding are 172 of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::build::InputsHash;

/// AWS's limit for an alias's description, in characters.
pub const DESCRIPTION_CHARACTERS_MAX: usize = 256;
/// The record's version; a description that begins otherwise is none.
const VERSION: &str = "thinggate=1";

/// How a release was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Not at all.
    None,
    /// Its version was tested by number.
    Version,
    /// The whole way through the authorizer was tested.
    Door,
}

impl Proof {
    const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Version => "version",
            Self::Door => "door",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Version, Self::Door].into_iter().find(|proof| proof.word() == word)
    }
}

/// What serves, what it was made from, what served before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `CodeSha256` of the package, base64.
    pub package: String,
    /// SHA-256 of the binary, hex.
    pub binary: String,
    /// SHA-256 of `authorizer.json`, hex.
    pub configuration: String,
    /// What the package was made from.
    pub inputs: InputsHash,
    /// The version that served before; `None` at first.
    pub previous: Option<String>,
    /// How it was proven.
    pub proof: Proof,
    /// A version that must not be deployed again unasked.
    pub held: Option<String>,
}

impl Record {
    /// As an alias's description.
    pub fn to_description(&self) -> String {
        let mut text = format!(
            "{VERSION} package={} binary={} config={} inputs={} proof={}",
            shorter(&self.package, Form::Base64),
            shorter(&self.binary, Form::Hex),
            shorter(&self.configuration, Form::Hex),
            shorter(&self.inputs.0, Form::Hex),
            self.proof.word(),
        );
        if let Some(previous) = &self.previous {
            text.push_str(" was=");
            text.push_str(previous);
        }
        if let Some(held) = &self.held {
            text.push_str(" held=");
            text.push_str(held);
        }
        text
    }

    /// From an alias's description; `None` if it is not exactly a record.
    pub fn parse(description: &str) -> Option<Self> {
        let mut words = description.split(' ');
        if words.next() != Some(VERSION) {
            return None;
        }
        let mut value = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=');
        let record = Self {
            package: longer(value("package")?, Form::Base64)?,
            binary: longer(value("binary")?, Form::Hex)?,
            configuration: longer(value("config")?, Form::Hex)?,
            inputs: InputsHash(longer(value("inputs")?, Form::Hex)?),
            proof: Proof::parse(value("proof")?)?,
            previous: None,
            held: None,
        };
        let mut record = record;
        for word in words {
            let (name, version) = word.split_once('=')?;
            match name {
                "was" if record.previous.is_none() => record.previous = Some(version.to_owned()),
                "held" if record.held.is_none() => record.held = Some(version.to_owned()),
                _ => return None,
            }
        }
        Some(record)
    }
}

/// How a hash is written where it comes from.
#[derive(Clone, Copy)]
enum Form {
    Base64,
    Hex,
}

/// A hash in base64 without padding. One that is not a hash stays what it is.
fn shorter(hash: &str, form: Form) -> String {
    let bytes = match form {
        Form::Base64 => STANDARD.decode(hash).ok(),
        Form::Hex => from_hex(hash),
    };
    bytes.map_or_else(|| hash.to_owned(), |bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// The inverse of [`shorter`]; `None` unless it is 32 bytes.
fn longer(text: &str, form: Form) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 32)?;
    Some(match form {
        Form::Base64 => STANDARD.encode(bytes),
        Form::Hex => hex(&bytes),
    })
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes everything");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            package: STANDARD.encode([1; 32]),
            binary: "0a".repeat(32),
            configuration: "ff".repeat(32),
            inputs: InputsHash("7e".repeat(32)),
            previous: Some("99999".to_owned()),
            proof: Proof::Version,
            held: Some("100000".to_owned()),
        }
    }

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        for (previous, held) in [(None, None), (Some("3"), None), (None, Some("4")), (Some("3"), Some("4"))] {
            for proof in [Proof::None, Proof::Version, Proof::Door] {
                let record = Record {
                    previous: previous.map(str::to_owned),
                    held: held.map(str::to_owned),
                    proof,
                    ..record()
                };
                assert_eq!(Record::parse(&record.to_description()), Some(record));
            }
        }
    }

    /// botocore 1.43.11, `lambda 2015-03-31`, shape `Description`: at most 256 characters.
    #[test]
    fn the_longest_record_fits() {
        let length = record().to_description().chars().count();
        assert!(length <= DESCRIPTION_CHARACTERS_MAX, "{length} characters");
    }

    #[test]
    fn what_is_not_exactly_a_record_is_none() {
        let good = record().to_description();
        for edited in [
            String::new(),
            "made by hand".to_owned(),
            format!("{good} more"),
            format!("{good} was=1"),
            good.replace("proof=version", "proof=yes"),
            good.replace("thinggate=1", "thinggate=2"),
            good.replacen("package=", "package=A", 1),
        ] {
            assert_eq!(Record::parse(&edited), None, "{edited}");
        }
    }
}
