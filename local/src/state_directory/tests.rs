use super::*;

#[test]
fn a_second_holder_is_told_who_has_it() {
    let place = tempfile::tempdir().unwrap();
    let first = StateDirectory::open(place.path(), "thinggate local up", Duration::ZERO).unwrap();
    let refused = StateDirectory::open(place.path(), "thinggate deploy", Duration::ZERO).unwrap_err();
    let OpenError::Held { pid, command } = refused else { panic!("{refused}") };
    assert_eq!((pid, command.as_str()), (std::process::id(), "thinggate local up"));
    drop(first);
    StateDirectory::open(place.path(), "thinggate deploy", Duration::ZERO).unwrap();
}

#[test]
fn a_waiting_holder_gets_it_when_the_first_lets_go() {
    let place = tempfile::tempdir().unwrap();
    let first = StateDirectory::open(place.path(), "first", Duration::ZERO).unwrap();
    let (started, waits) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            started.send(()).unwrap();
            StateDirectory::open(place.path(), "second", Duration::from_secs(30)).map(drop)
        });
        waits.recv().unwrap();
        drop(first);
        second.join().unwrap().unwrap();
    });
}

#[cfg(unix)]
#[test]
fn what_is_written_is_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = tempfile::tempdir().unwrap();
    let directory = StateDirectory::open(&place.path().join("made"), "test", Duration::ZERO).unwrap();
    directory.write("state.json", b"{}").unwrap();
    directory.write("packages/a.zip", b"zip").unwrap();
    directory.append("log.jsonl", 10).unwrap();
    for (name, mode) in
        [("", 0o700), ("state.json", 0o600), ("packages", 0o700), ("log.jsonl", 0o600), ("lock", 0o600)]
    {
        let found = fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{name}");
    }
}

#[test]
fn what_a_killed_holder_left_half_written_is_removed() {
    let place = tempfile::tempdir().unwrap();
    let open = || StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
    let directory = open();
    directory.write("packages/a.zip", b"zip").unwrap();
    fs::write(place.path().join(".writing-x"), b"half").unwrap();
    fs::write(place.path().join("packages/.writing-y"), b"half").unwrap();
    drop(directory);
    let directory = open();
    assert_eq!(directory.names("packages").unwrap(), ["a.zip"]);
    let mut names = directory.names("").unwrap();
    names.sort();
    assert_eq!(names, [".gitignore", "lock"]);
    assert_eq!(directory.read(".gitignore").unwrap().as_deref(), Some(b"*\n".as_slice()));
}

#[test]
fn a_relative_directory_is_made_with_its_parents() {
    let here = std::env::current_dir().unwrap();
    let place = tempfile::tempdir_in(&here).unwrap();
    let relative = place.path().strip_prefix(&here).unwrap().join("deep/er");
    StateDirectory::open(&relative, "test", Duration::ZERO).unwrap();
    assert!(place.path().join("deep/er/lock").exists());
}

#[test]
fn a_damaged_file_is_named_and_not_quoted() {
    let place = tempfile::tempdir().unwrap();
    let directory = StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
    directory.write("state.json", b"{\"secret\": hunter2").unwrap();
    let refused = directory.read_json::<serde_json::Value>("state.json").unwrap_err().to_string();
    assert!(refused.contains("state.json") && refused.contains("line 1"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[cfg(unix)]
mod of_others {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    #[track_caller]
    fn refused(path: &Path, because: &str) {
        let OpenError::Io { source, .. } =
            StateDirectory::open(path, "test", Duration::ZERO).map(drop).unwrap_err()
        else {
            panic!("another error")
        };
        assert!(source.to_string().contains(because), "{source}");
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_refused_untouched() {
        for mode in [0o770, 0o707, 0o777] {
            let place = tempfile::tempdir().unwrap();
            set_mode(place.path(), mode);
            refused(place.path(), "other users may write to it");
            assert_eq!(fs::metadata(place.path()).unwrap().mode() & 0o777, mode);
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_directory_that_others_may_read_is_closed_to_them() {
        let place = tempfile::tempdir().unwrap();
        set_mode(place.path(), 0o755);
        StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
        assert_eq!(fs::metadata(place.path()).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_directory_of_somebody_else_is_refused() {
        // The root directory is root's; where the tests run as root, one is given away.
        if !rustix::process::geteuid().is_root() {
            return refused(Path::new("/"), "it belongs to user 0");
        }
        let place = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(place.path(), Some(65534), None).unwrap();
        refused(place.path(), "it belongs to user 65534");
    }

    #[test]
    fn no_link_is_followed() {
        let place = tempfile::tempdir().unwrap();
        let (precious, linked) = (place.path().join("precious"), place.path().join("linked"));
        fs::create_dir(&precious).unwrap();
        symlink(&precious, &linked).unwrap();
        refused(&linked, "it is a symbolic link");
        let (key, state) = (precious.join("authorized_keys"), place.path().join("state"));
        fs::write(&key, b"ssh-ed25519").unwrap();
        StateDirectory::open(&state, "test", Duration::ZERO).unwrap();
        fs::remove_file(state.join("lock")).unwrap();
        symlink(&key, state.join("lock")).unwrap();
        refused(&state, "symbolic link");
        fs::remove_file(state.join("lock")).unwrap();
        let directory = StateDirectory::open(&state, "test", Duration::ZERO).unwrap();
        for name in ["log.jsonl", "identity.json"] {
            symlink(&key, state.join(name)).unwrap();
        }
        directory.append("log.jsonl", 0).unwrap_err();
        directory.read("identity.json").unwrap_err();
        assert_eq!(fs::read(&key).unwrap(), b"ssh-ed25519");
    }

    #[test]
    fn a_file_that_others_may_write_to_is_not_read() {
        let place = tempfile::tempdir().unwrap();
        let directory = StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
        directory.write("identity.json", b"{}").unwrap();
        set_mode(&place.path().join("identity.json"), 0o660);
        let refused = directory.read("identity.json").unwrap_err();
        assert!(matches!(refused, OpenError::Io { .. }), "{refused}");
    }
}

#[test]
fn one_that_was_moved_away_is_noticed_and_its_successor_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("state");
    let first = StateDirectory::open(&path, "first", Duration::ZERO).unwrap();
    first.write("run.json", b"1").unwrap();
    assert!(first.is_in_place());
    fs::rename(&path, place.path().join("elsewhere")).unwrap();
    assert!(!first.is_in_place());
    first.write("packages/a.zip", b"1").unwrap_err();
    first.append("log.jsonl", 100).unwrap_err();
    assert!(!path.exists(), "nothing is made anew");
    let second = StateDirectory::open(&path, "second", Duration::ZERO).unwrap();
    second.write("run.json", b"2").unwrap();
    first.remove("run.json").unwrap_err();
    first.write("run.json", b"1").unwrap_err();
    first.forget().unwrap_err();
    assert_eq!(second.read("run.json").unwrap().unwrap(), b"2".as_slice());
    assert!(second.is_in_place() && !first.is_in_place());
}
