//! The texts that one stack is read from: the stack file, and what it extends, nearest first.
//!
//! While they are checked they lie one behind the other, so that one number names a byte of any of them.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::lines::Lines;
use super::mask::Mask;

/// One text, as it was read. It may hold what a user should not have written: it has no `Display`.
#[derive(Clone)]
pub struct Source {
    /// The file, as messages name it.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Source({})", self.file.display())
    }
}

/// The stack file's text, then the text of what it extends, and so on. At least one.
#[derive(Clone, Debug)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// A stack file that stands alone.
    pub fn one(file: &Path, text: &str) -> Self {
        Self(vec![Source { file: file.to_owned(), text: text.to_owned() }])
    }

    /// `first` and what it extends, nearest first.
    pub(super) fn chain(first: Source, extended: Vec<Source>) -> Self {
        Self(std::iter::once(first).chain(extended).collect())
    }

    /// The files, the stack file first.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|source| source.file.as_path())
    }

    /// The text of `file`, if it is one of these.
    pub(super) fn text(&self, file: &Path) -> &str {
        self.0.iter().find(|source| source.file == file).map_or("", |source| &source.text)
    }

    /// Each text with where it begins.
    pub(super) fn laid_out(&self) -> Vec<Sheet<'_>> {
        let mut start = 0;
        let mut sheets = Vec::with_capacity(self.0.len());
        for source in &self.0 {
            let lines = Lines::of(&source.text);
            let mask = Mask::of(&lines);
            sheets.push(Sheet { file: &source.file, text: &source.text, start, lines, mask });
            // One byte more, so that the end of one text is not the beginning of the next.
            start += source.text.len() + 1;
        }
        sheets
    }
}

/// One text among the others.
#[derive(Debug)]
pub(super) struct Sheet<'s> {
    pub(super) file: &'s Path,
    pub(super) text: &'s str,
    /// Where it begins among all.
    pub(super) start: usize,
    pub(super) lines: Lines<'s>,
    pub(super) mask: Mask,
}

impl Sheet<'_> {
    /// A span among all texts as one of this text.
    pub(super) fn own(&self, span: &Range<usize>) -> Range<usize> {
        span.start.saturating_sub(self.start)..span.end.saturating_sub(self.start)
    }
}

/// The number of the sheet that a byte stands on.
pub(super) fn sheet_of(sheets: &[Sheet<'_>], at: usize) -> usize {
    sheets.partition_point(|sheet| sheet.start <= at).saturating_sub(1)
}
