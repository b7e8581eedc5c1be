//! The process's environment, read once.

use std::collections::BTreeMap;

/// Environment variables, as they were when the program started.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the process's environment. Variables that are not UTF-8 are left out.
    pub(crate) fn read() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// A variable; an empty one counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Every variable with its value, for what chooses among them.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Names of the set variables that begin with `prefix`, in order.
    pub(crate) fn names_with_prefix(&self, prefix: &str) -> Vec<&str> {
        let set = self.0.iter().filter(|(_, value)| !value.is_empty());
        set.map(|(name, _)| name.as_str()).filter(|name| name.starts_with(prefix)).collect()
    }

    /// Whether this is a CI run, whose files die with it.
    pub(crate) fn is_continuous_integration(&self) -> bool {
        self.get("CI").is_some_and(|value| value != "false" && value != "0")
    }
}

impl std::fmt::Debug for Environment {
    /// Names only: values can be secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
