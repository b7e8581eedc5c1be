use std::path::PathBuf;

use super::*;
use crate::plan::tests::deployed::settled;
use crate::plan::{Intent, plan};
use crate::resource::picture::{SecretMark, Unseen};
use crate::resource::{Facts, Picture};
use crate::stack::{KeyPlace, Origin};

fn saved(facts: &Facts) -> SavedPlan {
    SavedPlan::new(facts, &plan(Intent::Deploy, facts, "keys"))
}

/// What is said when `edit` is the difference between the plan and now.
fn told(edit: impl FnOnce(&mut Picture)) -> Vec<String> {
    let planned = saved(&settled());
    let mut now = planned.clone();
    edit(&mut now.looked_at);
    match unmoved(&planned, &now, &Places::default()) {
        Ok(()) => Vec::new(),
        Err(problem) => {
            assert_eq!(
                (problem.code, problem.kind),
                ("moved_since_plan", crate::problem::ProblemKind::Refused)
            );
            problem.because
        }
    }
}

/// Every field of a deployed stack, by group and name.
fn fields() -> Vec<(String, String)> {
    let picture = saved(&settled()).looked_at.0;
    let fields: Vec<_> = picture
        .iter()
        .flat_map(|(group, fields)| fields.keys().map(|field| (group.clone(), field.clone())))
        .collect();
    assert!(fields.len() > 100, "{fields:?}");
    fields
}

fn text(text: &str) -> Fact {
    Fact::Text(text.to_owned())
}

#[test]
fn nothing_moved() {
    assert_eq!(told(|_| ()), Vec::<String>::new());
}

/// The walk: every fact changed, gone, or new, each by itself, is named with its group.
#[test]
fn every_fact_that_moves_is_named() {
    let package_parts = ["architecture", "authorizer.json"];
    for (group, field) in fields() {
        let start = format!("{group}, {field}: ");
        let changed = told(|now| {
            let fact = now.0.get_mut(&group).unwrap().get_mut(&field).unwrap();
            *fact = match fact {
                Fact::Text(value) => Fact::Text(format!("x{value}")),
                Fact::Secret(mark) => Fact::Secret(SecretMark { secret: format!("x{}", mark.secret) }),
                Fact::Unseen(_) => text("x"),
            };
        });
        assert!(changed.len() == 1 && changed[0].starts_with(&start), "{group}, {field}: {changed:?}");
        let gone = told(|now| drop(now.0.get_mut(&group).unwrap().remove(&field)));
        assert!(gone.len() == 1 && gone[0].starts_with(&start) && gone[0].ends_with(" -> none"), "{gone:?}");
        assert!(!package_parts.contains(&field.as_str()) || group != STACK_FILE, "parts are the package's");
    }
    for group in saved(&settled()).looked_at.0.keys() {
        let new = told(|now| drop(now.0.get_mut(group).unwrap().insert("new".to_owned(), text("x"))));
        assert_eq!(new, [format!("{group}, new: none -> x")]);
        let gone = told(|now| drop(now.0.remove(group)));
        assert_eq!(gone, [format!("{group}: it was there, and is gone")]);
    }
    let new = told(|now| drop(now.0.insert("ninth kind".to_owned(), Group::new())));
    assert_eq!(new, ["ninth kind: it was not there, and is now"]);
}

#[test]
fn a_secret_is_said_to_be_another_one_and_nothing_else() {
    let lines = told(|now| {
        let variables = now.0.get_mut("environment").unwrap();
        variables.insert(
            "THINGGATE_HS256_SECRET".to_owned(),
            Fact::Secret(SecretMark { secret: "mark".to_owned() }),
        );
    });
    assert_eq!(lines, ["environment, THINGGATE_HS256_SECRET: a secret -> another secret"]);
}

/// What could not be seen is bound by the steps; what cannot be seen any more may have moved.
#[test]
fn what_is_out_of_sight() {
    let unseen = || Fact::Unseen(Unseen { unseen: "a permission is missing".to_owned() });
    let field = "configuration.environment";
    let hide = |picture: &mut Picture| {
        let function = picture.0.get_mut("function").unwrap();
        function.retain(|name, _| !name.starts_with(field));
        function.insert(field.to_owned(), unseen());
    };
    let lines = told(hide);
    assert_eq!(
        lines,
        ["function, configuration.environment: none -> not to be seen, a permission is missing"]
    );
    let now = saved(&settled());
    let mut planned = now.clone();
    hide(&mut planned.looked_at);
    assert_eq!(unmoved(&planned, &now, &Places::default()), Ok(()));
}

#[test]
fn another_place_is_named_and_not_all_that_is_there() {
    let mut other = settled();
    other.identity.account = crate::names::AccountId::new("111111111111").unwrap();
    other.live = crate::resource::Live::default();
    let problem = unmoved(&saved(&settled()), &saved(&other), &Places::default()).unwrap_err();
    assert_eq!(problem.because, ["identity, account: 000000000000 -> 111111111111"]);
}

#[test]
fn a_stack_file_s_field_is_told_with_its_line() {
    let mut other = settled();
    other.stack.function.memory_mb = 1024;
    let place = KeyPlace { file: PathBuf::from("stacks/demo.toml"), line: 12, column: 1 };
    let origin = Origin { place, variables: Vec::new() };
    let places = Places(BTreeMap::from([("function.memory_mb".to_owned(), origin)]));
    let problem = unmoved(&saved(&settled()), &saved(&other), &places).unwrap_err();
    assert_eq!(problem.because, ["stack file, function.memory_mb: 256 -> 1024   (stacks/demo.toml:12)"]);
}

#[test]
fn the_sum_of_the_package_is_told_where_no_part_is() {
    let line = |fields: &[&str]| {
        told(|now| {
            for field in fields {
                now.0.get_mut(PACKAGE).unwrap().insert((*field).to_owned(), text(&"ab".repeat(32)));
            }
        })
    };
    assert!(line(&[INPUTS])[0].ends_with(" -> abababababab"));
    let told = line(&[INPUTS, "src/token.rs"]);
    assert_eq!(told, ["package, src/token.rs: none -> abababababab"]);
}

#[test]
fn values_stay_on_one_line_and_lists_end() {
    let lines = told(|now| {
        let group = now.0.get_mut("role").unwrap();
        group.insert("description".to_owned(), text(&format!("a\nb{}", "c".repeat(500))));
    });
    assert!(lines[0].contains("-> a\u{fffd}bccc") && lines[0].ends_with('…'), "{lines:?}");
    assert!(lines[0].chars().count() < 400);
    let lines = told(|now| {
        for number in 0..30 {
            now.0.get_mut("role").unwrap().insert(format!("new{number:02}"), text("x"));
        }
    });
    assert_eq!((lines.len(), lines.last().unwrap().as_str()), (21, "and 10 more"));
}

/// Where no fact moved: a runner that forgets refuses what a laptop would do.
#[test]
fn other_steps_are_named() {
    let planned = saved(&settled());
    let mut now = planned.clone();
    assert_eq!(same_steps(&planned, &now), Ok(()));
    now.steps[0].name = "elsewhere/keys".to_owned();
    assert_eq!(same_steps(&planned, &now), Ok(()), "the same folder, named from elsewhere");
    now.steps[3].action = "update".to_owned();
    let problem = same_steps(&planned, &now).unwrap_err();
    assert_eq!(problem.because, ["step 4: keep function thinggate-demo -> update function thinggate-demo"]);
    now.steps.truncate(3);
    assert_eq!(same_steps(&planned, &now).unwrap_err().because.len(), 5);
}
