use std::sync::{Arc, Mutex};

use super::super::toll::{Gate, Toll};
use super::*;

/// Counts file crossings and does something to the one numbered `at`, and maybe to all after it.
#[derive(Debug)]
struct Fault {
    at: usize,
    from_there_on: bool,
    gate: Gate,
    seen: Mutex<Vec<&'static str>>,
}

impl Toll for Fault {
    fn before(&self, crossing: &Crossing) -> Gate {
        let Crossing::File { operation, .. } = crossing else { return Gate::Open };
        let mut seen = self.seen.lock().unwrap();
        seen.push(operation);
        let number = seen.len();
        let hit = if self.from_there_on { number >= self.at } else { number == self.at };
        if hit { self.gate.clone() } else { Gate::Open }
    }
}

fn faulty(at: usize, from_there_on: bool, gate: Gate) -> (Files, Arc<Fault>) {
    let fault = Arc::new(Fault { at, from_there_on, gate, seen: Mutex::default() });
    (Files::new(Tolls::new(vec![Arc::<Fault>::clone(&fault)])), fault)
}

fn names(folder: &Path) -> Vec<String> {
    Files::default().list(folder).unwrap().into_iter().map(|entry| entry.name).collect()
}

#[test]
fn a_secret_is_made_once_and_only_its_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.pem");
    let (files, seen) = faulty(0, false, Gate::Open);
    assert_eq!(files.create_secret(&path, b"secret").unwrap(), Created::New);
    let steps = ["metadata", "create_temporary", "write", "sync", "link", "sync_folder", "verify"];
    assert_eq!(*seen.seen.lock().unwrap(), steps);
    assert_eq!(files.create_secret(&path, b"other").unwrap(), Created::Existed);
    assert_eq!(**files.read_secret(&path, 100).unwrap(), *b"secret");
    assert_eq!(names(folder.path()), ["1.pem"], "no temporary file stays");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let problem = files.read_secret(&path, 100).unwrap_err();
        assert_eq!((problem.code, problem.because[0].contains("0640")), ("secret_readable_by_others", true));
        assert!(problem.next.unwrap().contains("chmod 600"));
    }
}

/// At each primitive step, each fault: afterwards the file is whole or not there, and a run without the
/// fault ends with a whole one.
#[test]
fn a_secret_is_whole_or_not_there_whatever_is_refused() {
    let secret = b"whole secret".repeat(100);
    let (mut cases, mut refused_steps) = (0, 0);
    for gate in [Gate::Refused(Refusal::Injected), Gate::LoseAnswer] {
        for from_there_on in [false, true] {
            for at in 1.. {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("1.pem");
                let (files, fault) = faulty(at, from_there_on, gate.clone());
                let result = files.create_secret(&path, &secret);
                if fault.seen.lock().unwrap().len() < at {
                    assert_eq!(result, Ok(Created::New), "the fault did not fire");
                    break;
                }
                cases += 1;
                refused_steps += usize::from(result.is_err());
                match fs::read(&path) {
                    Ok(found) => assert!(found == secret, "half a key after {at} {gate:?}"),
                    Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
                }
                let healed = Files::default();
                healed.sweep_temporary(folder.path()).unwrap();
                healed.create_secret(&path, &secret).unwrap();
                assert!(fs::read(&path).unwrap() == secret);
                assert_eq!(names(folder.path()), ["1.pem"], "step {at} {gate:?} left something");
            }
        }
    }
    assert_eq!((cases, refused_steps), (7 * 4, 7 * 4), "every step, told every time");
}

#[test]
fn a_replaced_file_is_the_old_one_or_the_new_one() {
    for gate in [Gate::Refused(Refusal::Injected), Gate::LoseAnswer] {
        for at in 1.. {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("record");
            Files::default().replace(&path, b"old").unwrap();
            let (files, fault) = faulty(at, true, gate.clone());
            let result = files.replace(&path, b"new");
            if fault.seen.lock().unwrap().len() < at {
                assert_eq!((result, at), (Ok(()), 6));
                break;
            }
            result.unwrap_err();
            let found = fs::read(&path).unwrap();
            assert!(found == b"old" || found == b"new", "{at} {gate:?}: {found:?}");
        }
    }
}

#[test]
fn limits_and_absences() {
    let folder = tempfile::tempdir().unwrap();
    let (files, path) = (Files::default(), folder.path().join("a"));
    assert!(!files.exists(&path).unwrap());
    assert_eq!(files.read(&path, 10).unwrap_err().code, "file_missing");
    files.create_public(&path, b"12345").unwrap();
    assert_eq!(files.read(&path, 5).unwrap(), b"12345");
    assert_eq!(files.read(&path, 4).unwrap_err().code, "file_too_long");
    assert_eq!(files.list(&folder.path().join("none")).unwrap(), []);
    files.create_folder(&folder.path().join("x/y")).unwrap();
    let entry = |name: &str, folder| Entry { name: name.to_owned(), folder };
    assert_eq!(files.list(folder.path()).unwrap(), [entry("a", false), entry("x", true)]);
    assert!(!files.remove_empty_folder(&folder.path().join("x")).unwrap());
    files.remove(&path).unwrap();
    files.remove(&path).unwrap();
    assert!(files.remove_empty_folder(&folder.path().join("x/y")).unwrap());
}

/// `/dev/full` is a disk that is always full: the real ENOSPC, in our words.
#[cfg(target_os = "linux")]
#[test]
fn the_systems_reason_is_told_in_words() {
    let error = fs::write("/dev/full", b"x").unwrap_err();
    let problem = failure("write", Path::new("/keys/1.pem"), &error);
    assert_eq!(problem.code, "disk_full");
    let said = problem.to_string();
    assert_eq!(said, "cannot write a file (/keys/1.pem): the disk is full (ENOSPC)");
    let codes = [(13, "file_permission"), (30, "read_only_disk"), (122, "disk_quota"), (5, "file_failed")];
    for (number, code) in codes {
        assert_eq!(failure("write", Path::new("x"), &io::Error::from_raw_os_error(number)).code, code);
    }
}

#[test]
fn no_folder_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let problem = Files::default().create_secret(&folder.path().join("none/1.pem"), b"x").unwrap_err();
    assert_eq!((problem.code, problem.what.as_str()), ("file_missing", "cannot write a file"));
}
