//! Finds the authorizer's sources and the Cargo workspace around them.

use std::path::{Path, PathBuf};

use crate::door::Files;
use crate::problem::Problem;
use crate::stack::Stack;

/// The longest manifest or lock file that is read.
pub(super) const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The folder of the authorizer crate: `[function] source`, else `authorizer/` in the nearest Cargo
/// workspace above the stack file.
pub fn find_source(files: &Files, stack: &Stack) -> Result<PathBuf, Problem> {
    if let Some(source) = &stack.function.source {
        if files.exists(&source.join("Cargo.toml"))? {
            return files.canonical(source);
        }
        return Err(Problem::usage("no_source", "the authorizer's sources are not there")
            .at(format!("{}: function.source", stack.file.display()))
            .because(format!("there is no Cargo.toml in {}", source.display())));
    }
    let beside = stack.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = files.canonical(beside.unwrap_or(Path::new(".")))?;
    let workspace = folder.ancestors().find_map(|folder| match is_workspace(files, folder) {
        Ok(false) => None,
        Ok(true) => Some(Ok(folder)),
        Err(problem) => Some(Err(problem)),
    });
    let because = match workspace.transpose()? {
        Some(folder) if files.exists(&folder.join("authorizer/Cargo.toml"))? => {
            return Ok(folder.join("authorizer"));
        }
        Some(folder) => format!("the Cargo workspace {} has no authorizer/", folder.display()),
        None => "there is no Cargo workspace above the stack file".to_owned(),
    };
    Err(Problem::usage("no_source", "the authorizer's sources are not found")
        .at(stack.file.display().to_string())
        .because(because)
        .next(
            "set `[function] source` to the folder of the authorizer crate, or `[function] bootstrap` to a built one",
        ))
}

/// The workspace that the crate in `folder` belongs to: the nearest above it, or itself.
pub(super) fn workspace_of(files: &Files, folder: &Path) -> Result<PathBuf, Problem> {
    let folder = files.canonical(folder)?;
    for above in folder.ancestors() {
        if is_workspace(files, above)? {
            return Ok(above.to_owned());
        }
    }
    Ok(folder)
}

/// A manifest, parsed.
pub(super) fn manifest(files: &Files, path: &Path) -> Result<toml::Table, Problem> {
    let bytes = files.read(path, MANIFEST_BYTES_MAX)?;
    let wrong = |because: String| {
        Problem::failed("manifest", "this Cargo file cannot be read")
            .at(path.display().to_string())
            .because(because)
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
    toml::from_str(text).map_err(|error| wrong(error.message().to_owned()))
}

fn is_workspace(files: &Files, folder: &Path) -> Result<bool, Problem> {
    let path = folder.join("Cargo.toml");
    Ok(files.exists(&path)? && manifest(files, &path)?.contains_key("workspace"))
}
