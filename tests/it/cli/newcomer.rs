//! What somebody does who has read the README alone: commands out of order, files that are something else.

use std::process::Command;

use crate::support::{Bench, Run, Served, run, shown};

/// Nothing is printed of what is not there: an ARN would be believed.
#[test]
fn outputs_of_what_is_not_deployed() {
    let bench = Bench::new();
    shown!(bench.run(&["outputs", "stack.toml"]), @r#"
    exit 1
    -- errors
    error: the stack is not deployed
      at: stack.toml
      because: there is no authorizer, no release, no log group, no role

    next: thinggate deploy stack.toml
    "#);
    let told = bench.ends(1, &["outputs", "stack.toml", "--output", "json"]);
    assert!(told.output.contains("\"code\": \"not_deployed\"") && !told.output.contains("arn:"), "{told}");
    let _served = Served::start(&bench, &[]);
    let told = bench.ends(1, &["outputs", "stack.toml", "--for", "device"]);
    assert!(told.errors.contains("the stack is not deployed") && told.output.is_empty(), "{told}");
    bench.ends(0, &["deploy", "stack.toml"]);
    let told = bench.ends(0, &["outputs", "stack.toml"]);
    assert!(told.output.contains("authorizer_arn") && told.errors.is_empty(), "{told}");
}

/// A pin on another account: who calls is asked, and nothing else.
#[test]
fn credentials_of_another_account() {
    let bench = Bench::new();
    bench.ends(0, &["deploy", "stack.toml"]);
    let before = bench.read(".thinggate/state.json");
    let keys = bench.files();
    bench.stack("stack.toml", &[("target = \"local\"", "target = \"local\"\naccount = \"111111111111\"")]);
    shown!(bench.run(&["deploy", "stack.toml"]), @r#"
    exit 4
    -- errors
    error: these credentials belong to another account
      at: stack.toml: account
      because: the stack file says 111111111111, the credentials are of 000000000000

    next: leave `account` out of a stack with `target = "local"`; nothing was changed
    "#);
    shown!(bench.run(&["destroy", "stack.toml", "--yes", "--delete-key", "--output", "json"]), @r#"
    exit 4
    -- output
    {
      "calls": {
        "reads": N,
        "writes": 0
      },
      "exit": 4,
      "stacks": [
        {
          "command": "destroy",
          "error": {
            "because": [
              "the stack file says 111111111111, the credentials are of 000000000000"
            ],
            "code": "wrong_account",
            "next": "leave `account` out of a stack with `target = \"local\"`; nothing was changed",
            "place": "stack.toml: account",
            "what": "these credentials belong to another account"
          },
          "exit": 4,
          "file": "stack.toml",
          "stack": "local-demo",
          "steps": [],
          "target": "eu-west-1 (local)"
        }
      ]
    }
    "#);
    for arguments in [&["plan"][..], &["drift"], &["outputs"], &["deploy", "--allow-impact"]] {
        let ended = bench.ends(4, &[arguments, &["stack.toml"]].concat());
        assert!(ended.errors.contains("another account"), "{ended}");
    }
    assert_eq!(bench.read(".thinggate/state.json"), before, "nothing was written");
    assert_eq!(bench.files(), keys);
}

/// It can be anything, a list of passwords too: none of its lines is shown.
#[test]
fn a_file_that_is_something_else() {
    let bench = Bench::new();
    bench.write("passwords.txt", "root:hunter2\nadmin:hunter2\nuser hunter2\nfoo\nbar\nbaz\n");
    bench.write("Other.toml", "[package]\nhunter2 = \"hunter2\"\n");
    bench.write("other.json", "{\n  \"hunter2\": 1\n}\n");
    shown!(bench.run(&["validate", "passwords.txt"]), @r#"
    exit 64
    -- errors
    error[syntax]: key with no value, expected `=`
     --> passwords.txt:1:1
      |
    1 | …
      | ^

    error[syntax]: key with no value, expected `=`
     --> passwords.txt:2:1
      |
    2 | …
      | ^

    error[syntax]: key with no value, expected `=`
     --> passwords.txt:3:1
      |
    3 | …
      | ^

    error[no_stack_file]: this does not look like a stack file
     --> passwords.txt:1:1
      |
    1 | …
      | ^
      |
      = help: a stack file is TOML, and begins with `name`, `target` and `region`

    error: passwords.txt is not valid

    next: name a stack file: one TOML file, such as stacks/local.toml
    "#);
    shown!(bench.run(&["validate", "Other.toml"]), @r#"
    exit 64
    -- errors
    error[no_stack_file]: this does not look like a stack file
     --> Other.toml:1:1
      |
    1 | …
      | ^
      |
      = help: a stack file is TOML, and begins with `name`, `target` and `region`

    error: Other.toml is not valid

    next: name a stack file: one TOML file, such as stacks/local.toml
    "#);
    for file in ["passwords.txt", "Other.toml", "other.json"] {
        for command in ["validate", "plan"] {
            for output in ["human", "json", "jsonl"] {
                let ended = bench.ends(64, &[command, file, "--output", output]);
                let all = format!("{}{}", ended.output, ended.errors);
                assert!(!all.contains("hunter2"), "{ended}");
                assert!(all.contains("this does not look like a stack file"), "{ended}");
            }
        }
    }
}

/// Each file's errors and its verdict stand together, in the order of the command line.
#[test]
fn several_files_to_validate() {
    let bench = Bench::new();
    bench.write("one.toml", "name = 1\n");
    bench.write("two.toml", "");
    let told = bench.ends(64, &["validate", "one.toml", "stack.toml", "two.toml", "none.toml"]);
    let places: Vec<_> =
        ["one.toml:1:", "one.toml is not valid", "two.toml:1:", "two.toml is not valid", "none.toml"]
            .iter()
            .map(|text| told.errors.find(text).unwrap_or_else(|| panic!("no `{text}`\n{told}")))
            .collect();
    assert!(places.is_sorted(), "{places:?}\n{told}");
    assert_eq!(told.output, "stack.toml: valid\n");
    let told = bench.ends(64, &["plan", "one.toml", "stack.toml", "two.toml"]);
    let of_one = told.errors.find("one.toml is not valid").unwrap();
    assert!(of_one < told.errors.find("two.toml:1:").unwrap(), "{told}");
    let told = bench.ends(64, &["validate", "one.toml", "stack.toml", "--output", "json"]);
    let value: serde_json::Value = serde_json::from_str(&told.output).unwrap();
    let exits: Vec<_> = value["stacks"].as_array().unwrap().iter().map(|one| one["exit"].clone()).collect();
    assert_eq!((exits, &value["exit"]), (vec![64.into(), 0.into()], &64.into()), "{told}");
}

/// What a shell runs after this must not reach real AWS.
#[test]
fn an_environment_of_nothing() {
    let bench = Bench::new();
    shown!(bench.run(&["local", "env"]), @r#"
    exit 1
    -- output
    unset AWS_PROFILE AWS_SESSION_TOKEN
    export AWS_ENDPOINT_URL=http://127.0.0.1:PORT
    false
    -- errors
    error: no local target is served
      at: .thinggate
      because: a shell that evaluates this gets an AWS_ENDPOINT_URL that leads nowhere, not to real AWS

    next: thinggate local up, in another terminal and the same folder; then this command again
    "#);
    let json = bench.ends(1, &["local", "env", "--output", "json"]);
    assert!(json.output.contains("nothing_served") && !json.output.contains("export"), "{json}");
    let shell = |bench: &Bench| {
        let mut command = bench.command(&[]);
        let line = "eval \"$(\"$THINGGATE\" local env 2>/dev/null)\" && echo reached; echo $AWS_ENDPOINT_URL";
        let program = command.get_program().to_owned();
        command = in_shell(&command, line);
        command.env("THINGGATE", program);
        run(command)
    };
    assert_eq!(shell(&bench).output, "http://127.0.0.1:1\n");
    let served = Served::start(&bench, &[]);
    assert_eq!(shell(&bench).output, format!("reached\n{}\n", served.text("control_url")));
    let json = bench.ends(0, &["local", "env", "--output", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json.output).unwrap();
    assert_eq!(value["AWS_ENDPOINT_URL"], served.text("control_url"));
}

/// `sh -c line` in the folder and the environment of `command`.
fn in_shell(command: &Command, line: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", line]).env_clear().current_dir(command.get_current_dir().unwrap());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(std::process::Stdio::null());
    shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    shell
}

#[test]
fn a_switch_that_is_a_variable() {
    let bench = Bench::new();
    let with = |value: &str| -> Run {
        let mut command = bench.command(&["destroy", "stack.toml"]);
        command.env("THINGGATE_YES", value);
        run(command)
    };
    bench.ends(0, &["deploy", "stack.toml"]);
    for off in ["0", "false", "No", "off", ""] {
        let ended = with(off);
        assert!(ended.code == 4 && ended.errors.contains("not confirmed"), "{off}: {ended}");
    }
    shown!(with("maybe"), @r#"
    exit 64
    -- errors
    error: invalid value 'maybe' for '--yes': the environment variable THINGGATE_YES is 1, true, yes or on, or else 0, false, no or off

    For more information, try '--help'.
    "#);
    assert_eq!(with("yes").code, 0);
    bench.ends(0, &["destroy", "stack.toml", "--yes"]);
}

#[test]
fn what_a_stack_file_names_is_not_there() {
    let bench = Bench::new();
    let edits = [
        ("[token.hs256]", "[token.rs256]\njwks = \"file:provider.jwks.json\"\n"),
        ("secret   = \"local:hs256\"", ""),
        ("encoding = \"base64\"", ""),
        ("in_environment = true", ""),
    ];
    bench.stack("stack.toml", &edits);
    shown!(bench.run(&["deploy", "stack.toml"]), @r#"
    exit 64
    -- errors
    error: cannot read a file
      at: provider.jwks.json
      because: there is no such file or folder
      because: the stack file stack.toml refers to it

    next: make it as the stack file's comments say, or correct its path there; it begins at the stack file
    "#);
}

/// The folder of the stores goes with the last one, and only if it holds nothing else.
#[test]
fn a_deleted_key_leaves_no_folder() {
    let bench = Bench::new();
    bench.ends(0, &["deploy", "stack.toml"]);
    bench.write("keys/note", "mine");
    bench.ends(0, &["destroy", "stack.toml", "--yes", "--delete-key"]);
    assert_eq!(bench.read("keys/note"), "mine");
    std::fs::remove_file(bench.path().join("keys/note")).unwrap();
    bench.ends(0, &["deploy", "stack.toml"]);
    bench.ends(0, &["destroy", "stack.toml", "--yes", "--delete-key"]);
    assert!(!bench.path().join("keys").exists());
}

/// The code and the page are always shown; a picture is for eyes.
#[test]
fn a_login_without_a_terminal() {
    let bench = Bench::new();
    let _served = Served::start(&bench, &[]);
    for output in ["human", "json"] {
        let command = bench.command(&["device", "login", "stack.toml", "--output", output]);
        let mut talk = crate::support::Talk::start(command);
        talk.until("code   ");
        talk.until("good for");
        talk.signal(rustix::process::Signal::INT);
        let ended = talk.finish();
        assert_eq!(ended.code, 130, "{ended}");
        assert!(ended.errors.contains("open   http://127.0.0.1:"), "{ended}");
        assert!(!ended.errors.contains(['█', '▀', '▄']), "{ended}");
        let told = if output == "human" { &ended.errors } else { &ended.output };
        assert!(told.contains("the login was stopped; no token was fetched"), "{ended}");
        assert!(told.contains("thinggate device login stack.toml starts a new login"), "{ended}");
    }
}
