//! `extends`: a stack file laid over another one.
//!
//! Tables are merged key by key; every other value is replaced whole, lists and `[[allow]]` too. Where a
//! table takes one of several keys, the choice is one value: the nearer file's replaces the other's.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::quoted;
use super::sources::Source;
use super::variables::OPENING;

/// The most files that extend each other, the stack file included.
const FILES_MAX: usize = 8;
/// The longest path, in bytes.
const PATH_LENGTH_MAX: usize = 1024;

/// Keys of one table that exclude each other. The table's path; empty for the top.
const CHOICES: [(&str, &[&str]); 4] = [
    ("signing", &["generated", "public", "idp", "off"]),
    ("token", &["hs256", "rs256"]),
    ("token.rs256", &["pem", "jwks", "jwks_url"]),
    ("function", &["source", "bootstrap"]),
];

/// A stack file's text, opened.
#[derive(Clone)]
pub struct Opened {
    /// The file's one name, whatever path led to it: without links and dots.
    pub identity: PathBuf,
    /// Its text.
    pub text: String,
}

/// Opens a file that another one extends. The error ends a sentence: why it cannot be read.
pub type Open<'a> = &'a dyn Fn(&Path) -> Result<Opened, String>;

/// What is wrong with one `extends`.
pub(super) struct Broken {
    /// Which of the texts has it, from 0.
    pub(super) sheet: usize,
    /// Where it stands there, in bytes.
    pub(super) span: std::ops::Range<usize>,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// What the text of a stack file extends: the value of its `extends`.
fn extends(text: &str) -> Option<(std::ops::Range<usize>, Option<String>)> {
    let (document, _) = DeTable::parse_recoverable(text);
    let (_, value) = document.get_ref().iter().find(|(name, _)| name.get_ref() == "extends")?;
    Some((value.span(), value.get_ref().as_str().map(str::to_owned)))
}

/// Opens everything that the stack file extends, nearest first; stops at the first that cannot be.
pub(super) fn follow(file: &Path, opened: &Opened, open: Open<'_>) -> (Vec<Source>, Option<Broken>) {
    let mut extended: Vec<Source> = Vec::new();
    let mut known = vec![opened.identity.clone()];
    loop {
        let (last, text) = match extended.last() {
            None => (file, opened.text.as_str()),
            Some(source) => (source.file.as_path(), source.text.as_str()),
        };
        let Some((span, path)) = extends(text) else { return (extended, None) };
        let sheet = extended.len();
        let broken = |code, message, help: Option<&str>| {
            Some(Broken { sheet, span: span.clone(), code, message, help: help.map(str::to_owned) })
        };
        let path = match path_of(path.as_deref()) {
            Ok(path) => path,
            Err(message) => {
                let help = "for example `extends = \"base.toml\"`, a path that begins at this file's folder";
                return (extended, broken("bad_extends", message, Some(help)));
            }
        };
        let next = last.parent().unwrap_or(Path::new("")).join(path);
        let opened = match open(&next) {
            Ok(opened) => opened,
            Err(because) => {
                let message = format!("{} cannot be extended: {because}", quoted(path));
                let help = "a relative path begins at the folder of the file that has it";
                return (extended, broken("bad_extends", message, Some(help)));
            }
        };
        if known.contains(&opened.identity) {
            let message = format!("{} is extended in a circle", quoted(path));
            let help = "of these files, let one extend no other";
            return (extended, broken("extends_circle", message, Some(help)));
        }
        if known.len() == FILES_MAX {
            let message = format!("at most {FILES_MAX} files extend each other");
            return (extended, broken("too_large", message, None));
        }
        known.push(opened.identity);
        extended.push(Source { file: next, text: opened.text });
    }
}

fn path_of(value: Option<&str>) -> Result<&str, String> {
    let Some(path) = value else { return Err("`extends` is the path of one file".to_owned()) };
    let is_path = !path.is_empty() && path.len() <= PATH_LENGTH_MAX && !path.chars().any(char::is_control);
    if !is_path {
        return Err("`extends` is the path of one file".to_owned());
    }
    if path.contains(OPENING) {
        return Err("`extends` takes no variable: which files are read is the same for all values".to_owned());
    }
    if path.starts_with('~') {
        return Err("`extends` begins with `~`, which is not expanded".to_owned());
    }
    Ok(path)
}

/// A table as it stands among all texts: every place moved on by `by` bytes.
pub(super) fn moved(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    let move_on = |span: std::ops::Range<usize>| span.start + by..span.end + by;
    table
        .into_iter()
        .map(|(name, value)| {
            let span = move_on(name.span());
            (Spanned::new(span, name.into_inner()), value_moved(value, by))
        })
        .collect()
}

fn value_moved(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = value.span().start + by..value.span().end + by;
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved(table, by)),
        DeValue::Array(list) => {
            DeValue::Array(list.into_iter().map(|element| value_moved(element, by)).collect())
        }
        other => other,
    };
    Spanned::new(span, value)
}

/// `near` laid over `far`; both stand at `path`.
pub(super) fn laid_over<'i>(path: &str, near: DeTable<'i>, far: DeTable<'i>) -> DeTable<'i> {
    let mut far = far;
    let replaced = |name: &str, near: &DeTable<'i>| {
        let has = |key: &str| near.keys().any(|name| name.get_ref() == key);
        CHOICES.iter().any(|(table, keys)| {
            *table == path && keys.contains(&name) && !has(name) && keys.iter().any(|key| has(key))
        })
    };
    far = far.into_iter().filter(|(name, _)| !replaced(name.get_ref(), &near)).collect();
    let mut merged = DeTable::new();
    for (name, value) in near {
        let below = far.keys().find(|other| other.get_ref() == name.get_ref()).cloned();
        let below = below.and_then(|below| far.remove(&below));
        let span = value.span();
        let value = match (value.into_inner(), below.map(Spanned::into_inner)) {
            (DeValue::Table(near), Some(DeValue::Table(far))) => {
                let path = super::reader::join(path, name.get_ref());
                DeValue::Table(laid_over(&path, near, far))
            }
            (value, _) => value,
        };
        merged.insert(name, Spanned::new(span, value));
    }
    merged.extend(far);
    merged
}

#[cfg(test)]
mod tests;
