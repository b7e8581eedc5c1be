//! File errors in words: what, where, the system's reason, and what helps.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::problem::{Problem, ProblemKind};

use super::super::toll::Refusal;

/// A file operation that the system refused.
pub(super) fn failure(operation: &str, path: &Path, error: &io::Error) -> Problem {
    let (code, reason, next) = words(error);
    let problem = Problem::failed(code, format!("cannot {}", verb(operation)))
        .at(path.display().to_string())
        .because(reason.map_or_else(|| error.to_string(), str::to_owned));
    match next {
        Some(next) => problem.next(next),
        None => problem,
    }
}

/// A file operation that a toll refused.
pub(super) fn refused(operation: &str, path: &Path, refusal: Refusal) -> Problem {
    let (kind, code) = match refusal {
        Refusal::Stopped => (ProblemKind::Interrupted, "interrupted"),
        Refusal::Injected => (ProblemKind::Failed, "file_failed"),
    };
    Problem::new(kind, code, format!("cannot {}", verb(operation)))
        .at(path.display().to_string())
        .because(refusal.to_string())
}

fn verb(operation: &str) -> &'static str {
    match operation {
        "read" | "verify" => "read a file",
        "metadata" => "look at a file",
        "list" => "list a folder",
        "create_folder" => "make a folder",
        "sync_folder" => "make a folder durable",
        "remove_folder" => "remove a folder",
        "remove" | "discard" => "remove a file",
        _ => "write a file",
    }
}

/// A stable code, our words for the reason, and what helps.
fn words(error: &io::Error) -> (&'static str, Option<&'static str>, Option<&'static str>) {
    match error.kind() {
        ErrorKind::StorageFull => (
            "disk_full",
            Some("the disk is full (ENOSPC)"),
            Some("free some space, then run the command again; nothing was half written"),
        ),
        ErrorKind::QuotaExceeded => (
            "disk_quota",
            Some("the disk quota is used up (EDQUOT)"),
            Some("free some space, then run the command again; nothing was half written"),
        ),
        ErrorKind::PermissionDenied => (
            "file_permission",
            Some("permission denied (EACCES)"),
            Some("give your user access to it, or choose another place"),
        ),
        ErrorKind::ReadOnlyFilesystem => (
            "read_only_disk",
            Some("the file system is read-only (EROFS)"),
            Some("choose a place that can be written"),
        ),
        ErrorKind::NotFound => (
            "file_missing",
            Some("there is no such file or folder"),
            Some(
                "check the path; a relative one begins in the working folder, or at the stack file that has it",
            ),
        ),
        ErrorKind::IsADirectory => {
            ("file_is_folder", Some("it is a folder, not a file"), Some("name a file"))
        }
        ErrorKind::NotADirectory => {
            let next = "move that file away, or choose another place";
            ("file_missing", Some("something on its way is a file, not a folder"), Some(next))
        }
        _ => ("file_failed", None, None),
    }
}
