//! Questions to a person at a terminal, one at a time.

use std::io::BufRead as _;

use super::session::Session;

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
