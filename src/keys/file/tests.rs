use std::process::Command;
use std::slice;
use std::sync::{Arc, Mutex};

use crate::door::{Crossing, Gate, Refusal, Toll, Tolls};

use super::*;

fn store(folder: &Path) -> FileStore {
    FileStore::new(Files::default(), folder.join("keys"))
}

fn names(store: &FileStore) -> Vec<String> {
    store.files.list(&store.folder).unwrap().into_iter().map(|entry| entry.name).collect()
}

#[tokio::test]
async fn a_generation_is_made_once_and_signs() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    assert_eq!(store.contents().unwrap().generations, []);
    assert_eq!(store.sign(b"x").unwrap_err().code, "no_signing_key");
    let made = store.create(1, 2048).await.unwrap();
    assert_eq!((made.number, made.retired, made.public.bits()), (1, false, 2048));
    assert_eq!(store.create(1, 2048).await.unwrap(), made, "the same key");
    assert_eq!(store.contents().unwrap().generations, slice::from_ref(&made));
    assert_eq!(names(&store), [".gitignore", "1.pem", "1.pub.pem"]);
    let signature = STANDARD.decode(store.sign(b"token").unwrap()).unwrap();
    assert!(made.public.verifies(b"token", &signature));
}

/// OpenSSL as a second opinion: it takes both files and verifies our signature.
#[tokio::test]
async fn openssl_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder.path()).output();
        output
            .ok()
            .map(|output| (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    if openssl(&["version"]).is_none() {
        return;
    }
    let made = store.create(1, 3072).await.unwrap();
    let (sound, said) = openssl(&["pkey", "-check", "-noout", "-in", "keys/1.pem"]).unwrap();
    assert!(sound && said.contains("Key is valid"), "{said}");
    let (_, public) = openssl(&["pkey", "-in", "keys/1.pem", "-pubout"]).unwrap();
    assert_eq!(public, made.public.as_str());
    let signature = STANDARD.decode(store.sign(b"token").unwrap()).unwrap();
    store.files.replace(&folder.path().join("signature"), &signature).unwrap();
    for (message, expected) in [("token", true), ("tokeN", false)] {
        store.files.replace(&folder.path().join("message"), message.as_bytes()).unwrap();
        let verify = ["dgst", "-sha256", "-verify", "keys/1.pub.pem", "-signature", "signature", "message"];
        assert_eq!(openssl(&verify).unwrap().0, expected);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_and_others_are_noticed() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    store.create(1, 2048).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let private = store.path(1, PRIVATE);
    assert_eq!((mode(&store.folder), mode(&private)), (0o700, 0o600));
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(store.sign(b"x").unwrap_err().code, "secret_readable_by_others");
    let contents = store.contents().unwrap();
    assert_eq!(contents.generations.len(), 1, "public halves need no private one");
    assert_eq!(contents.exposed, [Exposed { path: private, mode: 0o644 }]);
}

#[tokio::test]
async fn each_half_alone_is_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let made = store.create(1, 2048).await.unwrap();
    let (private, public) = (store.path(1, PRIVATE), store.path(1, PUBLIC));
    store.files.remove(&public).unwrap();
    let contents = store.contents().unwrap();
    assert_eq!(contents.generations, slice::from_ref(&made), "computed from the private half");
    assert_eq!((contents.unfinished, contents.next_number), (vec![1], 2));
    assert_eq!(names(&store), [".gitignore", "1.pem"], "a reader writes nothing");
    assert_eq!(store.create(1, 2048).await.unwrap(), made);
    assert_eq!(names(&store), [".gitignore", "1.pem", "1.pub.pem"]);
    store.files.remove(&private).unwrap();
    assert_eq!(store.contents().unwrap().generations, slice::from_ref(&made), "as on a CI runner");
    assert_eq!(store.create(1, 2048).await.unwrap(), made, "never a second key of one number");
    assert_eq!(store.sign(b"x").unwrap_err().code, "cannot_sign_here");
    store.files.remove(&public).unwrap();
    store.files.create_public(&store.path(1, RETIRED), b"").unwrap();
    let contents = store.contents().unwrap();
    assert_eq!((contents.generations, contents.next_number), (vec![], 2));
    assert_eq!(store.create(1, 2048).await.unwrap_err().code, "key_number_used");
}

#[tokio::test]
async fn the_oldest_live_generation_signs() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (first, second) = (store.create(9, 2048).await.unwrap(), store.create(10, 2048).await.unwrap());
    let signer = |store: &FileStore| {
        let signature = STANDARD.decode(store.sign(b"x").unwrap()).unwrap();
        [&first, &second].iter().position(|made| made.public.verifies(b"x", &signature))
    };
    assert_eq!(signer(&store), Some(0), "9 is before 10");
    store.files.create_public(&store.path(9, RETIRED), b"").unwrap();
    assert_eq!(signer(&store), Some(1));
    assert!(store.contents().unwrap().generations[0].retired);
    // Files of the user's stay, and so does the folder.
    store.files.replace(&store.folder.join("0010.pem"), b"mine").unwrap();
    store.delete_all().unwrap();
    assert_eq!(names(&store), [".gitignore", "0010.pem"]);
    store.files.remove(&store.folder.join("0010.pem")).unwrap();
    store.delete_all().unwrap();
    assert!(!store.files.exists(&store.folder).unwrap());
}

/// Interrupted anywhere, deleting goes on as long as a generation shows that there is something to do.
#[tokio::test]
async fn what_is_left_of_a_delete_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    store.create(1, 2048).await.unwrap();
    store.files.remove(&store.path(1, PRIVATE)).unwrap();
    store.files.remove(&store.folder.join(IGNORE_FILE)).unwrap();
    assert_eq!(store.contents().unwrap().generations.len(), 1, "the public half stays until the end");
    store.delete_all().unwrap();
    assert!(!store.files.exists(&store.folder).unwrap());
}

#[tokio::test]
async fn damaged_files_are_told_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    store.create(1, 2048).await.unwrap();
    store.create(2, 2048).await.unwrap();
    let pem = store.files.read_secret(&store.path(1, PRIVATE), 9999).unwrap();
    let other = store.files.read(&store.path(2, PUBLIC), 9999).unwrap();
    store.files.replace(&store.path(1, PUBLIC), &other).unwrap();
    assert_eq!(store.sign(b"x").unwrap_err().code, "key_halves_differ");
    store.files.replace(&store.path(1, PUBLIC), b"nonsense").unwrap();
    let problem = store.contents().unwrap_err();
    assert_eq!((problem.code, problem.kind), ("public_key", ProblemKind::Failed));
    assert!(problem.place.unwrap().ends_with("1.pub.pem"));
    store.files.remove(&store.path(1, PUBLIC)).unwrap();
    for damaged in [&pem[..pem.len() / 2], b"", b"\xff\xfe", b"-----BEGIN RSA PRIVATE KEY-----"] {
        store.files.replace_secret(&store.path(1, PRIVATE), damaged).unwrap();
        let problem = store.sign(b"x").unwrap_err();
        assert_eq!(problem.code, "private_key");
        let secret = String::from_utf8_lossy(&pem[60..80]).into_owned();
        assert!(!format!("{problem:?}").contains(&secret));
    }
}

/// Refuses the file crossing numbered `at` and all after it, as a crash does.
#[derive(Debug)]
struct Crash {
    at: usize,
    gate: Gate,
    seen: Mutex<usize>,
}

impl Toll for Crash {
    fn before(&self, crossing: &Crossing) -> Gate {
        let Crossing::File { .. } = crossing else { return Gate::Open };
        let mut seen = self.seen.lock().unwrap();
        *seen += 1;
        if *seen >= self.at { self.gate.clone() } else { Gate::Open }
    }
}

/// A crash at each file operation of `create`: afterwards there is no private half or a whole one, a
/// public half only beside its private one, and the next run ends with one whole generation.
#[tokio::test]
async fn a_crash_at_any_step_converges() {
    let mut cases = 0;
    for gate in [Gate::Refused(Refusal::Injected), Gate::LoseAnswer] {
        for at in 1.. {
            let folder = tempfile::tempdir().unwrap();
            let crash = Arc::new(Crash { at, gate: gate.clone(), seen: Mutex::default() });
            let tolls = Tolls::new(vec![Arc::<Crash>::clone(&crash)]);
            let crashing = FileStore::new(Files::new(tolls), folder.path().join("keys"));
            let result = crashing.create(1, 2048).await;
            if *crash.seen.lock().unwrap() < at {
                result.unwrap();
                break;
            }
            cases += 1;
            let store = store(folder.path());
            let halves = store.numbers().unwrap().remove(&1).unwrap_or_default();
            assert!(halves.private || !halves.public, "{at} {gate:?}: a public half without its private one");
            let before = halves.private.then(|| store.pair(1).unwrap().public().unwrap());
            let made = store.create(1, 2048).await.unwrap();
            assert!(before.is_none_or(|before| before == made.public), "{at}: the durable key is kept");
            assert_eq!(names(&store), [".gitignore", "1.pem", "1.pub.pem"], "{at} {gate:?}");
            assert_eq!(store.contents().unwrap().generations, [made]);
        }
    }
    assert!(cases > 50, "{cases} cases");
}
