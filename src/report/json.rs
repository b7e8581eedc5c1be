//! Reports, events and problems as JSON. Keys are stable; absent values are left out.

use serde_json::{Map, Value, json};

use super::{Calls, Finding, Report, StepReport};
use crate::apply::Event;
use crate::problem::{Problem, Verdict};
use crate::resource::{Difference, Impact, Kind};

/// One result for all stacks of a command.
pub(super) fn result(reports: &[Report], verdict: Verdict, calls: Calls) -> Value {
    json!({
        "exit": verdict.exit(),
        "calls": { "reads": calls.reads, "writes": calls.writes },
        "stacks": reports.iter().map(report).collect::<Vec<_>>(),
    })
}

/// One error, where no stack was started.
pub(super) fn error(problem: &Problem) -> Value {
    json!({ "exit": Verdict::Problem(problem.kind).exit(), "error": self::problem(problem) })
}

/// One stack's result.
pub(super) fn report(report: &Report) -> Value {
    let mut map = Map::new();
    map.insert("command".into(), report.command.word().into());
    map.insert("stack".into(), report.stack.clone().into());
    map.insert("file".into(), report.file.clone().into());
    map.insert("target".into(), report.target.clone().into());
    map.insert("exit".into(), report.verdict.exit().into());
    map.insert("steps".into(), report.steps.iter().map(step).collect());
    if !report.not_compared.is_empty() {
        let list = report.not_compared.iter().map(
            |(kind, missing)| json!({"kind": kind.noun(), "field": missing.field, "because": missing.because}),
        );
        map.insert("not_compared".into(), list.collect());
    }
    if !report.findings.is_empty() {
        map.insert("findings".into(), report.findings.iter().map(finding).collect());
    }
    if !report.outputs.is_empty() {
        map.insert("outputs".into(), json!(report.outputs));
    }
    if let Some(problem) = &report.problem {
        map.insert("error".into(), self::problem(problem));
    }
    Value::Object(map)
}

fn step(step: &StepReport) -> Value {
    let mut map = Map::new();
    map.insert("kind".into(), step.kind.noun().into());
    map.insert("name".into(), step.name.clone().into());
    map.insert("action".into(), step.action.word().into());
    if step.impact > Impact::None {
        map.insert("device_impact".into(), step.impact.words().into());
    }
    if !step.differences.is_empty() {
        map.insert("differences".into(), step.differences.iter().map(difference).collect());
    }
    if let Some((because, next)) = &step.refusal {
        map.insert("refused".into(), json!({ "because": because, "next": next }));
    }
    if let Some(outcome) = step.outcome {
        map.insert("outcome".into(), outcome.word().into());
    }
    Value::Object(map)
}

fn difference(difference: &Difference) -> Value {
    let mut value = json!({
        "field": difference.field,
        "live": difference.live,
        "desired": difference.desired,
    });
    if let (Some(key), Some(map)) = (difference.key, value.as_object_mut()) {
        map.insert("key".into(), key.into());
    }
    value
}

fn finding(finding: &Finding) -> Value {
    let mut value = json!({ "code": finding.code, "what": finding.what });
    if let (Some(next), Some(map)) = (&finding.next, value.as_object_mut()) {
        map.insert("next".into(), next.clone().into());
    }
    value
}

/// A problem.
pub(super) fn problem(problem: &Problem) -> Value {
    let mut map = Map::new();
    map.insert("code".into(), problem.code.into());
    map.insert("what".into(), problem.what.clone().into());
    if let Some(place) = &problem.place {
        map.insert("place".into(), place.clone().into());
    }
    if !problem.because.is_empty() {
        map.insert("because".into(), problem.because.clone().into());
    }
    if let Some(id) = &problem.request_id {
        map.insert("request_id".into(), id.clone().into());
    }
    if let Some(next) = &problem.next {
        map.insert("next".into(), next.clone().into());
    }
    Value::Object(map)
}

/// An event of one stack, for JSON lines.
pub(super) fn event(stack: &str, event: &Event) -> Value {
    let milliseconds = |took: &std::time::Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let noun = |kind: &Kind| kind.noun();
    match event {
        Event::Started { kind, action } => {
            json!({"event": "started", "stack": stack, "kind": noun(kind), "action": action.word()})
        }
        Event::Waiting { kind, until, elapsed } => json!({
            "event": "waiting", "stack": stack, "kind": noun(kind), "until": until,
            "elapsed_ms": milliseconds(elapsed),
        }),
        Event::Done { kind, action, took } => json!({
            "event": "done", "stack": stack, "kind": noun(kind), "action": action.word(),
            "took_ms": milliseconds(took),
        }),
        Event::Failed { kind, problem } => {
            json!({"event": "failed", "stack": stack, "kind": noun(kind), "error": self::problem(problem)})
        }
        Event::Skipped { kind, after } => {
            let mut value = json!({"event": "skipped", "stack": stack, "kind": noun(kind)});
            if let (Some(after), Some(map)) = (after, value.as_object_mut()) {
                map.insert("after".into(), after.noun().into());
            }
            value
        }
    }
}
