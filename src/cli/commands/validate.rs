//! `validate`: stack files, offline. Reading them is all there is to do.

use std::path::Path;

use super::remarks;
use crate::cli::load::Loaded;
use crate::cli::target::target_text;
use crate::problem::Problem;
use crate::report::{Command, Report};

/// The report of a stack file that was read without an error.
pub(in crate::cli) fn run(loaded: &Loaded) -> Report {
    let stack = &loaded.stack;
    Report {
        findings: remarks(&loaded.warnings),
        ..Report::empty(
            Command::Validate,
            stack.name.as_str(),
            &stack.file.display().to_string(),
            &target_text(stack, None),
        )
    }
}

/// The report of a stack file that is not one, or has errors. It has no name and no target yet.
pub(in crate::cli) fn refused(file: &Path, problem: Problem) -> Report {
    let file = file.display().to_string();
    Report::of_problem(Command::Validate, &file, &file, "", problem)
}
