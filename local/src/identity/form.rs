//! A request's form, read with limits, and the refusals that go back.

use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::{Dialect, json_answer};
use crate::{Request, Response};

/// The largest form, in bytes.
const FORM_BYTES_MAX: usize = 16 * 1024;
/// The most parameters.
const PARAMETERS_MAX: usize = 32;

/// An OAuth error on its way to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    error: &'static str,
    description: &'static str,
    challenge: bool,
}

impl Refusal {
    pub(super) const fn new(status: u16, error: &'static str, description: &'static str) -> Self {
        Self { status, error, description, challenge: false }
    }

    /// With `WWW-Authenticate`: owed to a client that used the `Authorization` header (RFC 6749 5.2).
    pub(super) const fn challenging(self) -> Self {
        Self { challenge: true, ..self }
    }

    pub(super) const fn status(&self) -> u16 {
        self.status
    }

    pub(super) const fn description(&self) -> &'static str {
        self.description
    }

    pub(super) fn answer(&self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        let status = StatusCode::from_u16(self.status).expect("our own table has real statuses");
        let mut answer = json_answer(status, body.to_string());
        if self.challenge {
            let challenge = HeaderValue::from_static("Basic realm=\"/local\"");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        answer
    }
}

/// Parameters, each at most once; one without a value counts as absent (RFC 6749 3.1).
#[derive(Clone, Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body, and for `OpenAM` the query too, which takes parameters there as well.
    pub(super) fn read(request: &Request, dialect: Dialect) -> Result<Self, Refusal> {
        if request.body().len() > FORM_BYTES_MAX {
            return Err(Refusal::new(413, "invalid_request", "the form is longer than 16 KiB"));
        }
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") && !request.body().is_empty() {
            let text = "the body must be application/x-www-form-urlencoded";
            return Err(Refusal::new(400, "invalid_request", text));
        }
        let query = match dialect {
            Dialect::Rfc8628 => None,
            Dialect::OpenamLegacy => request.uri().query(),
        };
        Self::parse(&[query.unwrap_or_default().as_bytes(), request.body()])
    }

    /// Reads the query alone.
    pub(super) fn query(request: &Request) -> Result<Self, Refusal> {
        Self::parse(&[request.uri().query().unwrap_or_default().as_bytes()])
    }

    fn parse(texts: &[&[u8]]) -> Result<Self, Refusal> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in texts.iter().flat_map(|text| form_urlencoded::parse(text)) {
            if parameters.len() >= PARAMETERS_MAX {
                return Err(Refusal::new(400, "invalid_request", "more than 32 parameters"));
            }
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::new(400, "invalid_request", "a parameter is there twice"));
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(parameters))
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }
}
