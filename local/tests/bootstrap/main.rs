//! A `bootstrap` for tests that behaves as its environment variable `BEHAVIOUR` says.
//!
//! | `BEHAVIOUR` | does |
//! |---|---|
//! | `answer` | answers with the text in `ANSWER` |
//! | `echo` | answers with its event, its environment, its process id and what the Runtime API said |
//! | `allow`, `deny` | answers every event with an allowing or refusing authorizer's answer |
//! | `error` | reports an error |
//! | `crash` | ends with status 7 after taking the event |
//! | `crash_at_start`, `init_error` | ends, or reports an error, before the first event |
//! | `hang`, `hang_at_start` | never answers |
//! | `slow_start` | asks for its first event after 1.5 s, and answers as `allow` |
//! | `answer_once` | answers the first event, ends at the second |
//! | `malformed` | answers what is not JSON |
//!
//! `print_event` prints `event: ` and its event, and refuses. A `$REQUEST_ID` in what is printed becomes the
//! id of the request.
//!
//! `PRINT` is printed to stdout, and `PRINT_ERROR` to stderr, before each answer.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a part of tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

const ALLOW: &str = r#"{"isAuthenticated":true,"principalId":"device","disconnectAfterInSeconds":86400,
"refreshAfterInSeconds":300,"policyDocuments":[{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":"iot:Publish","Resource":"*"}]}]}"#;
const DENY: &str = r#"{"isAuthenticated":false,"principalId":"device","disconnectAfterInSeconds":86400,
"refreshAfterInSeconds":300,"policyDocuments":[]}"#;

struct Api {
    address: String,
    connection: BufReader<TcpStream>,
}

impl Api {
    fn call(&mut self, method: &str, path: &str, body: &str) -> (Vec<(String, String)>, String) {
        let request = format!(
            "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.connection.get_mut().write_all(request.as_bytes()).unwrap_or_else(|_| std::process::exit(0));
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if self.connection.read_line(&mut line).unwrap_or_default() == 0 {
                std::process::exit(0);
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
                None if line.trim_end().is_empty() => break,
                None => headers.push(("status".into(), line.trim_end().to_owned())),
            }
        }
        let length = value(&headers, "content-length").parse().unwrap();
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body).unwrap();
        (headers, String::from_utf8(body).unwrap())
    }
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

fn echo(headers: &[(String, String)], event: &str) -> String {
    let mut pairs: Vec<(String, String)> = std::env::vars().collect();
    pairs.extend(headers.iter().map(|(name, value)| (format!("header {name}"), value.clone())));
    pairs.push(("pid".into(), std::process::id().to_string()));
    pairs.push(("directory".into(), std::env::current_dir().unwrap().display().to_string()));
    let members: Vec<String> = pairs.iter().map(|(name, value)| format!("{name:?}:{value:?}")).collect();
    format!("{{{},\"event\":{event}}}", members.join(","))
}

fn main() {
    let behaviour = variable("BEHAVIOUR");
    if behaviour == "crash_at_start" {
        std::process::exit(7);
    }
    let address = variable("AWS_LAMBDA_RUNTIME_API");
    let mut api = Api { connection: BufReader::new(TcpStream::connect(&address).unwrap()), address };
    let problem = r#"{"errorType":"Test.Problem","errorMessage":"as ordered"}"#;
    match behaviour.as_str() {
        "hang_at_start" => hang(),
        "slow_start" => std::thread::sleep(std::time::Duration::from_millis(1500)),
        "init_error" => {
            api.call("POST", "init/error", problem);
            std::process::exit(1);
        }
        _ => {}
    }
    for turn in 0.. {
        let (headers, event) = api.call("GET", "invocation/next", "");
        let id = value(&headers, "lambda-runtime-aws-request-id");
        for (name, to_error) in [("PRINT", false), ("PRINT_ERROR", true)] {
            let text = variable(name).replace("$REQUEST_ID", id);
            match (text.is_empty(), to_error) {
                (true, _) => {}
                (false, false) => println!("{text}"),
                (false, true) => eprintln!("{text}"),
            }
        }
        let answer = match behaviour.as_str() {
            "answer" => variable("ANSWER"),
            "echo" => echo(&headers, &event),
            "allow" | "slow_start" => ALLOW.to_owned(),
            "deny" => DENY.to_owned(),
            "print_event" => {
                println!("event: {event}");
                DENY.to_owned()
            }
            "malformed" => "no JSON".to_owned(),
            "answer_once" if turn == 0 => "1".to_owned(),
            "error" => {
                api.call("POST", &format!("invocation/{id}/error"), problem);
                continue;
            }
            "hang" => hang(),
            _ => std::process::exit(7),
        };
        api.call("POST", &format!("invocation/{id}/response"), &answer);
    }
}
