//! Which service a request is for, and the way of a call: read, authenticate, answer, make durable, reply.

use std::io;

use http::{HeaderValue, Method};
use percent_encoding::percent_decode_str;

use super::caller::Caller;
use super::protocol::{json, query, rest_json};
use super::sigv4::{Claim, Refused};
use super::{Call, Reply, Run, ServiceError, guard, iam, iot, lambda, logs, ssm, sts};
use crate::fault::Trouble;
use crate::rates::Group;
use crate::state::World;
use crate::{ACCOUNT, Request, Response, Target, random};

/// A service, told by its SigV4 signing name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Iam,
    Iot,
    Lambda,
    Logs,
    Ssm,
    Sts,
}

impl Service {
    /// The service of a credential scope.
    pub(crate) fn from_signing_name(name: &str) -> Option<Self> {
        Some(match name {
            "iam" => Self::Iam,
            "iot" => Self::Iot,
            "lambda" => Self::Lambda,
            "logs" => Self::Logs,
            "ssm" => Self::Ssm,
            "sts" => Self::Sts,
            _ => return None,
        })
    }

    /// The service that a request looks as if it were for, when its signature names none: a refusal has that
    /// service's form.
    fn from_form(request: &Request) -> Self {
        if let Some(operation) = request.headers().get("x-amz-target") {
            return if operation.as_bytes().starts_with(b"AmazonSSM.") { Self::Ssm } else { Self::Logs };
        }
        let form = query::Form::read(&parameters(request.uri().query()), request.body());
        match form.get("Version") {
            Some(sts::VERSION) => Self::Sts,
            Some(iam::VERSION) => Self::Iam,
            // Lambda's paths begin with a date.
            _ if request.uri().path().starts_with("/20") => Self::Lambda,
            _ => Self::Iot,
        }
    }

    /// The XML namespace of its answers; the services that have one speak awsQuery. Source: `xmlNamespace`
    /// of the service models.
    fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            _ => "https://iam.amazonaws.com/doc/2010-05-08/",
        }
    }

    fn handle(self, world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
        match self {
            Self::Iam => iam::handle(world, call),
            Self::Iot => iot::handle(world, call),
            Self::Lambda => lambda::handle(world, call),
            Self::Logs => logs::handle(world, call),
            Self::Ssm => ssm::handle(world, call),
            Self::Sts => sts::handle(world, call),
        }
    }

    /// Whether it speaks awsQuery, whose codes end in no `Exception`.
    pub(crate) const fn speaks_query(self) -> bool {
        matches!(self, Self::Iam | Self::Sts)
    }

    /// Puts the protocol's shape around a refusal.
    fn error(self, error: &ServiceError, request_id: &str) -> Response {
        match self {
            Self::Iam | Self::Sts => query::error(self.namespace(), request_id, error),
            Self::Iot | Self::Lambda => rest_json::error(error),
            Self::Logs | Self::Ssm => json::error(error),
        }
    }

    /// The service's own code for a request that is not signed as it should be.
    fn refusal(self, refused: Refused) -> ServiceError {
        match self {
            Self::Iam | Self::Sts => refused.for_query(),
            Self::Iot | Self::Lambda | Self::Logs | Self::Ssm => refused.for_json(),
        }
    }

    /// The service's own answer to a call that is refused on arrival.
    fn trouble(self, trouble: Trouble) -> ServiceError {
        let query = self.speaks_query();
        let (status, code) = match (trouble, self) {
            // Codes and statuses: aws-facts 2 (IoT) and 3 (Lambda), "Common Errors" of the others.
            (Trouble::Throttled, Self::Lambda) => (429, "TooManyRequestsException"),
            (Trouble::Throttled, _) => (400, if query { "Throttling" } else { "ThrottlingException" }),
            (Trouble::Expired, _) => (403, if query { "ExpiredToken" } else { "ExpiredTokenException" }),
        };
        let text = match trouble {
            Trouble::Throttled => "Rate exceeded",
            Trouble::Expired => "The security token included in the request is expired",
        };
        ServiceError::new(status, code, text)
    }

    /// The requests that this one shares a rate with; `None` where AWS publishes no rate.
    fn group(self, call: &Call) -> Option<Group> {
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        let method = call.method.as_str();
        let group = |name, per_second| Some(Group { name, per_second });
        match self {
            Self::Iam | Self::Logs | Self::Ssm | Self::Sts => None,
            Self::Iot => iot::operation(method, &path).and_then(|name| group(name, 10)),
            Self::Lambda => match (method, &path[..]) {
                (_, [_, "functions", _, "invocations"]) => None,
                ("GET", [_, "functions", _]) => group("lambda.GetFunction", 100),
                ("GET", [_, "functions", _, "policy"]) => group("lambda.GetPolicy", 15),
                _ => group("lambda", 15),
            },
        }
    }

    /// What is called, for people and for fault orders, and whether it changes something.
    fn operation(self, parts: &Parts, request: &Request) -> (String, bool) {
        match self {
            Self::Iam | Self::Sts => {
                let form = query::Form::read(&parts.query, request.body());
                named(self, form.get("Action").unwrap_or_default())
            }
            Self::Logs | Self::Ssm => {
                let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
                named(self, target.and_then(|target| target.split('.').nth(1)).unwrap_or_default())
            }
            Self::Iot | Self::Lambda => {
                let path: Vec<&str> = parts.path.iter().map(String::as_str).collect();
                let runs = matches!(
                    path[..],
                    ["2015-03-31", "functions", _, "invocations"] | ["authorizer", _, "test"]
                );
                let reads = matches!(*request.method(), Method::GET | Method::HEAD) || runs;
                (format!("{} {}", request.method(), request.uri().path()), !reads)
            }
        }
    }
}

fn named(service: Service, action: &str) -> (String, bool) {
    let reads = ["Get", "List", "Describe", "Filter", "Simulate", "AssumeRole"]
        .iter()
        .any(|verb| action.starts_with(verb));
    (format!("{service:?}.{action}"), !reads)
}

/// The parts of a request line that every service reads.
struct Parts {
    path: Vec<String>,
    query: Vec<(String, String)>,
}

/// Answers one request to the AWS APIs.
pub(crate) fn handle(target: &Target, request: &Request) -> Response {
    let request_id = random::uuid();
    let mut response = answer(target, request, &request_id);
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-requestid", value);
    }
    response
}

fn answer(target: &Target, request: &Request, request_id: &str) -> Response {
    let Authenticated { service, region, caller } = match authenticate(target, request, request_id) {
        Ok(known) => known,
        Err(refusal) => return refusal,
    };
    let invocation = request.headers().get("amz-sdk-invocation-id").and_then(|value| value.to_str().ok());
    if let Some(trouble) = target.faults().arrive(invocation) {
        return service.error(&service.trouble(trouble), request_id);
    }
    let parts = Parts { path: segments(request.uri().path()), query: parameters(request.uri().query()) };
    let call = Call {
        region: &region,
        account: ACCOUNT,
        now: target.clock().now(),
        request_id,
        method: request.method(),
        path: &parts.path,
        query: &parts.query,
        headers: request.headers(),
        body: request.body(),
        options: target.options(),
        caller: &caller,
        key: target.key(),
        guard: target.guard(),
        issuers: target.issuers(),
        packages: target.packages(),
    };
    if let Err(refusal) = permitted(target, service, &call) {
        return service.error(&refusal, request_id);
    }
    let (operation, changes) = service.operation(&parts, request);
    if let Some(group) = service.group(&call)
        && !target.buckets().take(call.options.switches.rates, &region, group, call.now)
    {
        return service.error(&service.trouble(Trouble::Throttled), request_id);
    }
    let number = if changes {
        let Some(number) = target.faults().admit() else {
            let refusal = ServiceError::new(503, "ServiceUnavailableException", "refused as ordered");
            return service.error(&refusal, request_id);
        };
        Some(number)
    } else {
        None
    };
    let response = perform(target, service, &call, (&operation, changes))
        .unwrap_or_else(|error| service.error(&error, request_id));
    if let Some(number) = number {
        target.faults().before_reply(number, &operation);
    }
    response
}

/// Refuses what the caller's policies do not allow. Without a policy in force no body of the user's is read for
/// it: some carry a package.
fn permitted(target: &Target, service: Service, call: &Call) -> Result<(), ServiceError> {
    if *call.caller == Caller::Nobody || (*call.caller == Caller::User && !target.guard().is_enforced()) {
        return Ok(());
    }
    target.with_world(|world| {
        let asked = guard::asked(service, call, &world.iam);
        let decide = |one: &guard::Asked| guard::decide(call.guard, call.caller, &world.iam, one);
        guard::check(service, &asked, &call.caller.arn(call.partition(), call.account), decide)
    })
}

/// Lets the service answer; its changes are durable, or undone, when this returns.
fn perform(
    target: &Target,
    service: Service,
    call: &Call,
    (operation, changes): (&str, bool),
) -> Result<Response, ServiceError> {
    let view =
        target.with_world(|world| target.copies().view(&call.options.switches, call.now, operation, world));
    let reply = if changes {
        // A copy that has not heard of what a change is about refuses it. Revisions are not kept in copies.
        if let Some(mut view) = view
            && let Err(refusal) = service.handle(&mut view, call)
            && refusal.status != 412
        {
            return Err(refusal);
        }
        target.change_world(|world| service.handle(world, call)).map_err(|error| not_durable(&error))??
    } else if let Some(mut view) = view {
        service.handle(&mut view, call)?
    } else {
        target.with_world(|world| service.handle(world, call))?
    };
    match reply {
        Reply::Answer(response) => Ok(response),
        Reply::Run(Run { function, event, limit, answer }) => answer(target.run(&function, event, limit)),
    }
}

fn not_durable(error: &io::Error) -> ServiceError {
    let because = format!("the local target cannot write its state: {}", error.kind());
    ServiceError::new(500, "InternalFailure", because)
}

/// What a request's signature proves.
struct Authenticated {
    service: Service,
    region: String,
    caller: Caller,
}

/// Who the request is for, and who signed it.
fn authenticate(target: &Target, request: &Request, request_id: &str) -> Result<Authenticated, Response> {
    let unknown = |refused: Refused| {
        let service = Service::from_form(request);
        service.error(&service.refusal(refused), request_id)
    };
    let claim = match Claim::read(request.headers()) {
        Err(Refused::Missing) if may_be_unsigned(request) => {
            let region = UNSIGNED_REGION.to_owned();
            return Ok(Authenticated { service: Service::Sts, region, caller: Caller::Nobody });
        }
        claim => claim.map_err(unknown)?,
    };
    let Some(service) = Service::from_signing_name(&claim.service) else {
        let text = format!("Credential should be scoped to correct service, not '{}'.", claim.service);
        return Err(unknown(Refused::Wrong(text)));
    };
    let now = target.clock().now();
    let role_id = |arn: &str| target.with_world(|world| world.iam.role(arn).map(|role| role.role_id.clone()));
    let caller = claim
        .caller(request.headers(), target.key(), now, role_id)
        .and_then(|(caller, credentials)| claim.verify(request, &credentials, now).map(|()| caller));
    match caller {
        Ok(caller) => Ok(Authenticated { service, region: claim.region, caller }),
        Err(refused) => Err(service.error(&service.refusal(refused), request_id)),
    }
}

/// The Region of a call that is not signed for one: STS is the same in all.
const UNSIGNED_REGION: &str = "us-east-1";

fn may_be_unsigned(request: &Request) -> bool {
    sts::is_unsigned(&query::Form::read(&parameters(request.uri().query()), request.body()))
}

/// The path's segments, decoded; a trailing slash adds none.
fn segments(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches('/').trim_end_matches('/');
    if inner.is_empty() {
        return Vec::new();
    }
    inner.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
}

fn parameters(query: Option<&str>) -> Vec<(String, String)> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

#[cfg(test)]
mod tests;
