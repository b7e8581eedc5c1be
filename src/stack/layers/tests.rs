use std::collections::BTreeMap;

use crate::stack::{Given, Read, Refused, Signing, TokenKey, VariableOrigin, read};

use super::*;

const BASE: &str = r#"name = "demo"
target = "local"
region = "eu-west-1"
[vars]
stage = "test"
[tags]
team = "iot"
stage = "${var.stage}"
[token]
issuer = "https://id.example.com"
audience = ["one", "two"]
types = ["at+jwt"]
[token.rs256]
jwks = "file:keys.json"
[[allow]]
connect = ["{sub}/*"]
[[allow]]
publish = ["alarms"]
[function]
memory_mb = 512
"#;

/// Reads `top/stack.toml` among these files.
fn of(files: &[(&str, &str)], given: &[&str]) -> Result<Read, Box<Refused>> {
    let files: BTreeMap<PathBuf, String> =
        files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    let open = |path: &Path| {
        let mut plain = PathBuf::new();
        for part in path.components() {
            if part.as_os_str() == ".." {
                assert!(plain.pop());
            } else {
                plain.push(part);
            }
        }
        let text = files.get(&plain).cloned().ok_or("there is no such file")?;
        Ok(Opened { identity: plain, text })
    };
    let mut variables = Given::default();
    for one in given {
        variables.add(one, VariableOrigin::CommandLine).unwrap();
    }
    let file = Path::new("top/stack.toml");
    read(file, open(file).unwrap(), &variables, &open)
}

#[track_caller]
fn good(files: &[(&str, &str)], given: &[&str]) -> Read {
    of(files, given).unwrap_or_else(|refused| panic!("{}", refused.errors))
}

#[track_caller]
fn refusals(files: &[(&str, &str)], given: &[&str]) -> Vec<String> {
    let errors = of(files, given).unwrap_err().errors.errors;
    let told = errors.iter().map(|error| format!("{}:{} {}", error.file.display(), error.line, error.code));
    told.collect()
}

/// One precedence rule: `--var`, the stack file, what it extends, nearest first, the default.
#[test]
fn the_nearest_wins() {
    let near = "extends = \"middle.toml\"\n";
    let middle = "extends = \"base.toml\"\n";
    let of = |value: Option<&str>, start: &str| {
        let tags = value.map(|value| format!("[tags]\nstage = \"{value}\"\n")).unwrap_or_default();
        format!("{start}{tags}")
    };
    let rows: [([Option<&str>; 4], &str); 7] = [
        // `--var`, the file, the middle one, `[vars]` of the middle one, and what holds.
        ([None, None, None, None], "test"),
        ([None, None, None, Some("m")], "m"),
        ([None, None, Some("middle"), Some("m")], "middle"),
        ([None, Some("near"), Some("middle"), None], "near"),
        ([Some("v"), None, None, Some("m")], "v"),
        ([Some("v"), Some("near-${var.stage}"), Some("middle"), Some("m")], "near-v"),
        ([None, Some("near-${var.stage}"), Some("middle"), Some("m")], "near-m"),
    ];
    for (number, ([given, near_tag, middle_tag, vars], expected)) in rows.into_iter().enumerate() {
        let vars = vars.map(|value| format!("[vars]\nstage = \"{value}\"\n")).unwrap_or_default();
        let files = [
            ("top/stack.toml", of(near_tag, near)),
            ("top/middle.toml", format!("{}{vars}", of(middle_tag, middle))),
            ("top/base.toml", BASE.to_owned()),
        ];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        let given: Vec<String> = given.iter().map(|value| format!("stage={value}")).collect();
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        let stack = good(&files, &given).stack;
        assert_eq!(stack.tags["stage"], expected, "row {number}");
        assert_eq!(stack.tags["team"], "iot", "row {number}: other keys of the table stay");
        assert_eq!(stack.function.log_retention_days, 30, "row {number}: the default");
    }
}

#[test]
fn tables_are_merged_and_everything_else_is_replaced() {
    let near = "extends = \"base.toml\"\n[token]\naudience = [\"three\"]\n[[allow]]\npublish = [\"mine\"]\n\
                [function]\nlog_retention_days = 90\n";
    let stack = good(&[("top/stack.toml", near), ("top/base.toml", BASE)], &[]).stack;
    assert_eq!(stack.token.audience, ["three"]);
    assert_eq!(stack.token.issuer, "https://id.example.com");
    assert_eq!(stack.allow.len(), 1);
    assert_eq!((stack.function.memory_mb, stack.function.log_retention_days), (512, 90));
}

#[test]
fn a_choice_replaces_the_other_one() {
    let near =
        "extends = \"base.toml\"\n[token.hs256]\nsecret = \"env:A\"\nin_environment = true\n[signing.off]\n";
    let base = format!("{BASE}bootstrap = \"a\"\n[signing.generated]\nbits = 4096\n");
    let stack = good(&[("top/stack.toml", near), ("top/base.toml", &base)], &[]).stack;
    assert!(matches!(stack.token.key, TokenKey::Hs256 { .. }), "{:?}", stack.token.key);
    assert_eq!(stack.signing, Signing::Off);
    let near = format!("{near}[token.rs256]\npem = \"file:a.pem\"\n");
    assert_eq!(
        refusals(&[("top/stack.toml", &near), ("top/base.toml", &base)], &[]),
        ["top/stack.toml:6 conflict"],
        "both in one file are a conflict"
    );
}

#[test]
fn a_relative_path_begins_at_the_file_that_has_it() {
    let near = "extends = \"../shared/base.toml\"\n[function]\nbootstrap = \"mine\"\n";
    let stack = good(&[("top/stack.toml", near), ("shared/base.toml", BASE)], &[]).stack;
    let keys = format!("{:?}", stack.token.key);
    assert!(keys.contains("top/../shared/keys.json"), "{keys}");
    assert_eq!(stack.function.bootstrap, Some(PathBuf::from("top/mine")));
    assert_eq!(
        stack.signing,
        Signing::Generated {
            bits: 2048,
            store: super::super::KeyStore::Folder("top/keys/demo@eu-west-1".into())
        }
    );
}

#[test]
fn an_error_is_told_where_its_value_stands() {
    let near = "extends = \"base.toml\"\nregion = \"eu-west-9\"\n[function]\nmemroy_mb = 3\n";
    let base = BASE.replace("512", "1").replace("audience =", "audiense =");
    assert_eq!(
        refusals(&[("top/stack.toml", near), ("top/base.toml", &base)], &[]),
        [
            "top/stack.toml:2 bad_region",
            "top/stack.toml:4 unknown_key",
            "top/base.toml:11 unknown_key",
            "top/base.toml:20 out_of_range",
        ]
    );
}

#[test]
fn a_syntax_error_below_is_told_there() {
    let base = format!("{BASE}memory_mb 3\n");
    assert_eq!(
        refusals(&[("top/stack.toml", "extends = \"base.toml\"\n"), ("top/base.toml", &base)], &[]),
        ["top/base.toml:21 syntax"]
    );
}

#[test]
fn what_cannot_be_extended_is_refused_once() {
    let extends = |path: &str| format!("name = \"demo\"\nextends = {path}\n");
    for (value, expected) in [
        ("\"none.toml\"", "top/stack.toml:2 bad_extends"),
        ("\"~/base.toml\"", "top/stack.toml:2 bad_extends"),
        ("\"\"", "top/stack.toml:2 bad_extends"),
        ("[\"base.toml\"]", "top/stack.toml:2 bad_extends"),
        ("\"${var.base}\"", "top/stack.toml:2 bad_extends"),
        ("\"stack.toml\"", "top/stack.toml:2 extends_circle"),
        ("\"../top/stack.toml\"", "top/stack.toml:2 extends_circle"),
        ("\"other.toml\"", "top/other.toml:1 extends_circle"),
    ] {
        let files =
            [("top/stack.toml", extends(value)), ("top/other.toml", "extends = \"stack.toml\"\n".to_owned())];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        assert_eq!(refusals(&files, &[]), [expected], "{value}");
    }
}

#[test]
fn a_chain_has_an_end() {
    let chain = |length: usize| -> Vec<(String, String)> {
        (0..length)
            .map(|number| {
                let name = if number == 0 { "stack".to_owned() } else { number.to_string() };
                let text = if number + 1 == length {
                    BASE.to_owned()
                } else {
                    format!("extends = \"{}.toml\"\n", number + 1)
                };
                (format!("top/{name}.toml"), text)
            })
            .collect()
    };
    let borrowed = |files: &[(String, String)]| -> Vec<(&'static str, &'static str)> {
        files.iter().map(|(path, text)| (&*path.clone().leak(), &*text.clone().leak())).collect()
    };
    good(&borrowed(&chain(FILES_MAX)), &[]);
    assert_eq!(refusals(&borrowed(&chain(FILES_MAX + 1)), &[]), ["top/7.toml:1 too_large"]);
}

#[test]
fn of_a_file_that_is_no_stack_nothing_is_shown() {
    let files =
        [("top/stack.toml", "extends = \"../shadow\"\n"), ("shadow", "root:hunter2:1\nme:hunter2:2\n")];
    let refused = of(&files, &[]).unwrap_err();
    let drawn = crate::stack::render_all(&refused.errors, &refused.sources, false);
    let told = format!("{drawn}{}{refused:?}", refused.errors);
    assert!(!told.contains("hunter2"), "{told}");
    assert!(told.contains("does not look like a stack file") && told.contains("shadow:1"), "{told}");
}

#[test]
fn a_shared_name_is_remarked() {
    let aws = BASE.replace("\"local\"", "\"aws\"\naccount = \"123456789012\"");
    let remarks = |near: &str, base: &str| {
        let read = good(&[("top/stack.toml", near), ("top/base.toml", base)], &[]);
        read.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>()
    };
    assert_eq!(remarks("extends = \"base.toml\"\n", &aws), ["shared_name"]);
    assert_eq!(remarks("extends = \"base.toml\"\nregion = \"eu-west-2\"\n", &aws), Vec::<&str>::new());
    let by_variable = aws.replace("\"demo\"", "\"demo-${var.stage}\"");
    assert_eq!(remarks("extends = \"base.toml\"\n", &by_variable), Vec::<&str>::new());
    assert_eq!(remarks("extends = \"base.toml\"\n", BASE), Vec::<&str>::new(), "local: by state directory");
}
