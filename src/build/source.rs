//! Finds the authorizer's sources and the Cargo workspace around them.

use std::path::{Path, PathBuf};

use crate::door::Files;
use crate::problem::Problem;
use crate::stack::Stack;

/// The longest manifest or lock file that is read.
pub(super) const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The package that a workspace's `authorizer/` must be, unless the stack file names the folder.
const PACKAGE: &str = "thinggate-authorizer";

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
    let because = match nearest_workspace(files, &folder)? {
        Some(workspace) => match package_name(files, &workspace.join("authorizer"))? {
            Some(name) if name == PACKAGE => return Ok(workspace.join("authorizer")),
            Some(name) => format!(
                "the Cargo workspace {} has an authorizer/ of another name: {name}, not {PACKAGE}",
                workspace.display()
            ),
            None => format!("the Cargo workspace {} has no authorizer/", workspace.display()),
        },
        None => "there is no Cargo workspace above the stack file, in the same repository and of the same \
                 owner"
            .to_owned(),
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
    Ok(nearest_workspace(files, &folder)?.unwrap_or(folder))
}

/// The nearest workspace at or above `folder`. What is built decides who gets in, so the way up ends at the
/// root of the repository, and before a folder that everybody may write to, such as `/tmp`, or that has
/// another owner: a stranger's workspace there is never built.
fn nearest_workspace(files: &Files, folder: &Path) -> Result<Option<PathBuf>, Problem> {
    let user = files.holder(folder)?.user;
    for above in folder.ancestors() {
        let holder = files.holder(above)?;
        if holder.user != user || (holder.everybody && above != folder) {
            return Ok(None);
        }
        if is_workspace(files, above)? {
            return Ok(Some(above.to_owned()));
        }
        if files.exists(&above.join(".git"))? {
            return Ok(None);
        }
    }
    Ok(None)
}

/// The name of the package in `folder`; `None` when there is no `Cargo.toml`.
fn package_name(files: &Files, folder: &Path) -> Result<Option<String>, Problem> {
    let path = folder.join("Cargo.toml");
    if !files.exists(&path)? {
        return Ok(None);
    }
    let manifest = manifest(files, &path)?;
    let name = manifest.get("package").and_then(|package| package.get("name")?.as_str());
    Ok(Some(name.unwrap_or("without a name").to_owned()))
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
