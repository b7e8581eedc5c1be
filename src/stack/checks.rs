//! Collects everything that is wrong with one stack file, and everything worth a remark.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::finding::{Finding, NO_STACK, Shown, alike};
use super::lines::{Lines, column};
use super::mask::Mask;
use super::reader::join;

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

/// The desk on which a stack file is checked.
pub(super) struct Checks<'s> {
    lines: Lines<'s>,
    mask: Mask,
    folder: PathBuf,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    /// Lines with a syntax error: what the parser recovered there is not to be trusted.
    broken_lines: BTreeSet<usize>,
    /// Whether one of them is a table header: then keys stand in tables where they do not belong.
    is_header_broken: bool,
    /// Every key that was asked for, by table.
    asked: BTreeSet<(String, &'static str)>,
    unknown: Vec<Unknown>,
}

impl<'s> Checks<'s> {
    /// A clean desk for the text of `file`.
    pub(super) fn new(file: &Path, source: &'s str) -> Self {
        let lines = Lines::of(source);
        Self {
            mask: Mask::of(&lines),
            lines,
            folder: file.parent().map(Path::to_owned).unwrap_or_default(),
            errors: Vec::new(),
            warnings: Vec::new(),
            broken_lines: BTreeSet::new(),
            is_header_broken: false,
            asked: BTreeSet::new(),
            unknown: Vec::new(),
        }
    }

    /// The folder that relative paths start from.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Line and column of a byte.
    pub(super) fn line_and_column(&self, at: usize) -> (usize, usize) {
        self.lines.line_and_column(at)
    }

    /// Records the syntax errors, each with its span and message: the first of each line. Where a list or
    /// an inline table is never closed, the parser stumbles over every line that follows: then its first.
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
            self.is_header_broken |= self.lines.line(finding.line).trim_start().starts_with('[');
            if self.broken_lines.insert(finding.line) && !(is_open && has_open) {
                self.errors.push(finding);
            }
            has_open |= is_in_brackets;
        }
    }

    /// Whether the syntax is broken somewhere; then a key that seems missing may only be unreadable.
    pub(super) fn is_broken(&self) -> bool {
        !self.broken_lines.is_empty()
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
        if !self.broken_lines.contains(&finding.line) {
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

    /// Notes a key that nobody asked for; told by [`Checks::finish`], when all legal keys are known.
    pub(super) fn unknown(&mut self, table: &str, key: &str, place: Place) {
        self.unknown.push(Unknown { table: table.to_owned(), key: key.to_owned(), place });
    }

    /// Whether nothing at the top of a file is a key of a stack file, or looks like one. A file with nothing
    /// in it is only empty.
    pub(super) fn knows_none(&self, keys: &[&str]) -> bool {
        let known = || self.asked.iter().filter(|(table, _)| table.is_empty()).map(|(_, key)| *key);
        (self.is_broken() || !keys.is_empty()) && keys.iter().all(|key| alike(key, known()).is_none())
    }

    /// Ends the checks of a file that is no stack file: it may be anything, a list of passwords too, so that
    /// none of its lines and none of its words is shown.
    pub(super) fn finish_as_no_stack(mut self) -> Vec<Finding> {
        self.errors.retain(|error| error.code == "syntax");
        self.errors.truncate(ERRORS_OF_NO_STACK_MAX);
        let start = Place { key: String::new(), span: 0..0 };
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
        let in_order = |findings: &mut Vec<Finding>| findings.sort_by_key(|found| (found.line, found.column));
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
        let (number, mut on_line) = self.lines.locate(&place.span);
        let line = self.lines.line(number);
        if let Some(end) = self.mask.shown(number) {
            on_line = on_line.start.min(end)..on_line.end.min(end);
        }
        Finding {
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
