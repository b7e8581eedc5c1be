//! A Lambda Runtime API host that hands out events and takes the time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::token::{Algorithm, Fixture};

/// Calls before the measured ones.
const WARM_UP_CALLS: usize = 200;

/// A running program, connected.
pub(crate) struct Process {
    child: Child,
    stream: BufReader<TcpStream>,
    started: Instant,
}

/// What warm calls cost, over all rounds: each call, each block of calls, each process.
#[derive(Default)]
pub(crate) struct Warm {
    pub(crate) times_us: Vec<f64>,
    pub(crate) cpu_us: Vec<f64>,
    pub(crate) peak_kib: Vec<f64>,
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an index of a short list"
)]
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * share) as usize;
    *values.get(index.min(values.len() - 1)).unwrap()
}

/// Keeps a process with one thread on one processor, with `taskset` of util-linux.
pub(crate) fn pin(process_id: u32, processor: u32) {
    let arguments = ["-pc".to_owned(), processor.to_string(), process_id.to_string()];
    let status = Command::new("taskset").args(arguments).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "taskset: {status}");
}

impl Process {
    pub(crate) fn start(program: &Path, fixture: &Fixture, algorithm: Algorithm) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string())
            .envs(fixture.variables(algorithm))
            .stdout(Stdio::null());
        let started = Instant::now();
        let child = command.spawn().unwrap();
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        Self { child, stream: BufReader::new(stream), started }
    }

    /// Microseconds from the start of the process to its first answer, which must be an allow.
    pub(crate) fn first_answer_us(mut self, event: &str) -> f64 {
        self.request();
        self.hand_over(event);
        assert!(self.answer(), "a good token was denied");
        let elapsed = self.started.elapsed();
        self.end();
        elapsed.as_secs_f64() * 1e6
    }

    /// Keeps this process on its own processor, away from the host's: where the scheduler is free, it
    /// now lets the two share one and now not, which changes a call by a factor of ten.
    fn pin(&self) {
        pin(self.child.id(), 1);
    }

    /// Calls that nobody measures, on the processor where the others will be.
    pub(crate) fn warm_up(&mut self, event: &str) {
        self.pin();
        self.good_calls(event, &[], WARM_UP_CALLS);
    }

    /// Times `calls` good events, in microseconds, and adds the processor time of one to `warm`.
    pub(crate) fn measure(&mut self, event: &str, calls: usize, warm: &mut Warm) {
        let cpu_before_us = self.cpu_us();
        let times_us = self.good_calls(event, &[], calls);
        #[expect(clippy::cast_precision_loss, reason = "a few thousand calls")]
        warm.cpu_us.push((self.cpu_us() - cpu_before_us) / calls as f64);
        warm.times_us.extend(times_us);
    }

    /// Ends the process, and adds its greatest resident size to `warm`.
    pub(crate) fn end_measured(self, warm: &mut Warm) {
        warm.peak_kib.push(self.peak_kib());
        self.end();
    }

    /// Times good events in blocks of `block_calls`: one block with a hostile event before each good
    /// one, not timed, one without, and so on. Both kinds meet the same process, and whatever the
    /// scheduler does to it. Returns the times of both, in microseconds.
    pub(crate) fn mixed_and_alone(
        mut self,
        event: &str,
        hostile: &[String],
        blocks: usize,
        block_calls: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let (mut mixed, mut alone) = (Vec::new(), Vec::new());
        self.pin();
        self.good_calls(event, hostile, WARM_UP_CALLS);
        for _ in 0..blocks {
            mixed.extend(self.good_calls(event, hostile, block_calls));
            alone.extend(self.good_calls(event, &[], block_calls));
        }
        self.end();
        (mixed, alone)
    }

    fn good_calls(&mut self, event: &str, hostile: &[String], calls: usize) -> Vec<f64> {
        let mut hostile = hostile.iter().cycle();
        let mut times_us = Vec::with_capacity(calls);
        for _ in 0..calls {
            if let Some(hostile) = hostile.next() {
                self.request();
                self.hand_over(hostile);
                assert!(!self.answer(), "a hostile token was allowed");
                self.accept_answer();
            }
            self.request();
            let handed_over = Instant::now();
            self.hand_over(event);
            assert!(self.answer(), "a good token was denied");
            times_us.push(handed_over.elapsed().as_secs_f64() * 1e6);
            self.accept_answer();
        }
        times_us
    }

    fn request(&mut self) {
        let (line, _) = self.read();
        assert!(line.starts_with("GET "), "{line}");
    }

    fn hand_over(&mut self, event: &str) {
        let head = format!(
            "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\ncontent-length: {}\r\n\r\n",
            event.len()
        );
        self.stream.get_mut().write_all((head + event).as_bytes()).unwrap();
    }

    /// Whether the answer is an allow.
    fn answer(&mut self) -> bool {
        let (line, body) = self.read();
        assert!(line.starts_with("POST ") && line.contains("/response "), "{line}");
        body.contains("\"isAuthenticated\":true")
    }

    fn accept_answer(&mut self) {
        self.stream.get_mut().write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").unwrap();
    }

    fn read(&mut self) -> (String, String) {
        let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
        loop {
            line.clear();
            assert_ne!(self.stream.read_line(&mut line).unwrap(), 0, "the program ended");
            let text = line.trim_end();
            if let Some(value) = text.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
            if first.is_empty() {
                text.clone_into(&mut first);
            }
            if text.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (first, String::from_utf8(body).unwrap())
    }

    /// Time on a processor so far (`/proc/PID/schedstat`, first field, in nanoseconds).
    fn cpu_us(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/schedstat", self.child.id())).unwrap();
        text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1000.0
    }

    /// The greatest resident size so far.
    fn peak_kib(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn end(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
