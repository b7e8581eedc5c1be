//! A saved plan: the steps, and everything that they were made from. It is carried out as long as nothing of
//! that moved; what the file may hold, and what it is no proof of, is in `docs/plan-file.md`.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Plan, Step};
use crate::problem::Problem;
use crate::resource::{Difference, Facts, Picture};

/// The form of the file. Another number is another form.
const FORM: u64 = 1;
/// The version of this program: another one may look at other fields, and plan other steps.
const TOOL: &str = env!("CARGO_PKG_VERSION");
/// The longest plan file, in bytes.
pub const PLAN_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The member by which a plan file is known.
const FORM_MEMBER: &str = "thinggate_plan";

/// What a plan file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// The form of the file.
    thinggate_plan: u64,
    /// The version of the program that made it.
    tool: String,
    /// Whether it was made with `--keep-code`.
    pub keep_code: bool,
    /// One plan a stack.
    pub stacks: Vec<SavedPlan>,
    /// SHA-256 of the file with an empty text here, hex: damage is seen, and edits by hand.
    sha256: String,
}

/// The plan of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// The stack's `NAME@REGION`.
    pub stack: String,
    /// Its file, as the user named it.
    pub file: String,
    /// Everything that it was made from.
    pub looked_at: Picture,
    /// What it does.
    pub steps: Vec<SavedStep>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedStep {
    /// The word of its action.
    pub action: String,
    /// On which kind.
    pub kind: String,
    /// The resource's name.
    pub name: String,
    /// What devices notice.
    pub device_impact: String,
    /// Why.
    pub differences: Vec<SavedDifference>,
}

/// One field that a step changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedDifference {
    /// The field.
    pub field: String,
    /// What the target has.
    pub live: String,
    /// What the stack asks for.
    pub desired: String,
}

impl SavedPlan {
    /// Of a plan and the facts that it was made from.
    pub fn new(facts: &Facts, plan: &Plan) -> Self {
        Self {
            stack: facts.identity.owner(),
            file: facts.stack.file.display().to_string(),
            looked_at: Picture::of(facts),
            steps: plan.steps.iter().map(SavedStep::of).collect(),
        }
    }
}

impl SavedStep {
    /// Whether two steps do the same. The name of a folder depends on where the stack file is named from, and
    /// is bound by the stack file.
    pub(super) fn does_the_same(&self, other: &Self) -> bool {
        let Self { action, kind, name: _, device_impact, differences } = self;
        (action, kind, device_impact, differences)
            == (&other.action, &other.kind, &other.device_impact, &other.differences)
    }

    fn of(step: &Step) -> Self {
        let saved = |difference: &Difference| SavedDifference {
            field: difference.field.clone(),
            live: difference.live.clone(),
            desired: difference.desired.clone(),
        };
        Self {
            action: step.change.action.word().to_owned(),
            kind: step.kind.noun().to_owned(),
            name: step.name.clone(),
            device_impact: step.change.impact.words().to_owned(),
            differences: step.change.differences.iter().map(saved).collect(),
        }
    }
}

impl PlanFile {
    /// Of these plans.
    pub fn new(keep_code: bool, stacks: Vec<SavedPlan>) -> Self {
        let open =
            Self { thinggate_plan: FORM, tool: TOOL.to_owned(), keep_code, stacks, sha256: String::new() };
        Self { sha256: open.seal(), ..open }
    }

    /// The file's text: the same for the same plans.
    ///
    /// # Panics
    /// Never: every part of it can be written as JSON.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts and lists are JSON");
        text.push('\n');
        text
    }

    fn seal(&self) -> String {
        let open = Self { sha256: String::new(), ..self.clone() };
        let hash = digest(&SHA256, open.to_text().as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }

    /// Reads a plan file strictly: what this program would not have written is refused.
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let value: Json = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
        match value.get(FORM_MEMBER) {
            None => return Err(no_plan("it has no member `thinggate_plan`")),
            Some(form) if *form != FORM => {
                return Err(no_plan(format!("it has the form {form}; this thinggate reads the form {FORM}")));
            }
            Some(_) => {}
        }
        let version = value.get("tool").and_then(Json::as_str).unwrap_or_default().to_owned();
        if version != TOOL {
            return Err(Problem::refused("moved_since_plan", "the plan was made by another thinggate")
                .because(format!("tool version: {version} -> {TOOL}"))
                .because("another version may look at other fields and plan other steps"));
        }
        let file: Self = serde_json::from_slice(bytes).map_err(|error| no_plan(error.to_string()))?;
        if file.sha256 != file.seal() || file.to_text().as_bytes() != bytes {
            return Err(Problem::refused("edited_plan", "the plan file is not as it was written")
                .because("it was edited, or damaged on its way: its SHA-256 is another"));
        }
        Ok(file)
    }

    /// Whether a text is a plan of this program, in whatever form and state.
    pub fn is_one(bytes: &[u8]) -> bool {
        serde_json::from_slice::<Json>(bytes).is_ok_and(|value| value.get(FORM_MEMBER).is_some())
    }
}

fn no_plan(because: impl Into<String>) -> Problem {
    Problem::usage("bad_plan_file", "this is not a plan file that can be read").because(because)
}

fn damaged(error: &serde_json::Error) -> Problem {
    no_plan(if error.is_eof() {
        "it ends too early: it was cut off".to_owned()
    } else {
        format!("it is no JSON: line {}, column {}", error.line(), error.column())
    })
}

#[cfg(test)]
mod tests;
