use super::*;
use crate::problem::ProblemKind;
use crate::resource::{Action, Impact, Kind};

fn step(kind: Kind, name: &str, action: Action) -> StepReport {
    StepReport {
        kind,
        name: name.to_owned(),
        action,
        differences: Vec::new(),
        impact: Impact::None,
        refusal: None,
        outcome: None,
    }
}

fn drifted() -> Report {
    let mut authorizer = step(Kind::Authorizer, "door", Action::Update);
    authorizer.differences.push(Difference {
        field: "status".to_owned(),
        key: None,
        live: "INACTIVE".to_owned(),
        desired: "ACTIVE".to_owned(),
    });
    Report {
        verdict: Verdict::Different,
        steps: vec![step(Kind::Role, "thinggate-demo-eu-west-1", Action::Keep), authorizer],
        ..Report::empty(Command::Drift, "demo", "demo.toml", "eu-west-1, account 000000000000 (local)")
    }
}

#[test]
fn drift_names_resource_and_field() {
    insta::assert_snapshot!(human::report(&drifted()), @r"
    demo in eu-west-1, account 000000000000 (local)

      = role        thinggate-demo-eu-west-1  in step
      ~ authorizer  door                      update
          status: INACTIVE -> ACTIVE

    1 of 2 resources differ
    ");
}

/// A first deploy that was interrupted, or none at all.
#[test]
fn what_is_not_there_is_told_apart_from_what_differs() {
    let closing = |steps: Vec<StepReport>| {
        let text = human::report(&Report { steps, ..drifted() });
        text.lines().last().unwrap().to_owned()
    };
    let key = || step(Kind::SigningKey, "keys", Action::Keep);
    let of = |kind, action| step(kind, "x", action);
    let nothing = vec![key(), of(Kind::Role, Action::Create), of(Kind::LogGroup, Action::Create)];
    assert_eq!(closing(nothing), "not deployed yet: thinggate deploy demo.toml");
    let half = vec![key(), of(Kind::Role, Action::Update), of(Kind::LogGroup, Action::Create)];
    assert_eq!(closing(half), "2 of 3 resources differ; 1 is not there: thinggate deploy demo.toml");
    let replaced = vec![
        of(Kind::Role, Action::Keep),
        of(Kind::Authorizer, Action::Delete),
        of(Kind::Authorizer, Action::Create),
    ];
    assert_eq!(closing(replaced), "2 of 3 resources differ");
}

#[test]
fn a_problem_is_told_whole() {
    let problem = Problem::refused("foreign_resource", "the role is not this stack's")
        .at("role thinggate-demo-eu-west-1")
        .because("it has no tag `thinggate:stack`")
        .request_id(Some("4f1c"))
        .next("choose another stack name");
    insta::assert_snapshot!(human::problem(&problem), @r"
    error: the role is not this stack's
      at: role thinggate-demo-eu-west-1
      because: it has no tag `thinggate:stack`
      AWS request id: 4f1c

    next: choose another stack name
    ");
}

#[test]
fn json_has_exit_codes_and_the_difference() {
    let value = json::result(&[drifted()], Verdict::Different, Calls { reads: 9, writes: 0 });
    assert_eq!(value["exit"], 2);
    assert_eq!(value["stacks"][0]["steps"][1]["differences"][0]["field"], "status");
}

#[test]
fn foreign_text_cannot_draw_on_the_terminal() {
    let mut report = drifted();
    report.steps[1].differences[0].live = "\u{1b}[2K\r  = role in step\n::error::x".to_owned();
    let text = human::report(&report);
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("::")), "{text:?}");
}

#[test]
fn a_step_that_failed_half_way_is_not_nothing() {
    let mut report = drifted();
    report.problem = Some(Problem::failed("planted", "planted"));
    assert!(human::report(&report).contains("nothing was changed"));
    report.steps[1].outcome = Some(crate::apply::Outcome::Failed);
    assert!(!human::report(&report).contains("nothing was changed"));
}

/// Whoever renews the credentials sees where the run goes on; any other problem says itself where it is.
#[test]
fn a_run_that_ended_for_its_credentials_names_the_first_undone_step() {
    let with =
        |kind, name: &str, outcome| StepReport { outcome: Some(outcome), ..step(kind, name, Action::Create) };
    let report = Report {
        steps: vec![
            step(Kind::LogGroup, "/thinggate/demo", Action::Keep),
            with(Kind::Role, "thinggate-demo-eu-west-1", Outcome::Done),
            with(Kind::Function, "thinggate-demo", Outcome::Failed),
            with(Kind::Authorizer, "door", Outcome::NotStarted),
        ],
        ..Report::empty(Command::Deploy, "demo", "demo.toml", "eu-west-1, account 000000000000 (aws)")
    };
    let last = |kind| {
        let text = human::report(&report.clone().ending_in(Problem::new(kind, "ended", "it ended")));
        text.lines().last().unwrap_or_default().to_owned()
    };
    let said = "1 of 3 steps done, then stopped; first undone: function thinggate-demo";
    assert_eq!(last(ProblemKind::Credentials), said);
    assert_eq!(last(ProblemKind::Failed), "1 of 3 steps done, then stopped");
}
