//! What all stacks of one command share: the environment, the door's tolls, the state directories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
#[cfg(test)]
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_types::date_time::{DateTime, Format};
use tokio::sync::Mutex;

use super::args::{Global, OutputFlag};
use super::endpoints;
use super::environment::Environment;
use super::local_target::{self, LocalTarget};
use super::pipeline::{self, Pipeline};
use crate::aws::{self, Sources, Watch};
use crate::door::{Files, Http, Limiter, NetworkOptions, Recorder, Stop, Toll, Tolls};
use crate::problem::{Problem, Verdict};
use crate::report::pipeline::section;
use crate::report::{Calls, Output, Printer};
use crate::stack::{AwsService, Stack};

/// The way to AWS: what stands behind the door, and who signs.
#[derive(Debug)]
pub(crate) enum Reach {
    /// The network, with the credentials that AWS's own tools would use.
    Network,
    /// What a test puts there.
    #[cfg(test)]
    Given(SharedHttpConnector, SharedCredentialsProvider),
}

impl Reach {
    /// The door.
    pub(crate) fn http(&self, tolls: &Tolls) -> Http {
        match self {
            Self::Network => {
                let options = NetworkOptions { proxy_from_environment: true, ..NetworkOptions::default() };
                Http::network(options, tolls.clone())
            }
            #[cfg(test)]
            Self::Given(connector, _) => Http::new(connector.clone(), tolls.clone()),
        }
    }

    /// Who signs for `stack`, and until when. The sources of credentials must not be found elsewhere either.
    async fn credentials(
        &self,
        session: &Session,
        http: &Http,
        stack: &Stack,
    ) -> Result<(SharedCredentialsProvider, Option<Watch>), Problem> {
        match self {
            Self::Network => {
                endpoints::refuse_files(stack).await?;
                let until = session.environment.get("AWS_CREDENTIAL_EXPIRATION");
                let until = until.and_then(|text| DateTime::from_str(text, Format::DateTimeWithOffset).ok());
                let (credentials, watch) = aws::credentials(&Sources {
                    http,
                    region: &stack.region,
                    sts: stack.aws.endpoints.get(&AwsService::Sts).map(String::as_str),
                    profile: stack.aws.profile.as_deref(),
                    roles: &stack.aws.assume_role,
                    session_name: format!("thinggate-{}", stack.name),
                    environment_until: until.and_then(|until| SystemTime::try_from(until).ok()),
                    time: session.time.clone(),
                })
                .await;
                Ok((credentials, Some(watch)))
            }
            #[cfg(test)]
            Self::Given(_, credentials) => Ok((credentials.clone(), None)),
        }
    }
}

/// One run of the program.
pub(crate) struct Session {
    pub(crate) environment: Environment,
    pub(crate) global: Global,
    pub(crate) printer: Printer,
    /// What the pipeline is told at the end.
    pub(crate) pipeline: Pipeline,
    pub(crate) files: Files,
    pub(crate) stop: Stop,
    recorder: Recorder,
    pub(crate) tolls: Tolls,
    /// The way to AWS.
    pub(crate) reach: Reach,
    /// The time that requests are signed with.
    pub(crate) time: SharedTimeSource,
    /// Held while a question stands on the terminal.
    pub(crate) asking: Mutex<()>,
    /// State directories that this process uses, so that stacks beside each other share one target.
    locals: Mutex<BTreeMap<PathBuf, LocalTarget>>,
}

impl Session {
    /// A session with the product's tolls and wall time.
    pub(crate) fn new(environment: Environment, global: Global) -> Self {
        Self::with(environment, global, Vec::new(), SharedTimeSource::new(SystemTimeSource::new()))
    }

    /// A session with further tolls, asked after the product's own, and this time: the tests' faults and
    /// their virtual clock.
    pub(crate) fn with(
        environment: Environment,
        global: Global,
        further: Vec<Arc<dyn Toll>>,
        time: SharedTimeSource,
    ) -> Self {
        let stop = Stop::new();
        let recorder = Recorder::new();
        let mut tolls: Vec<Arc<dyn Toll>> =
            vec![Arc::new(Limiter::new()), Arc::new(recorder.clone()), Arc::new(stop.clone())];
        tolls.extend(further);
        let tolls = Tolls::new(tolls);
        let output = match global.output {
            OutputFlag::Human => Output::Human,
            OutputFlag::Json => Output::Json,
            OutputFlag::Jsonl => Output::Jsonl,
        };
        let pipeline = Pipeline::new(global.report, &environment);
        Self {
            printer: Printer::new(output, global.quiet).within(pipeline.system()),
            pipeline,
            files: Files::new(tolls.clone()),
            environment,
            global,
            stop,
            recorder,
            tolls,
            reach: Reach::Network,
            time,
            asking: Mutex::new(()),
            locals: Mutex::default(),
        }
    }

    /// Who signs for `stack`, which is on AWS, and until when.
    pub(crate) async fn credentials(
        &self,
        http: &Http,
        stack: &Stack,
    ) -> Result<(SharedCredentialsProvider, Option<Watch>), Problem> {
        self.reach.credentials(self, http, stack).await
    }

    /// The requests so far.
    pub(crate) fn calls(&self) -> Calls {
        Calls { reads: self.recorder.http_reads(), writes: self.recorder.http_writes() }
    }

    /// Puts what a command says of its one stack, until [`Session::unfold`], into a fold of the pipeline's log.
    pub(crate) fn fold(&self, file: &str) -> Option<String> {
        let (system, command) = (self.pipeline.system()?, self.pipeline.command()?);
        let now = pipeline::seconds(self.time.now());
        let (name, title) = (format!("thinggate_{command}"), format!("thinggate {command} {file}"));
        self.printer.fold(section(system, &name, &title, now, now).0);
        Some(name)
    }

    /// Ends the fold of that name.
    pub(crate) fn unfold(&self, name: &str) {
        let now = pipeline::seconds(self.time.now());
        if let Some(system) = self.pipeline.system() {
            self.printer.unfold(&section(system, name, "", now, now).1);
        }
    }

    /// The end of the program: what a pipeline is told.
    pub(crate) fn finish(&self, verdict: Verdict) -> Verdict {
        self.pipeline.finish(self, verdict);
        verdict
    }

    /// The state directory for a stack file: the flag's, else `.thinggate` beside the file.
    pub(crate) fn state_directory(&self, stack_file: Option<&Path>) -> PathBuf {
        if let Some(folder) = &self.global.state_dir {
            return folder.clone();
        }
        let beside = stack_file.and_then(Path::parent).unwrap_or(Path::new(""));
        beside.join(".thinggate")
    }

    /// The local target of a state directory: the served one, else one hosted in this process.
    pub(crate) async fn local(&self, folder: &Path) -> Result<LocalTarget, Problem> {
        let mut locals = self.locals.lock().await;
        if let Some(known) = locals.get(&self.local_key(folder)) {
            return Ok(known.clone());
        }
        let found = local_target::find(self, folder).await?;
        // Only now is the folder surely there, and its name without links and dots known.
        locals.insert(self.local_key(folder), found.clone());
        Ok(found)
    }

    /// Uses `target` for this state directory from now on: the demo's own.
    pub(crate) async fn adopt_local(&self, folder: &Path, target: LocalTarget) {
        self.locals.lock().await.insert(self.local_key(folder), target);
    }

    fn local_key(&self, folder: &Path) -> PathBuf {
        self.files.canonical(folder).unwrap_or_else(|_| folder.to_owned())
    }
}
