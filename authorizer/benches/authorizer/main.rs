//! Compares the authorizer with the floor (`floor.rs`): same machine, same run, same crypto
//! library, same build flags. `cargo bench -p thinggate-authorizer`; the goals are those of the
//! design: cold and warm within 1.3 times the floor, at most 4 MB, at most 1 MB as a package.
//!
//! Both play against a Lambda Runtime API host in this process. Rounds of the two alternate, so that
//! whatever else the machine does hits both.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measure, not a product")]

mod build;
mod host;
mod token;

use std::path::Path;

use host::{Process, Warm};
use token::{Algorithm, Fixture};

/// Starts measured of each program and algorithm.
const COLD_STARTS: usize = 200;
/// Pairs of processes for warm calls, each called in this many pairs of blocks of this many calls.
const WARM_ROUNDS: usize = 15;
const WARM_BLOCKS: usize = 30;
const WARM_BLOCK_CALLS: usize = 40;
/// Processes that meet hostile events, each in this many pairs of blocks of this many good calls.
const HOSTILE_ROUNDS: usize = 20;
const HOSTILE_BLOCKS: usize = 40;
const HOSTILE_BLOCK_CALLS: usize = 40;

fn main() {
    // `cargo bench` says so; `cargo test --all-targets` starts every target, and this one is no test.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let programs = build::programs();
    host::pin(std::process::id(), 0);
    let fixture = Fixture::new(&programs.folder);

    println!("                          authorizer       floor   ratio");
    for algorithm in [Algorithm::Hs256, Algorithm::Rs256] {
        let name = algorithm.name();
        let (ours, floor) = cold(&programs, &fixture, algorithm);
        row(&format!("cold {name}, us"), ours, floor);
        let (mut ours, mut floor) = warm(&programs, &fixture, algorithm);
        for (percentile, share) in [("p50", 0.5), ("p99", 0.99)] {
            let (ours_us, floor_us) =
                (host::quantile(&mut ours.times_us, share), host::quantile(&mut floor.times_us, share));
            row(&format!("warm {percentile} {name}, us"), ours_us, floor_us);
        }
        let (ours_us, floor_us) = (host::median(&mut ours.cpu_us), host::median(&mut floor.cpu_us));
        row(&format!("CPU per call {name}, us"), ours_us, floor_us);
        let (ours_kib, floor_kib) = (host::median(&mut ours.peak_kib), host::median(&mut floor.peak_kib));
        row(&format!("peak RSS {name}, KiB"), ours_kib, floor_kib);
    }
    row("executable, KiB", kib(&programs.authorizer), kib(&programs.floor));
    row("executable, gzip -9, KiB", gzip_kib(&programs.authorizer), gzip_kib(&programs.floor));

    println!("\nhostile mix                    mixed       alone   ratio");
    for algorithm in [Algorithm::Hs256, Algorithm::Rs256] {
        let (mut mixed, mut alone) = hostile(&programs, &fixture, algorithm);
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            let (mixed_us, alone_us) = (host::quantile(&mut mixed, share), host::quantile(&mut alone, share));
            row(&format!("good {name} {}, us", algorithm.name()), mixed_us, alone_us);
        }
    }
}

fn row(name: &str, ours: f64, floor: f64) {
    println!("{name:<24} {ours:>11.1} {floor:>11.1} {:>7.2}", ours / floor);
}

/// From the start of the process to its first answer, in microseconds: medians of both.
fn cold(programs: &build::Programs, fixture: &Fixture, algorithm: Algorithm) -> (f64, f64) {
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..COLD_STARTS {
        ours.push(
            Process::start(&programs.authorizer, fixture, algorithm).first_answer_us(fixture.good(algorithm)),
        );
        floor.push(
            Process::start(&programs.floor, fixture, algorithm).first_answer_us(fixture.good(algorithm)),
        );
    }
    (host::median(&mut ours), host::median(&mut floor))
}

/// Both programs run side by side and are called in turns, a block of calls each, so that both meet
/// whatever else the machine does.
fn warm(programs: &build::Programs, fixture: &Fixture, algorithm: Algorithm) -> (Warm, Warm) {
    let (mut ours, mut floor) = (Warm::default(), Warm::default());
    let event = fixture.good(algorithm);
    for _ in 0..WARM_ROUNDS {
        let mut pair = [(&programs.authorizer, &mut ours), (&programs.floor, &mut floor)]
            .map(|(program, warm)| (Process::start(program, fixture, algorithm), warm));
        for (process, _) in &mut pair {
            process.warm_up(event);
        }
        for _ in 0..WARM_BLOCKS {
            for (process, warm) in &mut pair {
                process.measure(event, WARM_BLOCK_CALLS, warm);
            }
        }
        for (process, warm) in pair {
            process.end_measured(warm);
        }
    }
    (ours, floor)
}

/// Times of good calls of the authorizer among hostile ones, and alone: those of all rounds together.
fn hostile(programs: &build::Programs, fixture: &Fixture, algorithm: Algorithm) -> (Vec<f64>, Vec<f64>) {
    let (mut mixed, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..HOSTILE_ROUNDS {
        let process = Process::start(&programs.authorizer, fixture, algorithm);
        let good = fixture.good(algorithm);
        let (with, without) =
            process.mixed_and_alone(good, fixture.hostile(algorithm), HOSTILE_BLOCKS, HOSTILE_BLOCK_CALLS);
        mixed.extend(with);
        alone.extend(without);
    }
    (mixed, alone)
}

#[expect(clippy::cast_precision_loss, reason = "sizes of files are far below 2^52")]
fn kib(program: &Path) -> f64 {
    std::fs::metadata(program).unwrap().len() as f64 / 1024.0
}

#[expect(clippy::cast_precision_loss, reason = "sizes of files are far below 2^52")]
fn gzip_kib(program: &Path) -> f64 {
    let output = std::process::Command::new("gzip").arg("-9nc").arg(program).output().unwrap();
    output.stdout.len() as f64 / 1024.0
}
