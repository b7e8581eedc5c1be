//! The stack file: one TOML file is one environment.
//!
//! [`parse`] gives either a whole, checked [`Stack`] or *all* that is wrong with the text, each error at
//! its line and column. It is pure: the caller reads the file. A stack file never holds a secret, only a
//! [`Reference`] to one, and no message repeats what stands where a secret might.
//!
//! One file per table of the stack file; each reads through a `reader::TableReader`, which hands out
//! typed values and remembers which keys exist.

mod allow;
mod authorizer;
mod aws;
mod checks;
mod finding;
mod function;
mod identity;
mod lines;
mod mask;
mod model;
mod policy_size;
mod reader;
mod reference;
mod regions;
mod render;
mod root;
mod signing;
mod tags;
mod template;
mod token;
mod web;

pub(crate) use finding::alike;
pub use finding::{Finding, Shown, StackError, StackErrors, Warning};
pub use model::*;
pub use render::{render, render_warnings};

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::DeTable;

use checks::{Checks, Place};
use reader::TableReader;

/// The longest stack file, in bytes.
pub const STACK_FILE_LENGTH_MAX: usize = 64 * 1024;

/// Reads and checks the text of a stack file; `file` is named in messages, and its folder is what
/// relative paths start from. Nothing is opened.
pub fn parse(file: &Path, text: &str) -> Result<(Stack, Vec<Warning>), StackErrors> {
    let refused = |errors| Err(StackErrors { file: file.to_owned(), errors });
    if text.len() > STACK_FILE_LENGTH_MAX {
        let mut checks = Checks::new(file, "");
        let place = Place { key: String::new(), span: 0..0 };
        let message =
            format!("a stack file has at most {STACK_FILE_LENGTH_MAX} bytes; this one has {}", text.len());
        checks.error(&place, "too_large", message);
        return refused(checks.finish().0);
    }
    let mut checks = Checks::new(file, text);
    let (document, syntax_errors) = DeTable::parse_recoverable(text);
    let syntax_errors: Vec<_> =
        syntax_errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
    checks.syntax(&syntax_errors);
    let mut places = BTreeMap::new();
    reader::places(&checks, "", document.get_ref(), &mut places);
    let top = TableReader::new(document.get_ref(), Place { key: String::new(), span: 0..0 });
    let keys: Vec<&str> = document.get_ref().keys().map(|key| key.get_ref().as_ref()).collect();
    let stack = root::stack(&mut checks, file, top, Places(places));
    if checks.knows_none(&keys) {
        return refused(checks.finish_as_no_stack());
    }
    let (errors, warnings) = checks.finish();
    match stack {
        Some(stack) if errors.is_empty() => Ok((stack, warnings)),
        _ => {
            debug_assert!(!errors.is_empty(), "a part that is missing has left an error");
            refused(errors)
        }
    }
}

#[cfg(test)]
mod tests;
