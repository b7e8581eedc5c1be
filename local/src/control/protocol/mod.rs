//! The wire forms of AWS's answers: one per protocol family.

pub(crate) mod json;
pub(crate) mod query;
pub(crate) mod rest_json;
