//! `device/user`: the user types the code, logs in, and decides. Plain forms, no script.
//!
//! Each step has a fresh cookie and a fresh hidden value; a form from another site, from an older
//! page or out of order changes nothing.

use std::time::SystemTime;

use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::codes::Waiting;
use super::form::Form;
use super::keys::equal;
use super::page::{self, Page};
use super::sessions::{FAILURES_MAX, Session, Step};
use super::{Dialect, PASSWORD, Provider, SCOPES, State, USER};
use crate::{Request, Response};

const COOKIE: &str = "thinggate_identity";

/// `GET`: the page that asks for the code. A code in the query is filled in, not taken.
pub(super) fn first_page(
    provider: &Provider,
    dialect: Dialect,
    request: &Request,
    now: SystemTime,
) -> Response {
    let typed = match Form::query(request) {
        Ok(form) => form.get("user_code").unwrap_or_default().chars().take(16).collect(),
        Err(refusal) => {
            return show(dialect, status(refusal.status()), &Page::Stopped(refusal.description()), None);
        }
    };
    let session = provider.state().sessions.put(Step::Code, 0, now);
    show(dialect, StatusCode::OK, &Page::Code { typed, wrong: false }, Some(&session))
}

/// `POST`: one step further.
pub(super) fn next_page(
    provider: &Provider,
    dialect: Dialect,
    request: &Request,
    now: SystemTime,
) -> Response {
    let form = match Form::read(request, dialect) {
        Ok(form) => form,
        Err(refusal) => {
            return show(dialect, status(refusal.status()), &Page::Stopped(refusal.description()), None);
        }
    };
    let mut state = provider.state();
    let cookie = cookie(request.headers()).unwrap_or_default();
    let session = state.sessions.get(cookie, now).cloned();
    let ours = session.filter(|session| {
        same_origin(request.headers()) && form.get("csrf").is_some_and(|csrf| equal(csrf, &session.csrf))
    });
    let Some(session) = ours else {
        return show(dialect, StatusCode::FORBIDDEN, &Page::Stopped("This page is out of date."), None);
    };
    state.sessions.remove(cookie);
    if state.sessions.exhausted(now) {
        let page = Page::Stopped("There were too many wrong entries. Wait a minute.");
        return show(dialect, StatusCode::TOO_MANY_REQUESTS, &page, None);
    }
    match advance(&mut state, dialect, session, &form, now) {
        Next::Go { step, failures, page } => {
            let session = state.sessions.put(step, failures, now);
            show(dialect, StatusCode::OK, &page, Some(&session))
        }
        Next::End { status, page } => show(dialect, status, &page, None),
    }
}

/// What follows a form.
enum Next {
    /// Another form.
    Go { step: Step, failures: u8, page: Page },
    /// The last page.
    End { status: StatusCode, page: Page },
}

impl Next {
    fn stop(status: StatusCode, why: &'static str) -> Self {
        Self::End { status, page: Page::Stopped(why) }
    }
}

fn advance(state: &mut State, dialect: Dialect, session: Session, form: &Form, now: SystemTime) -> Next {
    const GONE: &str = "The code has expired, or was used already.";
    match session.step {
        Step::Code => code(state, dialect, session.failures, form, now),
        Step::Login(id) => match state.codes.still_waiting(id, now) {
            Some(waiting) => login(state, waiting, session.failures, form, now),
            None => Next::stop(StatusCode::OK, GONE),
        },
        Step::Consent(id, user) => {
            let allow = match form.get("decision") {
                Some("allow") => true,
                Some("deny") => false,
                _ => return Next::stop(StatusCode::BAD_REQUEST, "The form was not complete."),
            };
            if !state.codes.decide(id, &user, allow, now) {
                return Next::stop(StatusCode::OK, GONE);
            }
            Next::End { status: StatusCode::OK, page: Page::Done { allowed: allow } }
        }
    }
}

fn code(state: &mut State, dialect: Dialect, failures: u8, form: &Form, now: SystemTime) -> Next {
    let typed = form.get("user_code").unwrap_or_default();
    let Some(waiting) = state.codes.waiting(dialect, typed, now) else {
        let typed = typed.chars().take(16).collect();
        return wrong(state, Step::Code, failures, Page::Code { typed, wrong: true }, now);
    };
    if waiting.scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        return Next::stop(
            StatusCode::OK,
            "The device asks for a scope that does not exist (invalid_scope).",
        );
    }
    Next::Go { step: Step::Login(waiting.id), failures, page: Page::Login { waiting, wrong: false } }
}

fn login(state: &mut State, waiting: Waiting, failures: u8, form: &Form, now: SystemTime) -> Next {
    // Both are compared, whatever the first says: a wrong name takes as long as a wrong password.
    let user = equal(form.get("username").unwrap_or_default(), USER);
    let password = equal(form.get("password").unwrap_or_default(), PASSWORD);
    if !(user & password) {
        let step = Step::Login(waiting.id);
        return wrong(state, step, failures, Page::Login { waiting, wrong: true }, now);
    }
    let step = Step::Consent(waiting.id, USER.to_owned());
    Next::Go { step, failures, page: Page::Consent { waiting, user: USER } }
}

fn wrong(state: &mut State, step: Step, failures: u8, page: Page, now: SystemTime) -> Next {
    state.sessions.count_failure(now);
    if failures + 1 >= FAILURES_MAX {
        return Next::stop(StatusCode::TOO_MANY_REQUESTS, "There were too many wrong entries.");
    }
    Next::Go { step, failures: failures + 1, page }
}

/// A browser says where a form comes from; it must be the page's own address.
fn same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let from = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (from, host) {
        (Some((_, from)), Some(host)) => from.eq_ignore_ascii_case(host),
        _ => false,
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST)
}

/// The page as an answer. `session` is the cookie and the form's hidden value; without one the browser
/// forgets its cookie.
fn show(dialect: Dialect, status: StatusCode, page: &Page, session: Option<&(String, String)>) -> Response {
    let csrf = session.map_or("", |(_, csrf)| csrf.as_str());
    let action = format!("{}/device/user", dialect.prefix());
    let mut answer = Response::new(page::render(page, &action, csrf).into());
    *answer.status_mut() = status;
    let (value, age) = session.map_or(("", "0"), |(cookie, _)| (cookie.as_str(), "600"));
    let cookie = format!("{COOKIE}={value}; Path=/oauth2/; Max-Age={age}; HttpOnly; SameSite=Strict");
    let headers = answer.headers_mut();
    let mut set = |name, value: &str| {
        let value = HeaderValue::from_str(value).expect("made of visible ASCII, by us");
        headers.insert(name, value);
    };
    set(header::SET_COOKIE, &cookie);
    set(header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(header::CACHE_CONTROL, "no-store");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::CONTENT_SECURITY_POLICY, &page::content_security_policy());
    answer
}
