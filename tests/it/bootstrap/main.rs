//! A `bootstrap` with one fixed behaviour, for the negative controls: what the demo says about an
//! authorizer that always allows, always denies, crashes or never answers. Compiled by `support::bootstrap`
//! with `rustc` alone, so it uses the standard library only. The behaviour is the text behind the last
//! `#` of the executable itself: one build, one copy for each behaviour.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// The members are those of the example in the AWS IoT guide, "Defining your Lambda function".
const ALLOW: &str = r#"{"isAuthenticated":true,"principalId":"device","disconnectAfterInSeconds":86400,
"refreshAfterInSeconds":300,"policyDocuments":[{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":"iot:Publish","Resource":"*"}]}]}"#;
const DENY: &str = r#"{"isAuthenticated":false,"principalId":"device","disconnectAfterInSeconds":86400,
"refreshAfterInSeconds":300,"policyDocuments":[]}"#;

fn behaviour() -> String {
    let own = std::fs::read("/proc/self/exe").unwrap_or_default();
    let start = own.iter().rposition(|byte| *byte == b'#').map_or(own.len(), |at| at + 1);
    String::from_utf8_lossy(&own[start..]).into_owned()
}

/// One call of the Lambda Runtime API: the request id, if any.
fn call(api: &mut BufReader<TcpStream>, method: &str, path: &str, body: &str) -> Option<String> {
    let length = body.len();
    let host = api.get_ref().peer_addr().ok()?;
    let head = format!("{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: {host}\r\n");
    write!(api.get_mut(), "{head}Content-Length: {length}\r\n\r\n{body}").ok()?;
    let (mut id, mut left) = (None, 0);
    loop {
        let mut line = String::new();
        if api.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => left = value.parse().ok()?,
            "lambda-runtime-aws-request-id" => id = Some(value.to_owned()),
            _ => {}
        }
    }
    api.read_exact(&mut vec![0; left]).ok()?;
    Some(id.unwrap_or_default())
}

fn main() {
    let behaviour = behaviour();
    let address = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
    let Ok(connection) = TcpStream::connect(address) else { return };
    let mut api = BufReader::new(connection);
    while let Some(id) = call(&mut api, "GET", "invocation/next", "") {
        let answer = match behaviour.as_str() {
            "allows" => ALLOW,
            "denies" => DENY,
            "never answers" => loop {
                std::thread::park();
            },
            _ => std::process::exit(7),
        };
        call(&mut api, "POST", &format!("invocation/{id}/response"), answer);
    }
}
