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
