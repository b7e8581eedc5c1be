//! Stack files that extend the same file must not be the same stack by accident: they would undo each other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::load;
use super::session::Session;
use crate::stack::{Given, Shown, Sources, Stack, Warning};

/// The most stack files beside one that are looked at.
const BESIDE_MAX: usize = 64;

/// A remark for each stack file in the same folder that extends a common file and has the same name, Region
/// and account. Files that cannot be read, or are no whole stack, are none.
pub(super) fn same_stacks(
    session: &Session,
    stack: &Stack,
    sources: &Sources,
    given: &Given,
) -> Vec<Warning> {
    if sources.files().count() < 2 {
        return Vec::new();
    }
    let folder = stack.file.parent().unwrap_or(Path::new(""));
    let listed = if folder == Path::new("") { Path::new(".") } else { folder };
    let Ok(entries) = session.files.list(listed) else { return Vec::new() };
    let own = identities(session, sources);
    let itself = session.files.canonical(&stack.file).ok();
    let beside = entries
        .into_iter()
        .filter(|entry| !entry.folder && Path::new(&entry.name).extension().is_some_and(|end| end == "toml"));
    let mut same = Vec::new();
    for file in beside.take(BESIDE_MAX).map(|entry| folder.join(entry.name)) {
        if session.files.canonical(&file).ok() == itself {
            continue;
        }
        let Ok(Ok(other)) = load::open(session, &file, given) else { continue };
        let is_same = (stack.target, &stack.account, &stack.region, &stack.name)
            == (other.stack.target, &other.stack.account, &other.stack.region, &other.stack.name);
        if is_same && !identities(session, &other.sources).is_disjoint(&own) {
            same.push(remark(stack, &file));
        }
    }
    same
}

/// The files of a stack, each by its one name.
fn identities(session: &Session, sources: &Sources) -> BTreeSet<PathBuf> {
    sources.files().filter_map(|file| session.files.canonical(file).ok()).collect()
}

fn remark(stack: &Stack, other: &Path) -> Warning {
    let place = stack.places.0.get("name").map(|origin| &origin.place);
    Warning {
        file: place.map_or_else(|| stack.file.clone(), |place| place.file.clone()),
        line: place.map_or(1, |place| place.line),
        column: place.map_or(1, |place| place.column),
        length: "name".len(),
        key: "name".to_owned(),
        message: format!(
            "{} is the same stack as {}: `{}` in {}",
            other.display(),
            stack.file.display(),
            stack.name,
            stack.region
        ),
        help: Some(
            "give each its own `name`, Region or account; deployed in turn, they undo each other".to_owned(),
        ),
        code: "same_stack",
        shown: Shown::Line,
    }
}
