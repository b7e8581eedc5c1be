//! A served local target, and a proxy in front of it that records.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::{Bench, RUN_TIME_MAX, ended, record, signal};

/// `thinggate local up`, ended when this value is dropped.
pub(crate) struct Served {
    /// With what it says after it is ready. None when somebody else ends it.
    child: Option<(Child, JoinHandle<String>, JoinHandle<String>)>,
    run: Value,
}

impl Served {
    /// Serves the target of the bench's `.thinggate`, with more flags.
    pub(crate) fn start(bench: &Bench, flags: &[&str]) -> Self {
        let mut child = bench.command(&[&["local", "up"], flags].concat()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line == "ready");
        assert!(ready, "local up did not become ready: {:?}", super::finish(child));
        // Both pipes are read to the end, so that it never waits for us.
        let mut errors = child.stderr.take().unwrap();
        let output = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).map(|_| text).unwrap_or_default()
        });
        let mut served = Self::of(bench);
        served.child = Some((child, output, errors));
        served
    }

    /// The target that a run serves in the bench's `.thinggate`.
    pub(crate) fn of(bench: &Bench) -> Self {
        Self { child: None, run: serde_json::from_str(&bench.read(".thinggate/run.json")).unwrap() }
    }

    /// A text of its run file.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.run[name].as_str().unwrap()
    }

    /// Asks `/_local/…`; the answer's JSON.
    pub(crate) fn admin(&self, method: &str, path: &str, body: &str) -> Value {
        admin(&self.run, method, path, body)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some((mut child, output, errors)) = self.child.take() {
            signal(&child, rustix::process::Signal::TERM);
            ended(&mut child, RUN_TIME_MAX);
            record::said([&output.join().unwrap_or_default(), &errors.join().unwrap_or_default()]);
        }
    }
}

/// Asks `/_local/…` of the target that `run` (its run file) describes.
pub(crate) fn admin(run: &Value, method: &str, path: &str, body: &str) -> Value {
    let address = run["control_url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let key = run["secret_access_key"].as_str().unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nx-thinggate-key: {key}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {head}");
    serde_json::from_str(body).unwrap()
}

/// Stands in front of the AWS APIs and keeps all bytes of both directions. What it passes on is unchanged,
/// so that signatures stay good: the client signs for the host that it asks.
pub(crate) struct Proxy {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    pub(crate) fn start(to: &str) -> Self {
        let to = to.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for inside in listener.incoming().map_while(Result::ok) {
                let Ok(outside) = TcpStream::connect(&to) else { continue };
                for (from, to) in [(&inside, &outside), (&outside, &inside)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let kept = Arc::clone(&kept);
                    std::thread::spawn(move || pass(from, to, &kept));
                }
            }
        });
        Self { url, seen }
    }

    /// All bytes so far, each connection's pieces whole.
    pub(crate) fn seen(&self) -> Vec<u8> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, kept: &Mutex<Vec<u8>>) {
    let mut all = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
        all.extend_from_slice(&buffer[..count]);
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
    kept.lock().unwrap_or_else(PoisonError::into_inner).extend(all);
}
