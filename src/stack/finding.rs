//! What is wrong, or remarkable, in a stack file: data with a place, never a source line.

use std::fmt;
use std::path::PathBuf;

/// One thing found in a stack file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file: the stack file, or one that it extends.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters. On a line that may hold a secret: where the hidden part begins, at most.
    pub column: usize,
    /// How many characters on that line are meant, at least 1.
    pub length: usize,
    /// The dotted path of the key, such as `token.hs256.secret`; empty where a syntax error has none.
    pub key: String,
    /// What is wrong: lower case, no full stop, never the value of a key that may hold a secret.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// A stable word for machines, such as `unknown_key`.
    pub code: &'static str,
    /// How much of the source line may be shown.
    pub shown: Shown,
}

/// How much of a source line may be shown beside a finding. A line that may hold a secret (by its own
/// words) is hidden whatever this says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All of it.
    Line,
    /// What stands before the finding, and the finding: the key, not its value.
    ToEnd,
    /// What stands before the finding.
    ToStart,
    /// Nothing: the file is no stack file, and may be anything.
    Nothing,
}

/// A mistake: the file is not accepted.
pub type StackError = Finding;

/// A remark: the file is accepted, and the user should know.
pub type Warning = Finding;

/// Everything that is wrong with one stack file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackErrors {
    /// The file, as the user named it.
    pub file: PathBuf,
    /// At least one.
    pub errors: Vec<StackError>,
}

/// The code of the error that says so where a file is no stack file at all.
pub(super) const NO_STACK: &str = "no_stack_file";

impl StackErrors {
    /// Whether the file is no stack file at all, so that nothing in it can be corrected.
    pub fn is_no_stack(&self) -> bool {
        self.errors.iter().any(|error| error.code == NO_STACK)
    }
}

impl fmt::Display for StackErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.errors.iter().enumerate() {
            if number > 0 {
                formatter.write_str("\n")?;
            }
            let file = error.file.display();
            write!(formatter, "{file}:{}:{}: {}", error.line, error.column, error.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for StackErrors {}

/// A user's text between backticks, cut where it is long, without control characters.
pub(super) fn quoted(text: &str) -> String {
    const LENGTH_MAX: usize = 60;
    let mut shown: String = text.chars().take(LENGTH_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(LENGTH_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// `a`, `a or b`, `a, b or c`, each between backticks.
pub(super) fn one_of(choices: &[&str]) -> String {
    let ticked: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
    match ticked.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// The choice that looks most like `text`, when one looks alike.
pub(crate) fn alike<'c>(text: &str, choices: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    /// Below this, a suggestion would be a guess; 0.8 still joins `encodng` to `encoding`.
    const LIKENESS_MIN: f64 = 0.8;
    choices
        .into_iter()
        .map(|choice| (strsim::jaro_winkler(text, choice), choice))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, choice)| choice)
}
