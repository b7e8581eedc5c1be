//! Uploaded packages, found by their content: SHA-256 of the zip, in lower-case hexadecimal.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use bytes::Bytes;

use crate::random::hex;
use crate::state_directory::{PACKAGES, StateDirectory};

/// Where packages are. A cheap clone of one store.
#[derive(Clone, Debug)]
pub struct PackageStore {
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Memory(Arc<Mutex<BTreeMap<String, Bytes>>>),
    Directory(StateDirectory),
}

impl PackageStore {
    /// A store that lasts as long as its last clone.
    pub fn in_memory() -> Self {
        Self { place: Place::Memory(Arc::default()) }
    }

    /// The store in `packages/` of a state directory.
    pub fn in_directory(directory: &StateDirectory) -> Self {
        Self { place: Place::Directory(directory.clone()) }
    }

    /// Keeps `package` durably and returns its SHA-256. Keeping the same bytes twice is once.
    pub fn put(&self, package: &Bytes) -> io::Result<String> {
        let name = sha256(package);
        match &self.place {
            Place::Memory(packages) => {
                let mut packages = packages.lock().unwrap_or_else(PoisonError::into_inner);
                packages.insert(name.clone(), package.clone());
            }
            Place::Directory(directory) => {
                if self.get(&name).is_none() {
                    directory.write(&file_name(&name), package)?;
                }
            }
        }
        Ok(name)
    }

    /// Removes every package whose SHA-256 is not in `used`.
    pub fn keep_only(&self, used: &BTreeSet<String>) -> io::Result<()> {
        match &self.place {
            Place::Memory(packages) => {
                packages.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| used.contains(name));
            }
            Place::Directory(directory) => {
                for name in directory.names(PACKAGES)? {
                    if name.strip_suffix(".zip").is_some_and(|sha256| !used.contains(sha256)) {
                        directory.remove(format!("{PACKAGES}/{name}"))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The package of this SHA-256, if it is there and is what its name says.
    pub fn get(&self, name: &str) -> Option<Bytes> {
        match &self.place {
            Place::Memory(packages) => {
                packages.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
            }
            Place::Directory(directory) => {
                let well_formed = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
                let found = if well_formed { directory.read(&file_name(name)).ok()?? } else { return None };
                (sha256(&found) == name).then_some(found)
            }
        }
    }
}

fn file_name(name: &str) -> String {
    format!("{PACKAGES}/{name}.zip")
}

fn sha256(package: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, package).as_ref())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_damaged_package_is_not_given_out() {
        let place = tempfile::tempdir().unwrap();
        let directory = StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
        let store = PackageStore::in_directory(&directory);
        let name = store.put(&Bytes::from_static(b"zip")).unwrap();
        assert_eq!(store.get(&name).as_deref(), Some(b"zip".as_slice()));
        std::fs::write(place.path().join(file_name(&name)), b"zap").unwrap();
        assert_eq!(store.get(&name), None);
        store.put(&Bytes::from_static(b"zip")).unwrap();
        assert_eq!(store.get(&name).as_deref(), Some(b"zip".as_slice()));
        assert_eq!(store.get("../../etc/passwd"), None);
    }

    #[test]
    fn what_nobody_uses_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let directory = StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
        for store in [PackageStore::in_memory(), PackageStore::in_directory(&directory)] {
            store.keep_only(&BTreeSet::new()).unwrap();
            let used = store.put(&Bytes::from_static(b"used")).unwrap();
            let unused = store.put(&Bytes::from_static(b"unused")).unwrap();
            store.keep_only(&BTreeSet::from([used.clone()])).unwrap();
            assert!(store.get(&used).is_some() && store.get(&unused).is_none(), "{store:?}");
        }
    }
}
