//! The part of `Cargo.lock` that decides what the authorizer is made of: its dependencies and theirs,
//! without those of its tests.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// One line for each locked package that the crate of `manifest` is built with, sorted:
/// `name version source checksum`. `Err` says what does not fit together.
pub(super) fn closure(manifest: &toml::Table, lock: toml::Table) -> Result<Vec<String>, String> {
    let lock: Lock = lock.try_into().map_err(|_| "it has not the form of a Cargo.lock".to_owned())?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name")?.as_str())
        .ok_or_else(|| "the crate's Cargo.toml has no `package.name`".to_owned())?;
    let root = lock
        .package
        .iter()
        .find(|package| package.name == name && package.source.is_none())
        .ok_or_else(|| format!("it does not know the package `{name}`; run `cargo build` once"))?;
    let built_with = declared(manifest);
    let mut names: BTreeMap<&str, Vec<&Locked>> = BTreeMap::new();
    for package in &lock.package {
        names.entry(&package.name).or_default().push(package);
    }
    let mut lines = BTreeSet::new();
    let own = root.dependencies.iter().filter(|wanted| built_with.contains(first_word(wanted)));
    let mut waiting: Vec<&String> = own.collect();
    while let Some(wanted) = waiting.pop() {
        let package = names
            .get(first_word(wanted))
            .and_then(|candidates| candidates.iter().find(|package| package.is(wanted)))
            .ok_or_else(|| format!("it does not know `{wanted}`"))?;
        let Some(source) = &package.source else { return Err(by_path(&package.name)) };
        let checksum = package.checksum.as_deref().unwrap_or("-");
        let line = format!("{} {} {source} {checksum}", package.name, package.version);
        if lines.insert(line) {
            waiting.extend(&package.dependencies);
        }
    }
    Ok(lines.into_iter().collect())
}

/// A package of this machine's folders has neither a source nor a checksum in the lock file: nothing would
/// say that its code changed.
fn by_path(name: &str) -> String {
    format!(
        "the authorizer depends on `{name}` by its path, and only the authorizer's own folder and locked packages \
         are looked at: a change of `{name}` would go unnoticed; move its code into the authorizer, or take it \
         from a registry or a git repository"
    )
}

impl Locked {
    /// Whether `wanted` (`name`, `name version` or `name version (source)`) is this package.
    fn is(&self, wanted: &str) -> bool {
        let mut words = wanted.splitn(3, ' ');
        let same = |word: Option<&str>, own: &str| word.is_none_or(|word| word == own);
        let source = self.source.as_ref().map(|source| format!("({source})")).unwrap_or_default();
        same(words.next(), &self.name) && same(words.next(), &self.version) && same(words.next(), &source)
    }
}

fn first_word(wanted: &str) -> &str {
    wanted.split(' ').next().unwrap_or_default()
}

/// The names of the packages that the crate declares, except for its tests.
fn declared(manifest: &toml::Table) -> BTreeSet<String> {
    let mut tables: Vec<&toml::Table> = vec![manifest];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    tables.extend(targets.into_iter().flat_map(|targets| targets.values()).filter_map(toml::Value::as_table));
    let mut names = BTreeSet::new();
    for table in tables {
        for kind in ["dependencies", "build-dependencies"] {
            for (name, value) in table.get(kind).and_then(toml::Value::as_table).into_iter().flatten() {
                let renamed = value.get("package").and_then(toml::Value::as_str);
                names.insert(renamed.unwrap_or(name).to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        [package]
        name = "authorizer"
        [dependencies]
        ring = "1"
        encoding = { package = "base64", version = "2" }
        [target.'cfg(unix)'.dependencies]
        libc = "1"
        [dev-dependencies]
        rsa = "1"
    "#;

    const LOCK: &str = r#"
        version = 4
        [[package]]
        name = "authorizer"
        version = "0.1.0"
        dependencies = ["base64 2.0.0", "libc", "ring", "rsa"]
        [[package]]
        name = "base64"
        version = "1.0.0"
        source = "registry+x"
        checksum = "b1"
        [[package]]
        name = "base64"
        version = "2.0.0"
        source = "registry+x"
        checksum = "b2"
        [[package]]
        name = "libc"
        version = "1.0.0"
        source = "registry+x"
        checksum = "c1"
        [[package]]
        name = "ring"
        version = "1.0.0"
        source = "registry+x"
        checksum = "r1"
        dependencies = ["libc", "ring"]
        [[package]]
        name = "rsa"
        version = "1.0.0"
        source = "registry+x"
        checksum = "t1"
        dependencies = ["base64 1.0.0"]
    "#;

    fn lines(lock: &str) -> Result<Vec<String>, String> {
        closure(&toml::from_str(MANIFEST).unwrap(), toml::from_str(lock).unwrap())
    }

    #[test]
    fn only_what_is_built_in_counts() {
        let expected = ["base64 2.0.0 registry+x b2", "libc 1.0.0 registry+x c1", "ring 1.0.0 registry+x r1"];
        assert_eq!(lines(LOCK).unwrap(), expected);
        assert_eq!(lines(&LOCK.replace("t1", "t2")), lines(LOCK), "a test dependency is no input");
        assert_ne!(lines(&LOCK.replace("c1", "c2")), lines(LOCK));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let missing = LOCK.replace("name = \"libc\"", "name = \"other\"");
        assert_eq!(lines(&missing), Err("it does not know `libc`".to_owned()));
        let by_path = LOCK.replace("source = \"registry+x\"\n        checksum = \"c1\"", "");
        let told = lines(&by_path).unwrap_err();
        assert!(told.contains("depends on `libc` by its path"), "{told}");
        let in_tests = LOCK.replace("source = \"registry+x\"\n        checksum = \"t1\"", "");
        assert_eq!(lines(&in_tests), lines(LOCK), "what only tests use is no input");
        let unknown = LOCK.replace("name = \"authorizer\"", "name = \"x\"");
        assert!(lines(&unknown).unwrap_err().contains("package `authorizer`"));
    }
}
