//! What one resource needs: an action, field by field why, and what it does to devices.

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `+`
    Create,
    /// `~`
    Update,
    /// `-`
    Delete,
    /// `±`: a delete and a create, because AWS cannot change it in place.
    Replace,
    /// `=`
    Keep,
}

impl Action {
    /// The mark in a plan.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Delete => "-",
            Self::Replace => "±",
            Self::Keep => "=",
        }
    }

    /// The word beside the mark.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Keep => "keep",
        }
    }
}

/// What a step does to devices while it runs, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impact {
    /// No device notices.
    None,
    /// New connections and HTTP publishes may be refused.
    NewConnections,
    /// Every device.
    All,
}

impl Impact {
    /// The words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NewConnections => "new connections",
            Self::All => "all devices",
        }
    }
}

/// One field that differs. Texts are for people and never hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field of the resource.
    pub field: String,
    /// The stack key it derives from, such as `function.memory_mb`, when there is one.
    pub key: Option<&'static str>,
    /// What the target has.
    pub live: String,
    /// What the stack asks for.
    pub desired: String,
}

/// A field that this reader cannot compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCompared {
    /// The field.
    pub field: String,
    /// Which secret or permission is missing.
    pub because: String,
}

/// What one resource needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What to do.
    pub action: Action,
    /// Why, field by field. For a replacement the first says what AWS cannot change.
    pub differences: Vec<Difference>,
    /// What could not be compared.
    pub not_compared: Vec<NotCompared>,
    /// What it does to devices.
    pub impact: Impact,
    /// Set when doing it would cut devices or touch what is not ours: why, and the exact command.
    pub refusal: Option<Refusal>,
}

/// A repair that is not done, and what the user can run instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A stable word, such as `foreign_key`.
    pub code: &'static str,
    /// Why it is refused.
    pub because: String,
    /// The exact command that resolves it.
    pub next: String,
}
