use std::path::Path;

use crate::stack::{Opened, Read, Refused, read};

use super::*;

/// A stack with `tag` as the text of a tag, and these lines before its tables.
fn of(tag: &str, before: &str, given: &[&str]) -> Result<Read, Box<Refused>> {
    let text = format!(
        "name = \"demo\"\ntarget = \"local\"\nregion = \"eu-west-1\"\n{before}\n[tags]\na = '{tag}'\n\
         [token]\nissuer = \"https://id.example.com\"\naudience = [\"a\"]\ntypes = [\"at+jwt\"]\n\
         [token.rs256]\njwks = \"local:jwks\"\n[[allow]]\nconnect = [\"{{sub}}/*\"]\n"
    );
    let mut variables = Given::default();
    for one in given {
        variables.add(one, VariableOrigin::CommandLine).unwrap();
    }
    let opened = Opened { identity: "demo.toml".into(), text };
    read(Path::new("demo.toml"), opened, &variables, &|_| Err("none".to_owned()))
}

#[test]
fn texts_are_filled_in() {
    for (tag, expected) in
        [("${var.a}", "one"), ("${var.a}${var.b}", "onetwo"), ("x-${var.a}-y", "x-one-y"), ("+-@", "+-@")]
    {
        let read = of(tag, "", &["a=one", "b=two"]).unwrap();
        assert_eq!(read.stack.tags["a"], expected, "{tag}");
    }
}

/// Where a text takes `$` and braces, `$${` stands for a plain `${`; nothing else is special.
#[test]
fn a_plain_opening_can_be_written() {
    let sources = crate::stack::Sources::one(Path::new("a.toml"), "a = 1");
    let mut checks = Checks::new(sources.laid_out());
    let known = [("a".to_owned(), ("one".to_owned(), VariableOrigin::CommandLine))];
    let mut filler = Filler {
        known: known.into(),
        refused: BTreeSet::new(),
        filled: Filled::new(),
        used: BTreeSet::new(),
    };
    let place = Place { key: "a".to_owned(), span: 4..5 };
    for (text, expected) in [
        ("$${var.a}", "${var.a}"),
        ("$${${var.a}", "${one"),
        ("$$${var.a}", "$${var.a}"),
        ("$5 ${var.a} $", "$5 one $"),
        ("{a} $a", "{a} $a"),
        ("${iot:ClientId}", "${iot:ClientId}"),
    ] {
        assert_eq!(filler.text(&mut checks, &place, text).as_deref(), Some(expected), "{text}");
    }
}

#[track_caller]
fn refusal(result: Result<Read, Box<Refused>>) -> (String, String) {
    let errors = result.unwrap_err().errors.errors;
    assert_eq!(errors.len(), 1, "{errors:?}");
    (
        format!("{}:{} {}", errors[0].line, errors[0].code, errors[0].message),
        errors[0].help.clone().unwrap_or_default(),
    )
}

#[test]
fn what_is_not_known_is_refused_with_what_was_meant() {
    let (message, help) = refusal(of("${var.stgae}", "", &["stage=a"]));
    assert_eq!(message, "6:unknown_variable `${var.stgae}` has no value");
    assert_eq!(help, "`--var stage=…` is given: which of the two is misspelt?");
    let (_, help) = refusal(of("${var.stgae}", "[vars]\nstage = \"a\"", &[]));
    assert_eq!(help, "did you mean `${var.stage}`?");
    let (_, help) = refusal(of("${var.stage}", "", &[]));
    assert_eq!(help, "give it: `--var stage=…`, or a default: `stage = \"…\"` under `[vars]`");
    for text in ["${var.a", "${stage}", "${env:HOME}", "${var.A}", "${}", "${var.}"] {
        assert!(refusal(of(text, "", &["a=b"])).0.starts_with("6:bad_variable"), "{text}");
    }
}

#[test]
fn an_error_says_what_was_filled_in_and_from_where() {
    let (message, help) = refusal(of("${var.a}", "", &["a=sch*n"]));
    assert!(message.starts_with("6:bad_value"), "{message}");
    assert_eq!(help, "`${var.a}` is `sch*n`, from --var");
    let (_, help) = refusal(of("${var.a}", "[vars]\na = \"sch*n\"", &[]));
    assert_eq!(help, "`${var.a}` is `sch*n`, from demo.toml:5");
}

#[test]
fn variables_of_the_file() {
    let remarks = of("b", "[vars]\na = \"one\"", &[]).unwrap().warnings;
    assert_eq!((remarks[0].code, remarks[0].line), ("unused_variable", 5));
    for (line, code) in [
        ("A = \"one\"", "bad_name"),
        ("a = \"${var.b}\"", "bad_variable"),
        ("password = \"one\"", "literal"),
        ("client_secrt = \"one\"", "literal"),
        ("a = 3", "wrong_type"),
    ] {
        let (message, _) = refusal(of("b", &format!("[vars]\n{line}"), &[]));
        assert!(message.starts_with(&format!("5:{code}")), "{line}: {message}");
    }
}

#[test]
fn what_is_given_is_checked_and_not_repeated() {
    let add = |texts: &[&str]| {
        let mut given = Given::default();
        texts.iter().try_for_each(|text| given.add(text, VariableOrigin::CommandLine))
    };
    add(&["a=b", "b=c=d", "c="]).unwrap();
    let long = format!("a={}", "x".repeat(VALUE_LENGTH_MAX + 1));
    for texts in [
        &["hunter2"][..],
        &["Hunter2=a"],
        &["=hunter2"],
        &["password=hunter2"],
        &["hmac_secret=hunter2"],
        &["secrt=hunter2"],
        &["a=hunter2\u{7}"],
        &["a=b", "a=hunter2"],
        &[&long],
    ] {
        let message = add(texts).unwrap_err();
        assert!(!message.contains("hunter2") && !message.contains("xxx"), "{message}");
    }
}

#[test]
fn a_secret_takes_no_variable() {
    let text = "name = \"demo\"\n[token.hs256]\nsecret = \"env:${var.a}\"\n[identity]\nclient_secret = \"${var.a}\"\n";
    let opened = Opened { identity: "demo.toml".into(), text: text.to_owned() };
    let mut given = Given::default();
    given.add("a=hunter2", VariableOrigin::CommandLine).unwrap();
    let refused = read(Path::new("demo.toml"), opened, &given, &|_| Err("none".to_owned())).unwrap_err();
    let errors = &refused.errors.errors;
    let of = |key: &str| {
        errors.iter().filter(|error| error.key == key).map(|error| error.code).collect::<Vec<_>>()
    };
    assert_eq!(of("token.hs256.secret"), ["variable_secret"]);
    assert_eq!(of("identity.client_secret"), ["variable_secret"]);
    let told = format!("{errors:?}{}", crate::stack::render_all(&refused.errors, &refused.sources, true));
    assert!(!told.contains("hunter2"), "{told}");
}
