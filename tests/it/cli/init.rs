//! `init`: what it asks, what it writes, and that what it writes is a stack.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Bench, Run, run, shown};

const OPENAM: [&str; 12] = [
    "init",
    "--target=aws",
    "--region=eu-west-1",
    "--account=123456789012",
    "--provider=openam",
    "--issuer=https://openam.example.com:8443/openam/oauth2/awsiot",
    "--client-id=deviceagent",
    "--name=openam-demo",
    "stacks.toml",
    "--quiet",
    "--output",
    "json",
];

const OIDC: [&str; 9] = [
    "init",
    "fleet.toml",
    "--target=aws",
    "--region=eu-central-1",
    "--account=123456789012",
    "--issuer=https://id.example.com/realms/devices",
    "--client-id=sensor",
    "--device-url=https://id.example.com/realms/devices/device",
    "--token-url=https://id.example.com/realms/devices/token",
];

/// The file that was written, which must be valid, and the run's own words.
#[track_caller]
fn written(bench: &Bench, arguments: &[&str], file: &str) -> Run {
    let mut told = bench.ends(0, arguments);
    let valid = bench.ends(0, &["validate", file]);
    told.output.push_str("\n== the file\n");
    told.output.push_str(&bench.read(file));
    told.output.push_str("== validate\n");
    told.output.extend([valid.output, valid.errors]);
    told
}

#[test]
fn the_file_is_commented_and_valid() {
    let bench = Bench::empty();
    shown!(written(&bench, &["init"], "stack.toml"), "init-local");
    shown!(written(&bench, &OPENAM, "stacks.toml"), "init-openam");
    shown!(written(&bench, &OIDC, "fleet.toml"), "init-oidc");
    let left = bench.files();
    assert_eq!(left.len(), 3, "nothing else is written: {left:?}");
}

#[test]
fn a_file_that_is_there_stays() {
    let bench = Bench::empty();
    bench.write("stack.toml", "mine");
    shown!(bench.run(&["init"]), "init-there");
    // Nobody answers questions in vain.
    let told = bench.ends(64, &["init", "--target", "aws"]);
    assert!(told.errors.contains("the file is there already"), "{told}");
    assert_eq!(bench.read("stack.toml"), "mine");
    fs::create_dir(bench.path().join("folder.toml")).unwrap();
    bench.ends(64, &["init", "folder.toml"]);
}

#[test]
fn answers_that_are_missing_or_wrong() {
    let bench = Bench::empty();
    shown!(bench.run(&["init", "--target", "aws"]), "init-missing");
    let mut wrong = OIDC.map(|argument| {
        argument.replace("eu-central-1", "eu-wset-1").replace("1234", "x").replace("https", "ftp")
    });
    wrong[1] = "fleet.toml".to_owned();
    let wrong: Vec<&str> = wrong.iter().map(String::as_str).collect();
    shown!(bench.run(&wrong), "init-wrong");
    shown!(bench.run(&["init", "--issuer", "https://id.example.com"]), "init-needless");
    shown!(bench.run(&["init", "--target", "aws", "--provider", "embedded"]), "init-embedded");
    // Whatever is answered, it stays one text of the file.
    for odd in ["a\"\nprotect = false\n#", "a\\", "${var.a}", "a\u{7f}", ""] {
        let odd = format!("--name={odd}");
        bench.ends(64, &["init", &odd]);
    }
    assert!(bench.files().is_empty(), "{:?}", bench.files());
}

/// Runs the program at a terminal of its own, where somebody types `lines`; gives what the terminal showed.
fn typed(bench: &Bench, arguments: &[&str], lines: &str) -> (i32, String) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let end = || File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = bench.command(arguments);
    command.stdin(Stdio::from(end())).stderr(Stdio::from(end())).stdout(Stdio::null());
    let mut terminal = File::from(terminal);
    terminal.write_all(lines.as_bytes()).unwrap();
    let mut screen = terminal.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let (mut seen, mut buffer) = (Vec::new(), [0; 1024]);
        // The other end goes away with the program, which is an error here.
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            seen.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8_lossy(&seen).replace("\r\n", "\n")
    });
    let ended = run(command);
    drop(terminal);
    (ended.code, reader.join().unwrap())
}

#[test]
fn somebody_at_a_terminal_is_asked() {
    let bench = Bench::empty();
    let lines = "aws\n\n\neu-wset-1\neu-west-1\n123456789012\nhttps://id.example.com\nsensor\n\n\
                 https://id.example.com/device\nhttps://id.example.com/token\n";
    let (code, screen) = typed(&bench, &["init", "fleet.toml"], lines);
    assert_eq!(code, 0, "{screen}");
    for words in [
        "where it lives, local or aws [local]:",
        "the identity provider, oidc or openam [oidc]:",
        "derives [fleet]:",
        "`eu-wset-1` is not a Region that has AWS IoT (did you mean `eu-west-1`?)",
        "what must be in `aud` of an access token [sensor]:",
    ] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    bench.ends(0, &["validate", "fleet.toml"]);
    let text = bench.read("fleet.toml");
    assert!(text.contains("name = \"fleet\"") && text.contains("region = \"eu-west-1\""), "{text}");
}

#[test]
fn somebody_without_a_good_answer_gets_no_file() {
    let bench = Bench::empty();
    let (code, screen) = typed(&bench, &["init", "--target", "local"], "A\nB\nC\n");
    assert_eq!(
        (code, screen.contains("no good answer for `name`; nothing was written")),
        (64, true),
        "{screen}"
    );
    // The account has no default.
    let (code, _) = typed(&bench, &["init", "--target", "aws", "--region=eu-west-1"], "\n\n\n\n\n");
    assert_eq!(code, 64);
    assert!(bench.files().is_empty(), "{:?}", bench.files());
    let (code, screen) = typed(&bench, &["init", "--yes"], "");
    assert_eq!(code, 0, "{screen}");
}
