//! `validate`: stack files, offline. Reading them is all there is to do.

use crate::cli::load::Loaded;
use crate::cli::target::target_text;
use crate::report::{Command, Finding, Report};

/// The report of a stack file that was read without an error.
pub(in crate::cli) fn run(loaded: &Loaded) -> Report {
    let stack = &loaded.stack;
    let findings = loaded
        .warnings
        .iter()
        .map(|warning| Finding {
            code: warning.code,
            what: warning.message.clone(),
            next: warning.help.clone(),
        })
        .collect();
    Report {
        findings,
        ..Report::empty(
            Command::Validate,
            stack.name.as_str(),
            &stack.file.display().to_string(),
            &target_text(stack, None),
        )
    }
}
