//! The JSON Schema, judged by a validator of others over every stack file of this repository: what the
//! program takes, the schema takes; what it refuses, the schema refuses where a schema can say it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Bench, checkout};

/// Invalid stack files that the schema takes, each with why no schema refuses it.
const ONLY_VALIDATE: [(&str, &str); 6] = [
    ("assume_role_in_another_account", "no schema compares a part of a text with another one"),
    ("assume_role_in_another_partition", "the same"),
    ("policy_too_large", "the size of a policy is a sum over all entries"),
    ("tag_twice_in_other_case", "no schema compares two keys without case"),
    ("variable_filled_in_wrongly", "what a variable comes to is known when the command runs"),
    ("variable_unknown", "whether a variable has a value is known when the command runs"),
];

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(checkout().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}

/// The schema as the program prints it.
fn printed() -> Value {
    let run = Bench::empty().ends(0, &["schema"]);
    serde_json::from_str(&run.output).unwrap()
}

struct Judge {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Judge {
    fn of(schema: Value) -> Self {
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("stack.json", schema).unwrap();
        let index = compiler.compile("stack.json", &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
        Self { schemas, index }
    }

    /// `None`: it is no TOML, which an editor says without a schema.
    fn refusal(&self, text: &str) -> Option<Result<(), String>> {
        let value: toml::Value = toml::from_str(text).ok()?;
        let value = serde_json::to_value(value).unwrap();
        Some(self.schemas.validate(&value, self.index).map_err(|error| format!("{error:#}")))
    }
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    let judge = Judge::of(printed());
    let mut stacks: Vec<(String, String)> =
        files("stacks").iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect();
    for (name, text) in VALID {
        stacks.push(((*name).to_owned(), (*text).to_owned()));
    }
    let bench = Bench::empty();
    bench.ends(0, &["init"]);
    stacks.push(("init".to_owned(), bench.read("stack.toml")));
    for (name, text) in stacks {
        let refusal = judge.refusal(&text).expect("it is TOML");
        assert!(refusal.is_ok(), "{name}: {refusal:?}");
        if !text.contains("extends") && !text.contains("${var.given}") {
            thinggate::stack::parse(Path::new("stack.toml"), &text)
                .unwrap_or_else(|errors| panic!("{name}: {errors}"));
        }
    }
}

#[test]
fn the_schema_refuses_what_a_schema_can_say() {
    let judge = Judge::of(printed());
    let known: BTreeSet<&str> = ONLY_VALIDATE.iter().map(|(name, _)| *name).collect();
    let (mut taken, mut refused, mut no_toml) = (BTreeSet::new(), 0, 0);
    for path in files("tests/it/stack_errors") {
        match judge.refusal(&fs::read_to_string(&path).unwrap()) {
            None => no_toml += 1,
            Some(Err(_)) => refused += 1,
            Some(Ok(())) => drop(taken.insert(name(&path))),
        }
    }
    let taken: BTreeSet<&str> = taken.iter().map(String::as_str).collect();
    assert_eq!(taken, known, "taken by the schema, and the list of those that only `validate` can refuse");
    assert!(refused >= 90 && no_toml >= 10, "{refused} refused, {no_toml} are no TOML");
}

/// What is wrong in a part is wrong too where the rest stands in the file that it extends.
#[test]
fn the_schema_refuses_a_wrong_part() {
    let judge = Judge::of(printed());
    for part in [
        "[token.hs256]\nsecret = \"env:A\"\n[token.rs256]\njwks = \"file:a\"\n",
        "[token.rs256]\njwks = \"file:a\"\npem = \"file:b\"\n",
        "[signing.off]\n[signing.generated]\n",
        "[function]\nsource = \"a\"\nbootstrap = \"b\"\n",
        "[identity]\nclient_secret = \"env:${var.a}\"\n",
        "[vars]\nclient_secret = \"a\"\n",
        "[[allow]]\n",
        "name = \"A\"\n",
    ] {
        let text = format!("extends = \"base.toml\"\n{part}");
        assert!(judge.refusal(&text).unwrap().is_err(), "{part}");
    }
}

#[test]
fn a_schema_without_a_rule_is_noticed() {
    let mut loose = printed();
    loose["additionalProperties"] = true.into();
    let text = fs::read_to_string(checkout().join("tests/it/stack_errors/unknown_table.toml")).unwrap();
    assert_eq!(Judge::of(loose).refusal(&text), Some(Ok(())));
    assert!(Judge::of(printed()).refusal(&text).unwrap().is_err());
}

#[test]
fn the_schema_is_the_same_in_every_output() {
    let bench = Bench::empty();
    let json = bench.ends(0, &["schema", "--output", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&json.output).unwrap(), printed());
    let extra = bench.ends(64, &["schema", "extra"]);
    assert!(extra.errors.contains("unexpected argument 'extra'"), "{extra}");
}

/// What the stacks of the repository do not show.
const VALID: [(&str, &str); 6] = [
    ("extends_only", "extends = \"../base.toml\"\n"),
    (
        "extends_a_part",
        "extends = \"base.toml\"\n[token]\naudience = [\"a\"]\n[signing.off]\n[identity]\nscope = \"\"\n",
    ),
    (
        "variables",
        "name = \"a-${var.given}\"\ntarget = \"${var.given}\"\nregion = \"${var.given}\"\naccount = \"${var.given}\"\n\
         [vars]\ngiven = \"\"\nother = \"a $5\"\n[tags]\na = \"${var.given}\"\n[token]\nissuer = \"${var.given}\"\n\
         audience = [\"${var.given}\"]\ntypes = [\"at+jwt\"]\n[token.rs256]\njwks = \"file:${var.given}\"\n[[allow]]\n\
         connect = [\"${var.given}\"]\npublish = [\"${var.given}/a\"]\nsubscribe = [\"${var.given}/#\"]\n\
         [authorizer]\nname = \"${var.given}\"\ntoken_key_name = \"${var.given}\"\n[function]\n\
         architecture = \"${var.given}\"\nsource = \"${var.given}\"\n",
    ),
    (
        "public_keys",
        "name = \"a\"\ntarget = \"local\"\nregion = \"eu-west-1\"\n[signing.public]\nkeys = { A = \"file:a.pem\", \"b:c\" = \
         \"env:B\" }\n[token]\nissuer = \"http://a\"\naudience = [\"a\"]\ntypes = [\"at+jwt\"]\n[token.rs256]\npem = \
         \"file:a\"\n[[allow]]\npublish = [\"a/{sub}\"]\n",
    ),
    (
        "filters",
        "name = \"a\"\ntarget = \"local\"\nregion = \"eu-west-1\"\n[token]\nissuer = \"https://a:8/b?c\"\naudience = \
         [\"a\"]\ntypes = [\"\", \"JWT\"]\nrequire = { \"https://a/b\" = \"c\" }\n[token.hs256]\nsecret = \"file:/a b\"\n\
         in_environment = true\n[[allow]]\nconnect = [\"{sub}\", \"{sub}/*\", \"a/{https://a/b}/c/*\", \"{a}/{b}/*\", \
         \"fixed\"]\npublish = [\"a\", \"/a//b/\", \"{a.b}/c\"]\nsubscribe = [\"+/a\", \"#\", \"a/#\", \"{sub}/+/c\", \"/+\"]\n",
    ),
    (
        "aws",
        "name = \"a\"\ntarget = \"aws\"\nregion = \"us-gov-west-1\"\naccount = \"123456789012\"\n[aws]\nprofile = \"a\"\n\
         [[aws.assume_role]]\narn = \"arn:aws-us-gov:iam::123456789012:role/a/b\"\nduration_s = 43200\n[[aws.assume_role]]\narn = \"arn:aws-us-gov:iam::123456789012:role/c\"\nexternal_id = \"a:b/c\"\nsession_name = \"a@b\"\nduration_s = 900\n\
         [aws.endpoints]\niam = \"http://127.0.0.1:5000\"\nlambda = \"https://lambda.example.com:8443/\"\n[tags]\n\"a b\" \
         = \"\"\n[token]\nissuer = \"http://id\"\naudience = [\"a\"]\ntypes = [\"at+jwt\"]\n[token.rs256]\njwks = \
         \"env:A\"\n[identity]\ndevice_url = \"http://[::1]:3/a\"\ntoken_url = \"https://a.example.com\"\nclient_id = \
         \"a\"\nclient_secret = \"env:A\"\nclient_auth = \"basic\"\nextra = { a = \"\" }\n[[allow]]\npublish = [\"a\"]\n",
    ),
];
