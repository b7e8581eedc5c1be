//! Calls to the services in tests: a world, a clock that the test moves, and what came back.

use std::io::{Cursor, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Call, Reply, Run, ServiceError, iam, iot, lambda};
use crate::state::World;
use crate::{ACCOUNT, Credentials, Options, PackageStore, Response};

/// The role that a new bench has.
pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/r";
/// The Region of the bench.
pub(crate) const REGION: &str = "eu-west-1";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

type Handle = fn(&mut World, &Call) -> Result<Reply, ServiceError>;

/// A world and its time.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) options: Options,
    pub(crate) packages: PackageStore,
    pub(crate) now: SystemTime,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// The error's code; empty when it is none.
    pub(crate) code: &'static str,
    /// The error's text; empty when it is none.
    pub(crate) text: String,
    /// The body, or the members of the error.
    pub(crate) body: Value,
    /// What has to run before there is an answer.
    pub(crate) run: Option<Run>,
}

impl Bench {
    /// A world with one role that Lambda can assume.
    pub(crate) fn new() -> Self {
        let mut bench = Self {
            world: World::default(),
            options: Options::default(),
            packages: PackageStore::in_memory(),
            now: UNIX_EPOCH + Duration::from_secs(1_780_000_000),
        };
        bench.create_role();
        bench.advance(1000);
        bench
    }

    /// Creates the role of the bench.
    pub(crate) fn create_role(&mut self) {
        self.iam(&[("Action", "CreateRole"), ("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)]);
    }

    /// A call to IAM by its parameters.
    pub(crate) fn iam(&mut self, parameters: &[(&str, &str)]) {
        let body = form_urlencoded::Serializer::new(String::from("Version=2010-05-08"))
            .extend_pairs(parameters)
            .finish();
        let answered = self.call(iam::handle, "POST", "/", &Bytes::from(body));
        assert_eq!(answered.status, 200, "{}", answered.text);
    }

    /// Moves the clock.
    pub(crate) fn advance(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }

    /// A call to Lambda; null is no body.
    pub(crate) fn lambda(&mut self, method: &str, path: &str, body: &Value) -> Answered {
        self.call(lambda::handle, method, path, &bytes(body))
    }

    /// A call to IoT; null is no body.
    pub(crate) fn iot(&mut self, method: &str, path: &str, body: &Value) -> Answered {
        self.call(iot::handle, method, path, &bytes(body))
    }

    fn call(&mut self, handle: Handle, method: &str, target: &str, body: &Bytes) -> Answered {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decode = |part: &str| percent_decode_str(part).decode_utf8().unwrap().into_owned();
        let path: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let call = Call {
            region: REGION,
            account: ACCOUNT,
            now: self.now,
            request_id: "00000000-0000-4000-8000-000000000000",
            method: &method.parse::<Method>().unwrap(),
            path: &path,
            query: &query,
            headers: &HeaderMap::new(),
            body,
            options: &self.options,
            caller: &crate::control::caller::Caller::User,
            key: &Credentials { access_key_id: String::new(), secret_access_key: String::new() },
            guard: &crate::control::guard::Guard::default(),
            issuers: &crate::control::sts::issuers::Issuers::default(),
            packages: &self.packages,
        };
        // As in the target: a refused call changes nothing.
        let before = self.world.clone();
        match handle(&mut self.world, &call) {
            Ok(Reply::Answer(response)) => Answered::of(&response),
            Ok(Reply::Run(run)) => Answered { run: Some(run), ..Answered::of(&Response::default()) },
            Err(error) => {
                self.world = before;
                error.into()
            }
        }
    }

    /// Creates a function that is Active when this returns.
    pub(crate) fn function(&mut self, name: &str) -> Answered {
        let created = self.lambda("POST", "/2015-03-31/functions", &create_function(name));
        assert_eq!(created.status, 201, "{}", created.text);
        self.advance(1000);
        created
    }
}

impl Answered {
    /// What a response is.
    pub(crate) fn of(response: &Response) -> Self {
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Self { status: response.status().as_u16(), code: "", text: String::new(), body, run: None }
    }

    /// Status, code and text, as a table row has them.
    pub(crate) fn refusal(&self) -> (u16, &'static str, &str) {
        (self.status, self.code, &self.text)
    }
}

impl From<ServiceError> for Answered {
    fn from(error: ServiceError) -> Self {
        let body = error.members.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        Self { status: error.status, code: error.code, text: error.message, body, run: None }
    }
}

/// The body of a `CreateFunction` that is accepted.
pub(crate) fn create_function(name: &str) -> Value {
    json!({
        "FunctionName": name, "Role": ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Code": { "ZipFile": STANDARD.encode(zip_of("one")) },
    })
}

/// A zip with a `bootstrap` of this content.
pub(crate) fn zip_of(content: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    writer.write_all(content.as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

fn bytes(body: &Value) -> Bytes {
    if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) }
}
