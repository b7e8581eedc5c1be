//! Rules about how files stand to each other.

use std::collections::BTreeMap;

use super::rules::module;
use super::source::{Source, line_of, words};

/// The deployer's modules, from the ground up. A module names only what stands on a line above its own.
const ORDER: [&[&str]; 10] = [
    &["names", "problem"],
    &["door", "stack"],
    &["aws"],
    &["keys"],
    &["build"],
    &["resource"],
    &["gather", "plan", "policy"],
    &["apply", "device"],
    &["report"],
    &["cli"],
];

/// The kinds of resource, one file each.
const KINDS: [&str; 8] = [
    "authorizer",
    "default_authorizer",
    "function",
    "log_group",
    "permission",
    "release",
    "role",
    "signing_key",
];

/// What each of them has, in this order.
const SECTIONS: [&str; 8] = [
    "struct Desired",
    "struct Live",
    "fn desired(",
    "fn diff(",
    "fn owner(",
    "fn read(",
    "fn apply(",
    "fn delete(",
];

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|row| row.contains(&module))
}

/// Modules name only what stands before them.
pub(super) fn named_modules(source: &Source) -> Vec<String> {
    let Some(own) = module(&source.path) else { return Vec::new() };
    let Some(own_rank) = rank(own) else {
        return vec![format!("{}: module `{own}` has no place in the order", source.path)];
    };
    let mut found = Vec::new();
    for (at, named) in named(&source.product, &source.path) {
        if named == own || rank(&named).is_some_and(|rank| rank < own_rank) || !is_module(&named) {
            continue;
        }
        let line = line_of(&source.text, at);
        found
            .push(format!("{}:{line}: `{own}` names `{named}`, which does not stand before it", source.path));
    }
    found
}

/// Items that stand at the top of the crate are no modules: constants and the like begin in upper case.
fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Every module of the crate that `code` names, by `crate::…`, or by enough `super::` to reach the top.
fn named(code: &str, path: &str) -> Vec<(usize, String)> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let to_the_top = "super::".repeat(inside.split('/').count());
    let mut found = Vec::new();
    for prefix in ["crate::", to_the_top.as_str()] {
        for at in words(code, prefix) {
            if prefix != "crate::" && code[..at].ends_with("super::") {
                continue;
            }
            found.extend(heads(&code[at + prefix.len()..]).into_iter().map(|head| (at, head)));
        }
    }
    found
}

/// The first names of a path, or of each path of a group: `a` and `b` of `{a::x, b::{y, z}}`.
fn heads(tree: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let tree = tree.trim_start();
    let Some(group) = tree.strip_prefix('{') else { return vec![name(tree)] };
    let mut heads = vec![name(group)];
    let mut depth = 1_usize;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => heads.push(name(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads.retain(|head| !head.is_empty() && head != "self");
    heads
}

/// Whether a file is one kind of resource.
pub(super) fn is_resource_kind(path: &str) -> bool {
    let name = path.strip_prefix("src/resource/").and_then(|name| name.strip_suffix(".rs"));
    name.is_some_and(|name| KINDS.contains(&name))
}

/// Every kind of resource tells its parts in the same order.
pub(super) fn resource_order(source: &Source) -> Vec<String> {
    if !is_resource_kind(&source.path) {
        return Vec::new();
    }
    let mut found = Vec::new();
    if !source.text.starts_with("//!") {
        found.push(format!("{}: begins with what it is and what AWS will not let one do", source.path));
    }
    let mut last = (0, "the beginning");
    for section in SECTIONS {
        match words(&source.code, section).first() {
            None => found.push(format!("{}: `{section}` is missing", source.path)),
            Some(at) if *at < last.0 => {
                found.push(format!("{}: `{section}` stands before `{}`", source.path, last.1));
            }
            Some(at) => last = (*at, section),
        }
    }
    found
}

/// Every file is a module of its parent, so that no test is forgotten and no code is dead.
///
/// `roots` are the files that a manifest names: each is a crate of its own.
pub(super) fn forgotten_files(sources: &[Source], roots: &[String]) -> Vec<String> {
    let by_path: BTreeMap<&str, &Source> =
        sources.iter().map(|source| (source.path.as_str(), source)).collect();
    let mut found = Vec::new();
    for path in by_path.keys().filter(|path| !roots.iter().any(|root| root == *path)) {
        let Some((parents, name)) = parents(path) else { continue };
        let declares = |parent: &String| {
            let code = by_path.get(parent.as_str()).map_or("", |source| source.code.as_str());
            !words(code, &format!("mod {name};")).is_empty()
        };
        if !parents.iter().any(declares) {
            found.push(format!("{path}: no parent has `mod {name};`"));
        }
    }
    found
}

/// The Rust files that the manifest `path` names, from the top of the repository.
pub(super) fn roots(path: &str, manifest: &str) -> Vec<String> {
    let folder = path.strip_suffix("Cargo.toml").unwrap_or_default();
    let named = manifest.lines().filter_map(|line| line.trim().strip_prefix("path = \"")?.split('"').next());
    named.filter(|name| name.contains(".rs")).map(|name| format!("{folder}{name}")).collect()
}

/// The files that may declare `path` as a module, and under which name; `None` for the root of a crate.
fn parents(path: &str) -> Option<(Vec<String>, String)> {
    let (folder, file) = path.rsplit_once('/')?;
    let stem = file.strip_suffix(".rs")?;
    // Cargo takes each file at the top of these two for a crate of its own.
    let is_crate = folder.rsplit('/').next().is_some_and(|folder| ["tests", "benches"].contains(&folder));
    if ["main", "lib"].contains(&stem) || (is_crate && !folder.contains("src/")) {
        return None;
    }
    let (folder, name) = if stem == "mod" { folder.rsplit_once('/')? } else { (folder, stem) };
    let inside = ["mod", "lib", "main"].map(|root| format!("{folder}/{root}.rs"));
    Some((inside.into_iter().chain([format!("{folder}.rs")]).collect(), name.to_owned()))
}
