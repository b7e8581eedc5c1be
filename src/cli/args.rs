//! The command line. Every flag has one environment variable; its help is the reference.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Puts an OAuth 2.0 device flow in front of AWS IoT Core, and keeps it there
#[derive(Debug, Parser)]
#[command(name = "thinggate", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done, nothing differs
  1    failed
  2    differences found (drift, plan with --exit-code)
  3    applied but disproved, the old version serves
  4    refused by a guard (account, ownership, protection, device impact, moved since
       the plan)
  5    held by another run
  6    credentials or permission
  64   usage or stack file
  130  interrupted, safe to run again";

/// Flags that every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// How results are written to standard output
    #[arg(long, global = true, value_enum, default_value_t = OutputFlag::Human, env = "THINGGATE_OUTPUT")]
    pub(crate) output: OutputFlag,
    /// Whose pipeline is told what a run has to say: annotations, a summary, values for later steps
    #[arg(long, global = true, value_enum, default_value_t = ReportFlag::Auto, env = "THINGGATE_REPORT")]
    pub(crate) report: ReportFlag,
    /// Leave out progress and notes
    #[arg(long, short, global = true, env = "THINGGATE_QUIET")]
    pub(crate) quiet: bool,
    /// Folder of the local target's state [default: .thinggate beside the stack file]
    #[arg(long, global = true, value_name = "DIR", env = "THINGGATE_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Use the served local target's AWS APIs at this address, such as a recording proxy
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint, env = "THINGGATE_LOCAL_ENDPOINT")]
    pub(crate) local_endpoint: Option<String>,
    /// How long to wait for a state directory that another process holds, in seconds
    #[arg(long, global = true, value_name = "S", default_value_t = 30, env = "THINGGATE_LOCK_TIMEOUT")]
    pub(crate) lock_timeout: u64,
}

/// An address of AWS APIs: scheme, host and port, nothing else.
fn endpoint(text: &str) -> Result<String, String> {
    let address = url::Url::parse(text).map_err(|error| error.to_string())?;
    let is_plain = address.path() == "/" && address.query().is_none() && address.fragment().is_none();
    if address.scheme() != "http" || address.username() != "" || !is_plain {
        return Err("it must be like http://127.0.0.1:4566".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The forms of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFlag {
    /// Text for people
    Human,
    /// One JSON value
    Json,
    /// Events and results, one JSON value a line
    Jsonl,
}

/// The pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFlag {
    /// The one that this runs in, by `GITHUB_ACTIONS` or `GITLAB_CI`; writes no file of its own
    Auto,
    /// GitHub Actions
    Github,
    /// GitLab CI/CD; writes its report files to the top of the checkout
    Gitlab,
    /// None
    None,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented stack file, after a few questions or from flags
    Init(Init),
    /// Check stack files, offline
    Validate {
        #[command(flatten)]
        stacks: Stacks,
    },
    /// Show what deploy would do, and why
    Plan {
        #[command(flatten)]
        stacks: Stacks,
        /// Save the plan to this file, for `deploy --plan`
        #[arg(long, short, value_name = "FILE", env = "THINGGATE_OUT")]
        out: Option<PathBuf>,
        /// Exit with 2 when something would be done
        #[arg(long, env = "THINGGATE_EXIT_CODE")]
        exit_code: bool,
        /// Leave the deployed code as it is: no build, no upload
        #[arg(long, env = "THINGGATE_KEEP_CODE")]
        keep_code: bool,
    },
    /// Bring the target to what the stack files say; a second run changes nothing
    Deploy {
        #[command(flatten)]
        stacks: Stacks,
        /// Carry out this saved plan, device impact included, and nothing else: refused when anything moved
        #[arg(long, value_name = "FILE", env = "THINGGATE_PLAN")]
        plan: Option<PathBuf>,
        /// Do steps that devices notice
        #[arg(long, env = "THINGGATE_ALLOW_IMPACT")]
        allow_impact: bool,
        /// Leave the deployed code as it is: no build, no upload
        #[arg(long, env = "THINGGATE_KEEP_CODE")]
        keep_code: bool,
    },
    /// Compare the target with the stack files; read-only, needs no secret
    Drift {
        #[command(flatten)]
        stacks: Stacks,
        /// Exit with 2 also when something could not be compared
        #[arg(long, env = "THINGGATE_STRICT")]
        strict: bool,
    },
    /// Take everything down again, and prove that nothing is left
    Destroy {
        #[command(flatten)]
        stacks: Stacks,
        /// Do not ask
        #[arg(long, env = "THINGGATE_YES")]
        yes: bool,
        /// Delete the signing key's files as well
        #[arg(long, env = "THINGGATE_DELETE_KEY")]
        delete_key: bool,
    },
    /// Print endpoint, names, ARNs and key fingerprints
    Outputs {
        #[command(flatten)]
        stacks: Stacks,
        /// For whom: `device` prints a ready curl command
        #[arg(long = "for", value_enum, env = "THINGGATE_OUTPUTS_FOR")]
        audience: Option<Audience>,
    },
    /// Print the least IAM policy that a principal needs for a stack
    Policy {
        /// The stack file
        stack: PathBuf,
        #[command(flatten)]
        variables: Variables,
        /// What the principal is going to do
        #[arg(long = "for", value_enum, default_value_t = PolicyFor::Deploy, env = "THINGGATE_POLICY_FOR")]
        purpose: PolicyFor,
    },
    /// Make a pipeline that plans, deploys and compares a stack
    Ci {
        #[command(subcommand)]
        command: CiCommand,
    },
    /// Print every value of the stack files with where it comes from, offline
    ShowConfig {
        #[command(flatten)]
        stacks: Stacks,
    },
    /// Print the JSON Schema of stack files, for editors
    Schema,
    /// Print a script that completes commands and flags in a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Be a device: log in, sign, publish
    Device {
        #[command(subcommand)]
        command: DeviceCommand,
    },
    /// Run or look at the local target
    Local {
        #[command(subcommand)]
        command: LocalCommand,
    },
    /// The whole story in one command: deploy locally, log in, publish, refuse forgeries, destroy
    Demo(Demo),
}

/// Stack files.
#[derive(Args, Clone, Debug)]
pub(crate) struct Stacks {
    /// Stack files
    #[arg(required = true, value_name = "STACK", num_args = 1..)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

/// Values for the variables of stack files.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Variables {
    /// Fill in `${var.NAME}` in the stack file; may be repeated, in the variable: one a line
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = '\n', env = "THINGGATE_VAR")]
    pub(crate) var: Vec<String>,
}

/// For whom outputs are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Audience {
    /// A device: a ready curl command
    Device,
}

/// What a principal is going to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyFor {
    /// `plan` and `deploy`
    Deploy,
    /// `plan`, `drift` and `outputs`: reads only
    Drift,
    /// `destroy`
    Destroy,
    /// `device publish`, which asks for the endpoint; a device itself has no AWS credentials
    Device,
}

/// `ci …`
#[derive(Debug, Subcommand)]
pub(crate) enum CiCommand {
    /// Write a workflow, and the two roles that its jobs take on: run it in the repository's folder
    Init(CiInit),
}

/// `ci init`
#[derive(Args, Clone, Debug)]
pub(crate) struct CiInit {
    /// Whose pipelines
    #[arg(value_enum)]
    pub(crate) service: CiService,
    /// The stack file, by its path in the repository
    pub(crate) stack: PathBuf,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// The repository, with the case of its letters: OWNER/REPO, or OWNER@ID/REPO@ID where GitHub's tokens
    /// have numbers; of GitLab GROUP/PROJECT
    #[arg(long, value_name = "NAME", env = "THINGGATE_CI_REPOSITORY")]
    pub(crate) repository: String,
    /// The branch that is deployed
    #[arg(long, value_name = "NAME", default_value = "main", env = "THINGGATE_CI_BRANCH")]
    pub(crate) branch: String,
    /// The environment that deploys run in [default: the stack's name]
    #[arg(long, value_name = "NAME", env = "THINGGATE_CI_ENVIRONMENT")]
    pub(crate) environment: Option<String>,
    /// The host of GitLab
    #[arg(long, value_name = "HOST", default_value = "gitlab.com", env = "THINGGATE_CI_HOST")]
    pub(crate) host: String,
    /// Write over files that are there
    #[arg(long, env = "THINGGATE_FORCE")]
    pub(crate) force: bool,
}

/// Whose pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CiService {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

/// `device …`
#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Log in with the device flow and print the access token
    Login {
        /// The stack file
        stack: PathBuf,
        #[command(flatten)]
        variables: Variables,
        /// Write the access token to this file (0600) instead of standard output
        #[arg(long, value_name = "FILE", env = "THINGGATE_SAVE")]
        save: Option<PathBuf>,
    },
    /// Show what an access token says, without its signature
    Token {
        /// The stack file
        stack: PathBuf,
        #[command(flatten)]
        token: TokenSource,
    },
    /// Print the token signature of an access token
    Sign {
        /// The stack file
        stack: PathBuf,
        #[command(flatten)]
        variables: Variables,
        #[command(flatten)]
        token: TokenSource,
    },
    /// Publish one message as a device
    Publish {
        /// The stack file
        stack: PathBuf,
        #[command(flatten)]
        variables: Variables,
        /// The topic
        topic: String,
        /// The message
        #[arg(default_value = "hello from thinggate")]
        message: String,
        #[command(flatten)]
        token: TokenSource,
        /// The token signature; without it, the stack's key store signs
        #[arg(long, value_name = "BASE64", env = "THINGGATE_TOKEN_SIGNATURE")]
        signature: Option<String>,
        /// Name no authorizer: the account's default decides
        #[arg(long, env = "THINGGATE_DEFAULT_AUTHORIZER")]
        default_authorizer: bool,
    },
}

/// Where an access token is read from. There is no flag that holds one: command lines are public.
#[derive(Args, Clone, Debug)]
pub(crate) struct TokenSource {
    /// Where the access token is: `env:NAME`, `file:PATH` or `-` for standard input
    #[arg(
        long = "token",
        value_name = "WHERE",
        default_value = "env:THINGGATE_TOKEN",
        env = "THINGGATE_TOKEN_WHERE"
    )]
    pub(crate) source: String,
}

/// `local …`
#[derive(Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Serve the local target until Ctrl-C; other commands find it
    Up {
        #[command(flatten)]
        limits: Limits,
        /// What AWS does where its documentation is silent, or how patient one must be with it; may be
        /// given often. `status` shows every switch, docs/local-target.md says what each is about
        #[arg(
            long = "switch",
            value_name = "NAME=VALUE",
            value_delimiter = ',',
            env = "THINGGATE_LOCAL_SWITCHES"
        )]
        switches: Vec<String>,
    },
    /// Say where a local target is served, since when, and what it holds
    Status,
    /// Print exports, so that the AWS CLI and other clients can use the served local target
    Env,
    /// Forget everything in the state directory
    Reset {
        /// Do not ask
        #[arg(long, env = "THINGGATE_YES")]
        yes: bool,
    },
    /// Say who refused a device's message, and why
    Log {
        /// The trace id of one answer; without it, the last answers
        trace_id: Option<String>,
        /// How many answers, at most 1000
        #[arg(
            long,
            value_name = "N",
            default_value_t = 20,
            value_parser = clap::value_parser!(u64).range(1..=1000),
            conflicts_with = "trace_id",
            env = "THINGGATE_LAST"
        )]
        last: u64,
    },
    /// Print delivered messages of a topic filter as they come
    Follow {
        /// An MQTT topic filter
        #[arg(default_value = "#")]
        filter: String,
        /// Stop after so many messages
        #[arg(long, value_name = "N", env = "THINGGATE_COUNT")]
        count: Option<u64>,
    },
}

/// Limits of a served local target that tests and demonstrations shorten.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Limits {
    /// The cap on one authorizer call, in milliseconds; AWS: 5000
    #[arg(long, value_name = "MS", env = "THINGGATE_AUTHORIZER_LIMIT_MS")]
    pub(crate) authorizer_limit_ms: Option<u64>,
    /// How long a device must wait between two polls of the embedded identity provider, in seconds, at
    /// most 300; OpenAM: 5
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(..=300), env = "THINGGATE_IDENTITY_INTERVAL_S")]
    pub(crate) identity_interval_s: Option<u64>,
}

/// `demo`
#[derive(Args, Clone, Debug)]
pub(crate) struct Demo {
    /// The stack file; without it, a small one of its own
    pub(crate) stack: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// A ready authorizer binary, instead of building `authorizer/`
    #[arg(long, value_name = "FILE", env = "THINGGATE_DEMO_BOOTSTRAP")]
    pub(crate) bootstrap: Option<PathBuf>,
    /// Wait for Enter after every line
    #[arg(long, env = "THINGGATE_DEMO_STEP")]
    pub(crate) step: bool,
    /// Keep the deployed stack and the target running until Ctrl-C
    #[arg(long, env = "THINGGATE_DEMO_KEEP")]
    pub(crate) keep: bool,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// `init`
#[derive(Args, Clone, Debug)]
pub(crate) struct Init {
    /// The file to write; one that is there stays as it is
    #[arg(default_value = "stack.toml", value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The stack's name [default: the file's, without its end]
    #[arg(long, env = "THINGGATE_INIT_NAME")]
    pub(crate) name: Option<String>,
    /// Where the stack lives [default: local]
    #[arg(long, value_enum, env = "THINGGATE_INIT_TARGET")]
    pub(crate) target: Option<TargetFlag>,
    /// The Region [default for local: eu-west-1]
    #[arg(long, env = "THINGGATE_INIT_REGION")]
    pub(crate) region: Option<String>,
    /// The one account that the stack may be deployed to; for aws
    #[arg(long, env = "THINGGATE_INIT_ACCOUNT")]
    pub(crate) account: Option<String>,
    /// Who issues access tokens [default: embedded for local, oidc for aws]
    #[arg(long, value_enum, env = "THINGGATE_INIT_PROVIDER")]
    pub(crate) provider: Option<Provider>,
    /// The exact `iss` of access tokens
    #[arg(long, value_name = "URL", env = "THINGGATE_INIT_ISSUER")]
    pub(crate) issuer: Option<String>,
    /// The OAuth client of the devices
    #[arg(long, value_name = "ID", env = "THINGGATE_INIT_CLIENT_ID")]
    pub(crate) client_id: Option<String>,
    /// What must be in the audience of an access token [default: the client]
    #[arg(long, env = "THINGGATE_INIT_AUDIENCE")]
    pub(crate) audience: Option<String>,
    /// The device authorization endpoint; for oidc
    #[arg(long, value_name = "URL", env = "THINGGATE_INIT_DEVICE_URL")]
    pub(crate) device_url: Option<String>,
    /// The token endpoint; for oidc
    #[arg(long, value_name = "URL", env = "THINGGATE_INIT_TOKEN_URL")]
    pub(crate) token_url: Option<String>,
    /// Do not ask
    #[arg(long, env = "THINGGATE_YES")]
    pub(crate) yes: bool,
}

/// Where a stack lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetFlag {
    /// The AWS in this binary
    Local,
    /// AWS
    Aws,
}

/// Who issues access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    /// The local target's own
    Embedded,
    /// ForgeRock OpenAM, with a shared secret
    Openam,
    /// Any provider with RS256
    Oidc,
}
