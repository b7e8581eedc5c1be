//! Everything the target remembers, in one value. IAM is global, the rest is per Region.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::control::{iam, iot, lambda, logs, ssm};

/// All there is in the account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct World {
    /// Roles.
    pub iam: iam::State,
    /// What lives in a Region, by the Region's name.
    pub regions: BTreeMap<String, Regional>,
}

/// All there is in one Region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Regional {
    /// Functions with their versions, aliases and policies.
    pub lambda: lambda::State,
    /// Authorizers, the default authorizer, tags.
    pub iot: iot::State,
    /// Log groups, their streams and events.
    pub logs: logs::State,
    /// Parameters. States of before they were known have none.
    #[serde(default)]
    pub ssm: ssm::State,
}

impl World {
    /// What lives in `region`, made when first asked for.
    pub fn region(&mut self, region: &str) -> &mut Regional {
        self.regions.entry(region.to_owned()).or_default()
    }

    /// The SHA-256 of every package that a function still has.
    pub fn packages(&self) -> BTreeSet<String> {
        self.regions.values().flat_map(|regional| regional.lambda.packages()).map(str::to_owned).collect()
    }
}
