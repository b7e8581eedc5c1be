//! Bad input: each message names place, cause and next command, has the right exit code, and nothing is
//! lost or half written.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::{Bench, Served, run, shown};

#[test]
fn stack_files_that_are_none() {
    let bench = Bench::empty();
    fs::create_dir(bench.path().join("folder")).unwrap();
    fs::write(bench.path().join("image.toml"), [0xff, 0xfe, 0]).unwrap();
    bench.write("long.toml", &"#".repeat(64 * 1024 + 1));
    shown!(bench.run(&["plan", "none.toml"]), @r#"
    exit 64
    -- errors
    error: the stack file cannot be read
      at: none.toml
      because: there is no such file or folder

    next: check the path; a relative one begins in the working folder, or at the stack file that has it
    "#);
    shown!(bench.run(&["plan", "folder"]), @r#"
    exit 64
    -- errors
    error: the stack file cannot be read
      at: folder
      because: it is a folder, not a file

    next: name a file
    "#);
    shown!(bench.run(&["plan", "image.toml"]), @r#"
    exit 64
    -- errors
    error: the stack file cannot be read
      at: image.toml
      because: it is not UTF-8 text

    next: name a stack file: one TOML file, such as stacks/local.toml
    "#);
    shown!(bench.run(&["plan", "long.toml"]), @r#"
    exit 64
    -- errors
    error: the stack file cannot be read
      at: long.toml
      because: at most 65536 bytes are read

    next: name a stack file: one TOML file, such as stacks/local.toml
    "#);
    let before = bench.files();
    assert_eq!(before.len(), 2, "nothing was written: {before:?}");
}

/// The target is AWS, and the machine has nothing to say who asks: no variables, no files, no metadata.
/// Nothing is sent, so nothing can hang.
#[test]
fn no_credentials() {
    let bench = Bench::empty();
    bench.stack("stack.toml", &aws());
    let started = Instant::now();
    shown!(run(informed(bench.command(&["plan", "stack.toml"]))), @r#"
    exit 6
    -- errors
    error: `GetCallerIdentity` did not work
      at: AWS account
      because: no AWS credentials were found

    next: set AWS_PROFILE, or `aws.profile` in the stack file, or log in: `aws sso login`
    "#);
    shown!(bench.run(&["drift", "stack.toml"]), @r#"
    exit 6
    -- errors
    error: `GetCallerIdentity` did not work
      at: AWS account
      because: no AWS credentials were found

    next: set AWS_PROFILE, or `aws.profile` in the stack file, or log in: `aws sso login`
    "#);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn a_secret_that_is_not_there() {
    let bench = Bench::empty();
    bench.stack("stack.toml", &aws());
    shown!(bench.run(&["deploy", "stack.toml"]), @r#"
    exit 64
    -- errors
    error: the environment variable `SECRET` is not set
      at: stack.toml
      because: the stack file refers to it

    next: export SECRET=… and run the same command again
    "#);
}

#[test]
fn an_endpoint_from_the_environment_is_not_followed() {
    let bench = Bench::empty();
    bench.stack("stack.toml", &aws());
    let mut command = informed(bench.command(&["plan", "stack.toml"]));
    command.env("AWS_ENDPOINT_URL_IOT", "http://127.0.0.1:1");
    shown!(run(command), @r#"
    exit 4
    -- errors
    error: `AWS_ENDPOINT_URL_IOT` is set, and the stack's target is `aws`
      because: it says http://127.0.0.1:PORT
      because: the stack file does not name another address for `iot`

    next: unset AWS_ENDPOINT_URL_IOT; or, to go there: `iot = "http://127.0.0.1:PORT"` below `[aws.endpoints]`
    "#);
}

/// The variables that the stack file refers to.
fn informed(mut command: Command) -> Command {
    command.env("SECRET", "c2VjcmV0".repeat(6)).env("CLIENT", "of-the-client");
    command
}

/// stacks/local.toml for AWS: nothing of it may name the local target's own.
fn aws() -> Vec<(&'static str, &'static str)> {
    vec![
        ("target = \"local\"", "target = \"aws\"\naccount = \"123456789012\""),
        ("\"local:hs256\"", "\"env:SECRET\""),
        ("\"local:client\"", "\"env:CLIENT\""),
        ("https://identity.thinggate.local", "https://identity.example.com"),
    ]
}

#[test]
fn an_endpoint_where_nothing_answers() {
    let bench = Bench::new();
    shown!(bench.run(&["plan", "stack.toml", "--local-endpoint", "http://127.0.0.1:1"]), @r#"
    exit 64
    -- errors
    error: --local-endpoint needs a served local target, and none is
      at: .thinggate

    next: thinggate local up
    "#);
    let _served = Served::start(&bench, &[]);
    let started = Instant::now();
    shown!(bench.run(&["deploy", "stack.toml", "--local-endpoint", "http://127.0.0.1:1"]), @r#"
    exit 1
    -- errors
    error: `GetCallerIdentity` did not work
      at: AWS account
      because: the endpoint cannot be reached
      because: --local-endpoint says http://127.0.0.1:PORT

    next: check the network, the proxy and the Region, then run the same command again
    "#);
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    shown!(bench.run(&["plan", "stack.toml", "--local-endpoint", "not an address"]), @r#"
    exit 64
    -- errors
    error: invalid value 'not an address' for '--local-endpoint <URL>': relative URL without a base

    For more information, try '--help'.
    "#);
}

#[test]
fn a_key_file_that_others_may_read() {
    let bench = Bench::new();
    bench.ends(0, &["deploy", "stack.toml"]);
    bench.write("token.jwt", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJkZW1vIn0.AAAA\n");
    bench.mode("token.jwt", 0o600);
    let key = "keys/local-demo@eu-west-1/1.pem";
    bench.mode(key, 0o640);
    shown!(bench.run(&["device", "sign", "stack.toml", "--token", "file:token.jwt"]), @r#"
    exit 4
    -- errors
    error: a secret file is open to others
      at: keys/local-demo@eu-west-1/1.pem
      because: its mode is 0640; only its owner may have access

    next: chmod 600 'keys/local-demo@eu-west-1/1.pem', and replace the secret if others may have seen it
    "#);
    // Neither comparing nor planning reads the private half, and both say who may.
    shown!(bench.run(&["drift", "stack.toml"]), @r#"
    exit 2
    -- output
    local-demo in eu-west-1, account 000000000000 (local)

      ~ signing key         keys/local-demo@eu-west-1       update
          mode of keys/local-demo@eu-west-1/1.pem: 0640 -> 0600
          not done by deploy: the private key `keys/local-demo@eu-west-1/1.pem` is open to others than its owner, who could sign with it
          next: chmod 600 'keys/local-demo@eu-west-1/1.pem'   # and replace the key if others may have read it
      = role                thinggate-local-demo-eu-west-1  in step
      = log group           /thinggate/local-demo           in step
      = function            thinggate-local-demo            in step
      = release             thinggate-local-demo:live       in step
      = permission          thinggate-iot                   in step
      = authorizer          iot-openam-authorizer           in step
      = default authorizer  iot-openam-authorizer           in step

    1 of 8 resources differ
    -- errors
    note: the function's environment holds the secret
    note: the release is not proven: this version does not test an authorizer before it serves
    "#);
    bench.ends(4, &["plan", "stack.toml"]);
    let refused = bench.ends(4, &["deploy", "stack.toml"]);
    assert!(refused.errors.contains("next: chmod 600 'keys/local-demo@eu-west-1/1.pem'"), "{refused}");
    bench.mode(key, 0o600);
    bench.ends(0, &["drift", "stack.toml"]);
    let signed = bench.ends(0, &["device", "sign", "stack.toml", "--token", "file:token.jwt"]);
    assert!(signed.output.trim_end().len() > 300, "{signed}");
}

#[test]
fn a_store_that_cannot_be_a_folder() {
    let bench = Bench::new();
    bench.write("keys", "a file");
    shown!(bench.run(&["deploy", "stack.toml"]), @r#"
    exit 1
    -- errors
    error: cannot list a folder
      at: keys/local-demo@eu-west-1
      because: something on its way is a file, not a folder

    next: move that file away, or choose another place
    "#);
    assert_eq!(bench.read("keys"), "a file");
}

#[test]
fn a_key_that_would_die_with_a_ci_runner_is_not_made() {
    let bench = Bench::new();
    let mut command = bench.command(&["deploy", "stack.toml"]);
    command.env("CI", "true");
    shown!(run(command), @r#"
    exit 4
    -- output
    local-demo in eu-west-1, account 000000000000 (local)

      + signing key         keys/local-demo@eu-west-1       create
      + role                thinggate-local-demo-eu-west-1  create
      + log group           /thinggate/local-demo           create
      + function            thinggate-local-demo            create
      + release             thinggate-local-demo:live       create
      + permission          thinggate-iot                   create
      + authorizer          iot-openam-authorizer           create
      + default authorizer  iot-openam-authorizer           create

    nothing was changed
    -- errors
    note: the function's environment will hold the secret, for everybody who may read its configuration
          next: `[token.rs256]` needs no secret, where the provider can sign so
    error: the plan is refused; nothing was changed
      at: signing key keys/local-demo@eu-west-1
      because: there is no signing key in `keys/local-demo@eu-west-1`, and CI is set: a key made here would die with this machine

    next: run `thinggate deploy` once where the folder stays, and keep its `*.pub.pem` files with the stack file: later runs need only those; or keep keys where every machine finds them: `store = "ssm:/PATH"`
    "#);
    assert!(!bench.path().join("keys").exists());
}

#[test]
fn a_protected_stack() {
    let bench = Bench::new();
    bench.ends(0, &["deploy", "stack.toml"]);
    bench.stack("stack.toml", &[("target = \"local\"", "protect = true\ntarget = \"local\"")]);
    shown!(bench.run(&["destroy", "stack.toml", "--yes", "--delete-key", "--quiet"]), @r#"
    exit 4
    -- output
    local-demo in eu-west-1, account 000000000000 (local)

      - default authorizer  iot-openam-authorizer           delete  devices: new connections
      - authorizer          iot-openam-authorizer           delete  devices: all devices
      - permission          thinggate-iot                   delete  devices: all devices
      - release             thinggate-local-demo:live       delete  devices: all devices
      - function            thinggate-local-demo            delete  devices: all devices
      - log group           /thinggate/local-demo           delete
      - role                thinggate-local-demo-eu-west-1  delete  devices: all devices
      - signing key         keys/local-demo@eu-west-1       delete  devices: all devices

    nothing was changed
    -- errors
    error: the stack `local-demo` is protected; nothing was changed
      at: stack.toml: protect

    next: set `protect = false` in the stack file first
    "#);
    bench.ends(0, &["drift", "stack.toml"]);
}

#[test]
fn sources_that_are_not_there() {
    let bench = Bench::empty();
    bench.write("stack.toml", &crate::support::local_toml());
    shown!(bench.run(&["deploy", "stack.toml"]), @r#"
    exit 64
    -- errors
    error: the authorizer's sources are not found
      at: stack.toml
      because: there is no Cargo workspace above the stack file, in the same repository and of the same owner

    next: set `[function] source` to the folder of the authorizer crate, or `[function] bootstrap` to a built one
    "#);
    bench.stack("stack.toml", &[("[authorizer]", "[function]\nbootstrap = \"none\"\n\n[authorizer]")]);
    shown!(bench.run(&["deploy", "stack.toml"]), @r#"
    exit 64
    -- errors
    error: the file that `[function] bootstrap` names cannot be read
      at: none
      because: there is no such file or folder

    next: check the path; a relative one begins in the working folder, or at the stack file that has it
    "#);
    bench.write("script", "#!/bin/sh\n");
    bench.stack("stack.toml", &[("[authorizer]", "[function]\nbootstrap = \"script\"\n\n[authorizer]")]);
    shown!(bench.run(&["deploy", "stack.toml"]), @r#"
    exit 1
    -- errors
    error: this bootstrap cannot run on Lambda
      at: script
      because: it is a script; Lambda's provided.al2023 has no interpreter that can be relied on

    next: build it static: cargo build --profile lambda --target x86_64-unknown-linux-gnu with RUSTFLAGS=-Ctarget-feature=+crt-static
    "#);
    assert!(!bench.path().join("keys").exists());
}

/// `thinggate … | head -1`: the reader has what it wants.
#[test]
fn a_reader_that_goes_away() {
    let bench = Bench::new();
    for arguments in [&["plan", "stack.toml"][..], &["--help"], &["plan", "stack.toml", "--output", "json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = bench.command(arguments);
        command.stdout(Stdio::from(writer));
        drop(reader);
        let ended = run(command);
        assert_eq!(ended.code, 0, "{ended}");
        assert!(!ended.errors.contains("panicked"), "{ended}");
    }
}

#[test]
fn an_output_that_takes_nothing() {
    let bench = Bench::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = bench.command(&["validate", "stack.toml"]);
    command.stdout(Stdio::from(full));
    shown!(run(command), @r#"
    exit 1
    -- errors
    error: cannot write to standard output: No space left on device (os error 28)
    "#);
}

#[test]
fn a_device_without_what_it_needs() {
    let bench = Bench::new();
    shown!(bench.run(&["device", "publish", "stack.toml", "customauthtesting"]), @r#"
    exit 64
    -- errors
    error: the environment variable `THINGGATE_TOKEN` is not set
      because: --token says that it holds the access token

    next: thinggate device login stack.toml --save FILE, then --token file:FILE
    "#);
    shown!(bench.run(&["device", "publish", "stack.toml", "t", "--token", "file:none.jwt"]), @r#"
    exit 64
    -- errors
    error: cannot read a file
      at: none.jwt
      because: there is no such file or folder
      because: --token says that it holds the access token

    next: thinggate device login stack.toml --save FILE, then --token file:FILE
    "#);
    shown!(bench.run(&["local", "follow"]), @r#"
    exit 1
    -- errors
    error: no local target is served
      at: .thinggate

    next: thinggate local up
    "#);
    shown!(bench.run(&["local", "reset"]), @r#"
    exit 4
    -- errors
    error: reset was not confirmed; nothing was changed

    next: thinggate local reset --yes
    "#);
}
