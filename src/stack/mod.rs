//! The stack file: one TOML file is one environment.
//!
//! [`read`] gives either a whole, checked [`Stack`] or *all* that is wrong with the text, each error at
//! its file, line and column. It is pure: the caller opens files. A stack file never holds a secret, only a
//! [`Reference`] to one, and no message repeats what stands where a secret might.
//!
//! One file per table of the stack file; each reads through a `reader::TableReader`, which hands out
//! typed values and remembers which keys exist.

mod allow;
mod assume_role;
mod authorizer;
mod aws;
mod checks;
mod finding;
mod function;
mod identity;
mod layers;
mod lines;
mod mark;
mod mask;
mod model;
mod policy_size;
mod reader;
mod reference;
mod regions;
mod render;
mod root;
mod schema;
mod signing;
mod sources;
mod tags;
mod template;
mod token;
mod values;
mod variables;
mod web;

pub(crate) use finding::alike;
pub use finding::{Finding, Shown, StackError, StackErrors, Warning};
pub use layers::{Open, Opened};
pub(crate) use mark::mark_of_hash;
pub use model::*;
pub use render::{render, render_all, render_warnings};
pub use schema::schema;
pub use sources::{Source, Sources};
pub use values::{StackValue, ValueOrigin, values};
pub use variables::Given;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::de::DeTable;

use checks::{Checks, Place};
use reader::TableReader;
use variables::Filler;

/// The longest stack file, in bytes.
pub const STACK_FILE_LENGTH_MAX: usize = 64 * 1024;

/// A stack file that was read, with what it extends.
#[derive(Clone, Debug)]
pub struct Read {
    /// What it says.
    pub stack: Stack,
    /// What the user should know.
    pub warnings: Vec<Warning>,
    /// The texts that it was read from.
    pub sources: Sources,
    /// The names of the variables that some text refers to.
    pub used: BTreeSet<String>,
}

/// A stack file that was refused: what is wrong, and the texts to draw it with.
#[derive(Clone, Debug)]
pub struct Refused {
    /// All that is wrong.
    pub errors: StackErrors,
    /// The texts that were read.
    pub sources: Sources,
}

/// Reads and checks the text of a stack file that stands alone; `file` is named in messages, and its folder
/// is what relative paths start from. Nothing is opened.
pub fn parse(file: &Path, text: &str) -> Result<(Stack, Vec<Warning>), StackErrors> {
    let opened = Opened { identity: file.to_owned(), text: text.to_owned() };
    let alone = |_: &Path| Err("this stack file has to stand alone".to_owned());
    let read = read(file, opened, &Given::default(), &alone);
    read.map(|read| (read.stack, read.warnings)).map_err(|refused| refused.errors)
}

/// Reads and checks a stack file: what it extends is opened with `open` and lies below it, then variables
/// are filled in, those that are `given` before those of `[vars]`.
pub fn read(file: &Path, opened: Opened, given: &Given, open: Open<'_>) -> Result<Read, Box<Refused>> {
    let (extended, broken) = layers::follow(file, &opened, open);
    let first = Source { file: file.to_owned(), text: opened.text };
    let sources = Sources::chain(first, extended);
    let sheets = sources.laid_out();
    let texts: Vec<(usize, &str)> = sheets.iter().map(|sheet| (sheet.start, sheet.text)).collect();
    let mut checks = Checks::new(sheets);
    let tables: Vec<DeTable<'_>> =
        texts.iter().map(|(start, text)| table(&mut checks, *start, text)).collect();
    if let Some(broken) = broken {
        let (start, _) = texts[broken.sheet];
        let place =
            Place { key: "extends".to_owned(), span: start + broken.span.start..start + broken.span.end };
        checks.report(&place, broken.code, broken.message, Shown::Line, broken.help);
        checks.is_incomplete();
    }
    let top_keys: Vec<Vec<String>> = tables.iter().map(keys).collect();
    let mut document = DeTable::new();
    for far in tables {
        document = layers::laid_over("", document, far);
    }
    let mut filler = Filler::of(&mut checks, &document, given);
    filler.fill(&mut checks, "", &mut document);
    let mut places = BTreeMap::new();
    reader::places(&checks, &filler.filled, "", &document, &mut places);
    let top = TableReader::new(&document, Place { key: String::new(), span: 0..0 });
    let stack = root::stack(&mut checks, file, top, Places(places));
    if let Some(number) = (0..top_keys.len()).find(|number| checks.knows_none(*number, &top_keys[*number])) {
        let errors = checks.finish_as_no_stack(number);
        return Err(Box::new(Refused { errors: StackErrors { file: file.to_owned(), errors }, sources }));
    }
    if !checks.is_broken() {
        filler.remark_unused(&mut checks, &document);
    }
    let used = filler.used;
    let (errors, warnings) = checks.finish();
    match stack {
        Some(stack) if errors.is_empty() => Ok(Read { stack, warnings, sources, used }),
        _ => {
            debug_assert!(!errors.is_empty(), "a part that is missing has left an error");
            Err(Box::new(Refused { errors: StackErrors { file: file.to_owned(), errors }, sources }))
        }
    }
}

/// The keys of a table.
fn keys(table: &DeTable<'_>) -> Vec<String> {
    table.keys().map(|key| key.get_ref().to_string()).collect()
}

/// The text that begins at `start` among all, as a table; its syntax errors are recorded.
fn table<'s>(checks: &mut Checks<'_>, start: usize, text: &'s str) -> DeTable<'s> {
    if text.len() > STACK_FILE_LENGTH_MAX {
        let place = Place { key: String::new(), span: start..start };
        let length = text.len();
        let message =
            format!("a stack file has at most {STACK_FILE_LENGTH_MAX} bytes; this one has {length}");
        checks.error(&place, "too_large", message);
        checks.is_incomplete();
        return DeTable::new();
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let errors: Vec<_> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(0..0);
            (start + span.start..start + span.end, error.message())
        })
        .collect();
    checks.syntax(&errors);
    layers::moved(document.into_inner(), start)
}

#[cfg(test)]
mod tests;
