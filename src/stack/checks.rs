//! Collects everything that is wrong with one stack file, and everything worth a remark.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use super::finding::{Finding, NO_STACK, Shown, alike, quoted};
use super::lines::column;
use super::model::{KeyPlace, VariableOrigin};
use super::reader::join;
use super::sources::{Sheet, sheet_of};

/// More than this many errors help nobody, and a file of garbage has thousands.
const ERRORS_MAX: usize = 100;

/// The syntax errors that are told of a file that is no stack file.
const ERRORS_OF_NO_STACK_MAX: usize = 3;

/// A key, or an element of a list: its dotted path, and where it stands in bytes.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) span: Range<usize>,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub(super) value: T,
    /// Where the value stands.
    pub(super) place: Place,
}

/// A key that nobody asked for.
struct Unknown {
    /// The table's dotted path; empty for the top of the file.
    table: String,
    key: String,
    place: Place,
}

/// The desk on which a stack file is checked, with what it extends.
pub(super) struct Checks<'s> {
    sheets: Vec<Sheet<'s>>,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    /// Lines with a syntax error, by sheet: what the parser recovered there is not to be trusted.
    broken_lines: BTreeSet<(usize, usize)>,
    /// Whether a file that is extended could not be read: what seems missing may be there.
    is_incomplete: bool,
    /// Where texts begin that are refused already: a text gets one error.
    told: BTreeSet<usize>,
    /// What was filled in, by where its text begins: a remark without and one with the value.
    filled: BTreeMap<usize, (String, String)>,
    /// Whether one of them is a table header: then keys stand in tables where they do not belong.
    is_header_broken: bool,
    /// Every key that was asked for, by table.
    asked: BTreeSet<(String, &'static str)>,
    unknown: Vec<Unknown>,
}

impl<'s> Checks<'s> {
    /// A clean desk for these texts, at least one.
    pub(super) fn new(sheets: Vec<Sheet<'s>>) -> Self {
        Self {
            sheets,
            errors: Vec::new(),
            warnings: Vec::new(),
            broken_lines: BTreeSet::new(),
            is_incomplete: false,
            told: BTreeSet::new(),
            filled: BTreeMap::new(),
            is_header_broken: false,
            asked: BTreeSet::new(),
            unknown: Vec::new(),
        }
    }

    /// The folder of the stack file.
    pub(super) fn folder(&self) -> &Path {
        self.sheets[0].file.parent().unwrap_or(Path::new(""))
    }

    /// The folder that a relative path at this place starts from: that of the file that has it.
    pub(super) fn folder_of(&self, place: &Place) -> &Path {
        self.sheet(place.span.start).1.file.parent().unwrap_or(Path::new(""))
    }

    /// File, line and column of a byte.
    pub(super) fn key_place(&self, at: usize) -> KeyPlace {
        let (_, sheet) = self.sheet(at);
        let (line, column) = sheet.lines.line_and_column(at - sheet.start);
        KeyPlace { file: sheet.file.to_owned(), line, column }
    }

    /// Whether a text is the same for all files that extend the one that has it.
    pub(super) fn is_shared(&self, at: usize) -> bool {
        self.sheet(at).0 > 0 && !self.filled.contains_key(&at)
    }

    fn sheet(&self, at: usize) -> (usize, &Sheet<'s>) {
        let number = sheet_of(&self.sheets, at);
        (number, &self.sheets[number])
    }

    /// Notes that a file could not be read; then a key that seems missing may be there.
    pub(super) fn is_incomplete(&mut self) {
        self.is_incomplete = true;
    }

    /// Notes that the text at a place is refused: no further error is told of it.
    pub(super) fn is_told(&mut self, place: &Place) {
        self.told.insert(place.span.start);
    }

    /// Notes what was filled into the text at a place, so that every error there says so.
    pub(super) fn filled(&mut self, place: &Place, name: &str, value: &str, origin: &VariableOrigin) {
        let (without, with) = self.filled.entry(place.span.start).or_default();
        for (words, line) in [
            (without, format!("`${{var.{name}}}` is from {origin}")),
            (with, format!("`${{var.{name}}}` is {}, from {origin}", quoted(value))),
        ] {
            let between = if words.is_empty() { "" } else { "\n" };
            words.push_str(between);
            words.push_str(&line);
        }
    }

    /// Records the syntax errors, each with its span and message: the first of each line. Where a list or
    /// an inline table is never closed, the parser stumbles over every line that follows: then its first.
    /// All are of one text.
    pub(super) fn syntax(&mut self, errors: &[(Range<usize>, &str)]) {
        let is_in_brackets = |message: &str| {
            ["array", "inline table", "key-value pairs"].iter().any(|words| message.contains(words))
        };
        let is_open =
            errors.iter().any(|(_, message)| message.starts_with("unclosed") && is_in_brackets(message));
        let mut has_open = false;
        for (span, message) in errors {
            let place = Place { key: String::new(), span: span.clone() };
            let is_in_brackets = is_in_brackets(message);
            let help = (is_open && is_in_brackets).then(|| {
                "a `[` or `{` before this is not closed; the lines after it could not be checked".to_owned()
            });
            let finding = self.finding(&place, "syntax", (*message).to_owned(), Shown::Line, help);
            let (number, sheet) = self.sheet(span.start);
            let is_header = sheet.lines.line(finding.line).trim_start().starts_with('[');
            self.is_header_broken |= is_header;
            if self.broken_lines.insert((number, finding.line)) && !(is_open && has_open) {
                self.errors.push(finding);
            }
            has_open |= is_in_brackets;
        }
    }

    /// Whether the syntax is broken somewhere; then a key that seems missing may only be unreadable.
    pub(super) fn is_broken(&self) -> bool {
        self.is_incomplete || !self.broken_lines.is_empty()
    }

    /// Records an error at a place.
    pub(super) fn error(&mut self, place: &Place, code: &'static str, message: impl Into<String>) {
        self.report(place, code, message.into(), Shown::Line, None);
    }

    /// Records an error, with what to write instead.
    pub(super) fn error_with_help(
        &mut self,
        place: &Place,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(place, code, message.into(), Shown::Line, Some(help.into()));
    }

    /// Records an error, and says how much of its line may be shown.
    pub(super) fn report(
        &mut self,
        place: &Place,
        code: &'static str,
        message: String,
        shown: Shown,
        help: Option<String>,
    ) {
        let finding = self.finding(place, code, message, shown, help);
        let number = sheet_of(&self.sheets, place.span.start);
        if !self.broken_lines.contains(&(number, finding.line)) && !self.told.contains(&place.span.start) {
            self.errors.push(finding);
        }
    }

    /// Records that a key is missing, at the table that lacks it.
    pub(super) fn missing(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        if !self.is_broken() {
            self.error_with_help(place, "missing_key", message, help);
        }
    }

    /// Records a remark.
    pub(super) fn warn(&mut self, place: &Place, code: &'static str, message: &str, help: Option<&str>) {
        let finding = self.finding(place, code, message.to_owned(), Shown::Line, help.map(str::to_owned));
        self.warnings.push(finding);
    }

    /// Notes that `key` is a key of `table`.
    pub(super) fn asked(&mut self, table: &str, key: &'static str) {
        self.asked.insert((table.to_owned(), key));
    }

    /// Every key that was asked for, by its dotted path.
    #[cfg(test)]
    pub(super) fn asked_keys(&self) -> impl Iterator<Item = String> {
        self.asked.iter().map(|(table, key)| join(table, key))
    }

    /// Notes a key that nobody asked for; told by [`Checks::finish`], when all legal keys are known.
    pub(super) fn unknown(&mut self, table: &str, key: &str, place: Place) {
        self.unknown.push(Unknown { table: table.to_owned(), key: key.to_owned(), place });
    }

    /// Whether nothing at the top of a text, by its number, is a key of a stack file, or looks like one. A file
    /// with nothing in it is only empty.
    pub(super) fn knows_none(&self, number: usize, keys: &[String]) -> bool {
        let known = || self.asked.iter().filter(|(table, _)| table.is_empty()).map(|(_, key)| *key);
        let is_broken = self.broken_lines.iter().any(|(broken, _)| *broken == number);
        (is_broken || !keys.is_empty()) && keys.iter().all(|key| alike(key, known()).is_none())
    }

    /// Ends the checks where a text, by its number, is no stack file: it may be anything, a list of passwords too, so that
    /// none of its lines and none of its words is shown.
    pub(super) fn finish_as_no_stack(mut self, number: usize) -> Vec<Finding> {
        let (file, start) = (self.sheets[number].file, self.sheets[number].start);
        self.errors.retain(|error| error.code == "syntax" && error.file == file);
        self.errors.truncate(ERRORS_OF_NO_STACK_MAX);
        let start = Place { key: String::new(), span: start..start };
        let message = "this does not look like a stack file".to_owned();
        let help = "a stack file is TOML, and begins with `name`, `target` and `region`".to_owned();
        self.errors.push(self.finding(&start, NO_STACK, message, Shown::Nothing, Some(help)));
        for error in &mut self.errors {
            error.shown = Shown::Nothing;
        }
        self.errors
    }

    /// Ends the checks: errors and warnings, each in the order of the file.
    pub(super) fn finish(mut self) -> (Vec<Finding>, Vec<Finding>) {
        for unknown in std::mem::take(&mut self.unknown) {
            let suggested = self.suggest_here(&unknown);
            if let Some(key) = suggested {
                // The key is not missing, it is misspelt: one mistake, one error.
                let meant = join(&unknown.table, key);
                self.errors.retain(|error| {
                    error.code != "missing_key" || (error.key != meant && error.key != unknown.table)
                });
            }
            let help = match suggested {
                Some(key) => Some(format!("did you mean `{key}`?")),
                None => self.suggest_elsewhere(&unknown),
            };
            if self.is_header_broken {
                continue;
            }
            let message = format!("unknown key `{}`", unknown.place.key);
            self.report(&unknown.place, "unknown_key", message, Shown::ToEnd, help);
        }
        let number = |found: &Finding| self.sheets.iter().position(|sheet| sheet.file == found.file);
        let in_order = |findings: &mut Vec<Finding>| {
            findings.sort_by_key(|found| (number(found), found.line, found.column));
        };
        in_order(&mut self.errors);
        in_order(&mut self.warnings);
        if self.errors.len() > ERRORS_MAX {
            self.errors.truncate(ERRORS_MAX);
            let last = &mut self.errors[ERRORS_MAX - 1];
            let more = format!("there are more errors; these are the first {ERRORS_MAX}");
            last.help = Some(last.help.take().map_or(more.clone(), |help| format!("{help}\n{more}")));
        }
        (self.errors, self.warnings)
    }

    /// The key of the same table that an unknown one looks like.
    fn suggest_here(&self, unknown: &Unknown) -> Option<&'static str> {
        let here = self.asked.iter().filter(|(table, _)| *table == unknown.table).map(|(_, key)| *key);
        alike(&unknown.key, here)
    }

    /// Where an unknown key belongs, when exactly one other table has it.
    fn suggest_elsewhere(&self, unknown: &Unknown) -> Option<String> {
        let mut elsewhere = self.asked.iter().filter(|(_, key)| *key == unknown.key);
        match (elsewhere.next(), elsewhere.next()) {
            (Some((table, key)), None) if table.is_empty() => {
                Some(format!("`{key}` belongs to the top of the file, before the first `[table]`"))
            }
            (Some((table, key)), None) => Some(format!("`{key}` belongs to `[{table}]`")),
            _ => None,
        }
    }

    fn finding(
        &self,
        place: &Place,
        code: &'static str,
        message: String,
        shown: Shown,
        help: Option<String>,
    ) -> Finding {
        let (_, sheet) = self.sheet(place.span.start);
        let (number, mut on_line) = sheet.lines.locate(&sheet.own(&place.span));
        let line = sheet.lines.line(number);
        let hidden_from = sheet.mask.shown(number);
        if let Some(end) = hidden_from {
            on_line = on_line.start.min(end)..on_line.end.min(end);
        }
        let filled = self.filled.get(&place.span.start).map(|(without, with)| {
            if shown == Shown::Line && hidden_from.is_none() { with } else { without }
        });
        let help = match (help, filled) {
            (Some(help), Some(filled)) => Some(format!("{help}\n{filled}")),
            (help, filled) => help.or(filled.cloned()),
        };
        Finding {
            file: sheet.file.to_owned(),
            line: number,
            column: column(line, on_line.start),
            length: line[on_line].chars().count().max(1),
            key: place.key.clone(),
            message,
            help,
            code,
            shown,
        }
    }
}
