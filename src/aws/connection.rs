//! The clients, all from one configuration, and who is calling.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::answer::{Answer, Fault};
use super::retry::{
    ATTEMPT_TIME_MAX, ATTEMPTS_MAX, CREDENTIALS_TIME_MAX, Otherwise, TAKES_REQUESTS, UPLOAD_TIME_MAX,
};
use super::wait::{self, Condition, Look, Patience, Progress, Waiting};
use crate::door::{Http, LabelOperation, Stop};
use crate::names::{AccountId, Region};
use crate::problem::Problem;
use crate::stack::AwsService;

/// Everything that AWS is reached with. Made by the command line's edge; nothing below knows whether it
/// leads to AWS or to the local target.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The door.
    pub http: Http,
    /// Ctrl-C: cuts a wait short; the door refuses what would follow it.
    pub stop: Stop,
    /// Who signs.
    pub credentials: SharedCredentialsProvider,
    /// The Region of every client.
    pub region: Region,
    /// Where each service is asked.
    pub endpoints: Endpoints,
    /// The time that requests are signed with.
    pub time: SharedTimeSource,
    /// How waits pass.
    pub sleep: SharedAsyncSleep,
}

/// Where each service is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// All at one address.
    One(String),
    /// At AWS's own, but for these.
    Own(BTreeMap<AwsService, String>),
}

impl Endpoints {
    fn of(&self, service: AwsService) -> Option<&str> {
        match self {
            Self::One(address) => Some(address),
            Self::Own(elsewhere) => elsewhere.get(&service).map(String::as_str),
        }
    }
}

/// The clients. Cheap to clone.
#[derive(Clone)]
pub struct Aws {
    pub(crate) iot: aws_sdk_iot::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) ssm: aws_sdk_ssm::Client,
    sts: aws_sdk_sts::Client,
    waiting: Waiting,
}

impl fmt::Debug for Aws {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Aws")
    }
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The caller's ARN; of an assumed role the session's.
    pub arn: String,
}

/// Builds one service's client, with the door's label. Its stock of retries is its own: the SDK's is one
/// for the whole process, and a stack that is throttled would use up those of the stacks beside it.
macro_rules! client {
    ($service:ident, $shared:expr, $endpoint:expr) => {{
        let retries = $service::config::retry::RetryPartition::custom("one connection").build();
        let mut builder = $service::config::Builder::from($shared).interceptor(LabelOperation);
        builder.set_endpoint_url($endpoint.map(str::to_owned));
        $service::Client::from_conf(builder.retry_partition(retries).build())
    }};
}

impl Aws {
    /// Connects; nothing is sent yet.
    pub fn connect(connection: Connection) -> Self {
        let Connection { http, stop, credentials, region, endpoints, time, sleep } = connection;
        let shared = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http.client())
            .credentials_provider(credentials)
            // One for all clients: a program that asks for a code or a touch is run once.
            .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS_TIME_MAX).build())
            .region(aws_config::Region::new(region.as_str().to_owned()))
            .time_source(time)
            .sleep_impl(sleep.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .timeout_config(attempts_of(ATTEMPT_TIME_MAX))
            .build();
        let at = |service| endpoints.of(service);
        Self {
            iot: client!(aws_sdk_iot, &shared, at(AwsService::Iot)),
            lambda: client!(aws_sdk_lambda, &shared, at(AwsService::Lambda)),
            iam: client!(aws_sdk_iam, &shared, at(AwsService::Iam)),
            logs: client!(aws_sdk_cloudwatchlogs, &shared, at(AwsService::Logs)),
            ssm: client!(aws_sdk_ssm, &shared, at(AwsService::Ssm)),
            sts: client!(aws_sdk_sts, &shared, at(AwsService::Sts)),
            waiting: Waiting { sleep, stop, progress: Progress::silent() },
        }
    }

    /// The same clients; waits tell `progress`.
    #[must_use]
    pub fn with_progress(&self, progress: Progress) -> Self {
        let waiting = Waiting { progress, ..self.waiting.clone() };
        Self { waiting, ..self.clone() }
    }

    /// Who is calling. The first call of every run: it needs no permission and shows bad credentials.
    pub async fn caller(&self) -> Result<Caller, Problem> {
        const PLACE: &str = "AWS account";
        let answer = self
            .call("GetCallerIdentity", || self.sts.get_caller_identity().send())
            .await
            .map_err(|fault| fault.problem(PLACE))?;
        let arn = answer.arn().unwrap_or_default().to_owned();
        let partition = arn.split(':').nth(1).filter(|partition| !partition.is_empty());
        let account = answer.account().and_then(|account| AccountId::new(account).ok());
        match (account, partition) {
            (Some(account), Some(partition)) => {
                let partition = partition.to_owned();
                Ok(Caller { account, partition, arn })
            }
            _ => Err(Problem::failed("odd_answer", "`GetCallerIdentity` named no account").at(PLACE)),
        }
    }

    /// The host that devices publish to: the account's `iot:Data-ATS` endpoint. The first call ever in
    /// an account makes it.
    pub async fn data_endpoint(&self) -> Result<String, Problem> {
        let answer = self
            .call("DescribeEndpoint", || self.iot.describe_endpoint().endpoint_type("iot:Data-ATS").send())
            .await
            .map_err(|fault| fault.problem("data endpoint"))?;
        answer
            .endpoint_address
            .ok_or_else(|| Problem::failed("odd_answer", "`DescribeEndpoint` named no endpoint"))
    }

    /// Sends one request, and again while the answer is "not yet" or "too many", and its time is not up.
    pub(crate) async fn call<T, E, F>(
        &self,
        operation: &'static str,
        mut send: impl FnMut() -> F,
    ) -> Result<T, Fault>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        // Each condition has its own deadline, also when answers alternate between two.
        let mut patiences: Vec<(Condition, Patience<'_>)> = Vec::new();
        loop {
            let fault = match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) => Fault::sort(operation, &error),
            };
            let (condition, in_the_end) = match fault.answer {
                Answer::NotYet(row) if row.otherwise == Otherwise::Invalid => {
                    (row.condition, Answer::Invalid)
                }
                Answer::NotYet(row) => (row.condition, fault.answer),
                Answer::Throttled => (TAKES_REQUESTS, fault.answer),
                _ => return Err(fault),
            };
            let known = patiences.iter().position(|(known, _)| *known == condition);
            let place = known.unwrap_or_else(|| {
                patiences.push((condition, Patience::new(condition, &self.waiting)));
                patiences.len() - 1
            });
            if !patiences[place].1.pause().await {
                return Err(Fault { answer: in_the_end, ..fault });
            }
        }
    }

    /// Looks until a condition holds.
    pub(crate) async fn until<T, F>(
        &self,
        condition: Condition,
        look: impl FnMut() -> F,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<Look<T>, Problem>>,
    {
        wait::until(condition, &self.waiting, look).await
    }
}

/// The limit of one attempt. It is the door that holds it: the SDK's own, of an attempt as a whole, would
/// count what the rate limiter delays.
fn attempts_of(time_max: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().read_timeout(time_max).build()
}

/// The time limits of a call that carries a package.
pub(crate) fn upload_limits() -> aws_sdk_lambda::config::Builder {
    aws_sdk_lambda::config::Builder::new().timeout_config(attempts_of(UPLOAD_TIME_MAX))
}

#[cfg(test)]
mod tests;
