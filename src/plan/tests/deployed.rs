//! Whole plans, of a stack that is deployed: every step, and what it waits for.

use std::sync::OnceLock;

use crate::plan::*;
use crate::problem::ProblemKind;
use crate::resource::testing::{World, facts, generation, stored};
use crate::resource::{SigningKeys, default_authorizer};
use crate::stack::Signing;

/// The facts of a stack that is deployed.
pub(in crate::plan) fn settled() -> Facts {
    static FACTS: OnceLock<Facts> = OnceLock::new();
    let gather = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap().block_on(async {
            let mut world = World::new();
            world.deploy().await;
            world.gather().await;
            let mut facts = world.facts.clone();
            facts.live.signing_key = Some(stored(vec![generation(1, false)]));
            facts
        })
    };
    FACTS.get_or_init(gather).clone()
}

/// The same with one thing different.
fn settled_but(change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = settled();
    change(&mut facts);
    facts
}

fn made(intent: Intent, facts: &Facts) -> Plan {
    plan(intent, facts, "keys/demo@eu-west-1")
}

fn line(step: &Step) -> String {
    format!("{} {}", step.change.action.mark(), step.kind.noun())
}

/// The steps that do something.
fn changes(plan: &Plan) -> Vec<String> {
    plan.changes().map(line).collect()
}

/// What each step that does something waits for, of those that do something.
fn waits(plan: &Plan) -> Vec<(String, Vec<String>)> {
    let before = |step: &Step| {
        let all = step.after.iter().map(|place| &plan.steps[*place]);
        all.filter(|step| step.change.action != Action::Keep).map(line).collect()
    };
    plan.changes().map(|step| (line(step), before(step))).collect()
}

#[test]
fn a_first_deploy_makes_everything_in_an_order_that_works() {
    let plan = made(Intent::Deploy, &facts());
    let expected: [(&str, &[&str]); 8] = [
        ("+ signing key", &[]),
        ("+ role", &[]),
        ("+ log group", &[]),
        ("+ function", &["+ signing key", "+ role", "+ log group"]),
        ("+ release", &["+ signing key", "+ role", "+ log group", "+ function"]),
        ("+ permission", &["+ signing key", "+ role", "+ log group", "+ function", "+ release"]),
        (
            "+ authorizer",
            &["+ signing key", "+ role", "+ log group", "+ function", "+ release", "+ permission"],
        ),
        (
            "+ default authorizer",
            &[
                "+ signing key",
                "+ role",
                "+ log group",
                "+ function",
                "+ release",
                "+ permission",
                "+ authorizer",
            ],
        ),
    ];
    let expected =
        expected.map(|(step, after)| (step.to_owned(), after.iter().map(|s| (*s).to_owned()).collect()));
    assert_eq!(waits(&plan), expected);
    assert_eq!(plan.impact(), Impact::None, "no device depends on what is not there");
    assert_eq!(plan.guard(), Ok(()));
    let names: Vec<&str> = plan.steps.iter().map(|step| step.name.as_str()).collect();
    let expected = [
        "keys/demo@eu-west-1",
        "thinggate-demo-eu-west-1",
        "/thinggate/demo",
        "thinggate-demo",
        "thinggate-demo:live",
        "thinggate-iot",
        "door",
        "door",
    ];
    assert_eq!(names, expected);
}

#[test]
fn what_is_in_step_is_kept() {
    let plan = made(Intent::Deploy, &settled());
    assert_eq!(changes(&plan), Vec::<String>::new());
    assert_eq!(plan.steps.len(), 8);
    assert_eq!((plan.impact(), plan.guard()), (Impact::None, Ok(())));
}

#[test]
fn a_plan_of_the_same_facts_is_the_same() {
    for facts in [facts(), settled()] {
        for intent in [Intent::Deploy, Intent::Destroy { delete_key: true }] {
            assert_eq!(format!("{:?}", made(intent, &facts)), format!("{:?}", made(intent, &facts)));
        }
    }
}

#[test]
fn destroy_is_the_same_graph_turned_round() {
    let expected = [
        "- default authorizer",
        "- authorizer",
        "- permission",
        "- release",
        "- function",
        "- log group",
        "- role",
        "- signing key",
    ];
    let whole = made(Intent::Destroy { delete_key: true }, &settled());
    assert_eq!(changes(&whole), expected);
    let waits = waits(&whole);
    for (place, (step, after)) in waits.iter().enumerate() {
        let needs_nothing = ["- log group", "- role", "- signing key"].contains(&step.as_str());
        // What nothing needs any more goes side by side, once the function is gone.
        let last = if needs_nothing { 5 } else { place };
        assert_eq!(after[..], expected[..last], "{step}");
    }
    let kept = made(Intent::Destroy { delete_key: false }, &settled());
    assert_eq!(changes(&kept), expected[..7]);
    assert_eq!(made(Intent::Destroy { delete_key: true }, &facts()).steps.len(), 0, "nothing is there");
}

#[test]
fn destroy_takes_what_is_left() {
    let facts = settled_but(|facts| {
        let live = std::mem::take(&mut facts.live);
        facts.live.role = live.role;
        facts.live.authorizer = live.authorizer;
    });
    let plan = made(Intent::Destroy { delete_key: true }, &facts);
    assert_eq!(changes(&plan), ["- authorizer", "- role"]);
    assert_eq!(waits(&plan)[1].1, ["- authorizer"]);
}

/// AWS keeps whether signatures are checked for life: another authorizer of the same name is needed.
fn unsigned(facts: &mut Facts) {
    facts.stack.signing = Signing::Off;
    facts.keys = SigningKeys::Off;
    facts.live.signing_key = None;
}

#[test]
fn replacing_the_authorizer_frees_the_default_first_and_sets_it_again() {
    let plan = made(Intent::Deploy, &settled_but(unsigned));
    let expected: [(&str, &[&str]); 4] = [
        ("- default authorizer", &[]),
        ("- authorizer", &["- default authorizer"]),
        ("+ authorizer", &["- default authorizer", "- authorizer"]),
        ("+ default authorizer", &["- default authorizer", "- authorizer", "+ authorizer"]),
    ];
    let expected =
        expected.map(|(step, after)| (step.to_owned(), after.iter().map(|s| (*s).to_owned()).collect()));
    assert_eq!(waits(&plan), expected);
    assert_eq!(plan.impact(), Impact::All);
    let delete = plan.changes().find(|step| line(step) == "- authorizer").unwrap();
    assert_eq!(delete.change.differences[0].field, "signing", "the reason comes first");
}

#[test]
fn replacing_an_authorizer_that_is_not_the_default_leaves_the_slot() {
    let plan = made(
        Intent::Deploy,
        &settled_but(|facts| {
            unsigned(facts);
            facts.stack.authorizer.default = false;
            facts.live.default_authorizer = None;
        }),
    );
    assert_eq!(changes(&plan), ["- authorizer", "+ authorizer"]);
}

#[test]
fn giving_the_default_up_is_one_step() {
    let plan = made(Intent::Deploy, &settled_but(|facts| facts.stack.authorizer.default = false));
    assert_eq!(changes(&plan), ["- default authorizer"]);
    assert!(plan.impact() > Impact::None);
}

fn foreign_default(facts: &mut Facts) {
    facts.live.default_authorizer =
        Some(default_authorizer::Live { authorizer: "theirs".to_owned(), owner: Owner::Foreign(None) });
}

#[test]
fn a_foreign_default_is_nobody_s_business_who_wants_none() {
    let facts = settled_but(|facts| {
        foreign_default(facts);
        facts.stack.authorizer.default = false;
    });
    for intent in [Intent::Deploy, Intent::Destroy { delete_key: true }] {
        let plan = made(intent, &facts);
        assert!(plan.steps.iter().all(|step| step.kind != Kind::DefaultAuthorizer));
        assert_eq!(plan.guard(), Ok(()));
    }
}

#[test]
fn every_collision_is_listed() {
    let facts = settled_but(|facts| {
        let role = facts.live.role.as_mut().unwrap();
        role.owner = Owner::Foreign(None);
        role.description = "theirs".to_owned();
        let group = facts.live.log_group.as_mut().unwrap();
        group.owner = Owner::Foreign(Some("other@eu-west-1".to_owned()));
        group.retention_days = Some(1);
        let authorizer = facts.live.authorizer.as_mut().unwrap();
        authorizer.owner = Owner::Foreign(Some("demo@us-east-1".to_owned()));
        authorizer.status = "INACTIVE".to_owned();
    });
    let problem = made(Intent::Deploy, &facts).guard().unwrap_err();
    assert_eq!((problem.code, problem.kind), ("foreign_resource", ProblemKind::Refused));
    let expected = [
        "role thinggate-demo-eu-west-1: it has no tag `thinggate:stack`",
        "log group /thinggate/demo: its tag `thinggate:stack` says other@eu-west-1",
        "authorizer door: its tag `thinggate:stack` says demo@us-east-1",
    ];
    assert_eq!(problem.because, expected);
    let destroy = made(Intent::Destroy { delete_key: true }, &facts);
    assert_eq!(destroy.collisions.len(), 3);
    assert_eq!(destroy.guard().unwrap_err().code, "foreign_resource");
}

#[test]
fn a_key_that_would_die_with_the_machine_is_refused() {
    let mut facts = facts();
    facts.keys = SigningKeys::Generated(Vec::new());
    facts.machine_forgets = true;
    let problem = made(Intent::Deploy, &facts).guard().unwrap_err();
    assert_eq!((problem.code, problem.kind), ("key_would_be_lost", ProblemKind::Refused));
    facts.machine_forgets = false;
    assert_eq!(made(Intent::Deploy, &facts).guard(), Ok(()));
}

#[test]
fn the_impact_is_the_worst_of_all_steps() {
    type Edit = fn(&mut Facts);
    let cases: [(Edit, &[&str], Impact); 4] = [
        (|facts| facts.stack.function.log_retention_days = 60, &["~ log group"], Impact::None),
        (|facts| facts.stack.authorizer.http_caching = true, &["~ authorizer"], Impact::None),
        (
            |facts| facts.stack.authorizer.token_key_name = crate::names::TokenKeyName::new("other").unwrap(),
            &["~ authorizer"],
            Impact::All,
        ),
        (
            |facts| {
                facts.stack.function.log_retention_days = 60;
                facts.stack.authorizer.token_key_name = crate::names::TokenKeyName::new("other").unwrap();
            },
            &["~ log group", "~ authorizer"],
            Impact::All,
        ),
    ];
    for (edit, expected, impact) in cases {
        let plan = made(Intent::Deploy, &settled_but(edit));
        assert_eq!(
            (changes(&plan), plan.impact()),
            (expected.iter().map(|s| (*s).to_owned()).collect(), impact)
        );
    }
}

/// A role that is made again has another id, which the function must be given.
#[test]
fn what_names_a_replaced_role_is_told() {
    let facts = settled_but(|facts| facts.live.role.as_mut().unwrap().path = "/elsewhere/".to_owned());
    let plan = made(Intent::Deploy, &facts);
    let changes = changes(&plan);
    assert_eq!(changes[..3], ["- role", "+ role", "~ function"]);
    assert_eq!(waits(&plan)[2].1, ["- role", "+ role"]);
}

/// A function that isolates tenants refuses AWS IoT, and does so for life. Its delete takes the release and
/// the permission with it, so that all of it is told, and nothing begins without a package.
#[test]
fn a_function_that_is_made_anew_is_deleted_only_with_a_package_at_hand() {
    let fixed = |facts: &mut Facts| {
        let function = facts.live.function.as_mut().unwrap();
        function.configuration.fixed_extras.push("tenant isolation: PER_TENANT".to_owned());
    };
    let facts = settled_but(fixed);
    let plan = made(Intent::Deploy, &facts);
    assert_eq!(changes(&plan), ["- function", "+ function", "+ release", "+ permission"]);
    assert!(plan.changes().all(|step| step.change.impact == Impact::All), "{plan:#?}");
    assert_eq!(plan.guard(), Ok(()));
    let without = settled_but(|facts| {
        fixed(facts);
        facts.code.package = None;
    });
    let problem = made(Intent::Deploy, &without).guard().unwrap_err();
    assert_eq!((problem.code, problem.kind), ("no_package", ProblemKind::Refused));
}
