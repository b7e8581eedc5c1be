//! A list of parameters: everything about them but their values.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, DEFAULT_KEY, Parameter, SECRET, ServiceError, State, input, parameter_arn, read, seconds};
use crate::control::page;
use crate::control::validate::Checks;

/// The most parameters in one page, and when none is asked for.
const PAGE_MAX: i64 = 50;
/// The most values of one filter.
const FILTER_VALUES_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    /// Older than `ParameterFilters`, and not both.
    filters: Option<Vec<Filter>>,
    parameter_filters: Option<Vec<Filter>>,
    max_results: Option<i64>,
    next_token: Option<String>,
    shared: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: Option<String>,
    option: Option<String>,
    values: Option<Vec<String>>,
}

pub(super) fn describe(state: &mut State, call: &Call) -> Result<Value, ServiceError> {
    let sent: Describe = read(call)?;
    let mut checks = Checks::default();
    for (index, filter) in sent.filters.iter().flatten().enumerate() {
        filter.check_old(&mut checks, &format!("filters.{}.member", index + 1));
    }
    for (index, filter) in sent.parameter_filters.iter().flatten().enumerate() {
        filter.check(&mut checks, &format!("parameterFilters.{}.member", index + 1));
    }
    let most = checks.number("maxResults", sent.max_results, 1, PAGE_MAX).unwrap_or(PAGE_MAX);
    checks.finish(input::INVALID)?;
    for filter in sent.parameter_filters.iter().flatten() {
        filter.check_option()?;
    }
    let most = usize::try_from(most).unwrap_or(1).min(call.options.page_size);
    let old = sent.filters.unwrap_or_default();
    let new = sent.parameter_filters.unwrap_or_default();
    let shared = sent.shared.unwrap_or(false);
    let chosen = state.parameters.iter().filter(|(name, parameter)| {
        !shared
            && old.iter().all(|filter| filter.takes("BeginsWith", name, parameter))
            && new.iter().all(|filter| filter.takes(filter.option(), name, parameter))
    });
    let keyed = chosen.map(|(name, parameter)| (name.clone(), shown(call, name, parameter)));
    let page = page::page(keyed, sent.next_token.as_deref(), most).map_err(|page::InvalidToken| {
        ServiceError::new(400, "InvalidNextToken", "The specified token isn't valid.")
    })?;
    let mut answer = json!({ "Parameters": page.entries });
    if let Some(next) = page.next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

impl Filter {
    fn check_old(&self, checks: &mut Checks, member: &str) {
        if checks.word(&format!("{member}.key"), self.key.as_deref(), &["Name", "Type", "KeyId"]).is_none() {
            checks.missing(&format!("{member}.key"));
        }
        match &self.values {
            Some(values) => {
                let limits = (1, FILTER_VALUES_MAX);
                checks.list(&format!("{member}.values"), values, limits, &input::FILTER_VALUE);
            }
            None => checks.missing(&format!("{member}.values")),
        }
    }

    fn check(&self, checks: &mut Checks, member: &str) {
        checks.required(&format!("{member}.key"), self.key.as_deref(), &input::FILTER_KEY);
        checks.optional(&format!("{member}.option"), self.option.as_deref(), &input::FILTER_OPTION);
        if let Some(values) = &self.values {
            let limits = (1, FILTER_VALUES_MAX);
            checks.list(&format!("{member}.values"), values, limits, &input::FILTER_VALUE);
        }
    }

    fn key(&self) -> &str {
        self.key.as_deref().unwrap_or_default()
    }

    fn option(&self) -> &str {
        self.option.as_deref().unwrap_or(if self.key() == "Path" { "OneLevel" } else { "Equals" })
    }

    /// Source: `ParameterStringFilter`, "Option", and "Key" for what this operation takes.
    fn check_option(&self) -> Result<(), ServiceError> {
        let options: &[&str] = match self.key() {
            "Path" => &["Recursive", "OneLevel"],
            "Name" => &["Equals", "BeginsWith", "Contains"],
            "Label" => {
                let text = "The following filter key is not valid: Label.";
                return Err(ServiceError::new(400, "InvalidFilterKey", text));
            }
            _ => &["Equals", "BeginsWith"],
        };
        if options.contains(&self.option()) {
            return Ok(());
        }
        let text = format!("The following filter option is not valid: {}.", self.option());
        Err(ServiceError::new(400, "InvalidFilterOption", text))
    }

    fn takes(&self, option: &str, name: &str, parameter: &Parameter) -> bool {
        let key = self.key();
        let of_key = (parameter.kind == SECRET).then_some(DEFAULT_KEY);
        let found = match key {
            "Name" | "Path" => Some(name),
            "Type" => Some(parameter.kind.as_str()),
            "KeyId" => of_key,
            "Tier" => Some("Standard"),
            "DataType" => Some("text"),
            tag => tag.strip_prefix("tag:").and_then(|tag| parameter.tags.get(tag)).map(String::as_str),
        };
        let Some(found) = found else { return false };
        let Some(values) = &self.values else { return true };
        values.iter().any(|value| match option {
            "BeginsWith" => found.starts_with(value.as_str()),
            "Contains" => found.contains(value.as_str()),
            "Recursive" => below(value, found).is_some(),
            "OneLevel" => below(value, found).is_some_and(|rest| !rest.contains('/')),
            _ => found == value,
        })
    }
}

/// What stands below a path.
fn below<'a>(path: &str, name: &'a str) -> Option<&'a str> {
    name.strip_prefix(path.trim_end_matches('/'))?.strip_prefix('/')
}

fn shown(call: &Call, name: &str, parameter: &Parameter) -> Value {
    let mut shown = json!({
        "Name": name,
        "ARN": parameter_arn(call, name),
        "Type": parameter.kind,
        "LastModifiedDate": seconds(parameter.modified_ms),
        "LastModifiedUser": call.caller.arn(call.partition(), call.account),
        "Version": parameter.version,
        "Tier": "Standard",
        "Policies": [],
        "DataType": "text",
    });
    if parameter.kind == SECRET {
        shown["KeyId"] = DEFAULT_KEY.into();
    }
    if let Some(description) = &parameter.description {
        shown["Description"] = description.as_str().into();
    }
    shown
}
