//! Questions to a person at a terminal, one at a time.

use std::io::{BufRead as _, Read as _};

use super::session::Session;
use crate::keys::Secret;
use crate::problem::Problem;

/// Asks for a text.
pub(super) async fn text(session: &Session, question: &str) -> String {
    let _one_at_a_time = session.asking.lock().await;
    session.printer.question(&format!("{question} "));
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = tokio::select! {
        line = read => line.ok().and_then(Result::ok),
        () = session.stop.stopped() => None,
    };
    line.unwrap_or_default().trim().to_owned()
}

/// Asks for a yes.
pub(super) async fn yes(session: &Session, question: &str) -> bool {
    matches!(text(session, &format!("{question} [y/N]")).await.to_lowercase().as_str(), "y" | "yes")
}

/// All of standard input as a secret.
pub(super) fn standard_input(bytes_max: u64) -> Result<Secret, Problem> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(bytes_max + 1).read_to_string(&mut text);
    let text = Secret::new(text);
    read.map_err(|error| {
        Problem::usage("not_text", "standard input cannot be read as text").because(error.kind().to_string())
    })?;
    if text.expose().len() as u64 > bytes_max {
        return Err(Problem::usage("too_long", format!("standard input is longer than {bytes_max} bytes")));
    }
    Ok(text)
}
