//! From a byte offset to a line and a column, the latter in characters.

use std::ops::Range;

/// The lines of a text.
#[derive(Debug)]
pub(super) struct Lines<'s> {
    source: &'s str,
    /// The byte at which each line begins.
    starts: Vec<usize>,
}

impl<'s> Lines<'s> {
    /// Finds the lines of `source`.
    pub(super) fn of(source: &'s str) -> Self {
        let after_breaks = source.match_indices('\n').map(|(at, _)| at + 1);
        Self { source, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// How many there are; a text that ends in a line break has an empty last one.
    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// All lines, without their line breaks.
    pub(super) fn all(&self) -> impl Iterator<Item = &'s str> {
        (1..=self.count()).map(|number| self.line(number))
    }

    /// Line `number`, from 1, without its line break; empty where there is none.
    pub(super) fn line(&self, number: usize) -> &'s str {
        let Some(start) = number.checked_sub(1).and_then(|at| self.starts.get(at)) else { return "" };
        let end = self.starts.get(number).map_or(self.source.len(), |next| next - 1);
        let line = self.source.get(*start..end).unwrap_or_default();
        line.strip_suffix('\r').unwrap_or(line)
    }

    /// The line number of a byte, and where on that line `span` lies, in bytes; at most to its end.
    pub(super) fn locate(&self, span: &Range<usize>) -> (usize, Range<usize>) {
        let number = self.starts.partition_point(|start| *start <= span.start).max(1);
        let start_of_line = self.starts[number - 1];
        let line = self.line(number);
        let start = floor(line, span.start - start_of_line);
        let end = floor(line, span.end.saturating_sub(start_of_line)).max(start);
        (number, start..end)
    }

    /// Line and column (both from 1, the column in characters) of a byte.
    pub(super) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let (number, on_line) = self.locate(&(at..at));
        (number, column(self.line(number), on_line.start))
    }
}

/// The column, from 1, of byte `at` of `line`.
pub(super) fn column(line: &str, at: usize) -> usize {
    line[..floor(line, at)].chars().count() + 1
}

/// The byte at which column `column` (from 1) of `line` begins.
pub(super) fn byte_of_column(line: &str, column: usize) -> usize {
    line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at)
}

/// The nearest character boundary at or before `at`.
fn floor(line: &str, at: usize) -> usize {
    let at = at.min(line.len());
    (0..=at).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let lines = Lines::of("é = 1\r\nbé = \"→x\"\n");
        assert_eq!(lines.line(1), "é = 1");
        assert_eq!(lines.line_and_column(lines.source.find('1').unwrap()), (1, 5));
        assert_eq!(lines.line_and_column(lines.source.find('x').unwrap()), (2, 8));
        assert_eq!(lines.line_and_column(lines.source.len()), (3, 1));
    }

    #[test]
    fn a_span_over_lines_ends_with_its_first() {
        let lines = Lines::of("a = \"\"\"\nb\"\"\"");
        assert_eq!(lines.locate(&(4..12)), (1, 4..7));
    }
}
