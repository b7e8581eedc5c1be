//! Which credentials a stack on AWS is reached with.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::{Bench, run, shown};

const PROFILE: &str = "aws.profile = \"company\"";

/// A stack on AWS and the profile `company`, whose credentials a process gives; every request goes to a proxy
/// that is not there.
fn bench(profile: &str) -> Bench {
    let bench = Bench::empty();
    let target = format!("target = \"aws\"\naccount = \"123456789012\"\n{profile}");
    let edits = [
        ("target = \"local\"", target.as_str()),
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
    let bench = bench(PROFILE);
    let mut command = plan(&bench);
    command.env("AWS_ACCESS_KEY_ID", "AKIAAMBIENT").env("AWS_SECRET_ACCESS_KEY", "of-the-environment");
    let ended = run(command);
    assert!(bench.path().join("asked").exists(), "the profile's process was not asked: {ended}");
    assert!(ended.code == 1 && ended.errors.contains("GetCallerIdentity"), "{ended}");
}

/// A profile that gives nothing is told as what it is, without what its process said.
#[test]
fn a_profile_that_fails_is_told_and_its_words_are_not() {
    let bench = bench(PROFILE);
    bench.write("credentials.sh", "#!/bin/sh\necho hunter2 >&2\nexit 1\n");
    shown!(run(plan(&bench)), @r#"
    exit 6
    -- errors
    error: `GetCallerIdentity` did not work
      at: AWS account
      because: the profile's `credential_process` failed

    next: run the command of `credential_process` by hand to see why
    "#);
}

/// A server on loopback that refuses; what it was asked first, by line.
fn refusing() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            heard.lock().unwrap().push(line.trim_end().to_owned());
            let _ =
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (port, asked)
}

/// A container's credentials come from an address beside it, in clear: no proxy sees them.
#[test]
fn a_container_s_credentials_do_not_go_through_a_proxy() {
    let bench = bench("");
    let ((service, asked), (proxy, seen)) = (refusing(), refusing());
    let mut command = plan(&bench);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, format!("http://127.0.0.1:{proxy}"));
    }
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://127.0.0.1:{service}/role"));
    let ended = run(command);
    assert_eq!(*seen.lock().unwrap(), Vec::<String>::new(), "{ended}");
    assert_eq!(asked.lock().unwrap().first().map(String::as_str), Some("GET /role HTTP/1.1"), "{ended}");
    assert_eq!(ended.code, 6, "{ended}");
    assert!(ended.errors.contains("because: the container's credentials service refused"), "{ended}");
}
