//! For tests: a stack and its facts, and the local target behind the real SDK and the real door, on
//! tokio's paused clock.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_lc_rs::digest::{SHA256, digest};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use local::clock::Clock;
use local::{Options, Target};
use tokio::time::Instant;

use super::{Action, Change, Code, Environment, Facts, Live, Resource, SigningKeys};
use super::{authorizer, default_authorizer, function, log_group, permission, release, role, signing_key};
use crate::aws::{Aws, Connection, Endpoints};
use crate::build::{InputsHash, Package};
use crate::door::{Crossing, Gate, Http, Stop, Toll, Tolls};
use crate::keys::{Generation, PublicKeyPem, Secret};
use crate::names::{AccountId, AuthorizerName, Identity, Region, StackName, TokenKeyName};
use crate::stack::{self, Stack};

const KEYS: [&str; 3] =
    [include_str!("testing/1.pub.pem"), include_str!("testing/2.pub.pem"), include_str!("testing/3.pub.pem")];

/// The public key of generation `number`, 1 to 3.
pub(crate) fn public_key(number: u32) -> PublicKeyPem {
    PublicKeyPem::parse(KEYS[number as usize - 1]).expect("the test's key is a key")
}

/// Generation `number`.
pub(crate) fn generation(number: u32, retired: bool) -> Generation {
    Generation { number, retired, public: public_key(number) }
}

/// A store with these, in good order.
pub(crate) fn stored(generations: Vec<Generation>) -> signing_key::Live {
    signing_key::Live {
        generations,
        unfinished: Vec::new(),
        exposed: Vec::new(),
        foreign: None,
        tags: BTreeMap::new(),
    }
}

/// A stack that uses everything.
pub(crate) fn stack() -> Stack {
    Stack {
        file: PathBuf::from("stacks/demo.toml"),
        name: StackName::new("demo").unwrap(),
        target: stack::Target::Local,
        region: Region::new("eu-west-1").unwrap(),
        account: None,
        protect: false,
        aws: stack::Aws::default(),
        tags: BTreeMap::from([("team".to_owned(), "iot".to_owned())]),
        signing: stack::Signing::Generated {
            bits: 2048,
            store: stack::KeyStore::Folder(PathBuf::from("keys/demo@eu-west-1")),
        },
        token: stack::Token {
            issuer: "https://openam.example.com/openam/oauth2/awsiot".to_owned(),
            audience: vec!["deviceagent".to_owned()],
            audience_claims: vec!["aud".to_owned()],
            scopes: vec!["mail".to_owned()],
            scope_claims: vec!["scope".to_owned()],
            types: vec!["JWT".to_owned()],
            require: BTreeMap::new(),
            leeway_seconds: 60,
            strict_expiry: false,
            key: stack::TokenKey::Rs256(stack::PublicKeys::Jwks(stack::Reference::LocalJwks)),
        },
        identity: None,
        allow: vec![stack::Allow { publish: vec!["customauthtesting".to_owned()], ..Default::default() }],
        authorizer: stack::Authorizer {
            name: AuthorizerName::new("door").unwrap(),
            token_key_name: TokenKeyName::new("token").unwrap(),
            default: true,
            http_caching: false,
        },
        function: stack::Function {
            architecture: Some(stack::Architecture::X8664),
            memory_mb: 256,
            log_retention_days: 30,
            source: None,
            bootstrap: None,
        },
        places: stack::Places::default(),
    }
}

/// A package whose content is `text`, from sources of that name.
pub(crate) fn package(text: &str) -> Arc<Package> {
    let mut zip = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = ::zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options).unwrap();
    zip.write_all(text.as_bytes()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    Arc::new(Package {
        code_sha256: STANDARD.encode(digest(&SHA256, &zip)),
        zip,
        binary_sha256: hex(text),
        configuration_sha256: hex("rules"),
        inputs: inputs(text),
    })
}

/// The hash of inputs of that name.
pub(crate) fn inputs(text: &str) -> InputsHash {
    InputsHash(hex(&format!("inputs {text}")))
}

fn hex(text: &str) -> String {
    super::record::hex(digest(&SHA256, text.as_bytes()).as_ref())
}

/// The facts of [`stack`] where nothing is live and the package is built.
pub(crate) fn facts() -> Facts {
    let stack = stack();
    Facts {
        identity: Identity {
            stack: stack.name.clone(),
            region: stack.region.clone(),
            account: AccountId::new("000000000000").unwrap(),
            partition: "aws".to_owned(),
            authorizer: stack.authorizer.name.clone(),
            parameters: Box::default(),
        },
        stack,
        keys: SigningKeys::Generated(vec![generation(1, false)]),
        code: Code { inputs: Ok(inputs("one")), parts: BTreeMap::new(), package: Some(package("one")) },
        environment: Environment::Known(BTreeMap::from([(
            "THINGGATE_HS256_SECRET".to_owned(),
            Secret::new("canary-secret-of-the-tests-0123456789"),
        )])),
        machine_forgets: false,
        live: Live::default(),
    }
}

/// What the door was asked to let through, and what it must do with it.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    operations: Mutex<Vec<(String, bool)>>,
    lose: Mutex<Option<String>>,
}

impl Toll for Watch {
    fn before(&self, crossing: &Crossing) -> Gate {
        let Crossing::Http { operation, writes, .. } = crossing else { return Gate::Open };
        self.operations.lock().unwrap().push((operation.clone(), *writes));
        let mut lose = self.lose.lock().unwrap();
        if lose.as_ref() == Some(operation) {
            *lose = None;
            return Gate::LoseAnswer;
        }
        Gate::Open
    }
}

/// A target with the facts of one stack.
pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) facts: Facts,
    pub(crate) stop: Stop,
    watch: Arc<Watch>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let time = PausedTime(Instant::now());
        let clock = Clock::from_source(move || time.now());
        let target = Target::in_memory(clock, options);
        let credentials = target.credentials();
        let (stop, watch) = (Stop::new(), Arc::new(Watch::default()));
        let tolls = Tolls::new(vec![Arc::new(stop.clone()), Arc::clone(&watch) as Arc<dyn Toll>]);
        let facts = facts();
        let aws = Aws::connect(Connection {
            http: Http::new(Embedded(target), tolls),
            stop: stop.clone(),
            credentials: SharedCredentialsProvider::new(Credentials::from_keys(
                credentials.access_key_id,
                credentials.secret_access_key,
                None,
            )),
            region: facts.identity.region.clone(),
            endpoints: Endpoints::One("http://local.invalid".to_owned()),
            time: SharedTimeSource::new(time),
            sleep: SharedAsyncSleep::new(TokioSleep::new()),
        });
        Self { aws, facts, stop, watch }
    }

    /// Loses the answer of the next `operation`, after its effect.
    pub(crate) fn lose_answer(&self, operation: &str) {
        *self.watch.lose.lock().unwrap() = Some(operation.to_owned());
    }

    /// Whether the answer that was to be lost is lost.
    #[track_caller]
    pub(crate) fn assert_answer_was_lost(&self) {
        assert_eq!(*self.watch.lose.lock().unwrap(), None, "the fault was never met");
    }

    /// The changing operations since the last call.
    pub(crate) fn writes(&self) -> Vec<String> {
        let operations = std::mem::take(&mut *self.watch.operations.lock().unwrap());
        operations.into_iter().filter_map(|(operation, writes)| writes.then_some(operation)).collect()
    }

    /// All operations since the last call, those that only read included.
    pub(crate) fn operations(&self) -> Vec<String> {
        let operations = std::mem::take(&mut *self.watch.operations.lock().unwrap());
        operations.into_iter().map(|(operation, _)| operation).collect()
    }

    /// Reads everything that is live.
    pub(crate) async fn gather(&mut self) {
        let (aws, identity) = (&self.aws, &self.facts.identity);
        self.facts.live = Live {
            signing_key: None,
            role: role::Role::read(aws, identity).await.unwrap(),
            log_group: log_group::LogGroup::read(aws, identity).await.unwrap(),
            function: function::Function::read(aws, identity).await.unwrap(),
            release: release::Release::read(aws, identity).await.unwrap(),
            permission: permission::Permission::read(aws, identity).await.unwrap(),
            authorizer: authorizer::Authorizer::read(aws, identity).await.unwrap(),
            default_authorizer: default_authorizer::DefaultAuthorizer::read(aws, identity).await.unwrap(),
        };
    }

    /// Gathers, and says what `R` needs.
    pub(crate) async fn change<R: Resource<Via = Aws>>(&mut self) -> Change {
        self.gather().await;
        let live = R::read(&self.aws, &self.facts.identity).await.unwrap();
        R::diff(R::desired(&self.facts).as_ref(), live.as_ref())
    }

    /// Brings `R` to what is desired, as a plan and its step would.
    pub(crate) async fn apply<R: Resource<Via = Aws>>(&mut self) -> Result<(), crate::problem::Problem> {
        self.gather().await;
        let live = R::read(&self.aws, &self.facts.identity).await?;
        let desired = R::desired(&self.facts);
        let change = R::diff(desired.as_ref(), live.as_ref());
        match (change.action, desired, live) {
            (Action::Keep, ..) => Ok(()),
            (Action::Create | Action::Update, Some(desired), live) => {
                R::apply(&self.aws, &desired, live.as_ref()).await
            }
            (Action::Delete, _, Some(live)) => R::delete(&self.aws, &live).await,
            (Action::Replace, Some(desired), Some(live)) => {
                R::delete(&self.aws, &live).await?;
                R::apply(&self.aws, &desired, None).await
            }
            odd => panic!("{odd:?}"),
        }
    }

    /// Deploys every kind that stands before `R`.
    pub(crate) async fn deploy_before<R: Resource>(&mut self) {
        let kind = R::KIND;
        for step in super::Kind::ALL.into_iter().take_while(|step| *step < kind) {
            self.apply_kind(step).await;
        }
    }

    /// Deploys everything.
    pub(crate) async fn deploy(&mut self) {
        for kind in super::Kind::ALL {
            self.apply_kind(kind).await;
        }
    }

    /// Deletes everything, last made first.
    pub(crate) async fn destroy(&mut self) {
        self.gather().await;
        let (aws, live) = (self.aws.clone(), std::mem::take(&mut self.facts.live));
        delete::<default_authorizer::DefaultAuthorizer>(&aws, live.default_authorizer).await;
        delete::<authorizer::Authorizer>(&aws, live.authorizer).await;
        delete::<permission::Permission>(&aws, live.permission).await;
        delete::<release::Release>(&aws, live.release).await;
        delete::<function::Function>(&aws, live.function).await;
        delete::<log_group::LogGroup>(&aws, live.log_group).await;
        delete::<role::Role>(&aws, live.role).await;
        self.gather().await;
    }

    async fn apply_kind(&mut self, kind: super::Kind) {
        use super::Kind;
        let result = match kind {
            Kind::SigningKey => Ok(()),
            Kind::Role => self.apply::<role::Role>().await,
            Kind::LogGroup => self.apply::<log_group::LogGroup>().await,
            Kind::Function => self.apply::<function::Function>().await,
            Kind::Release => self.apply::<release::Release>().await,
            Kind::Permission => self.apply::<permission::Permission>().await,
            Kind::Authorizer => self.apply::<authorizer::Authorizer>().await,
            Kind::DefaultAuthorizer => self.apply::<default_authorizer::DefaultAuthorizer>().await,
        };
        result.unwrap_or_else(|problem| panic!("{kind:?}: {problem:#?}"));
    }

    /// Expects that `R` and nothing else differs, in exactly these fields; repairs it, and expects that
    /// nothing differs then.
    #[track_caller]
    pub(crate) fn expect_drift<'a, R: Resource<Via = Aws>>(
        &'a mut self,
        fields: &'a [&str],
    ) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let change = self.change::<R>().await;
            let found: Vec<&str> = change.differences.iter().map(|one| one.field.as_str()).collect();
            assert_eq!(found, fields, "drift expected at {caller}: {change:#?}");
            self.apply::<R>().await.unwrap_or_else(|problem| panic!("{caller}: {problem:#?}"));
            let change = self.change::<R>().await;
            assert_eq!(change, Change::keep(), "repair expected at {caller}");
        }
    }
}

async fn delete<R: Resource<Via = Aws>>(aws: &Aws, live: Option<R::Live>) {
    if let Some(live) = live {
        R::delete(aws, &live).await.unwrap_or_else(|problem| panic!("{:?}: {problem:#?}", R::KIND));
    }
}

/// Tokio's paused clock as wall time.
#[derive(Clone, Copy, Debug)]
struct PausedTime(Instant);

impl TimeSource for PausedTime {
    /// 2026-01-01 when the test begins.
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(490_896) + self.0.elapsed()
    }
}

/// The target as a connector.
#[derive(Debug)]
struct Embedded(Target);

impl HttpConnector for Embedded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = request.try_into_http1x().expect("the SDK makes HTTP/1.1 requests");
        let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
        let answer = self.0.control(request).map(SdkBody::from);
        HttpConnectorFuture::ready(Ok(HttpResponse::try_from(answer).expect("the target's answer is HTTP")))
    }
}
