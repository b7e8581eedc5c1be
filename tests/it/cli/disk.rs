//! A disk that is full or read-only where the signing key goes. A mount namespace of its own is needed for
//! a real one; where the system gives none, the same faults in `door` and `keys` stand alone.

use std::process::{Command, Stdio};

use crate::support::{Bench, Run, run, shown};

/// Deploys with `keys/` on a small disk of its own, and lists what is on it afterwards. `None` where no
/// namespace can be had.
fn with_disk(bench: &Bench, options: &str) -> Option<Run> {
    let possible = Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        return None;
    }
    std::fs::create_dir(bench.path().join("keys")).unwrap();
    let script = format!(
        "mount -t tmpfs -o {options} tmpfs keys && \"$0\" deploy stack.toml --quiet; code=$?; \
         find keys -type f; exit $code"
    );
    let plain = bench.command(&[]);
    let mut inside = Command::new("unshare");
    inside.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]).arg(plain.get_program());
    inside.current_dir(bench.path()).env_clear();
    inside.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    inside.stdin(Stdio::null()).stdout(Stdio::piped());
    inside.stderr(Stdio::piped());
    Some(run(inside))
}

/// The key is made before anything that needs it: nothing is registered, and no half of a key is left.
#[test]
fn a_full_disk() {
    let bench = Bench::new();
    if let Some(ended) = with_disk(&bench, "size=4k") {
        shown!(ended, "disk-full");
    }
}

#[test]
fn a_read_only_disk() {
    let bench = Bench::new();
    if let Some(ended) = with_disk(&bench, "ro") {
        shown!(ended, "disk-read-only");
    }
}
