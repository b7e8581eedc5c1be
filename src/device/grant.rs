//! The device flow as a client: RFC 8628, and what `OpenAM` 13.5 to 14.4 speaks instead.
//!
//! Written by hand rather than on crate `oauth2`: that crate writes the grant's name and the code's
//! parameter itself, so the legacy dialect would need its requests rewritten; it polls at once, where the
//! provider's interval should pass first; and its set of errors is closed, while `authorization_declined`
//! and `bad_verification_code` must be told apart from noise.
//!
//! The rules are those of identity-providers 5.1: the interval passes before every poll, one poll is in
//! flight, `slow_down` adds five seconds for good, trouble doubles the pause, every other error ends the
//! flow, and nothing outlives the code.

use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{HeaderValue, Method, header};
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use super::answer::{self, Refused, Sorted};
use super::text::{address, printable};
use super::token::Seen;
use crate::door::{Http, HttpError, Refusal, Stop};
use crate::keys::Secret;
use crate::problem::Problem;
use crate::stack::{ClientAuth, Dialect, IdentityProvider};

/// The interval when the provider names none (RFC 8628 3.2).
const INTERVAL_DEFAULT_SECONDS: u64 = 5;
/// The shortest interval that is used, whatever the provider says.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// The longest pause between two polls.
const INTERVAL_MAX: Duration = Duration::from_mins(5);
/// What each `slow_down` adds (RFC 8628 3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// The longest pause after trouble.
const BACK_OFF_MAX: Duration = Duration::from_mins(1);
/// The longest life of a code that is believed, in seconds: a day.
const EXPIRES_SECONDS_MAX: u64 = 86_400;
/// The longest device code or refresh token, in bytes.
const CODE_BYTES_MAX: usize = 16 * 1024;
/// The longest user code, in characters.
const USER_CODE_CHARACTERS_MAX: usize = 64;

/// How time passes.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Sleeps.
    pub sleep: SharedAsyncSleep,
    /// Ends a sleep early; the door then refuses the next request.
    pub stop: Stop,
}

impl Pace {
    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = self.sleep.sleep(time) => {}
            () = self.stop.stopped() => {}
        }
    }
}

/// A provider, and a client of it.
#[derive(Clone, Debug)]
pub struct Flow {
    provider: IdentityProvider,
    secret: Option<Secret>,
}

/// A login that waits for its user.
#[derive(Clone, Debug)]
pub struct Pending {
    device_code: Secret,
    /// What the user types; printable.
    pub user_code: String,
    /// Where; a safe address (`https`, or this machine).
    pub verification_uri: String,
    /// The same with the code in it, for a QR code. The user code must be shown all the same.
    pub verification_uri_complete: Option<String>,
    /// The host of `verification_uri`, when it is another than the device endpoint's: worth a look.
    pub other_host: Option<String>,
    /// The provider's own words to the user, printable.
    pub message: Option<String>,
    /// How long the code lives, counted from its answer.
    pub expires_in: Duration,
    /// The pause between polls.
    pub interval: Duration,
    spoken: Spoken,
    deadline: Instant,
}

/// What a login gives.
#[derive(Clone, Debug)]
pub struct Login {
    /// The access token: a JWT.
    pub access_token: Secret,
    /// What gets the next one, if the provider gave any. Never for AWS IoT.
    pub refresh_token: Option<Secret>,
    /// How long the access token is good, as the provider says.
    pub expires_in: Option<Duration>,
    /// The scopes given, printable, if the provider names them.
    pub scope: Option<String>,
}

/// The dialect in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    Rfc8628,
    Legacy,
}

impl Spoken {
    const fn grant_and_parameter(self) -> (&'static str, &'static str) {
        match self {
            Self::Rfc8628 => ("urn:ietf:params:oauth:grant-type:device_code", "device_code"),
            Self::Legacy => ("http://oauth.net/grant_type/device/1.0", "code"),
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Rfc8628 => Self::Legacy,
            Self::Legacy => Self::Rfc8628,
        }
    }
}

/// How the client proves itself in one request.
enum Proof<'a> {
    Header(HeaderValue),
    Form(&'a Secret),
    Id,
}

/// What follows a poll.
enum Next {
    Done(Login),
    Wait(Option<Duration>),
    SlowDown(Option<Duration>),
    OtherDialect(Problem),
    Trouble(Problem),
}

impl Flow {
    /// A flow at `provider`; `secret` is what its `client_secret` names.
    pub fn new(provider: IdentityProvider, secret: Option<Secret>) -> Result<Self, Problem> {
        if provider.client_auth != ClientAuth::None && secret.is_none() {
            return Err(Problem::usage("no_client_secret", "the client has no secret")
                .at("identity.client_secret")
                .next("`client_secret = \"env:NAME\"`, or `client_auth = \"none\"` for a public client"));
        }
        if provider.dialect == Dialect::OpenamLegacy && provider.scope.trim().is_empty() {
            return Err(Problem::usage("no_scope", "OpenAM gives out codes for a scope only")
                .at("identity.scope")
                .next("`scope = \"mail cn\"`, or what your provider knows"));
        }
        Ok(Self { provider, secret })
    }

    /// Asks for a code.
    pub async fn begin(&self, http: &Http) -> Result<Pending, Problem> {
        let legacy = self.provider.dialect == Dialect::OpenamLegacy;
        let sorted = match self.ask(http, legacy).await? {
            // Only OpenAM says `bad_request` (identity-providers 1.2).
            Sorted::Refused(refused) if refused.error == "bad_request" && self.differs_for_openam() => {
                self.ask(http, true).await?
            }
            sorted => sorted,
        };
        match sorted {
            Sorted::Good(answer) => self.pending(&answer),
            other => Err(self.no_code(other)),
        }
    }

    /// Whether a request in `OpenAM`'s manner would be another one.
    fn differs_for_openam(&self) -> bool {
        let unnamed = !self.provider.extra.contains_key("response_type");
        match self.provider.dialect {
            Dialect::Auto => unnamed || self.provider.client_auth == ClientAuth::Basic,
            Dialect::Rfc8628 => self.provider.client_auth == ClientAuth::Basic,
            Dialect::OpenamLegacy => false,
        }
    }

    /// `OpenAM`, old and new, wants a response type and the client's id in the form, and looks at no
    /// secret here.
    async fn ask(&self, http: &Http, as_openam: bool) -> Result<Sorted, Problem> {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(&self.provider.extra);
        let named = self.provider.extra.contains_key("response_type");
        if as_openam && !named && self.provider.dialect != Dialect::Rfc8628 {
            form.append_pair("response_type", "token");
        }
        if !self.provider.scope.trim().is_empty() {
            form.append_pair("scope", self.provider.scope.trim());
        }
        let proof = match self.proof(Spoken::Rfc8628) {
            Proof::Header(_) if as_openam => Proof::Id,
            proof => proof,
        };
        let answer = self.post(http, &self.provider.device_url, form, proof).await;
        let answer =
            answer.map_err(|error| answer::unreachable(&place(&self.provider.device_url), &error))?;
        Ok(answer::sort(&answer))
    }

    fn no_code(&self, sorted: Sorted) -> Problem {
        let place = place(&self.provider.device_url);
        match sorted {
            Sorted::Refused(refused) => answer::problem(&refused, &place, &self.secrets(None)),
            Sorted::TooMany(_) => Problem::failed("throttled", "the provider has too many requests")
                .at(place)
                .next("wait a minute and log in again"),
            Sorted::Trouble(because) => Problem::failed("unavailable", "the provider is in trouble")
                .at(place)
                .because(because)
                .next("log in again later"),
            Sorted::Strange(because) => answer::strange(&place, because),
            Sorted::Good(_) => answer::strange(&place, "it has no code"),
        }
    }

    fn pending(&self, answer: &Map<String, Value>) -> Result<Pending, Problem> {
        let place = place(&self.provider.device_url);
        let strange = |because: String| answer::strange(&place, because);
        let text = |name: &str, characters_max: usize| {
            let text = answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            match text {
                Some(text) if text.chars().count() > characters_max => {
                    Err(strange(format!("`{name}` is longer than {characters_max} characters")))
                }
                text => Ok(text),
            }
        };
        let missing = |name: &str| strange(format!("it has no `{name}`"));
        let device_code = text("device_code", CODE_BYTES_MAX)?.ok_or_else(|| missing("device_code"))?;
        let user_code = text("user_code", USER_CODE_CHARACTERS_MAX)?.ok_or_else(|| missing("user_code"))?;
        let new = text("verification_uri", CODE_BYTES_MAX)?;
        let old = text("verification_url", CODE_BYTES_MAX)?;
        let uri = new.or(old).ok_or_else(|| missing("verification_uri"))?;
        let device_url = Url::parse(&self.provider.device_url).ok();
        let safe = |text: &str| safe_address(text, device_url.as_ref());
        let uri = safe(uri).map_err(|because| {
            Problem::failed("unsafe_address", "the provider sends the user to an address that is not safe")
                .at(place.clone())
                .because(because)
                .next("let the provider name an https address")
        })?;
        let complete = text("verification_uri_complete", CODE_BYTES_MAX)?.and_then(|text| safe(text).ok());
        let complete = complete.filter(|complete| complete.origin() == uri.origin());
        let expires = answer.get("expires_in").and_then(answer::seconds).filter(|seconds| *seconds > 0);
        let expires = expires.ok_or_else(|| missing("expires_in"))?.min(EXPIRES_SECONDS_MAX);
        let expires_in = Duration::from_secs(expires);
        let interval = answer.get("interval").and_then(answer::seconds).unwrap_or(INTERVAL_DEFAULT_SECONDS);
        let spoken = match self.provider.dialect {
            Dialect::OpenamLegacy => Spoken::Legacy,
            Dialect::Auto if new.is_none() => Spoken::Legacy,
            Dialect::Auto | Dialect::Rfc8628 => Spoken::Rfc8628,
        };
        let host = device_url.as_ref().and_then(Url::host_str);
        Ok(Pending {
            device_code: Secret::new(device_code),
            user_code: printable(user_code),
            other_host: uri.host_str().filter(|other| Some(*other) != host).map(str::to_owned),
            verification_uri: uri.into(),
            verification_uri_complete: complete.map(String::from),
            message: text("message", CODE_BYTES_MAX)?.map(printable),
            expires_in,
            interval: answer::wait(interval).max(INTERVAL_MIN),
            spoken,
            deadline: Instant::now() + expires_in,
        })
    }

    /// Polls until the user decided, or the code's time is over.
    pub async fn wait(&self, http: &Http, pending: &Pending, pace: &Pace) -> Result<Login, Problem> {
        let mut spoken = pending.spoken;
        let mut may_switch = self.provider.dialect == Dialect::Auto;
        let (mut interval, mut back_off) = (pending.interval, Duration::ZERO);
        let mut trouble: Option<Problem> = None;
        loop {
            let left = pending.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(trouble.unwrap_or_else(|| self.too_late()));
            }
            // The interval is kept even at the end: one last poll may come after the deadline.
            pace.pause(interval.max(back_off.min(left))).await;
            let next = self.poll(http, pending, spoken).await?;
            if let Next::Trouble(problem) = next {
                trouble = Some(problem);
                back_off = (back_off.max(interval) * 2).min(BACK_OFF_MAX);
                continue;
            }
            (trouble, back_off) = (None, Duration::ZERO);
            match next {
                Next::Done(login) => return Ok(login),
                Next::OtherDialect(problem) if !may_switch => return Err(problem),
                Next::OtherDialect(_) => spoken = spoken.other(),
                Next::Wait(wanted) => interval = interval.max(wanted.unwrap_or_default()),
                Next::SlowDown(wanted) => {
                    interval = (interval + SLOW_DOWN).max(wanted.unwrap_or_default()).min(INTERVAL_MAX);
                }
                Next::Trouble(_) => {}
            }
            may_switch = false;
        }
    }

    async fn poll(&self, http: &Http, pending: &Pending, spoken: Spoken) -> Result<Next, Problem> {
        let (grant, parameter) = spoken.grant_and_parameter();
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", grant).append_pair(parameter, pending.device_code.expose());
        let place = place(&self.provider.token_url);
        let answer = match self.post(http, &self.provider.token_url, form, self.proof(spoken)).await {
            Ok(answer) => answer,
            Err(error) => {
                let problem = answer::unreachable(&place, &error);
                return match error {
                    HttpError::Connection(_)
                    | HttpError::Timeout { .. }
                    | HttpError::Refused(Refusal::Injected) => Ok(Next::Trouble(problem)),
                    _ => Err(problem),
                };
            }
        };
        match answer::sort(&answer) {
            Sorted::Good(answer) => self.login(&answer, None).map(Next::Done),
            Sorted::TooMany(wait) => Ok(Next::SlowDown(wait)),
            Sorted::Trouble(because) => Ok(Next::Trouble(self.no_code(Sorted::Trouble(because)).at(place))),
            Sorted::Strange(because) => Err(answer::strange(&place, because)),
            Sorted::Refused(refused) => self.refused(&refused, pending, answer.status().is_server_error()),
        }
    }

    fn refused(&self, refused: &Refused, pending: &Pending, server_error: bool) -> Result<Next, Problem> {
        let place = place(&self.provider.token_url);
        let secrets = self.secrets(Some(&pending.device_code));
        let problem = || answer::problem(refused, &place, &secrets);
        match refused.error.as_str() {
            "authorization_pending" => Ok(Next::Wait(refused.wait)),
            "slow_down" => Ok(Next::SlowDown(refused.wait)),
            "unsupported_grant_type" => Ok(Next::OtherDialect(problem())),
            "temporarily_unavailable" => Ok(Next::Trouble(problem())),
            _ if server_error => Ok(Next::Trouble(problem())),
            _ => Err(problem()),
        }
    }

    /// Gets the next access token for a refresh token. A provider that gives no new refresh token lets
    /// the old one live.
    pub async fn refresh(&self, http: &Http, refresh_token: &Secret) -> Result<Login, Problem> {
        let place = place(&self.provider.token_url);
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", refresh_token.expose());
        let spoken = match self.provider.dialect {
            Dialect::OpenamLegacy => Spoken::Legacy,
            Dialect::Auto | Dialect::Rfc8628 => Spoken::Rfc8628,
        };
        let answer = self.post(http, &self.provider.token_url, form, self.proof(spoken)).await;
        let answer = answer.map_err(|error| answer::unreachable(&place, &error))?;
        match answer::sort(&answer) {
            Sorted::Good(answer) => self.login(&answer, Some(refresh_token)),
            Sorted::Refused(refused) => {
                Err(answer::problem(&refused, &place, &self.secrets(Some(refresh_token))))
            }
            other => Err(self.no_code(other).at(place)),
        }
    }

    fn login(&self, answer: &Map<String, Value>, refreshed: Option<&Secret>) -> Result<Login, Problem> {
        let place = place(&self.provider.token_url);
        let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let token =
            text("access_token").ok_or_else(|| answer::strange(&place, "it has no `access_token`"))?;
        // Absent is taken for Bearer; the letters' case says nothing (RFC 6749 5.1).
        if text("token_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(Problem::failed(
                "token_type",
                "the provider gives tokens that are not bearer tokens",
            )
            .at(place)
            .next("let the provider give this client bearer tokens"));
        }
        let access_token = Secret::new(token);
        Seen::access(&access_token).map_err(|problem| problem.at(place.clone()))?;
        let refresh_token = text("refresh_token").filter(|token| token.len() <= CODE_BYTES_MAX);
        let seconds = answer.get("expires_in").and_then(answer::seconds);
        Ok(Login {
            access_token,
            refresh_token: refresh_token.map(Secret::new).or_else(|| refreshed.cloned()),
            expires_in: seconds.map(Duration::from_secs),
            scope: text("scope").map(printable),
        })
    }

    /// How the client proves itself. The legacy dialect knows the form only.
    fn proof(&self, spoken: Spoken) -> Proof<'_> {
        match (self.provider.client_auth, &self.secret) {
            (ClientAuth::Basic, Some(secret)) if spoken == Spoken::Rfc8628 => {
                Proof::Header(basic_header(&self.provider.client_id, secret))
            }
            (ClientAuth::Post | ClientAuth::Basic, Some(secret)) => Proof::Form(secret),
            _ => Proof::Id,
        }
    }

    /// Sends a form, with the client's proof in it or before it. With the header, the client's id stands
    /// in the form no more, since `OpenAM` refuses both.
    async fn post(
        &self,
        http: &Http,
        url: &str,
        mut form: Serializer<'_, String>,
        proof: Proof<'_>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        if !matches!(proof, Proof::Header(_)) {
            form.append_pair("client_id", &self.provider.client_id);
        }
        if let Proof::Form(secret) = proof {
            form.append_pair("client_secret", secret.expose());
        }
        let mut request = http::Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Bytes::from(form.finish()))
            .map_err(|error| HttpError::Request(error.to_string()))?;
        if let Proof::Header(value) = proof {
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        http.send(request).await
    }

    fn too_late(&self) -> Problem {
        Problem::failed("expired_token", "nobody approved the login in time")
            .at(place(&self.provider.token_url))
            .next("thinggate device login STACK starts a new login")
    }

    /// What no message may repeat.
    fn secrets<'a>(&'a self, sent: Option<&'a Secret>) -> Vec<&'a str> {
        self.secret.iter().chain(sent).map(Secret::expose).collect()
    }
}

/// RFC 6749 2.3.1: both halves form-encoded, then Basic.
fn basic_header(id: &str, secret: &Secret) -> HeaderValue {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret.expose()));
    let value = format!("Basic {}", STANDARD.encode(pair));
    let mut value = HeaderValue::from_str(&value).expect("base64 is visible ASCII");
    value.set_sensitive(true);
    value
}

/// Plain `http` is taken from a provider that the stack file itself names by plain `http`, for that host.
fn safe_address(text: &str, device_url: Option<&Url>) -> Result<Url, &'static str> {
    address(text).or_else(|because| {
        let same = |url: &Url| {
            device_url.is_some_and(|device| device.scheme() == "http" && device.host() == url.host())
        };
        let url = Url::parse(text).map_err(|_| because)?;
        let plain = url.scheme() == "http" && url.username().is_empty() && url.password().is_none();
        if plain && same(&url) { Ok(url) } else { Err(because) }
    })
}

/// An endpoint's address for people, without its query.
fn place(url: &str) -> String {
    printable(url.split(['?', '#']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests;
