//! A folder as a key store: `1.pem` (0600) beside `1.pub.pem`, which is meant to be committed, and
//! `1.retired` once it is.
//!
//! The private half is durable before the public half is written, and each file is whole or not there.
//! So after a crash a folder holds, for each number: nothing, both halves, or a private half alone,
//! from which the public one is made again. A public half alone is a generation that cannot sign here,
//! such as on a CI runner.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::door::{Created, Files};
use crate::problem::{Problem, ProblemKind};

use super::pair::Pair;
use super::{Contents, Exposed, Generation, PublicKeyPem};

/// The longest key file that is read: an 8192-bit PKCS#8 PEM has under 6.5 KB.
const KEY_FILE_BYTES_MAX: u64 = 16 * 1024;

/// Where version control reads what it leaves out.
const IGNORE_FILE: &str = ".gitignore";

/// The folder of all stores that no stack file places elsewhere.
const DEFAULT_FOLDER: &str = "keys";

/// What keeps private halves out of version control.
const IGNORE: &str = "# Private halves never enter version control. Public halves do: CI needs them.\n*.pem\n*.tmp\n!*.pub.pem\n";

/// A key store in a folder.
#[derive(Clone, Debug)]
pub struct FileStore {
    files: Files,
    folder: PathBuf,
}

/// What the folder has for one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Halves {
    private: bool,
    public: bool,
    retired: bool,
}

impl FileStore {
    /// The store in `folder`, which need not exist yet.
    pub fn new(files: Files, folder: PathBuf) -> Self {
        Self { files, folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the folder has. Reads public halves only, except where a crash left a private half alone:
    /// its public half is computed. Writes nothing; the next writer finishes what is unfinished.
    pub fn contents(&self) -> Result<Contents, Problem> {
        let numbers = self.numbers()?;
        let next_number = numbers.keys().next_back().map_or(1, |last| last.saturating_add(1));
        let mut contents = Contents { next_number, ..Contents::default() };
        for (number, halves) in numbers {
            let path = self.path(number, PRIVATE);
            if halves.private
                && let Some(mode) = self.files.mode_for_others(&path)?
            {
                contents.exposed.push(Exposed { path, mode });
            }
            let public = match halves {
                Halves { public: true, .. } => self.public(number)?,
                Halves { private: true, .. } => {
                    contents.unfinished.push(number);
                    self.pair(number)?.public()?
                }
                // Retired and deleted: the number is used up, there is nothing to show.
                Halves { .. } => continue,
            };
            contents.generations.push(Generation { number, retired: halves.retired, public });
        }
        Ok(contents)
    }

    /// Makes generation `number` with a key of `bits`, unless it is there.
    pub async fn create(&self, number: u32, bits: u16) -> Result<Generation, Problem> {
        self.files.create_folder(&self.folder)?;
        self.files.create_public(&self.folder.join(IGNORE_FILE), IGNORE.as_bytes())?;
        self.files.sweep_temporary(&self.folder)?;
        let halves = self.numbers()?.remove(&number).unwrap_or_default();
        match halves {
            Halves { private: true, .. } => return self.finish(number, halves.retired),
            Halves { public: true, retired, .. } => {
                return Ok(Generation { number, retired, public: self.public(number)? });
            }
            Halves { retired: true, .. } => {
                return Err(Problem::refused("key_number_used", "a key generation cannot be made again")
                    .at(self.place(number, RETIRED))
                    .because(format!("generation {number} was retired, and numbers are never reused")));
            }
            Halves { .. } => {}
        }
        let pem = Pair::make_aside(bits).await?.pem()?;
        // Another process may have been quicker: then its key is the generation, and ours is dropped.
        let (Created::New | Created::Existed) =
            self.files.create_secret(&self.path(number, PRIVATE), pem.as_bytes())?;
        self.finish(number, false)
    }

    /// Writes the public half of a private half that is there, and checks that the two belong together.
    fn finish(&self, number: u32, retired: bool) -> Result<Generation, Problem> {
        let public = self.pair(number)?.public()?;
        self.files.create_public(&self.path(number, PUBLIC), public.as_str().as_bytes())?;
        self.check_together(number, &public)?;
        Ok(Generation { number, retired, public })
    }

    /// Signs with the oldest live generation: right in every state that a rotation can be in. Base64.
    pub fn sign(&self, message: &[u8]) -> Result<String, Problem> {
        let live = self.numbers()?.into_iter().find(|(_, halves)| !halves.retired);
        let Some((number, halves)) = live else {
            return Err(Problem::failed("no_signing_key", "there is no signing key")
                .at(self.folder.display().to_string())
                .next(
                    "if the stack was deployed with keys from here, put that folder back; a first `thinggate \
                     deploy STACK` makes one",
                ));
        };
        if !halves.private {
            return Err(Problem::failed("cannot_sign_here", "nothing here can sign")
                .at(self.place(number, PRIVATE))
                .because(format!("the private half of key-{number} is not on this machine"))
                .next("run the command where the key was made"));
        }
        let pair = self.pair(number)?;
        if halves.public {
            self.check_together(number, &pair.public()?)?;
        }
        Ok(STANDARD.encode(pair.sign(message)?))
    }

    /// Deletes every generation, private halves first, then the folder if nothing else is in it.
    ///
    /// What keeps private halves out of version control goes as soon as there are none, and before the
    /// rest: as long as anything of ours is there, a generation is, and the next run finds it.
    pub fn delete_all(&self) -> Result<(), Problem> {
        let numbers: BTreeSet<u32> = self.numbers()?.into_keys().collect();
        self.files.sweep_temporary(&self.folder)?;
        self.remove_all(&numbers, PRIVATE)?;
        let is_ours = |name: &str| name == IGNORE_FILE || numbered(name).is_some();
        let only_ours = self.files.list(&self.folder)?.iter().all(|entry| is_ours(&entry.name));
        if only_ours {
            self.files.remove(&self.folder.join(IGNORE_FILE))?;
        }
        self.remove_all(&numbers, PUBLIC)?;
        self.remove_all(&numbers, RETIRED)?;
        if only_ours && self.files.remove_empty_folder(&self.folder)? {
            // `keys`, where a stack file names no store, was made for the stores in it.
            let above = self.folder.parent().filter(|above| above.ends_with(DEFAULT_FOLDER));
            // An empty folder that stays does no harm.
            let _ = above.map(|above| self.files.remove_empty_folder(above));
        }
        Ok(())
    }

    fn remove_all(&self, numbers: &BTreeSet<u32>, suffix: &str) -> Result<(), Problem> {
        numbers.iter().try_for_each(|number| self.files.remove(&self.path(*number, suffix)))
    }

    /// What the folder has, by number. Other files are the user's.
    fn numbers(&self) -> Result<BTreeMap<u32, Halves>, Problem> {
        let mut numbers: BTreeMap<u32, Halves> = BTreeMap::new();
        for entry in self.files.list(&self.folder)? {
            let Some((number, suffix)) = numbered(&entry.name) else { continue };
            match suffix {
                PRIVATE => numbers.entry(number).or_default().private = true,
                PUBLIC => numbers.entry(number).or_default().public = true,
                RETIRED => numbers.entry(number).or_default().retired = true,
                _ => {}
            }
        }
        Ok(numbers)
    }

    fn public(&self, number: u32) -> Result<PublicKeyPem, Problem> {
        let bytes = self.files.read(&self.path(number, PUBLIC), KEY_FILE_BYTES_MAX)?;
        let told = |mut problem: Problem| {
            problem.kind = ProblemKind::Failed;
            problem.at(self.place(number, PUBLIC)).next(format!(
                "delete it where {number}.pem is, and run the command there: it is made again from the private half"
            ))
        };
        PublicKeyPem::parse(&String::from_utf8_lossy(&bytes)).map_err(told)
    }

    fn pair(&self, number: u32) -> Result<Pair, Problem> {
        let bytes = self.files.read_secret(&self.path(number, PRIVATE), KEY_FILE_BYTES_MAX)?;
        Pair::parse(&bytes).map_err(|problem| problem.at(self.place(number, PRIVATE)))
    }

    fn check_together(&self, number: u32, made: &PublicKeyPem) -> Result<(), Problem> {
        if self.public(number)? == *made {
            return Ok(());
        }
        Err(Problem::failed("key_halves_differ", "the two halves of a signing key do not belong together")
            .at(self.place(number, PUBLIC))
            .because(format!("{number}.pem has the public half {}", made.fingerprint()))
            .next(format!("bring back the {number}.pem or {number}.pub.pem that was there before")))
    }

    fn path(&self, number: u32, suffix: &str) -> PathBuf {
        self.folder.join(format!("{number}.{suffix}"))
    }

    fn place(&self, number: u32, suffix: &str) -> String {
        self.path(number, suffix).display().to_string()
    }
}

/// Number and suffix of a generation's file.
fn numbered(name: &str) -> Option<(u32, &str)> {
    let (digits, suffix) = name.split_once('.')?;
    let number = digits.parse::<u32>().ok()?;
    let is_ours = number > 0 && number.to_string() == digits && [PRIVATE, PUBLIC, RETIRED].contains(&suffix);
    is_ours.then_some((number, suffix))
}

const PRIVATE: &str = "pem";
const PUBLIC: &str = "pub.pem";
const RETIRED: &str = "retired";

#[cfg(test)]
mod tests;
