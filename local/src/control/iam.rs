//! iam (skeleton).

use serde::{Deserialize, Serialize};

/// What the service remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {}
