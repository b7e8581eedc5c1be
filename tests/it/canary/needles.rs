//! What is looked for: secrets, each in every form in which it could be somewhere.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How much of the beginning of a form is looked up at once.
const PREFIX: usize = 8;

/// Forms of secrets, by their first bytes.
#[derive(Debug, Default)]
pub(super) struct Needles {
    by_prefix: BTreeMap<[u8; PREFIX], Vec<(String, Vec<u8>)>>,
}

impl Needles {
    /// A secret as text; where it is base64 of either alphabet, what it decodes to is one as well.
    pub(super) fn add(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= 16, "{name} is too short to be looked for");
        self.forms(name, secret.as_bytes());
        let decoded = STANDARD.decode(secret).or_else(|_| URL_SAFE_NO_PAD.decode(secret));
        if let Ok(bytes) = decoded {
            self.form(format!("{name}, decoded"), bytes.clone());
            self.forms(&format!("{name}, decoded"), &bytes);
        }
    }

    fn forms(&mut self, name: &str, secret: &[u8]) {
        self.form(name.to_owned(), secret.to_vec());
        let hex = secret.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        self.form(format!("{name}, in upper hex"), hex.to_ascii_uppercase().into_bytes());
        self.form(format!("{name}, in hex"), hex.into_bytes());
        let escaped: String = form_urlencoded::byte_serialize(secret).collect();
        self.form(format!("{name}, url-encoded"), escaped.clone().into_bytes());
        self.form(
            format!("{name}, url-encoded twice"),
            form_urlencoded::byte_serialize(escaped.as_bytes()).collect::<String>().into_bytes(),
        );
        // Inside a longer text the same bytes have three forms, by where they begin.
        for skipped in 0..3_usize {
            let text = [&vec![0; skipped], secret].concat();
            for (alphabet, encoded) in
                [("base64", STANDARD_NO_PAD.encode(&text)), ("base64url", URL_SAFE_NO_PAD.encode(&text))]
            {
                // The characters at both ends have bits of the neighbours in them.
                let inner = &encoded[(skipped * 8).div_ceil(6)..encoded.len() - 1];
                self.form(format!("{name}, in {alphabet} at {skipped}"), inner.as_bytes().to_vec());
            }
        }
    }

    fn form(&mut self, name: String, bytes: Vec<u8>) {
        let prefix = bytes[..PREFIX].try_into().unwrap();
        self.by_prefix.entry(prefix).or_default().push((name, bytes));
    }

    /// The names of the forms that are in `bytes`.
    pub(super) fn found_in(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut is_first = [false; 256];
        for prefix in self.by_prefix.keys() {
            is_first[usize::from(prefix[0])] = true;
        }
        let mut found = BTreeSet::new();
        for (at, byte) in bytes.iter().enumerate() {
            if !is_first[usize::from(*byte)] {
                continue;
            }
            let Some(prefix) = bytes[at..].first_chunk::<PREFIX>() else { break };
            for (name, form) in self.by_prefix.get(prefix).into_iter().flatten() {
                if bytes[at..].starts_with(form) {
                    found.insert(name.clone());
                }
            }
        }
        found
    }

    /// Every form with its name, to be planted.
    pub(super) fn planted(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.by_prefix.values().flatten().map(|(name, form)| (name.as_str(), form.as_slice()))
    }
}
