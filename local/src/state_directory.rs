//! The directory in which a target outlives its process, owned by one process at a time.
//!
//! Every file is written by a temporary file, fsync, rename and fsync of the directory: a reader sees the
//! old content or the new one, whatever is killed when.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How a file that is being written begins; what is left of one after a kill is removed by the next holder.
const WRITING: &str = ".writing-";
/// Where uploaded packages are.
pub(crate) const PACKAGES: &str = "packages";
/// How often a waiting process looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Why a state directory, or what is in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the state directory is in use by process {pid} (`{command}`)")]
    Held {
        /// The holder's process id; 0 when the holder has not written it yet.
        pid: u32,
        /// The holder's command line, without secrets.
        command: String,
    },
    /// The operating system refused.
    #[error("cannot use `{path}`")]
    Io {
        /// What was touched.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is there, but is not what this program writes.
    #[error("`{path}` is damaged: {because}; move it away, or run `thinggate local reset`")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it. Never quotes the content.
        because: String,
    },
}

/// Who holds the directory: the content of `lock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    command: String,
}

/// A state directory that this process owns until the last clone is dropped.
#[derive(Clone)]
pub struct StateDirectory {
    owned: Arc<Owned>,
}

struct Owned {
    path: PathBuf,
    /// Held for its lock, and to know the directory again.
    lock: File,
}

impl fmt::Debug for StateDirectory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("StateDirectory").field(&self.owned.path).finish()
    }
}

impl StateDirectory {
    /// Makes the directory where it is missing (0700) and takes its lock, waiting up to `timeout` for
    /// another process to let go. `command_line` is what that other process will be told.
    ///
    /// What is in it runs as this user and signs for this user, so one that is a symbolic link, somebody
    /// else's, or that others may write to is refused; one that others may only read is closed to them.
    pub fn open(path: &Path, command_line: &str, timeout: Duration) -> Result<Self, OpenError> {
        make_directory(path)
            .and_then(|()| make_private(path))
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let lock_path = path.join("lock");
        let lock = take_lock(&lock_path, timeout)?;
        let holder = Holder { pid: std::process::id(), command: command_line.to_owned() };
        write_holder(&lock, &holder).map_err(|source| OpenError::Io { path: lock_path, source })?;
        let opened = Self { owned: Arc::new(Owned { path: path.to_owned(), lock }) };
        opened.tidy_up().map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(opened)
    }

    /// Removes what a killed holder left half-written, and keeps the directory, which holds keys, out of git.
    fn tidy_up(&self) -> io::Result<()> {
        for folder in ["", PACKAGES] {
            for name in self.names(folder)?.iter().filter(|name| name.starts_with(WRITING)) {
                self.remove(Path::new(folder).join(name))?;
            }
        }
        if !self.owned.path.join(".gitignore").exists() {
            self.write(".gitignore", b"*\n")?;
        }
        Ok(())
    }

    /// The names of the files in a folder of it, `""` being itself; none when the folder is not there.
    pub fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.owned.path.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string());
            }
        }
        Ok(names)
    }

    /// Whether the directory is still where it was opened: moved or removed, what is at the path now is nobody's
    /// or another process's.
    #[cfg(unix)]
    pub fn is_in_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let there = fs::symlink_metadata(self.owned.path.join("lock")).map(identity);
        let ours = self.owned.lock.metadata().map(identity);
        matches!((there, ours), (Ok(there), Ok(ours)) if there == ours)
    }

    /// Whether the directory is still where it was opened.
    #[cfg(not(unix))]
    pub fn is_in_place(&self) -> bool {
        self.owned.path.join("lock").exists()
    }

    /// Nothing is written, nor removed, beside what this process owns.
    fn check_in_place(&self) -> io::Result<()> {
        if self.is_in_place() {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::NotFound, "the state directory was moved or removed"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.owned.path
    }

    /// Removes everything but the lock: state, packages, keys, certificates, logs.
    pub fn forget(&self) -> io::Result<()> {
        self.check_in_place()?;
        for entry in fs::read_dir(&self.owned.path)? {
            let entry = entry?;
            if entry.file_name() == "lock" {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        File::open(&self.owned.path)?.sync_all()
    }

    /// Reads a file; `None` when it is not there.
    pub fn read(&self, name: &str) -> Result<Option<Bytes>, OpenError> {
        let path = self.owned.path.join(name);
        match read_own(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(OpenError::Io { path, source }),
        }
    }

    /// Reads a JSON file; `None` when it is not there.
    pub fn read_json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, OpenError> {
        let Some(content) = self.read(name)? else { return Ok(None) };
        serde_json::from_slice(&content).map(Some).map_err(|error| OpenError::Damaged {
            path: self.owned.path.join(name),
            because: format!("not the expected JSON at line {}, column {}", error.line(), error.column()),
        })
    }

    /// Writes a file durably, readable by the owner only (0600).
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.check_in_place()?;
        let path = self.owned.path.join(name);
        let parent = path.parent().unwrap_or(&self.owned.path);
        if parent != self.owned.path {
            make_directory(parent)?;
        }
        // tempfile makes its files 0600 on Unix.
        let mut temporary = tempfile::Builder::new().prefix(WRITING).tempfile_in(parent)?;
        temporary.write_all(content)?;
        temporary.as_file().sync_all()?;
        temporary.persist(&path).map_err(|error| error.error)?;
        File::open(parent)?.sync_all()
    }

    /// Writes a value as JSON, as [`Self::write`] does.
    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        let mut content = serde_json::to_vec_pretty(value)?;
        content.push(b'\n');
        self.write(name, &content)
    }

    /// Removes a file; one that is not there is removed.
    pub fn remove(&self, name: impl AsRef<Path>) -> io::Result<()> {
        self.check_in_place()?;
        match fs::remove_file(self.owned.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => File::open(&self.owned.path)?.sync_all(),
        }
    }

    /// Opens a log file to append to (0600), started afresh once it is larger than `bytes_max`.
    pub fn append(&self, name: &str, bytes_max: u64) -> io::Result<File> {
        self.check_in_place()?;
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        for_owner(&mut options);
        let file = options.open(self.owned.path.join(name))?;
        if file.metadata()?.len() > bytes_max {
            file.set_len(0)?;
        }
        Ok(file)
    }
}

fn take_lock(path: &Path, timeout: Duration) -> Result<File, OpenError> {
    let failed = |source| OpenError::Io { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    for_owner(&mut options);
    let mut lock = options.open(path).map_err(failed)?;
    let give_up = Instant::now() + timeout;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) if Instant::now() >= give_up => break,
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_AGAIN),
        }
    }
    let mut content = String::new();
    lock.rewind().and_then(|()| lock.read_to_string(&mut content)).map_err(failed)?;
    // The holder may not have come to write it yet.
    let unknown = Holder { pid: 0, command: "not known yet".to_owned() };
    let Holder { pid, command } = serde_json::from_str(&content).unwrap_or(unknown);
    Err(OpenError::Held { pid, command })
}

fn write_holder(mut lock: &File, holder: &Holder) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    lock.write_all(&serde_json::to_vec(holder)?)?;
    lock.sync_all()
}

/// Makes a directory and its parents where they are missing, durably.
fn make_directory(path: &Path) -> io::Result<()> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)?;
    for parent in missing.into_iter().filter_map(Path::parent) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Reads a file that nobody else could have written.
fn read_own(path: &Path) -> io::Result<Bytes> {
    let mut options = OpenOptions::new();
    options.read(true);
    for_owner(&mut options);
    let mut file = options.open(path)?;
    check_own(&file.metadata()?)?;
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(Bytes::from(content))
}

/// Closes a directory to everybody else, or refuses one that others could have filled.
#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // Not of what a link leads to: whoever set the link could lead us into any directory of this user.
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Err(io::Error::other("it is a symbolic link or a file, not a directory"));
    }
    check_own(&metadata)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Refuses what is somebody else's, or what others may write to.
#[cfg(unix)]
fn check_own(metadata: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (owner, us) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != us {
        return Err(io::Error::other(format!("it belongs to user {owner}, and this is user {us}")));
    }
    if metadata.mode() & 0o022 != 0 {
        let text = "other users may write to it: look at what is in it, then `chmod -R go-w` it";
        return Err(io::Error::other(text));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_own(_metadata: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// For this user only (0600) where it is made, and never through a symbolic link.
#[cfg(unix)]
fn for_owner(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
}

#[cfg(not(unix))]
fn for_owner(_options: &mut OpenOptions) {}

#[cfg(test)]
mod tests;
