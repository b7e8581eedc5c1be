//! Unpacks a function's zip into a directory of its own, named by the package's hash.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use zip::ZipArchive;
use zip::read::ZipFile;

/// AWS's limit on an unpacked package: 250 MB (Lambda quotas, "Deployment package size").
const UNPACKED_BYTES_MAX: u64 = 262_144_000;
/// Files and directories in one package.
const ENTRIES_MAX: usize = 20_000;

/// Where packages are unpacked: each once per host, from fresh, into a directory only this user reads.
#[derive(Debug)]
pub(super) struct Packages {
    root: PathBuf,
    unpacked: Mutex<HashSet<String>>,
    /// Deletes `root` at the end when it was made for this host alone.
    _temporary: Option<tempfile::TempDir>,
}

impl Packages {
    /// Unpacks below `root`, which is emptied first: what an earlier, killed host left is not trusted.
    pub(super) fn below(root: &Path) -> io::Result<Self> {
        // A process is started with another current directory.
        let root = std::path::absolute(root)?;
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        private_directory(&root)?;
        Ok(Self { root, unpacked: Mutex::default(), _temporary: None })
    }

    /// Unpacks into a temporary directory that goes with this value.
    pub(super) fn temporary() -> io::Result<Self> {
        let temporary = tempfile::Builder::new()
            .prefix("thinggate-local-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()?;
        let root = temporary.path().to_owned();
        Ok(Self { root, unpacked: Mutex::default(), _temporary: Some(temporary) })
    }

    /// Returns the directory of the package `hash`, unpacking `zip` when it is not there yet.
    pub(super) fn directory(
        &self,
        hash: &str,
        zip: impl FnOnce() -> io::Result<Bytes>,
    ) -> Result<PathBuf, String> {
        if hash.is_empty() || !hash.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("`{hash}` is not the hash of a package"));
        }
        let directory = self.root.join(hash);
        // Held while unpacking, so that two first invocations do not unpack twice.
        let mut unpacked = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        if unpacked.contains(hash) {
            return Ok(directory);
        }
        let failed = |error: io::Error| format!("the package cannot be unpacked: {error}");
        let zip = zip().map_err(|error| format!("the package cannot be read: {error}"))?;
        if directory.exists() {
            fs::remove_dir_all(&directory).map_err(failed)?;
        }
        private_directory(&directory).map_err(failed)?;
        unpack(&zip, &directory)?;
        unpacked.insert(hash.to_owned());
        Ok(directory)
    }
}

fn private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Reads every entry of `zip`, as [`Packages`] will; the error says why a package cannot be unpacked.
pub(crate) fn check(zip: &[u8]) -> Result<(), String> {
    each_entry(zip, |entry, _, most| io::copy(&mut entry.take(most), &mut io::sink()))
}

/// Unpacks `zip` into the empty `directory`; nothing is written outside of it.
fn unpack(zip: &[u8], directory: &Path) -> Result<(), String> {
    each_entry(zip, |entry, path, most| {
        let path = directory.join(path);
        if entry.is_dir() {
            return private_directory(&path).map(|()| 0);
        }
        if let Some(parent) = path.parent() {
            private_directory(parent)?;
        }
        // Owner only, and the executable bit as the package says: without it Lambda does not start it either.
        let mode = 0o600 | (entry.unix_mode().unwrap_or(0o644) & 0o100);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        io::copy(&mut entry.take(most), &mut file)
    })
}

/// Gives each entry that may be unpacked to `take`, with its path and the most bytes to read of it; `take`
/// returns how many it read.
fn each_entry(
    zip: &[u8],
    mut take: impl FnMut(&mut ZipFile<'_, Cursor<&[u8]>>, &Path, u64) -> io::Result<u64>,
) -> Result<(), String> {
    let broken = |error: zip::result::ZipError| format!("the package is not a zip file: {error}");
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(broken)?;
    if archive.len() > ENTRIES_MAX {
        return Err(format!("the package has {} entries; the most is {ENTRIES_MAX}", archive.len()));
    }
    let mut left = UNPACKED_BYTES_MAX;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        let Some(path) = inside(&name) else {
            return Err(format!("the package's entry `{}` points outside of it", name.escape_debug()));
        };
        let failed = |error: io::Error| format!("the package's entry `{}`: {error}", name.escape_debug());
        if entry.is_symlink() {
            return Err(format!("the package's entry `{}` is a symbolic link", name.escape_debug()));
        }
        // The size in the header is the package's word; what counts is what comes out.
        let read = take(&mut entry, path, left + 1).map_err(failed)?;
        left = left
            .checked_sub(read)
            .ok_or_else(|| format!("the package unpacks to more than {UNPACKED_BYTES_MAX} bytes"))?;
    }
    Ok(())
}

/// The relative path that a name means; `None` when it could lead elsewhere.
fn inside(name: &str) -> Option<&Path> {
    let path = Path::new(name);
    let normal = path.components().all(|part| matches!(part, Component::Normal(_)));
    (normal && !name.is_empty() && !name.contains(['\\', '\0'])).then_some(path)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zip(entries: &[(&str, u32, &[u8])]) -> Bytes {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, mode, content) in entries {
            let options = SimpleFileOptions::default().unix_permissions(*mode);
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
        Bytes::from(writer.finish().unwrap().into_inner())
    }

    #[test]
    fn a_package_is_unpacked_once_with_its_executable_bit() {
        let packages = Packages::temporary().unwrap();
        let content = zip(&[("bootstrap", 0o755, b"#!/bin/sh\n"), ("deep/er/rules.json", 0o644, b"{}")]);
        let directory = packages.directory("abc", || Ok(content)).unwrap();
        let mode = |name: &str| directory.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("bootstrap"), mode("deep/er/rules.json")), (0o700, 0o600));
        assert_eq!(fs::read(directory.join("deep/er/rules.json")).unwrap(), b"{}");
        let again = packages.directory("abc", || panic!("read twice")).unwrap();
        assert_eq!(again, directory);
    }

    #[test]
    fn nothing_is_written_outside() {
        let packages = Packages::temporary().unwrap();
        for evil in ["../evil", "/a/evil", "a/../../evil", "a\\evil"] {
            // The writer cleans names, so an innocent one of the same length is replaced afterwards.
            let innocent = "x".repeat(evil.len());
            let mut content = zip(&[(&innocent, 0o644, b"content")]).to_vec();
            for at in 0..content.len() - evil.len() {
                if content[at..].starts_with(innocent.as_bytes()) {
                    content[at..at + evil.len()].copy_from_slice(evil.as_bytes());
                }
            }
            let refusal = check(&content).unwrap_err();
            assert!(refusal.contains("points outside"), "{evil}: {refusal}");
            let refusal = packages.directory("abc", || Ok(content.into())).unwrap_err();
            assert!(refusal.contains("points outside"), "{evil}: {refusal}");
            assert!(!packages.root.join("evil").exists() && !Path::new("/a/evil").exists(), "{evil}");
        }
    }

    #[test]
    fn what_is_not_a_package_is_refused() {
        let packages = Packages::temporary().unwrap();
        let refusal = packages.directory("abc", || Ok(Bytes::from_static(b"no zip"))).unwrap_err();
        assert!(refusal.contains("not a zip file"), "{refusal}");
        let refusal = packages.directory("../abc", || Ok(zip(&[]))).unwrap_err();
        assert!(refusal.contains("not the hash"), "{refusal}");
        let refusal = packages.directory("abc", || Err(io::Error::other("gone"))).unwrap_err();
        assert!(refusal.contains("cannot be read"), "{refusal}");
    }
}
