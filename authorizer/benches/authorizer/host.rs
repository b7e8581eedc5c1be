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

/// What warm calls cost.
#[derive(Clone, Copy)]
pub(crate) struct Warm {
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) cpu_us: f64,
    pub(crate) peak_kib: f64,
}

impl Warm {
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |field: fn(&Self) -> f64| median(&mut rounds.iter().map(field).collect::<Vec<_>>());
        Self {
            p50_us: of(|round| round.p50_us),
            p99_us: of(|round| round.p99_us),
            cpu_us: of(|round| round.cpu_us),
            peak_kib: of(|round| round.peak_kib),
        }
    }
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
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * share) as usize;
    *values.get(index.min(values.len() - 1)).unwrap()
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

    /// Times `calls` good events; before each, one of `hostile` is handed over, not timed.
    pub(crate) fn warm(mut self, event: &str, hostile: &[String], calls: usize) -> Warm {
        let mut hostile = hostile.iter().cycle();
        let mut times_us = Vec::with_capacity(calls);
        let mut cpu_before_us = 0.0;
        for call in 0..WARM_UP_CALLS + calls {
            if call == WARM_UP_CALLS {
                cpu_before_us = self.cpu_us();
            }
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
            if call >= WARM_UP_CALLS {
                times_us.push(handed_over.elapsed().as_secs_f64() * 1e6);
            }
            self.accept_answer();
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand calls")]
        let cpu_us = (self.cpu_us() - cpu_before_us) / calls as f64;
        let peak_kib = self.peak_kib();
        self.end();
        Warm { p50_us: quantile(&mut times_us, 0.5), p99_us: quantile(&mut times_us, 0.99), cpu_us, peak_kib }
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
