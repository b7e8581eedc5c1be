//! `init`: writes a commented stack file after a few questions, or from flags. What it writes is valid, or
//! nothing is written.

mod text;

use std::path::Path;

use serde_json::json;

use super::args::{Init, Provider, TargetFlag};
use super::ask;
use super::session::Session;
use crate::door::Created;
use crate::names::StackName;
use crate::problem::{Problem, ProblemKind};
use crate::stack::{self, StackError};
use text::Answers;

/// How often one question is put to somebody whose answers are wrong.
const TRIES: usize = 3;
/// The Region of who names none.
const REGION: &str = "eu-west-1";

/// The flags that are answers, each with the key of the stack file that it fills.
const FLAGS: [(&str, &str); 8] = [
    ("name", "name"),
    ("region", "region"),
    ("account", "account"),
    ("issuer", "token.issuer"),
    ("client-id", "identity.client_id"),
    ("audience", "token.audience"),
    ("device-url", "identity.device_url"),
    ("token-url", "identity.token_url"),
];

/// One question: its flag, the key of the stack file that it fills, and its words.
struct Question {
    flag: &'static str,
    key: &'static str,
    words: &'static str,
    default: Option<String>,
    put: fn(&mut Answers, String),
}

/// Writes a stack file.
pub(super) async fn run(session: &Session, wishes: Init) -> Result<(), Problem> {
    if session.files.exists(&wishes.file)? {
        return Err(there(&wishes.file));
    }
    let asks = session.printer.can_ask() && !wishes.yes;
    let answers = answers(session, &wishes, asks).await?;
    let text = text::stack_file(&answers);
    if let Err(errors) = stack::parse(&wishes.file, &text) {
        return Err(wrong(&errors.errors));
    }
    if session.files.create_public(&wishes.file, text.as_bytes())? == Created::Existed {
        return Err(there(&wishes.file));
    }
    let file = wishes.file.display().to_string();
    let next = text::next(&answers, &super::shell_word(&file));
    let human = format!("{file}: written\n\nnext:\n  {}\n", next.join("\n  "));
    session.printer.result(&human, &json!({ "exit": 0, "file": file, "next": next }));
    Ok(())
}

fn there(file: &Path) -> Problem {
    Problem::usage("file_exists", "the file is there already, and stays as it is")
        .at(file.display().to_string())
        .next("name another one: thinggate init FILE")
}

/// The answers of the flags, and of the person where `asks`.
async fn answers(session: &Session, wishes: &Init, asks: bool) -> Result<Answers, Problem> {
    let target = match wishes.target {
        Some(target) => target,
        None if asks => {
            chosen(session, "where it lives", &[("local", TargetFlag::Local), ("aws", TargetFlag::Aws)])
                .await?
        }
        None => TargetFlag::Local,
    };
    let provider = match (wishes.provider, target) {
        (Some(provider), _) => provider,
        (None, TargetFlag::Local) => Provider::Embedded,
        (None, TargetFlag::Aws) if asks => {
            let choices = [("oidc", Provider::Oidc), ("openam", Provider::Openam)];
            chosen(session, "the identity provider", &choices).await?
        }
        (None, TargetFlag::Aws) => Provider::Oidc,
    };
    if (provider, target) == (Provider::Embedded, TargetFlag::Aws) {
        return Err(Problem::usage("local_only", "the embedded provider lives in the local target")
            .at("--provider")
            .next("--provider oidc, or openam"));
    }
    let questions = questions(wishes, target, provider);
    let is_asked = |flag: &str| questions.iter().any(|question| question.flag == flag);
    let flags = FLAGS.map(|(flag, _)| flag);
    if let Some(flag) = flags.into_iter().find(|flag| given(wishes, flag).is_some() && !is_asked(flag)) {
        return Err(Problem::usage("needless_answer", format!("`--{flag}` says nothing about such a stack"))
            .because("the target and the provider of tokens decide what there is to say")
            .next("leave it out, or choose with --target and --provider"));
    }
    let mut answers = Answers::of(target, provider);
    let mut missing = Vec::new();
    for question in questions {
        match (given(wishes, question.flag), asks, question.default.clone()) {
            (Some(given), _, _) => (question.put)(&mut answers, given.clone()),
            (None, true, _) => asked(session, &mut answers, &question).await?,
            (None, false, Some(default)) => (question.put)(&mut answers, default),
            // Who says which client it is, says the audience too.
            (None, false, None) if question.flag == "audience" => {}
            (None, false, None) => missing.push(format!("--{}: {}", question.flag, question.words)),
        }
    }
    if missing.is_empty() {
        return Ok(answers);
    }
    let problem =
        Problem::usage("answers_missing", "nobody can be asked here, and these answers are missing");
    Err(missing.into_iter().fold(problem, Problem::because).next("give them as flags; thinggate init --help"))
}

fn given<'w>(wishes: &'w Init, flag: &str) -> Option<&'w String> {
    match flag {
        "name" => wishes.name.as_ref(),
        "region" => wishes.region.as_ref(),
        "account" => wishes.account.as_ref(),
        "issuer" => wishes.issuer.as_ref(),
        "client-id" => wishes.client_id.as_ref(),
        "audience" => wishes.audience.as_ref(),
        "device-url" => wishes.device_url.as_ref(),
        "token-url" => wishes.token_url.as_ref(),
        _ => None,
    }
}

/// What has to be known, in this order.
fn questions(wishes: &Init, target: TargetFlag, provider: Provider) -> Vec<Question> {
    let one = |flag, key, words, default: Option<&str>, put| Question {
        flag,
        key,
        words,
        default: default.map(str::to_owned),
        put,
    };
    let stem =
        wishes.file.file_stem().and_then(|stem| stem.to_str()).filter(|stem| StackName::new(stem).is_ok());
    let words = "its name, from which every resource name derives";
    let mut questions =
        vec![one("name", "name", words, Some(stem.unwrap_or("demo")), |answers, text| answers.name = text)];
    let region = (target == TargetFlag::Local).then_some(REGION);
    questions.push(one("region", "region", "the Region, such as eu-west-1", region, |answers, text| {
        answers.region = text;
    }));
    if target == TargetFlag::Aws {
        let words = "the account's twelve digits; any other is refused";
        questions.push(one("account", "account", words, None, |answers, text| answers.account = text));
    }
    if provider == Provider::Embedded {
        return questions;
    }
    let words = "the exact `iss` of access tokens, an address";
    questions.push(one("issuer", "token.issuer", words, None, |answers, text| answers.issuer = text));
    let words = "the OAuth client of the devices";
    questions
        .push(one("client-id", "identity.client_id", words, None, |answers, text| answers.client_id = text));
    let words = "what must be in `aud` of an access token";
    questions.push(one("audience", "token.audience", words, wishes.client_id.as_deref(), |answers, text| {
        answers.audience = text;
    }));
    if provider == Provider::Oidc {
        let words = "the device authorization endpoint";
        questions.push(one("device-url", "identity.device_url", words, None, |answers, text| {
            answers.device_url = text;
        }));
        let words = "the token endpoint";
        questions.push(one("token-url", "identity.token_url", words, None, |answers, text| {
            answers.token_url = text;
        }));
    }
    questions
}

/// Puts one question until its answer is good; what is good is what the stack file takes.
async fn asked(session: &Session, answers: &mut Answers, question: &Question) -> Result<(), Problem> {
    let default = match (question.flag, &question.default) {
        // Where the client is known by now, it is the likely audience.
        ("audience", _) => Some(answers.client_id.clone()),
        (_, default) => default.clone(),
    };
    let shown = default.as_ref().map(|default| format!(" [{default}]")).unwrap_or_default();
    for _ in 0..TRIES {
        let answer = ask::text(session, &format!("{}{shown}:", question.words)).await;
        stopped(session)?;
        let answer = if answer.is_empty() { default.clone().unwrap_or_default() } else { answer };
        (question.put)(answers, answer);
        match refusal(answers, question.key) {
            None => return Ok(()),
            Some(error) => {
                let help = error.help.map(|help| format!(" ({help})")).unwrap_or_default();
                session.printer.question(&format!("  {}{help}\n", error.message));
            }
        }
    }
    Err(Problem::usage("no_answer", format!("no good answer for `{}`; nothing was written", question.key))
        .next(format!("thinggate init --{} …", question.flag)))
}

/// What the stack file says against one of its keys.
fn refusal(answers: &Answers, key: &str) -> Option<StackError> {
    let errors = stack::parse(Path::new("stack.toml"), &text::stack_file(answers)).err()?.errors;
    errors.into_iter().find(|error| error.key == key || error.key.starts_with(&format!("{key}[")))
}

/// One of a few words; the first is for who presses Enter.
async fn chosen<T: Copy>(session: &Session, words: &str, choices: &[(&str, T)]) -> Result<T, Problem> {
    let listed: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    for _ in 0..TRIES {
        let answer = ask::text(session, &format!("{words}, {} [{}]:", listed.join(" or "), listed[0])).await;
        stopped(session)?;
        let wanted = if answer.is_empty() { listed[0] } else { &answer };
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == wanted) {
            return Ok(*choice);
        }
    }
    Err(Problem::usage("no_answer", format!("no good answer for {words}; nothing was written")))
}

fn stopped(session: &Session) -> Result<(), Problem> {
    if session.stop.is_stopped() {
        return Err(Problem::new(ProblemKind::Interrupted, "interrupted", "stopped; nothing was written"));
    }
    Ok(())
}

/// The flags whose values a stack file does not take.
fn wrong(errors: &[StackError]) -> Problem {
    let problem =
        Problem::usage("bad_answer", "a stack file does not take these answers; nothing was written");
    errors
        .iter()
        .fold(problem, |problem, error| {
            let help = error.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            let flag = FLAGS.iter().find(|(_, key)| error.key.split('[').next() == Some(key));
            let place = flag.map_or(error.key.clone(), |(flag, _)| format!("--{flag}"));
            problem.because(format!("{place}: {}{help}", error.message))
        })
        .next("correct the flags; thinggate init --help")
}
