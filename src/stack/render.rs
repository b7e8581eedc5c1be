//! Draws findings beside the user's own lines, as rustc does.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::finding::{Finding, Shown, StackErrors, Warning};
use super::lines::{Lines, byte_of_column};
use super::mask::Mask;
use super::sources::Sources;

/// The width that long lines are cut to, in columns; the same everywhere, so that outputs compare.
const WIDTH: usize = 140;

/// All errors of a stack file that stands alone, each with its line. A line that may hold a secret is cut
/// before it.
pub fn render(errors: &StackErrors, source: &str, color: bool) -> String {
    render_all(errors, &Sources::one(&errors.file, source), color)
}

/// All errors, each with its line, in whichever file that is.
pub fn render_all(errors: &StackErrors, sources: &Sources, color: bool) -> String {
    draw(&errors.errors, sources, color, &Level::ERROR)
}

/// All remarks of a stack file that stands alone, each with its line.
pub fn render_warnings(file: &Path, warnings: &[Warning], source: &str, color: bool) -> String {
    draw(warnings, &Sources::one(file, source), color, &Level::WARNING)
}

fn draw(findings: &[Finding], sources: &Sources, color: bool, level: &Level<'_>) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(WIDTH);
    let mut drawn = String::new();
    for finding in findings {
        let file = finding.file.display().to_string();
        let lines = Lines::of(sources.text(&finding.file));
        let mask = Mask::of(&lines);
        let (line, start, end) = visible(&lines, &mask, finding);
        let annotation = AnnotationKind::Primary.span(start..end);
        let snippet =
            Snippet::source(line).line_start(finding.line).path(file.as_str()).annotation(annotation);
        let title = level.clone().primary_title(finding.message.as_str()).id(finding.code);
        let mut group = Group::with_title(title).element(snippet);
        if let Some(help) = &finding.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        drawn.push_str(&renderer.render(&[group]));
        drawn.push_str("\n\n");
    }
    drawn
}

/// The line as it may be shown, and where on it the finding lies, in bytes.
fn visible(lines: &Lines<'_>, mask: &Mask, finding: &Finding) -> (String, usize, usize) {
    const HIDDEN: &str = "…";
    let whole = lines.line(finding.line);
    let start = byte_of_column(whole, finding.column);
    let end = byte_of_column(whole, finding.column + finding.length).max(start);
    let by_finding = match finding.shown {
        Shown::Line => whole.len(),
        // A header has no value to hide.
        Shown::ToEnd if whole.trim_start().starts_with('[') && !whole.contains(['=', '"', '\'']) => {
            whole.len()
        }
        Shown::ToEnd => end,
        Shown::ToStart => start,
        Shown::Nothing => 0,
    };
    let shown = by_finding.min(mask.shown(finding.line).unwrap_or(whole.len()));
    if shown >= whole.trim_end().len() {
        let end = if end > start { end } else { start + 1 };
        return (whole.to_owned(), start, end.min(whole.len()).max(start));
    }
    let mut line = whole[..shown].to_owned();
    if finding.shown == Shown::ToEnd && shown == end {
        line.push(' ');
    }
    line.push_str(HIDDEN);
    let start = start.min(shown);
    let end = if end <= shown && end > start { end } else { shown + HIDDEN.len() };
    (line, start, end)
}
