//! Keeps what test runs said and left behind, for the search for secrets at the end of `.ci/run`
//! (`tests/peers/leaks.py`, which says what is where). Elsewhere nothing is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::files_under;

/// Names the folder; only tests know of it.
const VARIABLE: &str = "THINGGATE_TEST_RECORD";
/// What is larger is a program or its package, and the canaries look into those.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A path of its own below the record, by kind and by the test that is running.
fn place(kind: &str) -> Option<PathBuf> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let folder = PathBuf::from(std::env::var_os(VARIABLE)?);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let test = std::thread::current().name().unwrap_or("a thread").replace("::", ".");
    Some(folder.join(kind).join(format!("{test}-{}-{number}", std::process::id())))
}

/// What one run of the binary said.
pub(super) fn said(texts: [&str; 2]) {
    if let Some(place) = place("said") {
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, texts.concat()).unwrap();
    }
}

/// The small files of a folder that is about to go. A test that failed is not failed again.
pub(super) fn left(folder: &Path) {
    let Some(place) = place("left").filter(|_| folder.is_dir() && !std::thread::panicking()) else { return };
    for file in files_under(folder) {
        let from = folder.join(&file);
        if fs::symlink_metadata(&from).is_ok_and(|found| found.is_file() && found.len() <= FILE_BYTES_MAX) {
            let to = place.join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            // With its mode. One that not even its owner may read is kept by nobody.
            let _unreadable = fs::copy(from, to);
        }
    }
}
