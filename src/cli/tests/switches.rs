//! Every open question about AWS both ways: whatever the answer, each command ends where it ends when
//! AWS is as patient and as strict as the local target is by default.

mod life;
mod matrix;

use std::env;
use std::iter;
use std::ops::Range;

use local::Options;
use local::fault::Order;
use local::switches::TABLE;

use life::{Cell, Flow, Life};
use matrix::{Setting, combination, in_parallel, print};

/// How many seeds `cargo test` tries; `.ci/run switches` asks for more.
const SEEDS: Range<u64> = 0..12;
/// Which seeds to try instead: `N` or `FROM..TO`.
const SEEDS_VARIABLE: &str = "THINGGATE_SWITCH_SEEDS";

#[test]
fn every_single_setting_converges() {
    let others = TABLE.iter().flat_map(|row| row.values[1..].iter().map(|value| (row.name, *value)));
    let default = Setting { name: "every default".to_owned(), options: Options::default() };
    let settings = iter::once(default).chain(others.map(|switch| Setting::of(&[switch]))).collect();
    expect_all("single settings", settings);
}

/// Those whose effect needs another: which calls meet a copy says nothing while no copy lags.
#[test]
fn settings_that_need_each_other_converge() {
    let settings = ["iam_delay_ms", "lambda_delay_ms", "iot_delay_ms", "ssm_delay_ms", "tags_delay_ms"]
        .map(|name| Setting::of(&[(name, "10000"), ("delayed_calls", "every_second")]));
    expect_all("every second call", settings.to_vec());
}

#[test]
fn random_combinations_converge() {
    let seeds = env::var(SEEDS_VARIABLE).ok().map_or(SEEDS, |text| seeds(&text));
    expect_all("random combinations", seeds.map(combination).collect());
}

fn seeds(text: &str) -> Range<u64> {
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{SEEDS_VARIABLE} is N or FROM..TO"));
    match text.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(text)..number(text) + 1,
    }
}

/// Runs every flow under each setting, prints the table, and expects that all end as they should.
#[track_caller]
fn expect_all(title: &str, settings: Vec<Setting>) {
    let lives = in_parallel(settings, |setting| Life::lead(setting.options.clone(), None));
    let failures = print(title, &lives);
    assert!(failures.is_empty(), "{title}:\n{}", failures.join("\n"));
}

/// A trouble that no patience ends is told as not converged, in the flow that meets it: without this the
/// table could be all good because nothing looks.
#[test]
fn what_does_not_converge_is_seen() {
    let trouble = |options: Options, order: Order| {
        let name = "planted".to_owned();
        in_parallel(vec![Setting { name, options }], move |setting| {
            Life::lead(setting.options.clone(), Some(order.clone()))
        })
    };
    let lives = trouble(Options::default(), Order { throttle_each: 1000, ..Order::default() });
    assert!(lives[0].1.cells.iter().all(|(_, cell)| matches!(cell, Cell::Failed(_))), "{lives:?}");
    assert_eq!(print("planted", &lives).len(), Flow::ALL.len());
    // Six minutes, where five are worth waiting for: the deploy fails, and the next one finds its world.
    let mut slow = Options::default();
    slow.set("role_propagation_ms", "360000").unwrap();
    let lives = trouble(slow, Order::default());
    let failed: Vec<Flow> = lives[0]
        .1
        .cells
        .iter()
        .filter(|(_, cell)| matches!(cell, Cell::Failed(_)))
        .map(|(f, _)| *f)
        .collect();
    assert!(failed.contains(&Flow::Deploy) && !failed.contains(&Flow::Destroy), "{lives:?}");
}
