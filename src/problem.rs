//! What went wrong, for a person: what, where, because, and the next command.
//!
//! A [`Problem`] carries a closed [`ProblemKind`]; [`Verdict::exit`] alone turns an outcome into an
//! exit code. Text from AWS enters only through an allow-list of codes (`aws::answer`), because some
//! of AWS's messages echo secrets.

use std::fmt;

/// Why a run did not do what was asked. Each kind has one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The command line or the stack file is wrong. Exit 64.
    Usage,
    /// AWS credentials are missing, wrong or expired, or a permission is missing. Exit 6.
    Credentials,
    /// Another process holds the state directory or the lease. Exit 5.
    Held,
    /// A guard refused: account, ownership, protection, device impact, a foreign key. Exit 4.
    Refused,
    /// Applied, but the proof failed; the old version serves. Exit 3.
    Disproved,
    /// Stopped by the user; safe to run again. Exit 130.
    Interrupted,
    /// Anything else. Exit 1.
    Failed,
}

/// One problem, told in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind, which decides the exit code.
    pub kind: ProblemKind,
    /// A stable word for machines, such as `foreign_key`.
    pub code: &'static str,
    /// What did not work: lower case, no full stop.
    pub what: String,
    /// Where: a resource, a file with line and column, an address.
    pub place: Option<String>,
    /// The causes, nearest first.
    pub because: Vec<String>,
    /// AWS's request id, when there is one.
    pub request_id: Option<String>,
    /// The command or action that helps.
    pub next: Option<String>,
}

impl Problem {
    /// A problem with its kind, its stable code and what did not work.
    pub fn new(kind: ProblemKind, code: &'static str, what: impl Into<String>) -> Self {
        Self { kind, code, what: what.into(), place: None, because: Vec::new(), request_id: None, next: None }
    }

    /// A failure without a kind of its own.
    pub fn failed(code: &'static str, what: impl Into<String>) -> Self {
        Self::new(ProblemKind::Failed, code, what)
    }

    /// A guard that refused.
    pub fn refused(code: &'static str, what: impl Into<String>) -> Self {
        Self::new(ProblemKind::Refused, code, what)
    }

    /// A mistake on the command line or in the stack file.
    pub fn usage(code: &'static str, what: impl Into<String>) -> Self {
        Self::new(ProblemKind::Usage, code, what)
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds a cause, after those that are there.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.because.push(cause.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Puts a stack's file, as a word of a shell, where the next command says `STACK`.
    #[must_use]
    pub fn of_stack(self, file: &str) -> Self {
        Self { next: self.next.map(|next| with_stack(&next, file)), ..self }
    }

    /// Keeps AWS's request id, if there is one.
    #[must_use]
    pub fn request_id(mut self, id: Option<&str>) -> Self {
        self.request_id = id.map(str::to_owned);
        self
    }
}

/// A command in a text with a stack's file, as a word of a shell, in place of `STACK`.
pub fn with_stack(text: &str, file: &str) -> String {
    text.replace(" STACK", &format!(" {file}"))
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)?;
        if let Some(place) = &self.place {
            write!(formatter, " ({place})")?;
        }
        for cause in &self.because {
            write!(formatter, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// How a stack's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done, or nothing differs.
    Done,
    /// Differences found: drift, or a plan with `--exit-code`.
    Different,
    /// Did not work, and why.
    Problem(ProblemKind),
}

impl Verdict {
    /// The exit code. The only place that knows them.
    pub const fn exit(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Problem(ProblemKind::Failed) => 1,
            Self::Different => 2,
            Self::Problem(ProblemKind::Disproved) => 3,
            Self::Problem(ProblemKind::Refused) => 4,
            Self::Problem(ProblemKind::Held) => 5,
            Self::Problem(ProblemKind::Credentials) => 6,
            Self::Problem(ProblemKind::Usage) => 64,
            Self::Problem(ProblemKind::Interrupted) => 130,
        }
    }

    /// One exit code for several stacks: the first that occurs of 130, 6, 1, 3, 4, 5, 2, 0.
    pub fn of_many(verdicts: &[Self]) -> Self {
        const ORDER: [u8; 9] = [64, 130, 6, 1, 3, 4, 5, 2, 0];
        ORDER
            .iter()
            .find_map(|code| verdicts.iter().copied().find(|verdict| verdict.exit() == *code))
            .unwrap_or(Self::Done)
    }
}
