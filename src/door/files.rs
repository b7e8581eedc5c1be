//! The door for files: the crate's only use of `std::fs` and `tempfile`.
//!
//! What is written is whole or not there: temporary file beside it, write, fsync, link or rename,
//! fsync of the folder. Each of these steps is a crossing of its own, so that a test can refuse it.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};
use zeroize::Zeroizing;

use crate::problem::Problem;

use super::toll::{Crossing, Refusal, Tolls};

mod failure;

use failure::{failure, refused};

/// How temporary files end; one that a crash left behind is swept by the next write in its folder.
const TEMPORARY_SUFFIX: &str = ".thinggate.tmp";

/// Whether a file was made, or was there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It was made, with exactly the given bytes, and survives a power cut.
    New,
    /// It was there; it is untouched, whatever it holds.
    Existed,
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name, without the folder.
    pub name: String,
    /// Whether it is a folder itself. Links are followed.
    pub folder: bool,
}

/// Who may change what a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The owner's number; 0 on Windows.
    pub user: u32,
    /// Whether everybody may, as in `/tmp`; never on Windows.
    pub everybody: bool,
}

/// Who may read a file that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readers {
    /// Its owner: 0600.
    Owner,
    /// Everybody, within the user's umask: 0644.
    Everybody,
}

/// The one way to the disk. Clones share the tolls.
#[derive(Clone, Debug, Default)]
pub struct Files {
    tolls: Tolls,
}

impl Files {
    /// A door with these tolls.
    pub fn new(tolls: Tolls) -> Self {
        Self { tolls }
    }

    /// The bytes of a file, at most `bytes_max`.
    pub fn read(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, Problem> {
        self.step("read", path, false, || {
            let mut bytes = Vec::new();
            fs::File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        })
        .and_then(|bytes| within(bytes, path, bytes_max))
    }

    /// The bytes of a file that holds a secret, at most `bytes_max`. Refused when anybody but its owner
    /// may read it. On Windows the folder's access list is relied on.
    pub fn read_secret(&self, path: &Path, bytes_max: u64) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let (mode, bytes) = self.step("read", path, false, || {
            let file = fs::File::open(path)?;
            let mode = others_mode(&file.metadata()?);
            let mut bytes = Zeroizing::new(Vec::new());
            if mode.is_none() {
                file.take(bytes_max + 1).read_to_end(&mut bytes)?;
            }
            Ok((mode, bytes))
        })?;
        if let Some(mode) = mode {
            let path = path.display();
            return Err(Problem::refused("secret_readable_by_others", "a secret file is open to others")
                .at(path.to_string())
                .because(format!("its mode is {mode:04o}; only its owner may have access"))
                .next(format!("chmod 600 '{path}', and replace the secret if others may have seen it")));
        }
        let length = bytes.len() as u64;
        if length > bytes_max { Err(too_long(path, bytes_max)) } else { Ok(bytes) }
    }

    /// The permission bits of a file, when others than its owner have any. Reads no byte of it. On
    /// Windows the folder's access list is relied on.
    pub fn mode_for_others(&self, path: &Path) -> Result<Option<u32>, Problem> {
        self.step("metadata", path, false, || Ok(others_mode(&fs::metadata(path)?)))
    }

    /// Whether something is there.
    pub fn exists(&self, path: &Path) -> Result<bool, Problem> {
        self.step("metadata", path, false, || fs::exists(path))
    }

    /// Whether a folder is there.
    pub fn is_folder(&self, path: &Path) -> Result<bool, Problem> {
        self.step("metadata", path, false, || match fs::metadata(path) {
            Ok(metadata) => Ok(metadata.is_dir()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        })
    }

    /// Who may change what a folder holds.
    pub fn holder(&self, folder: &Path) -> Result<Holder, Problem> {
        self.step("metadata", folder, false, || Ok(holder(&fs::metadata(folder)?)))
    }

    /// A path without links and dots.
    pub fn canonical(&self, path: &Path) -> Result<PathBuf, Problem> {
        self.step("metadata", path, false, || fs::canonicalize(path))
    }

    /// What a folder holds, by name; empty when there is no such folder. Names that are not UTF-8 are
    /// none of ours, and left out.
    pub fn list(&self, folder: &Path) -> Result<Vec<Entry>, Problem> {
        self.step("list", folder, false, || {
            let listing = match fs::read_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                other => other?,
            };
            let mut entries = Vec::new();
            for entry in listing {
                let entry = entry?;
                if let Ok(name) = entry.file_name().into_string() {
                    let folder = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
                    entries.push(Entry { name, folder });
                }
            }
            entries.sort();
            Ok(entries)
        })
    }

    /// Makes a folder and those above it, each 0700. One that is there stays as it is.
    pub fn create_folder(&self, folder: &Path) -> Result<(), Problem> {
        if self.is_folder(folder)? {
            return Ok(());
        }
        self.step("create_folder", folder, true, || {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(folder)
        })?;
        self.sync_folder_of(folder)
    }

    /// Makes a file that only its owner may read, unless one is there, and reads it back.
    pub fn create_secret(&self, path: &Path, bytes: &[u8]) -> Result<Created, Problem> {
        self.create(path, bytes, Readers::Owner)
    }

    /// Makes a file that everybody may read, unless one is there, and reads it back.
    pub fn create_public(&self, path: &Path, bytes: &[u8]) -> Result<Created, Problem> {
        self.create(path, bytes, Readers::Everybody)
    }

    /// Writes a file that everybody may read, in place of the one that is there, if any.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), Problem> {
        self.put(path, bytes, Readers::Everybody)
    }

    /// Writes a file that only its owner may read, in place of the one that is there, if any.
    pub fn replace_secret(&self, path: &Path, bytes: &[u8]) -> Result<(), Problem> {
        self.put(path, bytes, Readers::Owner)
    }

    /// Adds to the end of a file that others add to as well, in one write; it is made where there is none.
    pub fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), Problem> {
        self.step("append", path, true, || {
            fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
        })
    }

    /// Removes a file, durably. Gone already is success.
    pub fn remove(&self, path: &Path) -> Result<(), Problem> {
        let removed = self.step("remove", path, true, || match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            other => other.map(|()| true),
        })?;
        if removed { self.sync_folder_of(path) } else { Ok(()) }
    }

    /// Removes a folder, if it is there and empty; says whether it is gone.
    pub fn remove_empty_folder(&self, folder: &Path) -> Result<bool, Problem> {
        self.step("remove_folder", folder, true, || match fs::remove_dir(folder) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
            Err(error) => Err(error),
        })
    }

    /// Removes what crashed writes left in a folder. Other processes' writes in flight there fail, and
    /// say so: our folders have one writer at a time.
    pub fn sweep_temporary(&self, folder: &Path) -> Result<(), Problem> {
        for entry in self.list(folder)? {
            if entry.name.ends_with(TEMPORARY_SUFFIX) && !entry.folder {
                self.remove(&folder.join(entry.name))?;
            }
        }
        Ok(())
    }

    fn create(&self, path: &Path, bytes: &[u8], readers: Readers) -> Result<Created, Problem> {
        if self.exists(path)? {
            return Ok(Created::Existed);
        }
        let temporary = self.temporary(path, bytes, readers)?;
        let mut temporary = Some(temporary);
        let linked = self.step("link", path, true, || {
            match temporary.take().map(|file| file.persist_noclobber(path)) {
                Some(Err(error)) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                    Ok(Created::Existed)
                }
                Some(Err(error)) => Err(error.error),
                Some(Ok(_)) | None => Ok(Created::New),
            }
        });
        let linked = self.or_discard(linked, temporary)?;
        if linked == Created::Existed {
            return Ok(linked);
        }
        self.sync_folder_of(path)?;
        let found = self.step("verify", path, false, || {
            let mut found = Zeroizing::new(Vec::with_capacity(bytes.len()));
            fs::File::open(path)?.take(bytes.len() as u64 + 1).read_to_end(&mut found)?;
            Ok(*found == bytes)
        })?;
        if found {
            return Ok(Created::New);
        }
        self.remove(path)?;
        Err(Problem::failed("file_corrupt", "a file does not hold what was written to it")
            .at(path.display().to_string())
            .because("reading it back gave other bytes; it was removed")
            .next("check the disk, then run the command again"))
    }

    fn put(&self, path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Problem> {
        let mut temporary = Some(self.temporary(path, bytes, readers)?);
        let renamed =
            self.step("rename", path, true, || match temporary.take().map(|file| file.persist(path)) {
                Some(Err(error)) => Err(error.error),
                Some(Ok(_)) | None => Ok(()),
            });
        self.or_discard(renamed, temporary)?;
        self.sync_folder_of(path)
    }

    /// A temporary file beside `path` that holds `bytes` durably.
    fn temporary(&self, path: &Path, bytes: &[u8], readers: Readers) -> Result<NamedTempFile, Problem> {
        let folder = folder_of(path);
        let name = path.file_name().map(|name| format!(".{}.", name.to_string_lossy())).unwrap_or_default();
        let mut file = self.step("create_temporary", path, true, || {
            let mut builder = Builder::new();
            builder.prefix(&name).suffix(TEMPORARY_SUFFIX);
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(match readers {
                Readers::Owner => 0o600,
                Readers::Everybody => 0o644,
            }));
            #[cfg(not(unix))]
            let _ = readers;
            builder.tempfile_in(folder)
        })?;
        let written = self
            .step("write", path, true, || file.write_all(bytes))
            .and_then(|()| self.step("sync", path, true, || file.as_file().sync_all()));
        match written {
            Ok(()) => Ok(file),
            Err(problem) => self.or_discard(Err(problem), Some(file)),
        }
    }

    /// On an error, removes the temporary file, unless that is refused too: then it stays, as it
    /// does after a crash.
    fn or_discard<T>(
        &self,
        result: Result<T, Problem>,
        temporary: Option<NamedTempFile>,
    ) -> Result<T, Problem> {
        if let (Err(_), Some(mut file)) = (&result, temporary) {
            let path = file.path().to_owned();
            let mut discard = Some(());
            // The error that led here is the one to tell.
            let _ = self.step("discard", &path, true, || {
                discard = None;
                Ok(())
            });
            file.disable_cleanup(discard.is_some());
        }
        result
    }

    fn sync_folder_of(&self, path: &Path) -> Result<(), Problem> {
        let folder = folder_of(path);
        self.step("sync_folder", folder, true, || {
            // Windows has no handle to sync a folder with; NTFS journals the rename.
            if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
        })
    }

    /// One primitive step: announced, done, and its error told with path and reason.
    fn step<T>(
        &self,
        operation: &'static str,
        path: &Path,
        writes: bool,
        act: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, Problem> {
        let crossing = Crossing::File { operation, path: path.to_owned(), writes };
        let pass = self.tolls.pass_now(&crossing).map_err(|refusal| refused(operation, path, refusal))?;
        let result = act();
        if pass.lose_answer {
            return Err(refused(operation, path, Refusal::Injected));
        }
        pass.answered();
        result.map_err(|error| failure(operation, path, &error))
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}

fn within(bytes: Vec<u8>, path: &Path, bytes_max: u64) -> Result<Vec<u8>, Problem> {
    if bytes.len() as u64 > bytes_max { Err(too_long(path, bytes_max)) } else { Ok(bytes) }
}

fn too_long(path: &Path, bytes_max: u64) -> Problem {
    Problem::failed("file_too_long", "a file is longer than it may be")
        .at(path.display().to_string())
        .because(format!("at most {bytes_max} bytes are read"))
}

/// The permission bits, when group or others have any.
#[cfg(unix)]
fn others_mode(metadata: &fs::Metadata) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(unix)]
fn holder(metadata: &fs::Metadata) -> Holder {
    use std::os::unix::fs::MetadataExt as _;
    Holder { user: metadata.uid(), everybody: metadata.mode() & 0o002 != 0 }
}

#[cfg(not(unix))]
fn holder(_: &fs::Metadata) -> Holder {
    Holder { user: 0, everybody: false }
}

#[cfg(not(unix))]
fn others_mode(_: &fs::Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests;
