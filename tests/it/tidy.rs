//! The architecture and the house rules, as tests: a rule that is not checked is not kept.
//!
//! Every rule is a function over text ([`rules`], [`structure`]), and each is shown a planted defect
//! ([`planted`]): a rule that never fires protects nothing.

mod planted;
mod rules;
mod source;
mod structure;

use std::fs;

use source::{Source, repository, rust_sources, text_files};

/// Fails with one line per broken rule.
#[track_caller]
fn assert_kept(broken: &[String]) {
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n"));
}

#[track_caller]
fn check_sources(rule: impl Fn(&Source) -> Vec<String>) {
    let sources = rust_sources();
    assert!(sources.len() > 50, "only {} Rust files were found", sources.len());
    assert_kept(&sources.iter().flat_map(rule).collect::<Vec<_>>());
}

#[test]
fn modules_name_only_what_stands_before_them() {
    check_sources(structure::named_modules);
}

#[test]
fn only_some_modules_name_an_sdk_type() {
    check_sources(rules::sdk_types);
}

#[test]
fn only_report_prints() {
    check_sources(rules::printing);
}

#[test]
fn only_the_door_touches_the_file_system() {
    check_sources(rules::file_system);
}

#[test]
fn planning_is_synchronous() {
    check_sources(rules::asynchronous_plan);
}

#[test]
fn time_environment_and_sleep_stay_at_the_edge() {
    check_sources(rules::edges);
}

#[test]
fn tests_do_not_sleep() {
    check_sources(rules::sleeping_tests);
}

#[test]
fn files_and_functions_are_short() {
    check_sources(rules::long_file);
    check_sources(rules::long_functions);
}

#[test]
fn nothing_is_left_for_later() {
    check_sources(rules::left_for_later);
}

#[test]
fn every_file_is_a_module_of_its_parent() {
    let manifests = text_files().into_iter().filter(|(path, _)| path.ends_with("Cargo.toml"));
    let roots: Vec<String> = manifests.flat_map(|(path, text)| structure::roots(&path, &text)).collect();
    assert_kept(&structure::forgotten_files(&rust_sources(), &roots));
}

#[test]
fn every_resource_has_the_same_order() {
    check_sources(structure::resource_order);
    let kinds = rust_sources().iter().filter(|source| structure::is_resource_kind(&source.path)).count();
    assert_eq!(kinds, 8, "the eight kinds of DESIGN's graph");
}

#[test]
fn authorizer_and_local_do_not_know_the_deployer() {
    for name in ["authorizer/Cargo.toml", "local/Cargo.toml"] {
        let manifest =
            fs::read_to_string(repository().join(name)).expect("a workspace member has a manifest");
        assert_kept(&rules::manifest(name, &manifest));
    }
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let files = text_files();
    assert!(files.len() > 100, "only {} text files were found", files.len());
    assert_kept(&files.iter().flat_map(|(path, text)| rules::machine_paths(path, text)).collect::<Vec<_>>());
}

#[test]
fn the_map_is_short() {
    // The map may not be written yet; once it is, it stays a map.
    let map = fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap_or_default();
    assert_kept(&rules::long_map("ARCHITECTURE.md", &map));
}
