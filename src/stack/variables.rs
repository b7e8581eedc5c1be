//! Variables: `${var.NAME}` in a text is filled in from `--var NAME=VALUE`, or else from `[vars]`.
//!
//! Never where a secret is named: a command line can be seen by everybody on the machine.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::checks::{Checks, Place};
use super::finding::{Shown, alike, quoted};
use super::mask::is_suspect;
use super::model::VariableOrigin;
use super::reader::{TableReader, join};

/// What a variable in a text begins with.
pub(super) const OPENING: &str = "${";
/// What stands for a plain `${`.
const ESCAPED: &str = "$${";
/// Policy variables of AWS IoT: no text takes them, and the rules of `[[allow]]` say what to write instead.
const OF_POLICIES: [&str; 2] = ["iot:", "aws:"];
/// The longest name, in characters.
const NAME_LENGTH_MAX: usize = 64;
/// The longest value, in bytes: no text of a stack file is longer.
const VALUE_LENGTH_MAX: usize = 1024;
/// Keys that name a secret.
const OF_SECRETS: [&str; 2] = ["token.hs256.secret", "identity.client_secret"];

/// Variables from outside the stack file, by name, with where they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given(BTreeMap<String, (String, VariableOrigin)>);

impl Given {
    /// Adds `NAME=VALUE`. The error says what is wrong, without the value.
    pub fn add(&mut self, text: &str, origin: VariableOrigin) -> Result<(), String> {
        let Some((name, value)) = text.split_once('=') else {
            return Err("a variable is given as NAME=VALUE".to_owned());
        };
        if !is_name(name) {
            return Err(format!("a variable's name is {NAME_RULE}"));
        }
        if is_suspect(name) {
            return Err(format!(
                "`{name}` sounds like a secret, and everybody on this machine can read a command line"
            ));
        }
        if value.len() > VALUE_LENGTH_MAX || value.chars().any(char::is_control) {
            return Err(format!(
                "the value of `{name}` has more than {VALUE_LENGTH_MAX} bytes, or control characters"
            ));
        }
        if self.0.insert(name.to_owned(), (value.to_owned(), origin)).is_some() {
            return Err(format!("`{name}` is given twice"));
        }
        Ok(())
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What a name is made of, for messages.
const NAME_RULE: &str = "a lower-case letter, then lower-case letters, digits and `_`, at most 64 in all";

fn is_name(name: &str) -> bool {
    name.len() <= NAME_LENGTH_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The names in `[vars]`.
fn declared<'d>(document: &'d DeTable<'d>) -> impl Iterator<Item = &'d Spanned<DeString<'d>>> {
    let vars = document.iter().find(|(name, _)| name.get_ref() == "vars").map(|(_, value)| value);
    vars.and_then(|vars| vars.get_ref().as_table()).into_iter().flat_map(|vars| vars.keys())
}

/// What was filled in, by the byte at which the text with it begins.
pub(super) type Filled = BTreeMap<usize, Vec<(String, VariableOrigin)>>;

/// Fills in the variables of one stack.
pub(super) struct Filler {
    known: BTreeMap<String, (String, VariableOrigin)>,
    /// The names in `[vars]` whose values are refused already.
    refused: BTreeSet<String>,
    pub(super) filled: Filled,
    /// The names that some text refers to.
    pub(super) used: BTreeSet<String>,
}

impl Filler {
    /// Reads `[vars]`, and lays what was given outside over it.
    pub(super) fn of(checks: &mut Checks<'_>, document: &DeTable<'_>, given: &Given) -> Self {
        let mut known = BTreeMap::new();
        let mut top = TableReader::new(document, Place { key: String::new(), span: 0..0 });
        for (name, value) in top.text_map(checks, "vars") {
            if !is_name(&name.value) {
                checks.report(
                    &name.place,
                    "bad_name",
                    format!("a variable's name is {NAME_RULE}"),
                    Shown::ToEnd,
                    None,
                );
            } else if is_suspect(&name.value) {
                let message = "a variable holds no secret: it is shown wherever it is used";
                let help =
                    "name the secret where it is needed: `env:NAME`, `file:PATH` or `ssm:NAME`".to_owned();
                checks.report(&name.place, "literal", message.to_owned(), Shown::ToEnd, Some(help));
            } else if value.value.contains(OPENING) {
                checks.error(&value.place, "bad_variable", "the value of a variable has no variable in it");
            } else {
                let origin = VariableOrigin::File(checks.key_place(name.place.span.start));
                known.insert(name.value, (value.value, origin));
            }
        }
        known.extend(given.0.clone());
        let refused = declared(document).map(|name| name.get_ref().to_string());
        let refused = refused.filter(|name| !known.contains_key(name)).collect();
        Self { known, refused, filled: Filled::new(), used: BTreeSet::new() }
    }

    /// Fills in every text of a table, but `[vars]` and `extends` at the top.
    pub(super) fn fill(&mut self, checks: &mut Checks<'_>, path: &str, table: &mut DeTable<'_>) {
        for (name, value) in table.iter_mut() {
            let own = path.is_empty() && ["vars", "extends"].contains(&name.get_ref().as_ref());
            if !own {
                self.value(checks, &join(path, name.get_ref()), value);
            }
        }
    }

    fn value(&mut self, checks: &mut Checks<'_>, path: &str, value: &mut Spanned<DeValue<'_>>) {
        let place = Place { key: path.to_owned(), span: value.span() };
        match value.get_mut() {
            DeValue::Table(table) => self.fill(checks, path, table),
            DeValue::Array(list) => {
                for (number, element) in list.iter_mut().enumerate() {
                    self.value(checks, &format!("{path}[{number}]"), element);
                }
            }
            DeValue::String(text) if text.contains(OPENING) => {
                if OF_SECRETS.contains(&path) {
                    let message = format!("`{path}` takes no variable: it is no place for a secret");
                    let help = "write `env:NAME`, `file:PATH` or `ssm:NAME`, in the file of each environment if they differ";
                    checks.report(&place, "variable_secret", message, Shown::ToStart, Some(help.to_owned()));
                    checks.is_told(&place);
                } else if let Some(whole) = self.text(checks, &place, text) {
                    *text = whole.into();
                } else {
                    checks.is_told(&place);
                }
            }
            _ => {}
        }
    }

    /// The text with everything filled in; `None` leaves an error behind.
    fn text(&mut self, checks: &mut Checks<'_>, place: &Place, text: &str) -> Option<String> {
        let mut whole = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, from) = rest.split_at(at);
            whole.push_str(before);
            if let Some(after) = from.strip_prefix(ESCAPED) {
                whole.push_str(OPENING);
                rest = after;
                continue;
            }
            let Some(inside) = from.strip_prefix(OPENING) else {
                whole.push('$');
                rest = &from[1..];
                continue;
            };
            if OF_POLICIES.iter().any(|start| inside.starts_with(start)) {
                whole.push_str(OPENING);
                rest = inside;
                continue;
            }
            let (name, after) = self.reference(checks, place, inside)?;
            let (value, origin) = &self.known[name];
            whole.push_str(value);
            let filled = self.filled.entry(place.span.start).or_default();
            if !filled.iter().any(|(before, _)| before == name) {
                filled.push((name.to_owned(), origin.clone()));
                checks.filled(place, name, value, origin);
            }
            rest = after;
        }
        whole.push_str(rest);
        Some(whole)
    }

    /// The known name that stands after a `${`, and what follows it.
    fn reference<'t>(
        &mut self,
        checks: &mut Checks<'_>,
        place: &Place,
        inside: &'t str,
    ) -> Option<(&'t str, &'t str)> {
        let Some((inside, after)) = inside.split_once('}') else {
            let help = "`${var.NAME}` is filled in; `$${` stands for a plain `${`";
            checks.error_with_help(place, "bad_variable", "a `${` without its `}`", help);
            return None;
        };
        let name = inside.strip_prefix("var.").filter(|name| is_name(name));
        let Some(name) = name else {
            let message = format!("{} is no variable", quoted(&format!("${{{inside}}}")));
            let help = "`${var.NAME}` is filled in; `$${` stands for a plain `${`";
            checks.error_with_help(place, "bad_variable", message, help);
            return None;
        };
        self.used.insert(name.to_owned());
        if self.known.contains_key(name) {
            return Some((name, after));
        }
        if self.refused.contains(name) {
            return None;
        }
        let alike = alike(name, self.known.keys().map(String::as_str));
        let help = match alike.map(|known| (known, &self.known[known].1)) {
            Some((known, VariableOrigin::File(_))) => format!("did you mean `${{var.{known}}}`?"),
            Some((known, _)) => format!("`--var {known}=…` is given: which of the two is misspelt?"),
            None => format!("give it: `--var {name}=…`, or a default: `{name} = \"…\"` under `[vars]`"),
        };
        checks.error_with_help(place, "unknown_variable", format!("`${{var.{name}}}` has no value"), help);
        None
    }

    /// Remarks every variable of `[vars]` that no text refers to.
    pub(super) fn remark_unused(&self, checks: &mut Checks<'_>, document: &DeTable<'_>) {
        for name in declared(document).filter(|name| !self.used.contains(name.get_ref().as_ref())) {
            let place = Place { key: join("vars", name.get_ref()), span: name.span() };
            checks.warn(&place, "unused_variable", "no text refers to this variable", None);
        }
    }
}

#[cfg(test)]
mod tests;
