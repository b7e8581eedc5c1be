//! Compares the authorizer with the floor (`floor.rs`): same machine, same run, same crypto
//! library, same build flags. `cargo bench -p thinggate-authorizer`; the goals are those of the
//! design: cold and warm within 1.3 times the floor, at most 4 MB, at most 1 MB as a package.
//!
//! Both play against a Lambda Runtime API host in this process. Rounds of the two alternate, so that
//! whatever else the machine does hits both; figures are medians over the rounds.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measure, not a product")]

mod build;
mod host;
mod token;

use std::path::Path;

use host::{Process, Warm};
use token::{Algorithm, Fixture};

/// Starts measured of each program and algorithm.
const COLD_STARTS: usize = 200;
/// Alternating rounds of warm calls.
const WARM_ROUNDS: usize = 9;
/// Calls measured in one round.
const WARM_CALLS: usize = 2000;

fn main() {
    // `cargo bench` says so; `cargo test --all-targets` starts every target, and this one is no test.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let programs = build::programs();
    let fixture = Fixture::new(&programs.folder);

    println!("                          authorizer       floor   ratio");
    for algorithm in [Algorithm::Hs256, Algorithm::Rs256] {
        let name = algorithm.name();
        let (ours, floor) = cold(&programs, &fixture, algorithm);
        row(&format!("cold {name}, us"), ours, floor);
        let (ours, floor) = warm(&programs, &fixture, algorithm);
        row(&format!("warm p50 {name}, us"), ours.p50_us, floor.p50_us);
        row(&format!("warm p99 {name}, us"), ours.p99_us, floor.p99_us);
        row(&format!("CPU per call {name}, us"), ours.cpu_us, floor.cpu_us);
        row(&format!("peak RSS {name}, KiB"), ours.peak_kib, floor.peak_kib);
    }
    row("executable, KiB", kib(&programs.authorizer), kib(&programs.floor));
    row("executable, gzip -9, KiB", gzip_kib(&programs.authorizer), gzip_kib(&programs.floor));

    println!("\nhostile mix                    mixed       alone   ratio");
    for algorithm in [Algorithm::Hs256, Algorithm::Rs256] {
        let (mixed, alone) = hostile(&programs, &fixture, algorithm);
        row(&format!("good p50 {}, us", algorithm.name()), mixed.p50_us, alone.p50_us);
        row(&format!("good p99 {}, us", algorithm.name()), mixed.p99_us, alone.p99_us);
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

fn warm(programs: &build::Programs, fixture: &Fixture, algorithm: Algorithm) -> (Warm, Warm) {
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..WARM_ROUNDS {
        for (program, rounds) in [(&programs.authorizer, &mut ours), (&programs.floor, &mut floor)] {
            let process = Process::start(program, fixture, algorithm);
            rounds.push(process.warm(fixture.good(algorithm), &[], WARM_CALLS));
        }
    }
    (Warm::median(&ours), Warm::median(&floor))
}

/// Good calls of the authorizer among hostile ones, and alone.
fn hostile(programs: &build::Programs, fixture: &Fixture, algorithm: Algorithm) -> (Warm, Warm) {
    let (mut mixed, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..WARM_ROUNDS {
        for (hostile, rounds) in [(fixture.hostile(algorithm), &mut mixed), (&[][..], &mut alone)] {
            let process = Process::start(&programs.authorizer, fixture, algorithm);
            rounds.push(process.warm(fixture.good(algorithm), hostile, WARM_CALLS));
        }
    }
    (Warm::median(&mixed), Warm::median(&alone))
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
