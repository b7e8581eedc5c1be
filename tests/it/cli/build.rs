//! A build by the real Cargo: what its scripts see, and how it ends.

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{Bench, finish, run, signal, until};

const ROOT: &str =
    "[workspace]\nresolver = \"3\"\nmembers = [\"authorizer\"]\n\n[profile.lambda]\ninherits = \"release\"\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\n";
const CRATE: &str = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[[bin]]\nname = \"bootstrap\"\npath = \"src/main.rs\"\n";

/// A stack beside an authorizer of its own, whose build script is `script`.
fn bench(script: &str) -> Bench {
    let bench = Bench::empty();
    let function = "[function]\nsource = \"authorizer\"\n\n[authorizer]";
    bench.stack("stack.toml", &[("[authorizer]", function)]);
    for (path, text) in [
        ("Cargo.toml", ROOT),
        ("Cargo.lock", LOCK),
        ("authorizer/Cargo.toml", CRATE),
        ("authorizer/src/main.rs", "fn main() {}"),
        ("authorizer/build.rs", script),
    ] {
        bench.write(path, text);
    }
    bench
}

/// `plan`, with what Rust's tools need from this machine.
fn plan(bench: &Bench) -> Command {
    let mut command = bench.command(&["plan", "stack.toml"]);
    for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// A build script is somebody else's program.
#[test]
fn a_build_script_sees_no_secret() {
    let secrets = [
        "OPENAM_HMAC_SECRET",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "CARGO_REGISTRY_TOKEN",
        "THINGGATE_TOKEN",
    ];
    let script = format!(
        "fn main() {{ for name in {secrets:?} {{ assert!(std::env::var_os(name).is_none(), \"it sees {{name}}\"); }} }}"
    );
    let bench = bench(&script);
    let mut command = plan(&bench);
    for name in secrets {
        command.env(name, "canary");
    }
    let ended = run(command);
    assert_eq!(ended.code, 0, "{ended}");
}

/// A cancelled CI run: Cargo and all that it started end with thinggate, at once.
#[test]
fn a_stopped_build_ends_with_all_that_it_started() {
    let bench = bench(
        "fn main() {
            let folder = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap();
            let (made, started) = (format!(\"{folder}/../made\"), format!(\"{folder}/../started\"));
            std::fs::write(&made, std::process::id().to_string()).unwrap();
            std::fs::rename(made, started).unwrap();
            loop { std::thread::park(); }
        }",
    );
    let child = plan(&bench).spawn().unwrap();
    until("the build script starts", || bench.path().join("started").exists());
    signal(&child, Signal::TERM);
    let ended = finish(child);
    assert_eq!(ended.code, 130, "{ended}");
    let script = format!("/proc/{}/stat", bench.read("started"));
    // Nobody may have collected it yet: then it is a zombie, which runs no more.
    until("the build script ends", || fs::read_to_string(&script).map_or(true, |stat| stat.contains(") Z")));
}
