//! Environments: stack files that extend another one, and variables. All that is said, with exit codes.

use crate::support::{Bench, run, shown};

const BASE: &str = "target = \"aws\"\nregion = \"eu-west-1\"\naccount = \"123456789012\"\n\
                    name = \"fleet-${var.stage}\"\n\n[token]\n\
                    issuer = \"https://id.example.com/${var.realm}\"\naudience = [\"devices\"]\n\
                    types = [\"at+jwt\"]\n\n[token.rs256]\njwks = \"file:keys.json\"\n\n[[allow]]\n\
                    connect = [\"{sub}/*\"]\n";

/// `base.toml`, and `test.toml` and `live.toml` that extend it.
fn bench() -> Bench {
    let bench = Bench::empty();
    bench.write("base.toml", BASE);
    bench.write("test.toml", "extends = \"base.toml\"\n\n[vars]\nstage = \"test\"\n");
    bench.write("live.toml", "extends = \"base.toml\"\n\n[vars]\nstage = \"live\"\n");
    bench
}

#[test]
fn one_base_two_environments() {
    let bench = bench();
    shown!(
        bench.run(&["validate", "test.toml", "live.toml", "--var", "realm=devices"]),
        "environments-two-environments"
    );
    let mut command = bench.command(&["validate", "live.toml"]);
    command.env("THINGGATE_VAR", "realm=devices\nstage=Live");
    shown!(run(command), "environments-of-the-variable");
}

#[test]
fn variables_that_are_missing_or_too_many() {
    let bench = bench();
    shown!(bench.run(&["validate", "test.toml"]), "environments-missing");
    shown!(
        bench.run(&["plan", "test.toml", "--var", "relm=devices"]),
        "environments-misspelt-in-the-command"
    );
    shown!(
        bench.run(&["plan", "test.toml", "--var", "realm=devices", "--var", "stag=a"]),
        "environments-misspelt"
    );
    shown!(
        bench.run(&["validate", "test.toml", "--var", "realm=devices", "--var", "other=a"]),
        "environments-unused"
    );
    shown!(bench.run(&["plan", "test.toml", "--var", "client_secret=hunter2"]), "environments-secret");
    shown!(bench.run(&["plan", "test.toml", "--var", "hunter2"]), "environments-no-value");
}

#[test]
fn a_value_is_wrong_wherever_it_stands() {
    let bench = bench();
    shown!(
        bench.run(&["validate", "test.toml", "--var", "realm=devices", "--var", "stage=Live"]),
        "environments-wrong-from-a-variable"
    );
    bench.write("base.toml", &BASE.replace("eu-west-1", "eu-wset-1"));
    shown!(bench.run(&["validate", "test.toml", "--var", "realm=devices"]), "environments-wrong-in-the-base");
    shown!(
        bench.run(&["validate", "test.toml", "--var", "realm=devices", "--output", "json"]),
        "environments-wrong-in-json"
    );
}

#[test]
fn what_is_extended_cannot_be_read() {
    let bench = bench();
    bench.write("none.toml", "extends = \"bsae.toml\"\n");
    bench.write("one.toml", "name = \"one\"\nextends = \"sub/two.toml\"\n");
    bench.write("sub/two.toml", "extends = \"../one.toml\"\n");
    shown!(bench.run(&["validate", "none.toml"]), "environments-base-missing");
    shown!(bench.run(&["validate", "one.toml"]), "environments-circle");
}

#[test]
fn two_files_of_one_family_are_one_stack() {
    let bench = bench();
    bench.write(
        "live.toml",
        "extends = \"base.toml\"\n\n[vars]\nstage = \"test\"\n\n[tags]\nteam = \"live\"\n",
    );
    shown!(bench.run(&["validate", "test.toml", "--var", "realm=devices"]), "environments-same-beside");
    shown!(
        bench.run(&["validate", "test.toml", "live.toml", "--var", "realm=devices"]),
        "environments-same-twice"
    );
    // Another Region, account or name is another stack.
    bench.write("live.toml", "extends = \"base.toml\"\nregion = \"eu-west-2\"\n[vars]\nstage = \"test\"\n");
    let apart = bench.ends(0, &["validate", "test.toml", "--var", "realm=devices"]);
    assert!(!apart.errors.contains("same"), "{apart}");
}

/// A stack whose values come from everywhere.
fn everywhere(bench: &Bench) {
    bench.write(
        "shared/base.toml",
        "target = \"aws\"\naccount = \"123456789012\"\n[vars]\nteam = \"iot\"\n[tags]\nteam = \"${var.team}\"\n\
         api_key = \"hunter2\"\n[token]\nissuer = \"https://id.example.com/${var.realm}\"\naudience = [\"a\", \"${var.realm}\"]\n\
         require = { use = \"access\" }\n[token.hs256]\nsecret = \"file:hmac\"\nin_environment = true\n[identity]\n\
         device_url = \"https://id.example.com/d\"\ntoken_url = \"https://id.example.com/t\"\nclient_id = \"c\"\n\
         client_secret = \"env:CLIENT\"\nextra = { password = \"hunter2\", \"a b\" = \"c\" }\n[[allow]]\n\
         publish = [\"a\"]\nsubscribe = [\"b\"]\n",
    );
    bench.write(
        "live.toml",
        "extends = \"shared/base.toml\"\nname = \"fleet\"\nregion = \"eu-west-1\"\n\n[function]\nmemory_mb = 512\n",
    );
}

#[test]
fn every_value_is_shown_with_its_origin() {
    let bench = Bench::empty();
    everywhere(&bench);
    shown!(bench.run(&["show-config", "live.toml", "--var", "realm=devices"]), "show-config");
    let mut command = bench.command(&["show-config", "live.toml", "--output", "json"]);
    command.env("THINGGATE_VAR", "realm=devices").env("AWS_PROFILE", "mine");
    shown!(run(command), "show-config-json");
    shown!(bench.run(&["show-config", "live.toml", "none.toml"]), "show-config-refused");
}

/// What the files say is what is shown, line by line; a value without a line in any file is a default.
#[test]
fn an_origin_leads_to_the_line_of_its_value() {
    let bench = Bench::empty();
    everywhere(&bench);
    let mut command = bench.command(&["show-config", "live.toml", "--output", "json", "--var", "realm=r"]);
    command.env("AWS_PROFILE", "mine");
    let shown: serde_json::Value = serde_json::from_str(&run(command).output).unwrap();
    let values = shown["stacks"][0]["values"].as_array().unwrap();
    let mut of_files = 0;
    for value in values.iter().filter(|value| value["origin"]["kind"] == "file") {
        let (origin, key) = (&value["origin"], value["key"].as_str().unwrap());
        let file = bench.read(origin["file"].as_str().unwrap());
        let line = file.lines().nth(usize::try_from(origin["line"].as_u64().unwrap()).unwrap() - 1).unwrap();
        let column = usize::try_from(origin["column"].as_u64().unwrap()).unwrap();
        let last = key.rsplit('.').next().unwrap().trim_matches('"');
        assert!(line[column - 1..].trim_start_matches('"').starts_with(last), "{key}: {line}");
        of_files += 1;
    }
    // Each line with a `=` in the two files, but `extends` and `[vars]`; a table on one line has as many as keys.
    let lines = bench.read("live.toml") + &bench.read("shared/base.toml");
    let keys = lines.matches(" = ").count() - ["extends", "vars.team"].len() - ["require", "extra"].len();
    assert_eq!(of_files, keys, "{shown:#}");
}

#[test]
fn completions_are_scripts_that_complete() {
    let bench = Bench::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.ends(0, &["completions", shell]);
        for word in ["show-config", "completions", "--var", "--allow-impact"] {
            let word = if shell == "fish" { word.trim_start_matches("--") } else { word };
            assert!(script.output.contains(word), "{shell}: {word}");
        }
        assert_eq!(script.errors, "");
    }
    bench.write("thinggate.bash", &bench.ends(0, &["completions", "bash"]).output);
    // The shell's own words for "thinggate de<TAB>" and "thinggate plan --k<TAB>".
    let complete = |words: &str, word: &str| {
        let script = format!(
            ". ./thinggate.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _thinggate thinggate '{word}' ''; echo \"${{COMPREPLY[@]}}\""
        );
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &script]).current_dir(bench.path());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let mut found: Vec<String> =
        complete("thinggate de", "de").split_whitespace().map(str::to_owned).collect();
    found.sort();
    assert_eq!(found, ["demo", "deploy", "destroy", "device"]);
    assert_eq!(complete("thinggate plan --k", "--k"), "--keep-code\n");
    assert_eq!(complete("thinggate completions z", "z"), "zsh\n");
}
