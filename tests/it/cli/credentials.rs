//! Which credentials a stack on AWS is reached with.

use std::process::Command;

use crate::support::{Bench, run};

/// A stack on AWS that names a profile, whose credentials a process gives; every request goes to a proxy
/// that is not there.
fn bench() -> Bench {
    let bench = Bench::empty();
    let target = "target = \"aws\"\naccount = \"123456789012\"\naws.profile = \"company\"";
    let edits = [
        ("target = \"local\"", target),
        ("\"local:hs256\"", "\"env:SECRET\""),
        ("\"local:client\"", "\"env:CLIENT\""),
        ("https://identity.thinggate.local", "https://identity.example.com"),
    ];
    bench.stack("stack.toml", &edits);
    let process = bench.path().join("credentials.sh");
    bench.write(
        "credentials.sh",
        "#!/bin/sh\necho asked >> \"$(dirname \"$0\")/asked\"\n\
         echo '{\"Version\": 1, \"AccessKeyId\": \"AKIAPROCESS\", \"SecretAccessKey\": \"of-the-process\"}'\n",
    );
    bench.mode("credentials.sh", 0o755);
    bench.write(
        "home/.aws/config",
        &format!("[profile company]\ncredential_process = {}\n", process.display()),
    );
    bench
}

fn plan(bench: &Bench) -> Command {
    let mut command = bench.command(&["plan", "stack.toml"]);
    command.env("SECRET", "c2VjcmV0".repeat(6)).env("CLIENT", "of-the-client");
    command.env("HTTPS_PROXY", "http://127.0.0.1:1").env("HTTP_PROXY", "http://127.0.0.1:1");
    command
}

/// The stack file names a profile; keys that happen to be in the environment do not win over it, and a
/// profile may leave its credentials to a process, as aws-vault and others do.
#[test]
fn the_stack_s_profile_wins_over_variables() {
    let bench = bench();
    let mut command = plan(&bench);
    command.env("AWS_ACCESS_KEY_ID", "AKIAAMBIENT").env("AWS_SECRET_ACCESS_KEY", "of-the-environment");
    let ended = run(command);
    assert!(bench.path().join("asked").exists(), "the profile's process was not asked: {ended}");
    assert!(ended.code == 1 && ended.errors.contains("GetCallerIdentity"), "{ended}");
}
