//! Authorizer binaries with one fixed behaviour, built once.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::checkout;

/// What a binary does with every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Allows,
    Denies,
    Crashes,
    NeverAnswers,
}

impl Behaviour {
    const fn word(self) -> &'static str {
        match self {
            Self::Allows => "allows",
            Self::Denies => "denies",
            Self::Crashes => "crashes",
            Self::NeverAnswers => "never answers",
        }
    }
}

/// A static binary that behaves so. Built by the first caller, from `tests/it/bootstrap/main.rs`; it lies
/// in Cargo's folder for tests.
pub(crate) fn bootstrap(behaviour: Behaviour) -> PathBuf {
    static PLAIN: OnceLock<PathBuf> = OnceLock::new();
    let plain = PLAIN.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bootstrap");
        fs::create_dir_all(&folder).unwrap();
        let (source, made) = (checkout().join("tests/it/bootstrap/main.rs"), folder.join("plain"));
        let status = Command::new("rustc")
            .args(["--edition", "2024", "-O", "-C", "target-feature=+crt-static", "-o"])
            .args([&made, &source])
            .status()
            .unwrap();
        assert!(status.success(), "rustc failed");
        for one in [Behaviour::Allows, Behaviour::Denies, Behaviour::Crashes, Behaviour::NeverAnswers] {
            let mut bytes = fs::read(&made).unwrap();
            bytes.extend(format!("#{}", one.word()).bytes());
            let (path, writing) = (folder.join(one.word()), folder.join(format!("{}.new", one.word())));
            fs::write(&writing, bytes).unwrap();
            fs::set_permissions(&writing, fs::Permissions::from_mode(0o755)).unwrap();
            fs::rename(writing, path).unwrap();
        }
        folder
    });
    plain.join(behaviour.word())
}
