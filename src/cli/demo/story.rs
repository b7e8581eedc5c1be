//! The story itself, on a deployed stack: a good message, and one refusal after the other.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::follower::Follower;
use super::{Lines, forge, person};
use crate::cli::device::{self, Request};
use crate::cli::load::Loaded;
use crate::cli::local;
use crate::cli::local_target::RunFile;
use crate::cli::session::Session;
use crate::cli::target::{self, Connected};
use crate::device::Answer;
use crate::gather::References as _;
use crate::keys::Secret;
use crate::problem::{Problem, ProblemKind};
use crate::stack::{Stack, TokenKey};

/// The user and password of the embedded provider.
const PERSON: (&str, &str) = ("demo", "changeit");
/// What is published.
const MESSAGE: &str = "Test message from openam protected device";
/// How old the expired token is.
const HOURS: i64 = 2;

/// Who must refuse a forgery, and why, as the target's log has it.
struct Expected {
    line: &'static str,
    who: &'static str,
    why: &'static str,
    invocations: u64,
}

struct Story<'a> {
    session: &'a Session,
    connected: Connected<'a>,
    run_file: &'a RunFile,
    topic: String,
    token: Secret,
}

/// Tells the story line by line; the first that does not hold is the error.
pub(super) async fn tell(
    session: &Arc<Session>,
    lines: &mut Lines<'_>,
    loaded: &Loaded,
    folder: &Path,
    run_file: &RunFile,
) -> Result<(), Problem> {
    let topic = allowed_topic(&loaded.stack)?;
    let mut follower = Follower::start(session.as_ref(), folder).await?;
    lines
        .say("follower", &format!("`thinggate local follow` in a process of its own ({})", follower.pid()))
        .await;
    let connected = target::connect(session, loaded.stack.clone()).await?;
    let (token, how) = log_in(session, &connected).await?;
    lines.say("device login", &how).await;
    let story = Story { session, connected, run_file, topic, token };

    let answer = story.publish(&story.token, None, &story.topic).await?;
    if answer.status != 200 {
        let refusal = story.refusal(&answer).await.map(|entry| in_words(&entry)).unwrap_or_default();
        return Err(lines.broken("a good token's message is refused", format!("{}{refusal}", answer.status)));
    }
    let (topic, text) = follower.next().await.map_err(|problem| match problem.kind {
        ProblemKind::Interrupted => problem,
        _ => lines.broken("the follower does not see the message", problem.to_string()),
    })?;
    if topic != story.topic || text != MESSAGE {
        return Err(lines.broken("the follower sees another message", format!("{topic}: {text}")));
    }
    lines
        .say("device publish", &format!("200 {}; the follower prints: {topic}  {text}", answer.message))
        .await;
    story.forgeries(lines).await
}

/// An entry of the target's log: who refused, why, and what it knows beside that.
fn in_words(entry: &Value) -> String {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let reason = if text("reason").is_empty() { text("detail") } else { text("reason") };
    format!(", refused by the {}: {} ({reason})", text("who"), text("why"))
}

async fn log_in(session: &Session, connected: &Connected<'_>) -> Result<(Secret, String), Problem> {
    let (_, flow) = Box::pin(device::flow(connected)).await?;
    let pending = flow.begin(&connected.http).await?;
    let answers = person::Answers {
        user_code: &pending.user_code,
        username: PERSON.0,
        password: PERSON.1,
        decision: "allow",
    };
    let posted = person::approve(&connected.http, &pending.verification_uri, answers).await?;
    let login = flow.wait(&connected.http, &pending, &device::pace(session)).await?;
    let how =
        format!("code {} typed, {posted} forms posted at {}", pending.user_code, pending.verification_uri);
    Ok((login.access_token, how))
}

impl Story<'_> {
    async fn forgeries(&self, lines: &mut Lines<'_>) -> Result<(), Problem> {
        let good = self.token.expose();
        let signature = device::signature(&self.connected, &self.token).await?;
        let flipped = forge::flipped(&signature);
        let tampered = Secret::new(forge::tampered(good)?);
        let expired = Secret::new(forge::expired(good, &self.minting_secret()?, HOURS)?);
        let expected = |line, who, why, invocations| Expected { line, who, why, invocations };

        let wrong = expected("wrong token signature", "gateway", "bad_token_signature", 0);
        let answer = self.publish(&self.token, Some(&flipped), &self.topic).await?;
        self.refused(lines, &wrong, &answer).await?;
        let bad = expected("tampered, re-signed", "authorizer", "bad_signature", 1);
        self.refused(lines, &bad, &self.publish(&tampered, None, &self.topic).await?).await?;
        let old = expected("expired, re-signed", "authorizer", "expired", 1);
        self.refused(lines, &old, &self.publish(&expired, None, &self.topic).await?).await?;
        let topic = format!("{}/forbidden", self.topic);
        let elsewhere = expected("forbidden topic", "policy", "denied_by_policy", 1);
        self.refused(lines, &elsewhere, &self.publish(&self.token, None, &topic).await?).await
    }

    /// Publishes with the real signing key's signature, or with the given one.
    async fn publish(&self, token: &Secret, signature: Option<&str>, topic: &str) -> Result<Answer, Problem> {
        let made = match signature {
            Some(given) => given.to_owned(),
            None => device::signature(&self.connected, token).await?,
        };
        let request = Request { topic, message: MESSAGE.as_bytes(), default_authorizer: false };
        device::publish(&self.connected, token, Some(&made), &request).await
    }

    /// What the target's log says about an answer.
    async fn refusal(&self, answer: &Answer) -> Result<Value, Problem> {
        let trace = answer.trace_id.as_deref().unwrap_or_default();
        let path = format!("/_local/log?trace_id={trace}");
        local::admin(self.session, self.run_file, http::Method::GET, &path).await
    }

    /// Checks that an answer is 403 to the device, and in the log the expected refusal.
    async fn refused(
        &self,
        lines: &mut Lines<'_>,
        expected: &Expected,
        answer: &Answer,
    ) -> Result<(), Problem> {
        if answer.status != 403 {
            return Err(lines.broken(expected.line, format!("the device got {}", answer.status)));
        }
        let entry = self.refusal(answer).await?;
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or("nobody").to_owned();
        // The authorizer's own word says more than "denied by the authorizer".
        let why = entry.get("reason").and_then(Value::as_str).map_or_else(|| text("why"), str::to_owned);
        let who = text("who");
        let invocations = entry.get("invocations").and_then(Value::as_u64).unwrap_or(u64::MAX);
        if (who.as_str(), why.as_str(), invocations) != (expected.who, expected.why, expected.invocations) {
            return Err(lines.broken(
                expected.line,
                format!(
                    "refused by {who}, {why}, after {invocations} invocations; expected {}, {}, {}",
                    expected.who, expected.why, expected.invocations
                ),
            ));
        }
        let ran = match invocations {
            0 => "the authorizer was not invoked".to_owned(),
            1 => "the authorizer was invoked once".to_owned(),
            more => format!("the authorizer was invoked {more} times"),
        };
        lines.say(expected.line, &format!("403, refused by the {who}: {why} ({ran})")).await;
        Ok(())
    }

    fn minting_secret(&self) -> Result<Secret, Problem> {
        match &self.connected.stack.token.key {
            TokenKey::Hs256 { secret, .. } => self.connected.resolver.secret(secret),
            TokenKey::Rs256(_) => {
                Err(Problem::usage("not_for_demo", "the demo mints tokens, which needs HS256"))
            }
        }
    }
}

/// The first topic without a placeholder that a good token may publish to.
fn allowed_topic(stack: &Stack) -> Result<String, Problem> {
    let topics = stack.allow.iter().flat_map(|allow| &allow.publish);
    topics.clone().find(|topic| !topic.contains('{')).cloned().ok_or_else(|| {
        Problem::usage("not_for_demo", "the demo needs a topic without a placeholder in `[[allow]] publish`")
            .at(stack.file.display().to_string())
    })
}
