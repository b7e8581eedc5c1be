//! The floor: the least that reads an event, verifies a signature with the same crypto library and
//! answers. It checks no claim, writes no policy and no log, and trusts its host. What the
//! authorizer takes beyond it is the price of the checks.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measure, not a product")]

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;

#[derive(Deserialize)]
struct Event {
    token: String,
}

enum Key {
    Hs256(hmac::Key),
    Rs256(RsaPublicKeyComponents<Vec<u8>>),
}

fn main() {
    let key = if let Ok(n) = env::var("FLOOR_MODULUS") {
        Key::Rs256(RsaPublicKeyComponents { n: URL_SAFE_NO_PAD.decode(n).unwrap(), e: vec![1, 0, 1] })
    } else {
        let secret = STANDARD.decode(env::var("BENCH_SECRET").unwrap()).unwrap();
        Key::Hs256(hmac::Key::new(hmac::HMAC_SHA256, &secret))
    };
    let stream = TcpStream::connect(env::var("AWS_LAMBDA_RUNTIME_API").unwrap()).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    loop {
        stream
            .get_mut()
            .write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        let (id, event) = reply(&mut stream);
        let event: Event = serde_json::from_slice(&event).unwrap();
        let is_good = verify(&key, &event.token);
        let body = format!(
            "{{\"isAuthenticated\":{is_good},\"principalId\":\"a\",\"disconnectAfterInSeconds\":300,\"refreshAfterInSeconds\":300,\"policyDocuments\":[]}}"
        );
        let request = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        reply(&mut stream);
    }
}

/// The request id and the body of a reply. The host always sends a length.
fn reply(stream: &mut BufReader<TcpStream>) -> (String, Vec<u8>) {
    let (mut id, mut length, mut line) = (String::new(), 0, String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).unwrap() == 0 {
            std::process::exit(0);
        }
        let text = line.trim_end();
        if let Some(value) = text.strip_prefix("lambda-runtime-aws-request-id: ") {
            value.clone_into(&mut id);
        }
        if let Some(value) = text.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if text.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (id, body)
}

fn verify(key: &Key, token: &str) -> bool {
    let Some((signed, signature)) = token.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    match key {
        Key::Hs256(key) => hmac::verify(key, signed.as_bytes(), &signature).is_ok(),
        Key::Rs256(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).is_ok(),
    }
}
