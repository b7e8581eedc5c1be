//! Each rule is shown a defect, and must see it; and its like that is none, and must let it pass.

use super::source::Source;
use super::{rules, structure};

#[track_caller]
fn sees(rule: impl Fn(&Source) -> Vec<String>, path: &str, text: &str) {
    let broken = rule(&Source::new(path, text));
    assert!(!broken.is_empty(), "not seen in {path}:\n{text}");
}

#[track_caller]
fn passes(rule: impl Fn(&Source) -> Vec<String>, path: &str, text: &str) {
    assert_eq!(rule(&Source::new(path, text)), Vec::<String>::new(), "{text}");
}

#[test]
fn comments_and_texts_are_no_code() {
    let text = concat!(
        "// a println!\n/* b /* println! */ println! */ let c = \"\\\"println!\"; let d = 'x'; ",
        "let e = '\\''; fn f<'a>(g: &'a str) { r#\"println! \" println!\"# } // println!\n",
        "let h = b\"println!\"; let lr = br\"println!\";"
    );
    passes(rules::printing, "src/plan/mod.rs", text);
    let code = Source::new("src/plan/mod.rs", text).code;
    assert!(code.contains("fn f<'a>(g: &'a str) {"), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
    sees(rules::printing, "src/plan/mod.rs", "let quote = '\"'; println!();");
}

#[test]
fn a_module_that_looks_down_is_seen() {
    for text in [
        "use crate::plan::Plan;",
        "use crate::{names::Region, plan::{Plan, Step}};",
        "use crate::{\n    names,\n    report,\n};",
        "fn f() { crate::cli::run() }",
        "use super::super::apply::run;",
        "use crate::resource::Kind;",
    ] {
        sees(structure::named_modules, "src/stack/token.rs", text);
    }
    for text in [
        "use crate::names::Region;",
        "use crate::stack::Stack; use super::model::Token;",
        "use crate::{names::{Region, plan}};",
        "// use crate::plan::Plan;",
        "#[cfg(test)]\nmod tests { use crate::plan::Plan; }",
    ] {
        passes(structure::named_modules, "src/stack/token.rs", text);
    }
    passes(structure::named_modules, "src/stack/tests.rs", "use crate::plan::Plan;");
    sees(structure::named_modules, "src/plan/mod.rs", "use super::cli::run;");
    sees(structure::named_modules, "src/gather/mod.rs", "use crate::plan::Plan;");
    sees(structure::named_modules, "src/helpers.rs", "");
}

#[test]
fn a_stray_sdk_type_is_seen() {
    sees(rules::sdk_types, "src/plan/mod.rs", "use aws_sdk_iot::Client;");
    sees(rules::sdk_types, "src/cli/target.rs", "aws_config::defaults()");
    passes(rules::sdk_types, "src/resource/role.rs", "use aws_sdk_iam::Client;");
}

#[test]
fn a_stray_print_is_seen() {
    sees(rules::printing, "src/cli/mod.rs", "fn f() { eprintln!(\"x\") }");
    sees(rules::printing, "src/cli/mod.rs", "use std::io; fn f() { io::stdout().write_all(b\"x\") }");
    passes(rules::printing, "src/report/human.rs", "println!()");
    passes(rules::printing, "authorizer/src/main.rs", "println!()");
    passes(rules::printing, "src/cli/mod.rs", "#[cfg(test)]\nmod tests { fn f() { println!() } }");
}

#[test]
fn a_stray_file_access_is_seen() {
    for text in [
        "std::fs::read(path)",
        "use std::fs;",
        "use std::{fs, io};",
        "use std::{io, fs::File};",
        "tokio::fs::read(path).await",
        "tempfile::tempdir()",
        "fs::read(path)",
    ] {
        sees(rules::file_system, "src/keys/file.rs", text);
    }
    passes(rules::file_system, "src/door/files.rs", "std::fs::read(path)");
    passes(rules::file_system, "src/keys/file.rs", "use std::{io, path::Path}; let offs = prefs::x;");
    passes(rules::file_system, "src/keys/file/tests.rs", "tempfile::tempdir()");
}

#[test]
fn a_plan_that_waits_is_seen() {
    sees(rules::asynchronous_plan, "src/plan/order.rs", "async fn plan() {}");
    sees(rules::asynchronous_plan, "src/plan.rs", "fn f() { g().await }");
    passes(rules::asynchronous_plan, "src/plan/order.rs", "// async\nfn asynchronous() {}");
    passes(rules::asynchronous_plan, "src/apply/mod.rs", "async fn apply() {}");
}

#[test]
fn an_effect_away_from_the_edge_is_seen() {
    sees(rules::edges, "src/apply/mod.rs", "let now = std::time::SystemTime::now();");
    sees(rules::edges, "src/gather/mod.rs", "std::env::var(\"HOME\")");
    sees(rules::edges, "src/gather/mod.rs", "use std::env; env::var_os(\"HOME\")");
    sees(rules::edges, "local/src/control/sts.rs", "SystemTime::now()");
    sees(rules::edges, "src/apply/mod.rs", "tokio::time::sleep(pause).await");
    passes(rules::edges, "src/cli/mod.rs", "SystemTime::now()");
    passes(rules::edges, "src/gather/mod.rs", "// SystemTime::now()\nenv!(\"CARGO_MANIFEST_DIR\")");
}

#[test]
fn a_test_that_sleeps_is_seen() {
    sees(rules::sleeping_tests, "tests/it/door.rs", "tokio::time::sleep(PAUSE).await;");
    sees(rules::sleeping_tests, "tests/it/door.rs", "use std::thread::sleep; fn f() { sleep(PAUSE) }");
    sees(
        rules::sleeping_tests,
        "src/apply/mod.rs",
        "#[cfg(test)]\nmod tests { fn f() { std::thread::sleep(PAUSE) } }",
    );
    passes(rules::sleeping_tests, "src/door/toll.rs", "tokio::time::sleep(PAUSE).await;");
    passes(rules::sleeping_tests, "tests/it/door.rs", "tokio::time::advance(PAUSE).await; // sleep(");
}

#[test]
fn a_long_file_and_a_long_function_are_seen() {
    sees(rules::long_file, "src/x.rs", &"\n".repeat(501));
    passes(rules::long_file, "src/x.rs", &"\n".repeat(500));
    let function = |lines: usize| format!("fn f() {{\n{}}}\n", "    // {\n".repeat(lines - 2));
    sees(rules::long_functions, "src/x.rs", &function(71));
    passes(rules::long_functions, "src/x.rs", &function(70));
    passes(rules::long_functions, "src/x.rs", &format!("trait T {{ fn f(); }}\n{}", function(70)));
    let with_brace = format!("fn f() {{ let open = '{{'; }}\n{}", "\n".repeat(80));
    passes(rules::long_functions, "src/x.rs", &with_brace);
}

#[test]
fn what_is_left_for_later_is_seen() {
    for text in ["todo!()", "unimplemented!()", "#[ignore]", "#[ignore = \"slow\"]", "#[should_panic]"] {
        sees(rules::left_for_later, "src/x.rs", text);
    }
    sees(rules::left_for_later, "src/x.rs", &format!("// TO{}: later", "DO"));
    sees(rules::left_for_later, "src/x.rs", &format!("// FIX{} later", "ME"));
    passes(rules::left_for_later, "src/x.rs", "// to do this later is fine to say");
}

#[test]
fn a_forgotten_file_is_seen() {
    let file = Source::new;
    let declared = [
        file("tests/it/main.rs", "mod door;"),
        file("tests/it/door.rs", "mod far;"),
        file("tests/it/door/far.rs", ""),
    ];
    assert_eq!(structure::forgotten_files(&declared, &[]), Vec::<String>::new());
    let forgotten = [file("tests/it/main.rs", "// mod door;"), file("tests/it/door.rs", "")];
    assert_eq!(structure::forgotten_files(&forgotten, &[]), ["tests/it/door.rs: no parent has `mod door;`"]);
    let nested = [file("src/lib.rs", "mod a;"), file("src/a/mod.rs", ""), file("src/a/b.rs", "")];
    assert_eq!(structure::forgotten_files(&nested, &[]).len(), 1);
    let roots =
        structure::roots("a/Cargo.toml", "[[example]]\npath = \"benches/a/floor.rs\"\nb = { path = \"b\" }");
    assert_eq!(roots, ["a/benches/a/floor.rs"]);
    assert_eq!(structure::forgotten_files(&[file("a/benches/a/floor.rs", "")], &roots), Vec::<String>::new());
    assert_eq!(structure::forgotten_files(&[file("a/benches/a/flor.rs", "")], &roots).len(), 1);
}

#[test]
fn a_resource_out_of_order_is_seen() {
    let whole = "//! It.\nstruct Desired; struct Live; fn desired() fn diff() fn owner() fn read() fn apply() fn delete()";
    passes(structure::resource_order, "src/resource/role.rs", whole);
    sees(structure::resource_order, "src/resource/role.rs", &whole.replace("fn diff()", ""));
    let swapped = whole.replace("struct Desired; struct Live;", "struct Live; struct Desired;");
    sees(structure::resource_order, "src/resource/role.rs", &swapped);
    sees(structure::resource_order, "src/resource/role.rs", whole.trim_start_matches("//! It.\n"));
    passes(structure::resource_order, "src/resource/change.rs", "");
}

#[test]
fn a_member_that_knows_the_deployer_is_seen() {
    for line in [
        "thinggate = { path = \"..\" }",
        "thinggate.workspace = true",
        "t = { path=\"../\", package = \"thinggate\" }",
    ] {
        assert_eq!(rules::manifest("local/Cargo.toml", line).len(), 1, "{line}");
    }
    assert_eq!(rules::manifest("local/Cargo.toml", "name = \"thinggate-local\""), Vec::<String>::new());
}

#[test]
fn a_path_of_one_machine_is_seen() {
    let root = ["", "root", "x"].join("/");
    let work = ["", "work", "x"].join("/");
    for text in [format!("cd {root}"), format!("\"{work}\""), root.clone()] {
        assert_eq!(rules::machine_paths("README.md", &text).len(), 1, "{text}");
    }
    let realm = format!("https://openam/json/realms{root}");
    assert_eq!(rules::machine_paths("README.md", &realm), Vec::<String>::new());
}

#[test]
fn a_long_map_is_seen() {
    assert_eq!(rules::long_map("ARCHITECTURE.md", &"x\n".repeat(151)).len(), 1);
    assert_eq!(rules::long_map("ARCHITECTURE.md", &"x\n".repeat(150)), Vec::<String>::new());
}
