//! What Lambda remembers in one Region: functions, their versions, aliases, policies and tags.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::policy::Policy;
use crate::random;

/// Milliseconds since 1970, the unit of Lambda's own dates.
pub type Milliseconds = u64;

/// Every function of the Region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Functions by name. Names are case-sensitive.
    pub functions: BTreeMap<String, Function>,
}

impl State {
    /// Gives everything the tags that it had in `then`.
    pub(crate) fn take_tags(&mut self, then: &Self) {
        crate::copies::take_tags(
            &mut self.functions,
            &then.functions,
            |one| &one.tags,
            |one, tags| one.tags = tags,
        );
    }

    /// The SHA-256 of every package that some version is made of, or that is still being served.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        let versions = self
            .functions
            .values()
            .flat_map(|function| function.versions.values().chain(std::iter::once(&function.latest)));
        let settings =
            versions.flat_map(|version| std::iter::once(&version.settings).chain(version.serving.as_deref()));
        settings.map(|settings| settings.code.sha256_hex.as_str())
    }
}

/// One function with all that lives and dies with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Tells it from one of the same name that was deleted. Random; never shown.
    #[serde(default = "random::uuid")]
    pub id: String,
    /// `$LATEST`.
    pub latest: Version,
    /// Published versions by number.
    pub versions: BTreeMap<u64, Version>,
    /// The highest number ever given; numbers are not reused.
    pub highest_version: u64,
    /// What `$LATEST` was when it was last published, and the number it got: publishing it again is nothing.
    pub published: Option<(u64, Settings)>,
    /// Aliases by name.
    pub aliases: BTreeMap<String, Alias>,
    /// The resource policy of each qualifier: `""` is the function itself, else a version or an alias.
    pub policies: BTreeMap<String, Policy>,
    /// Tags of the function.
    pub tags: BTreeMap<String, String>,
    /// Reserved concurrency, when set.
    pub reserved_concurrency: Option<u32>,
    /// Function URLs: `""` is the function's own, else an alias's.
    #[serde(default)]
    pub urls: BTreeMap<String, FunctionUrl>,
    /// Provisioned concurrency of aliases and versions.
    #[serde(default)]
    pub provisioned: BTreeMap<String, u32>,
}

/// A function URL. Nothing listens there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FunctionUrl {
    /// The first part of its host.
    pub id: String,
    /// `AWS_IAM` or `NONE`.
    pub authentication: String,
    /// `BUFFERED` or `RESPONSE_STREAM`.
    pub invoke_mode: String,
    /// When it was made.
    pub created: Milliseconds,
}

/// `$LATEST` or one published version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// What it is made of.
    pub settings: Settings,
    /// When it was last changed.
    pub last_modified: Milliseconds,
    /// How it came to its present content, and when that is settled.
    pub change: Change,
    /// The last change, while it is in progress, has not reached invocations: they run this.
    pub serving: Option<Box<Settings>>,
}

/// The last change of a version: its life cycle goes by the clock alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What was done.
    pub kind: ChangeKind,
    /// From when on it is done.
    pub settled_at: Milliseconds,
    /// The revision until then.
    pub revision_before: String,
    /// The revision from then on: it moves by itself.
    pub revision_after: String,
}

impl Change {
    /// A change at `now` that is done at `settled_at`.
    pub fn new(kind: ChangeKind, settled_at: Milliseconds) -> Self {
        let (revision_before, revision_after) = (random::uuid(), random::uuid());
        Self { kind, settled_at, revision_before, revision_after }
    }
}

/// What the last change was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// Created: Pending until settled, then Active.
    Created,
    /// Code or configuration changed: in progress until settled, then successful.
    Updated,
}

/// Everything about a version that `PublishVersion` freezes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// At most 256 characters.
    pub description: String,
    /// Such as `provided.al2023`.
    pub runtime: String,
    /// The role's ARN.
    pub role: String,
    /// The role's unique id when it was set: the grant is for this one role, not for its name.
    pub role_id: String,
    /// At most 128 characters.
    pub handler: String,
    /// 1 to 900.
    pub timeout_seconds: u32,
    /// 128 to 10240.
    pub memory_mb: u32,
    /// 512 to 10240.
    pub ephemeral_storage_mb: u32,
    /// Variables, when some were given. Holds secrets: never printed.
    pub environment: Option<Environment>,
    /// `x86_64` or `arm64`.
    pub architecture: Architecture,
    /// The zip.
    pub code: Code,
    /// Where and how it logs.
    pub logging: Logging,
    /// `PassThrough` or `Active`.
    pub tracing_active: bool,
    /// `PublishedVersions` rather than `None`. Kept, without effect here.
    pub snap_start: bool,
}

/// Environment variables. `Debug` shows the names alone.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment(pub BTreeMap<String, String>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// An uploaded zip, by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// SHA-256 in hex: its name in the package store.
    pub sha256_hex: String,
    /// Size of the zip.
    pub size_bytes: u64,
}

/// Instruction set of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Architecture {
    /// 64-bit Intel and AMD.
    #[serde(rename = "x86_64")]
    X86,
    /// 64-bit ARM.
    #[serde(rename = "arm64")]
    Arm,
}

impl Architecture {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X86 => "x86_64",
            Self::Arm => "arm64",
        }
    }

    /// This machine's, when Lambda has it.
    pub fn of_host() -> Option<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Self::X86),
            "aarch64" => Some(Self::Arm),
            _ => None,
        }
    }
}

/// `LoggingConfig`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    /// The log group; by default `/aws/lambda/NAME`.
    pub group: String,
}

/// A name for a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// `$LATEST` or a version's number.
    pub version: String,
    /// At most 256 characters.
    pub description: String,
    /// Its own revision.
    pub revision: String,
    /// A second version and its share of the invocations, when given.
    pub routing: BTreeMap<String, f64>,
}

impl Version {
    /// The revision at `now`.
    pub fn revision(&self, now: Milliseconds) -> &str {
        if self.is_settled(now) { &self.change.revision_after } else { &self.change.revision_before }
    }

    /// Gives it another revision at `now`. What moves by itself afterwards still does.
    pub fn set_revision(&mut self, now: Milliseconds, revision: String) {
        if self.is_settled(now) {
            self.change.revision_after = revision;
        } else {
            self.change.revision_before = revision;
        }
    }

    /// Whether the last change is done.
    pub const fn is_settled(&self, now: Milliseconds) -> bool {
        now >= self.change.settled_at
    }

    /// Whether it was created, and cannot be invoked yet.
    pub fn is_pending(&self, now: Milliseconds) -> bool {
        self.change.kind == ChangeKind::Created && !self.is_settled(now)
    }

    /// Whether an update is in progress: the old content still serves.
    pub fn is_updating(&self, now: Milliseconds) -> bool {
        self.change.kind == ChangeKind::Updated && !self.is_settled(now)
    }

    /// What an invocation runs at `now`.
    pub fn serving(&self, now: Milliseconds) -> &Settings {
        match &self.serving {
            Some(old) if self.is_updating(now) => old,
            _ => &self.settings,
        }
    }
}

impl Function {
    /// The version that a qualifier means: none or `$LATEST`, a number, or an alias.
    pub fn version(&self, qualifier: Option<&str>) -> Option<(String, &Version)> {
        let qualifier = match qualifier {
            None => "$LATEST",
            Some(name) => self.aliases.get(name).map_or(name, |alias| alias.version.as_str()),
        };
        if qualifier == "$LATEST" {
            return Some((qualifier.to_owned(), &self.latest));
        }
        let number: u64 = qualifier.parse().ok()?;
        self.versions.get(&number).map(|version| (number.to_string(), version))
    }
}
