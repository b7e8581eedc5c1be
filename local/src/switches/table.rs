//! Every setting by name, for the command line and for whoever tries them all.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::Switches;
use crate::Options;

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What is open about AWS, and where aws-facts says so.
    pub question: &'static str,
    /// The values to try, the default first. Those of a number are examples: others are taken too.
    pub values: &'static [&'static str],
}

impl Row {
    /// Whether any whole number is taken.
    pub fn is_number(&self) -> bool {
        self.values.iter().all(|value| value.parse::<u64>().is_ok())
    }
}

const fn row(name: &'static str, question: &'static str, values: &'static [&'static str]) -> Row {
    Row { name, question, values }
}

/// All settings, in the order of aws-facts 12; then what is known to vary.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row("set_default_again", "12.1: does `SetDefaultAuthorizer` overwrite a default that is set?",
        &["refuse", "refuse_other", "overwrite"]),
    row("delete_refusal", "12.2: how is `DeleteAuthorizer` of an active or the default one refused?",
        &["conflict", "invalid_request"]),
    row("deactivate_default", "12.3: can the default authorizer be set INACTIVE?",
        &["refuse", "allow"]),
    row("function_existence", "12.4: must an authorizer's function exist?",
        &["checked", "unchecked"]),
    row("signing_keys", "12.4: must a signing key be an RSA public key of 2048 bits or more?",
        &["checked", "unchecked"]),
    row("keys_on_update", "12.5: does an update replace the map of signing keys, or add to it?",
        &["replace", "merge"]),
    row("signing_keys_max", "12.5: how many signing keys can an authorizer have?",
        &["10", "1"]),
    row("failed_authentication", "12.6: what does a device get that is not authenticated?",
        &["forbidden", "unauthorized"]),
    row("test_with_wrong_signature", "12.7: does `TestInvokeAuthorizer` run the function for a wrong signature?",
        &["refuse", "run"]),
    row("test_of_inactive", "12.7: does `TestInvokeAuthorizer` run when INACTIVE?",
        &["refuse", "run"]),
    row("header_names", "12.8: how are header names written in the event?",
        &["lower", "capitalised"]),
    row("signature_in_event", "12.8: does the function see the token signature?",
        &["removed", "kept"]),
    row("authorizers_max", "12.9: how many authorizers can an account have?",
        &["100", "1"]),
    row("active_authorizers_max", "12.9: how many of them can be active?",
        &["50", "1"]),
    row("rates", "12.9: how many requests a second are let through?",
        &["unlimited", "published", "shared"]),
    row("function_as_source", "12.11: does a permission count whose source is the function?",
        &["refuse", "accept"]),
    row("qualified_function", "12.12: can an authorizer's function be an alias?",
        &["accept", "refuse"]),
    row("unpropagated_role", "3.1: which text refuses a role that is not known everywhere yet?",
        &["cannot_be_assumed", "lacks_permissions"]),
    row("role_propagation_ms", "0.7: how long can a new role not be assumed by Lambda?",
        &["300", "60000"]),
    row("function_settling_ms", "3.2: how long is a function Pending, and an update in progress?",
        &["200", "15000"]),
    row("page_size", "how many entries has a page of a list?",
        &["50", "1"]),
    row("iam_delay_ms", "4: for how long does IAM answer without a change?",
        &["0", "10000"]),
    row("lambda_delay_ms", "3.2, 3.5: for how long does Lambda answer without a change?",
        &["0", "5000"]),
    row("iot_delay_ms", "0.2, 1.4: for how long does AWS IoT answer without a change?",
        &["0", "5000"]),
    row("ssm_delay_ms", "7: for how long does Parameter Store answer without a change?",
        &["0", "5000"]),
    row("tags_delay_ms", "0.5: for how long does any service answer without a change of tags?",
        &["0", "20000"]),
    row("delayed_calls", "does every call meet a delayed copy, or every second one?",
        &["all", "every_second"]),
];

/// A setting that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadSwitch {
    /// There is none of this name.
    Unknown(String),
    /// It does not take this value.
    Value {
        /// The setting.
        row: Row,
        /// What was asked for.
        value: String,
    },
}

impl fmt::Display for BadSwitch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(formatter, "there is no switch `{name}`"),
            Self::Value { row, value } if row.is_number() => {
                let least = Options::least(row.name);
                let most = Options::NUMBER_MAX;
                write!(formatter, "`{}` is a whole number from {least} to {most}, not `{value}`", row.name)
            }
            Self::Value { row, value } => {
                write!(formatter, "`{}` is one of {}, not `{value}`", row.name, row.values.join(", "))
            }
        }
    }
}

impl Options {
    /// The largest number that a setting takes: a day in milliseconds.
    const NUMBER_MAX: u64 = 24 * 60 * 60 * 1000;

    /// The smallest number that a setting takes.
    fn least(name: &str) -> u64 {
        u64::from(matches!(name, "page_size" | "signing_keys_max"))
    }

    /// Changes one setting of [`TABLE`], given as text.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), BadSwitch> {
        let row = TABLE.iter().find(|row| row.name == name);
        let row = *row.ok_or_else(|| BadSwitch::Unknown(name.to_owned()))?;
        let bad = || BadSwitch::Value { row, value: value.to_owned() };
        let number = if row.is_number() {
            let known = value.parse().ok().filter(|n| (Self::least(name)..=Self::NUMBER_MAX).contains(n));
            Some(known.ok_or_else(bad)?)
        } else {
            None
        };
        match (name, number) {
            ("role_propagation_ms", Some(number)) => self.role_propagation = Duration::from_millis(number),
            ("function_settling_ms", Some(number)) => self.function_settling = Duration::from_millis(number),
            ("page_size", Some(number)) => self.page_size = usize::try_from(number).map_err(|_| bad())?,
            _ => {
                let mut all = json!(self.switches);
                all[name] = number.map_or_else(|| json!(value), |number| json!(number));
                self.switches = serde_json::from_value::<Switches>(all).map_err(|_| bad())?;
            }
        }
        Ok(())
    }

    /// Every setting of [`TABLE`], as it is.
    pub fn settings(&self) -> Vec<(Row, String)> {
        let switches = json!(self.switches);
        let shown = |row: &Row| match row.name {
            "role_propagation_ms" => self.role_propagation.as_millis().to_string(),
            "function_settling_ms" => self.function_settling.as_millis().to_string(),
            "page_size" => self.page_size.to_string(),
            name => match &switches[name] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
        };
        TABLE.iter().map(|row| (*row, shown(row))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every field of the switches has a row, the first value is the default, and every value is taken,
    /// shown again and different from the others.
    #[test]
    fn every_switch_is_in_the_table_with_its_default_first() {
        let default = Options::default();
        let rows: BTreeSet<&str> = TABLE.iter().map(|row| row.name).collect();
        assert_eq!(rows.len(), TABLE.len());
        let Value::Object(fields) = json!(default.switches) else { panic!("an object") };
        for field in fields.keys() {
            assert!(rows.contains(field.as_str()), "{field} has no row");
        }
        for (row, shown) in default.settings() {
            assert_eq!(shown, row.values[0], "{}", row.name);
            assert!(row.values.len() > 1, "{}", row.name);
            for value in row.values {
                let mut options = default.clone();
                options.set(row.name, value).unwrap();
                assert_eq!(options == default, *value == row.values[0], "{}={value}", row.name);
                assert!(options.settings().contains(&(row, (*value).to_owned())), "{}={value}", row.name);
            }
        }
    }

    #[test]
    fn what_is_no_setting_is_refused_by_name() {
        let refused = |name: &str, value: &str| Options::default().set(name, value).unwrap_err().to_string();
        assert_eq!(refused("page", "1"), "there is no switch `page`");
        assert_eq!(refused("rates", "1"), "`rates` is one of unlimited, published, shared, not `1`");
        let text = "`page_size` is a whole number from 1 to 86400000, not `0`";
        assert_eq!(refused("page_size", "0"), text);
        for value in ["-1", "", "86400001", "1s"] {
            assert!(refused("iam_delay_ms", value).contains("a whole number from 0"), "{value}");
        }
    }

    /// The page for users has every switch with its question and its values.
    #[test]
    fn every_switch_is_documented() {
        let page = include_str!("../../../docs/local-target.md");
        for row in TABLE {
            let values: Vec<String> = row.values.iter().map(|value| format!("`{value}`")).collect();
            let line = format!("| `{}` | {} | {} |", row.name, values.join(" · "), row.question);
            assert!(page.contains(&line), "docs/local-target.md lacks: {line}");
        }
    }
}
