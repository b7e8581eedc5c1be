//! Reading a request: its JSON body, the function it names, pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;

use super::errors::{Violations, function_not_found, invalid_parameter, not_found, user};
use super::reference::{self, Reference, is_word};
use crate::control::{Call, ServiceError};

/// Which form of `FunctionName` an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameForm {
    /// Shape `NamespacedFunctionName`: 256 characters.
    Namespaced,
    /// Shape `FunctionName`: 140 characters.
    Plain,
}

/// As AWS spells them. Source: `test_function_arns`, `test_invalid_invoke` of aws-facts \[R\].
const NAMESPACED_PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";
const PLAIN_PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";
const QUALIFIER_PATTERN: &str = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+";

/// The function that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Its name.
    pub(super) name: String,
    /// The qualifier, from the name or the parameter.
    pub(super) qualifier: Option<String>,
}

impl Named {
    /// Reads the name in a path or body, together with the parameter `Qualifier`.
    pub(super) fn read(
        call: &Call,
        text: &str,
        form: NameForm,
        qualifier: Option<&str>,
    ) -> Result<Self, ServiceError> {
        let (pattern, characters_max) = match form {
            NameForm::Namespaced => (NAMESPACED_PATTERN, 256),
            NameForm::Plain => (PLAIN_PATTERN, 140),
        };
        let mut violations = Violations::default();
        if let Some(qualifier) = qualifier {
            check_qualifier(&mut violations, qualifier);
        }
        let reference = Reference::parse(text);
        if reference.is_none() {
            let constraint = format!("satisfy regular expression pattern: {pattern}");
            violations.check(false, "functionName", text, &constraint);
        }
        violations.check(
            text.chars().count() <= characters_max,
            "functionName",
            text,
            &format!("have length less than or equal to {characters_max}"),
        );
        violations.refuse()?;
        let reference = reference.ok_or_else(|| function_not_found(text))?;
        check_place(call, &reference)?;
        let qualifier = match (reference.qualifier, qualifier) {
            (Some(derived), Some(given)) if derived != given => {
                return Err(invalid_parameter(
                    "The derived qualifier from the function name does not match the specified qualifier.",
                ));
            }
            (derived, given) => derived.or_else(|| given.map(str::to_owned)),
        };
        Ok(Self { name: reference.name, qualifier })
    }

    /// The ARN, with the qualifier when there is one.
    pub(super) fn arn(&self, call: &Call) -> String {
        reference::arn(call.region, call.account, &self.name, self.qualifier.as_deref())
    }

    /// The ARN of the function itself.
    pub(super) fn function_arn(&self, call: &Call) -> String {
        reference::arn(call.region, call.account, &self.name, None)
    }
}

/// A function lives in the Region of the call, and in the caller's account.
fn check_place(call: &Call, reference: &Reference) -> Result<(), ServiceError> {
    if let Some(region) = &reference.region
        && region != call.region
    {
        return Err(not_found(format!(
            "Functions from '{region}' are not reachable in this region ('{}')",
            call.region
        )));
    }
    match &reference.account {
        Some(account) if account != call.account => {
            Err(ServiceError::new(403, "AccessDeniedException", "the function is in another account"))
        }
        _ => Ok(()),
    }
}

fn check_qualifier(violations: &mut Violations, qualifier: &str) {
    let good = !qualifier.is_empty() && qualifier.split('$').all(|part| part.is_empty() || is_word(part));
    violations.check(
        good || qualifier == "$LATEST.PUBLISHED",
        "qualifier",
        qualifier,
        &format!("satisfy regular expression pattern: {QUALIFIER_PATTERN}"),
    );
    violations.check(
        qualifier.chars().count() <= 128,
        "qualifier",
        qualifier,
        "have length less than or equal to 128",
    );
}

/// The first query parameter of this name.
pub(super) fn parameter<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The body as the operation's input. What is wrong is said without a value: the body may hold secrets.
pub(super) fn body<T: DeserializeOwned>(call: &Call) -> Result<T, ServiceError> {
    let bytes: &[u8] = if call.body.is_empty() { b"{}" } else { call.body };
    serde_json::from_slice(bytes).map_err(|error| {
        let text = format!("Could not parse request body into json: line {}", error.line());
        user(400, "SerializationException", text)
    })
}

/// A page of a list: where it begins, and how long it may be.
#[derive(Debug)]
pub(super) struct Page {
    after: Option<String>,
    items_max: usize,
}

impl Page {
    /// Reads `Marker` and `MaxItems`, which may be 1 to `items_max`.
    pub(super) fn read(call: &Call, items_max: u32) -> Result<Self, ServiceError> {
        let mut violations = Violations::default();
        let mut wanted = call.options.page_size;
        if let Some(text) = parameter(call, "MaxItems") {
            let number: i64 = text.parse().map_err(|_| user(400, "SerializationException", "MaxItems"))?;
            violations.check(number >= 1, "maxItems", text, "have value greater than or equal to 1");
            let constraint = format!("have value less than or equal to {items_max}");
            violations.check(number <= i64::from(items_max), "maxItems", text, &constraint);
            wanted = wanted.min(usize::try_from(number).unwrap_or(1));
        }
        violations.refuse()?;
        let after = match parameter(call, "Marker") {
            None | Some("") => None,
            Some(marker) => Some(unmark(marker).ok_or_else(|| invalid_parameter("Invalid Marker"))?),
        };
        Ok(Self { after, items_max: wanted.max(1) })
    }

    /// The page's items, and the marker of the next page when there is one. `items` are in the order of
    /// their keys, which are unique.
    pub(super) fn cut<T>(self, items: impl Iterator<Item = (String, T)>) -> (Vec<T>, Option<String>) {
        let mut page = Vec::new();
        let mut last = None;
        for (key, item) in items.filter(|(key, _)| self.after.as_ref().is_none_or(|after| key > after)) {
            if page.len() == self.items_max {
                return (page, last.map(|key: String| STANDARD.encode(key)));
            }
            page.push(item);
            last = Some(key);
        }
        (page, None)
    }
}

fn unmark(marker: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(marker).ok()?).ok()
}
