use super::*;
use crate::plan::tests::deployed::settled;
use crate::plan::{Intent, plan};
use crate::problem::ProblemKind;

fn file() -> PlanFile {
    let facts = settled();
    PlanFile::new(false, vec![SavedPlan::new(&facts, &plan(Intent::Deploy, &facts, "keys"))])
}

fn refused(text: &str) -> (ProblemKind, &'static str, String) {
    let problem = PlanFile::read(text.as_bytes()).unwrap_err();
    (problem.kind, problem.code, problem.because.join("; "))
}

#[test]
fn what_is_written_is_read_again_and_is_the_same_for_the_same_world() {
    let text = file().to_text();
    assert_eq!(PlanFile::read(text.as_bytes()), Ok(file()));
    assert_eq!(text, file().to_text());
}

#[test]
fn a_plan_that_was_cut_off_is_none() {
    let text = file().to_text();
    for length in (0..text.len() - 1).step_by(97) {
        let (kind, code, because) = refused(&text[..length]);
        assert_eq!((kind, code), (ProblemKind::Usage, "bad_plan_file"), "{length}");
        assert_eq!(because, "it ends too early: it was cut off", "{length}");
    }
    assert_eq!(refused(&text[..text.len() - 1]).1, "edited_plan", "only its last line end is missing");
}

#[test]
fn another_form_tool_or_member_is_named() {
    let text = file().to_text();
    let edited = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        refused(&text.replacen(from, to, 1))
    };
    let (kind, code, because) = edited("\"thinggate_plan\": 1", "\"thinggate_plan\": 2");
    assert_eq!((kind, code), (ProblemKind::Usage, "bad_plan_file"));
    assert_eq!(because, "it has the form 2; this thinggate reads the form 1");
    let (kind, code, because) = edited(&format!("\"tool\": \"{TOOL}\""), "\"tool\": \"99.0.0\"");
    assert_eq!((kind, code), (ProblemKind::Refused, "moved_since_plan"));
    assert!(because.starts_with(&format!("tool version: 99.0.0 -> {TOOL}")), "{because}");
    let (_, code, because) = edited("\"keep_code\": false", "\"keep_code\": false, \"force\": true");
    assert_eq!(code, "bad_plan_file");
    assert!(because.starts_with("unknown field `force`"), "{because}");
    assert_eq!(refused("{}").2, "it has no member `thinggate_plan`");
    assert_eq!(refused("name = \"demo\"\n").2, "it is no JSON: line 1, column 2");
    assert!(PlanFile::is_one(text.as_bytes()) && !PlanFile::is_one(b"name = \"demo\"\n"));
}

/// Wherever one character of a value is another one, and wherever the layout is.
#[test]
fn an_edited_plan_is_seen() {
    let text = file().to_text();
    let mut edits = 0;
    for (at, _) in text.match_indices("\": \"").filter(|(at, _)| !text[..*at].ends_with("tool")) {
        let edited = format!("{}x{}", &text[..at + 4], &text[at + 4..]);
        let (kind, code, _) = refused(&edited);
        assert_eq!((kind, code), (ProblemKind::Refused, "edited_plan"), "{}", &text[at - 20..at + 20]);
        edits += 1;
    }
    assert!(edits > 100, "{edits}");
    assert_eq!(refused(&format!("{text}\n")).1, "edited_plan");
    let step = "\"action\": \"keep\"";
    assert_eq!(refused(&text.replacen(step, &format!("{step},\n{step}"), 1)).1, "bad_plan_file");
    assert_eq!(refused(&text.replacen("\"keep_code\": false", "\"keep_code\": true", 1)).1, "edited_plan");
}

#[test]
fn no_secret_is_in_it() {
    let mut facts = settled();
    let text = |facts: &Facts| {
        PlanFile::new(false, vec![SavedPlan::new(facts, &plan(Intent::Deploy, facts, "keys"))]).to_text()
    };
    facts.stack.token.require.insert("password".to_owned(), "canary-of-a-claim".to_owned());
    let before = text(&facts);
    for canary in ["canary-secret-of-the-tests-0123456789", "canary-of-a-claim"] {
        assert!(!before.contains(canary), "{canary}");
        let hash = digest(&SHA256, canary.as_bytes());
        let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        assert!(!before.contains(&hex[..12]), "a hash of it could be guessed from");
    }
    facts.stack.token.require.insert("password".to_owned(), "another".to_owned());
    assert_ne!(before, text(&facts), "it is seen to be another one");
}
