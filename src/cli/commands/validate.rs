//! `validate`: stack files, offline. Reading them is all there is to do.

use super::remarks;
use crate::cli::load::Loaded;
use crate::cli::target::target_text;
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
