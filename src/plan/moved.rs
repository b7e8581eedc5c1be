//! What moved since a plan was made, field by field, by name.

use std::collections::{BTreeMap, BTreeSet};

use super::saved::{SavedPlan, SavedStep};
use crate::problem::Problem;
use crate::resource::picture::{Group, IDENTITY, INPUTS, PACKAGE, STACK_FILE};
use crate::resource::{Fact, Kind};
use crate::stack::Places;

/// Lines that are told, at most.
const LINES_MAX: usize = 20;
/// Characters of one value, at most.
const VALUE_CHARACTERS_MAX: usize = 160;
/// Characters of a hash.
const HASH_CHARACTERS: usize = 12;
/// Keys of a stack file that say where it lives: with another one, everything is elsewhere.
const WHERE: [&str; 4] = ["name", "target", "region", "account"];

/// Refuses a plan whose facts are not those of now, naming every field that moved. `places` are those of the
/// stack file as it is now.
pub fn unmoved(planned: &SavedPlan, now: &SavedPlan, places: &Places) -> Result<(), Problem> {
    refused(facts(planned, now, places))
}

/// Refuses a plan whose steps are not those of now, where no field moved: what could not be looked at when it
/// was made, or the machine, makes the difference.
pub fn same_steps(planned: &SavedPlan, now: &SavedPlan) -> Result<(), Problem> {
    let count = planned.steps.len().max(now.steps.len());
    let pairs = (0..count).map(|number| (number, planned.steps.get(number), now.steps.get(number)));
    let same = |planned: Option<&SavedStep>, now: Option<&SavedStep>| match (planned, now) {
        (Some(planned), Some(now)) => planned.does_the_same(now),
        (planned, now) => planned.is_none() && now.is_none(),
    };
    let lines = pairs.filter(|(_, planned, now)| !same(*planned, *now)).map(|(number, planned, now)| {
        let words = |step: Option<&SavedStep>| step.map_or_else(|| "none".to_owned(), words);
        format!("step {}: {} -> {}", number + 1, words(planned), words(now))
    });
    refused(lines.collect())
}

fn refused(lines: Vec<String>) -> Result<(), Problem> {
    if lines.is_empty() {
        return Ok(());
    }
    let further = lines.len().saturating_sub(LINES_MAX);
    let mut problem =
        Problem::refused("moved_since_plan", "something moved since the plan was made; nothing was changed");
    for line in lines.into_iter().take(LINES_MAX) {
        problem = problem.because(line);
    }
    Err(if further > 0 { problem.because(format!("and {further} more")) } else { problem })
}

/// A step in a few words.
fn words(step: &SavedStep) -> String {
    let fields: Vec<String> = step
        .differences
        .iter()
        .map(|one| format!("{}: {} -> {}", one.field, shown(&one.live), shown(&one.desired)))
        .collect();
    let fields = if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(", ")) };
    format!("{} {} {}{fields}", step.action, step.kind, step.name)
}

fn facts(planned: &SavedPlan, now: &SavedPlan, places: &Places) -> Vec<String> {
    let (planned, now) = (&planned.looked_at.0, &now.looked_at.0);
    let first = [STACK_FILE, IDENTITY, PACKAGE];
    let order: Vec<&str> = first.into_iter().chain(Kind::ALL.map(Kind::noun)).collect();
    let known: BTreeSet<&str> = planned.keys().chain(now.keys()).map(String::as_str).collect();
    let others = known.iter().copied().filter(|group| !order.contains(group));
    let mut lines = Vec::new();
    for group in order.iter().copied().chain(others) {
        lines.extend(in_group(group, planned.get(group), now.get(group), places));
        if group == IDENTITY && is_elsewhere(planned, now) {
            break;
        }
    }
    lines
}

/// Whether the plan was made for another place, where every resource is another one.
fn is_elsewhere(planned: &BTreeMap<String, Group>, now: &BTreeMap<String, Group>) -> bool {
    let of = |picture: &BTreeMap<String, Group>, key: &str| {
        picture.get(STACK_FILE).and_then(|group| group.get(key)).cloned()
    };
    planned.get(IDENTITY) != now.get(IDENTITY) || WHERE.iter().any(|key| of(planned, key) != of(now, key))
}

fn in_group(group: &str, planned: Option<&Group>, now: Option<&Group>, places: &Places) -> Vec<String> {
    let (planned, now) = match (planned, now) {
        (None, None) => return Vec::new(),
        (Some(_), None) => return vec![format!("{group}: it was there, and is gone")],
        (None, Some(_)) => return vec![format!("{group}: it was not there, and is now")],
        (Some(planned), Some(now)) => (planned, now),
    };
    let fields: BTreeSet<&String> = planned.keys().chain(now.keys()).collect();
    let moved: Vec<&String> = fields.into_iter().filter(|field| has_moved(field, planned, now)).collect();
    let only_the_sum = moved.iter().all(|field| *field == INPUTS);
    let told = moved.into_iter().filter(|field| group != PACKAGE || only_the_sum || *field != INPUTS);
    told.map(|field| {
        let (before, after) = both(group, planned.get(field), now.get(field));
        let place = if group == STACK_FILE { place(field, places) } else { String::new() };
        format!("{group}, {field}: {before} -> {after}{place}")
    })
    .collect()
}

/// What was not seen when the plan was made is bound by the steps; what is not seen now has moved out of sight.
fn has_moved(field: &str, planned: &Group, now: &Group) -> bool {
    if planned.get(field) == now.get(field) || is_unseen(planned.get(field)) {
        return false;
    }
    // A list that could not be seen has one entry, and one that could has an entry for each element.
    let above = |group: &Group| {
        let mut upper = field;
        while let Some((rest, _)) = upper.rsplit_once('.') {
            upper = rest;
            if is_unseen(group.get(upper)) {
                return true;
            }
        }
        false
    };
    !above(planned) && !above(now)
}

fn is_unseen(fact: Option<&Fact>) -> bool {
    matches!(fact, Some(Fact::Unseen(_)))
}

fn both(group: &str, planned: Option<&Fact>, now: Option<&Fact>) -> (String, String) {
    if let (Some(Fact::Secret(_)), Some(Fact::Secret(_))) = (planned, now) {
        return ("a secret".to_owned(), "another secret".to_owned());
    }
    let text = |fact: Option<&Fact>| match fact {
        None => "none".to_owned(),
        Some(Fact::Text(hash)) if group == PACKAGE => hash.chars().take(HASH_CHARACTERS).collect(),
        Some(Fact::Text(text)) => shown(text),
        Some(Fact::Secret(_)) => "a secret".to_owned(),
        Some(Fact::Unseen(unseen)) => format!("not to be seen, {}", shown(&unseen.unseen)),
    };
    (text(planned), text(now))
}

/// A value on one line.
fn shown(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(VALUE_CHARACTERS_MAX).map(visible).collect();
    if text.chars().nth(VALUE_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    if shown.is_empty() { "an empty text".to_owned() } else { shown }
}

/// Where the user finds a key of the stack file.
fn place(key: &str, places: &Places) -> String {
    places.0.get(key).map_or_else(String::new, |origin| {
        format!("   ({}:{})", origin.place.file.display(), origin.place.line)
    })
}

#[cfg(test)]
mod tests;
