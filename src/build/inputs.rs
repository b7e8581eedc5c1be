//! The hash of everything a package is made from: equal inputs need no build and no upload.

use std::collections::BTreeMap;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

use crate::door::Files;
use crate::problem::{Problem, ProblemKind};

use super::source::{manifest, workspace_of};
use super::{BOOTSTRAP_BYTES_MAX, InputsHash, Recipe, Source, cargo, hex, lock, sha256_hex, triple};

/// Changes when the same inputs are built in another way.
const FORM: &str = "thinggate inputs 1";

/// The greatest source file.
const SOURCE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The most source files.
const SOURCES_MAX: usize = 10_000;

/// The tables of the workspace's `Cargo.toml` that reach the binary.
const WORKSPACE_TABLES: [&str; 3] = ["package", "dependencies", "resolver"];

/// A bootstrap that is not there is a mistake in the stack file, as sources that are not there are.
fn bootstrap_missing(problem: Problem) -> Problem {
    let problem =
        Problem { what: "the file that `[function] bootstrap` names cannot be read".to_owned(), ..problem };
    if problem.code == "file_missing" { Problem { kind: ProblemKind::Usage, ..problem } } else { problem }
}

/// What a package is made from: one hash of it all, and one of each part, to say which part moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// The hash of it all.
    pub hash: InputsHash,
    /// SHA-256 of each part, hex, by its name: a source file's path from the crate's folder, or a word.
    pub parts: BTreeMap<String, String>,
}

/// The hash of `recipe`'s inputs. Needs no toolchain. The machine, its folders and its compiler are no
/// inputs, so that the next machine finds nothing to do.
pub fn inputs(files: &Files, recipe: &Recipe) -> Result<InputsHash, Problem> {
    listed(files, recipe).map(|inputs| inputs.hash)
}

/// The same, with its parts.
pub fn listed(files: &Files, recipe: &Recipe) -> Result<Inputs, Problem> {
    let mut hash = Hash { whole: Context::new(&SHA256), parts: BTreeMap::new() };
    hash.add("form", FORM.as_bytes());
    hash.add("architecture", recipe.architecture.as_str().as_bytes());
    hash.add("configuration", &recipe.configuration);
    match &recipe.source {
        Source::Bootstrap(path) => {
            hash.add("bootstrap", &files.read(path, BOOTSTRAP_BYTES_MAX).map_err(bootstrap_missing)?);
        }
        Source::Crate(folder) => {
            hash.add("target", triple(recipe.architecture).as_bytes());
            hash.add("flags", cargo::FLAGS.join(" ").as_bytes());
            add_crate(files, &mut hash, folder)?;
        }
    }
    Ok(Inputs { hash: InputsHash(hex(hash.whole.finish().as_ref())), parts: hash.parts })
}

fn add_crate(files: &Files, hash: &mut Hash, folder: &Path) -> Result<(), Problem> {
    let mut paths = Vec::new();
    for name in ["Cargo.toml", "build.rs"] {
        if files.exists(&folder.join(name))? {
            paths.push(name.to_owned());
        }
    }
    walk(files, folder, "src", &mut paths)?;
    // Sorted as texts: the order of a folder's entries is the file system's own.
    paths.sort();
    for path in paths {
        hash.add(&path, &files.read(&folder.join(&path), SOURCE_BYTES_MAX)?);
    }
    let workspace = workspace_of(files, folder)?;
    let lock_path = workspace.join("Cargo.lock");
    let lines = lock::closure(&manifest(files, &folder.join("Cargo.toml"))?, manifest(files, &lock_path)?)
        .map_err(|because| {
            Problem::failed("lock_file", "the authorizer's locked dependencies are not known")
                .at(lock_path.display().to_string())
                .because(because)
        })?;
    hash.add("dependencies", lines.join("\n").as_bytes());
    let root = manifest(files, &workspace.join("Cargo.toml"))?;
    let shared = root.get("workspace").and_then(toml::Value::as_table);
    for name in WORKSPACE_TABLES {
        hash.add_table(&format!("workspace.{name}"), shared.and_then(|table| table.get(name)));
    }
    let profiles = root.get("profile").and_then(toml::Value::as_table);
    for name in [cargo::PROFILE, "release"] {
        hash.add_table(&format!("profile.{name}"), profiles.and_then(|table| table.get(name)));
    }
    hash.add_table("patch", root.get("patch"));
    Ok(())
}

/// All files under `folder/inside`, as paths with `/`, relative to `folder`.
fn walk(files: &Files, folder: &Path, inside: &str, paths: &mut Vec<String>) -> Result<(), Problem> {
    for entry in files.list(&folder.join(inside))? {
        let path = format!("{inside}/{}", entry.name);
        if entry.folder {
            walk(files, folder, &path, paths)?;
        } else {
            paths.push(path);
        }
        if paths.len() > SOURCES_MAX {
            return Err(Problem::failed("too_many_sources", "the authorizer has too many source files")
                .at(folder.display().to_string())
                .because(format!("at most {SOURCES_MAX} are read")));
        }
    }
    Ok(())
}

/// A hash of named parts. Lengths go in too, so that no two lists of parts are the same bytes.
struct Hash {
    whole: Context,
    /// Each part by itself.
    parts: BTreeMap<String, String>,
}

impl Hash {
    fn add(&mut self, name: &str, bytes: &[u8]) {
        for part in [name.as_bytes(), bytes] {
            self.whole.update(&(part.len() as u64).to_be_bytes());
            self.whole.update(part);
        }
        self.parts.insert(name.to_owned(), sha256_hex(bytes));
    }

    /// A table of a manifest: its values count, not its layout or comments.
    fn add_table(&mut self, name: &str, table: Option<&toml::Value>) {
        let mut text = String::new();
        if let Some(table) = table {
            canonical(table, &mut text);
        }
        self.add(name, text.as_bytes());
    }
}

/// A text that is the same for equal values: tables come sorted by key.
fn canonical(value: &toml::Value, text: &mut String) {
    match value {
        toml::Value::Table(table) => {
            text.push('{');
            for (key, value) in table {
                quoted(key, text);
                text.push('=');
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        toml::Value::Array(values) => {
            text.push('[');
            for value in values {
                canonical(value, text);
                text.push(',');
            }
            text.push(']');
        }
        toml::Value::String(string) => quoted(string, text),
        toml::Value::Integer(number) => text.push_str(&number.to_string()),
        toml::Value::Float(number) => text.push_str(&number.to_string()),
        toml::Value::Boolean(truth) => text.push_str(&truth.to_string()),
        toml::Value::Datetime(time) => text.push_str(&time.to_string()),
    }
}

/// A text between quotes, with quotes and backslashes inside it escaped: where it ends is certain.
fn quoted(string: &str, text: &mut String) {
    text.push('"');
    text.extend(string.escape_debug());
    text.push('"');
}
