//! No secret is anywhere outside its store: all that a whole story says, writes and sends is searched for
//! each secret, in each form in which it could be there.
//!
//! Exceptions, each of them asked for: the member of the function's environment that holds the HMAC secret
//! (`in_environment = true`), in the calls about the function and in the target's own record of it; the
//! stores themselves; the file that `--save` names.

mod needles;

use std::fs;
use std::io::Read as _;
use std::path::Path;

use needles::Needles;

use crate::support::{Bench, Proxy, Run, Served, Talk, approve, checkout, files_under, run, with_cargo};

/// The function's variable for the HMAC secret; its value may be where the function's environment is.
const VARIABLE: &str = "\"THINGGATE_HS256_SECRET\"";

/// Files that are stores, by name: the provider's and the target's own keys, and where the user wanted the
/// token to be. All of them are 0600.
const STORES: [&str; 5] = ["identity.json", "credentials.json", "run.json", "ca.key", "token.jwt"];

/// Whatever was seen, each with its name.
type Seen = Vec<(String, Vec<u8>)>;

fn keep(seen: &mut Seen, arguments: &[&str], run: &Run) {
    seen.push((arguments.join(" "), format!("{}\n{}", run.output, run.errors).into_bytes()));
}

/// Runs a command through the proxy, and keeps what it says.
fn told(bench: &Bench, proxy: &Proxy, seen: &mut Seen, code: i32, arguments: &[&str]) -> Run {
    let mut command = bench.command(&[arguments, &["--local-endpoint", &proxy.url]].concat());
    with_cargo(&mut command);
    let ended = run(command);
    assert_eq!(ended.code, code, "{arguments:?}\n{ended}");
    keep(seen, arguments, &ended);
    ended
}

/// Logs in as a person would, and keeps what the device says.
fn log_in(bench: &Bench, seen: &mut Seen) {
    let mut talk = Talk::start(bench.command(&["device", "login", "stack.toml", "--save", "token.jwt"]));
    let address = talk.until("open   ").split_whitespace().last().unwrap().to_owned();
    let code = talk.until("code   ").split_whitespace().last().unwrap().to_owned();
    approve(&address, &code);
    let ended = talk.finish();
    assert_eq!(ended.code, 0, "{ended}");
    keep(seen, &["device login"], &ended);
}

/// A story with every command, good and bad. Gives all that was seen, and what to look for.
fn story(bench: &Bench) -> (Seen, Needles) {
    let served = Served::start(bench, &["--identity-interval-s", "0"]);
    let proxy = Proxy::start(served.text("control_url"));
    let (mut seen, seen_ref) = (Seen::new(), &mut Seen::new());
    let mut told = |code, arguments: &[&str]| told(bench, &proxy, seen_ref, code, arguments);
    told(0, &["validate", "stack.toml"]);
    told(0, &["plan", "stack.toml"]);
    told(0, &["deploy", "stack.toml", "--output", "jsonl"]);
    told(0, &["deploy", "stack.toml"]);
    told(0, &["drift", "stack.toml", "--output", "json"]);
    told(0, &["outputs", "stack.toml", "--for", "device"]);
    log_in(bench, &mut seen);
    let token = ["--token", "file:token.jwt"];
    let with_token = |words: &[&'static str]| [words, &token].concat();
    told(0, &with_token(&["device", "token", "stack.toml"]));
    told(0, &with_token(&["device", "publish", "stack.toml", "customauthtesting"]));
    told(1, &with_token(&["device", "publish", "stack.toml", "elsewhere", "--output", "json"]));
    told(1, &with_token(&["device", "publish", "stack.toml", "customauthtesting", "--signature", "AAAA"]));
    // What signs is a credential: its own output is not searched, it is searched for.
    let signature = bench.ends(0, &with_token(&["device", "sign", "stack.toml"])).output;
    told(0, &["local", "status"]);
    let needles = secrets(bench, signature.trim());
    told(0, &["destroy", "stack.toml", "--yes"]);
    seen.append(seen_ref);
    seen.push(("the wire to the AWS APIs".to_owned(), proxy.seen()));
    (seen, needles)
}

/// Every secret of the bench, from its stores.
fn secrets(bench: &Bench, signature: &str) -> Needles {
    let mut needles = Needles::default();
    let json = |name: &str| -> serde_json::Value { serde_json::from_str(&bench.read(name)).unwrap() };
    let identity = json(".thinggate/identity.json");
    for name in ["hs256_secret", "client_secret"] {
        needles.add(name, identity[name].as_str().unwrap());
    }
    needles
        .add("secret access key", json(".thinggate/credentials.json")["secret_access_key"].as_str().unwrap());
    needles.add("access token", bench.read("token.jwt").trim());
    needles.add("token signature", signature);
    for (name, file) in [
        ("signing key", "keys/local-demo@eu-west-1/1.pem"),
        ("certificate authority's key", ".thinggate/ca.key"),
    ] {
        let pem = bench.read(file);
        // All lines but the first, which is the same in every key of its kind.
        let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        needles.add(name, &body[1..].concat());
        needles.add(name, body[body.len() / 2]);
    }
    needles
}

/// All files of the bench but its stores; packages are looked into.
fn files(bench: &Bench, seen: &mut Seen) {
    for file in files_under(bench.path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        // The public half of a signing key is no secret, and is searched too.
        let is_private = name.trim_start_matches(char::is_numeric) == ".pem" && file.starts_with("keys");
        let in_store = is_private || STORES.contains(&name);
        if in_store {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(bench.path().join(&file)).unwrap().permissions(),
            );
            assert_eq!(mode & 0o077, 0, "{} is open to others", file.display());
            continue;
        }
        seen.push((file.display().to_string(), fs::read(bench.path().join(&file)).unwrap()));
        if Path::new(name).extension().is_some_and(|end| end == "zip") {
            let mut zip = zip::ZipArchive::new(fs::File::open(bench.path().join(&file)).unwrap()).unwrap();
            for number in 0..zip.len() {
                let (mut entry, mut bytes) = (zip.by_index(number).unwrap(), Vec::new());
                entry.read_to_end(&mut bytes).unwrap();
                seen.push((format!("{}: {}", file.display(), entry.name().unwrap()), bytes));
            }
        }
    }
}

/// Takes out the one value that may be in the function's environment.
fn without_environment(bytes: &[u8]) -> Vec<u8> {
    let (mut kept, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(VARIABLE.len()).position(|window| window == VARIABLE.as_bytes()) {
        let value = &rest[at + VARIABLE.len()..];
        let start = value.iter().position(|byte| *byte == b'"').unwrap() + 1;
        let end = start + value[start..].iter().position(|byte| *byte == b'"').unwrap();
        kept.extend_from_slice(&rest[..at]);
        rest = &value[end..];
    }
    kept.extend_from_slice(rest);
    kept
}

/// Where which secret is.
fn leaks(seen: &Seen, needles: &Needles) -> Vec<String> {
    let is_excepted = |name: &str| name == ".thinggate/state.json" || name.starts_with("the wire");
    let mut found = Vec::new();
    for (name, bytes) in seen {
        let bytes = if is_excepted(name) { without_environment(bytes) } else { bytes.clone() };
        found.extend(needles.found_in(&bytes).into_iter().map(|what| format!("{name}: {what}")));
    }
    found
}

#[test]
fn no_secret_is_outside_its_store() {
    let bench = Bench::empty();
    let source = format!("[function]\nsource = {:?}\n\n[authorizer]", checkout().join("authorizer"));
    bench.stack("stack.toml", &[("[authorizer]", &source)]);
    let (mut seen, needles) = story(&bench);
    files(&bench, &mut seen);
    assert!(seen.len() > 20, "{:?}", seen.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert_eq!(leaks(&seen, &needles), Vec::<String>::new());

    // The exception is needed, so the search sees what is in the wire and in the record.
    let wire = seen.iter().find(|(name, _)| name.starts_with("the wire")).unwrap();
    assert!(!needles.found_in(&wire.1).is_empty(), "the function's environment is on the wire");

    // Each form of each secret is found where it does not belong.
    for (form, leak) in needles.planted() {
        let mut text = b"a line of some log: ".to_vec();
        text.extend(leak);
        fs::write(bench.path().join("planted.log"), text).unwrap();
        let mut again = Seen::new();
        let bytes = fs::read(bench.path().join("planted.log")).unwrap();
        again.push(("planted.log".to_owned(), bytes));
        assert!(!leaks(&again, &needles).is_empty(), "{form} is not found");
    }
    let mut again = Seen::new();
    files(&bench, &mut again);
    assert_eq!(leaks(&again, &needles).len(), 1, "a file that was planted is among those that are searched");
    // What a test leaves is searched at the end of the run.
    fs::remove_file(bench.path().join("planted.log")).unwrap();
}
