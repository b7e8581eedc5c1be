//! The ways to name a function: a name, a partial ARN or an ARN, each perhaps with a qualifier.
//! (Model `lambda 2015-03-31`, shape `FunctionName`.)

/// A function and perhaps one of its versions or aliases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The Region, where the text has one.
    pub region: Option<String>,
    /// The account, where the text has one.
    pub account: Option<String>,
    /// The function's name.
    pub name: String,
    /// `$LATEST`, a number or an alias, where the text has one.
    pub qualifier: Option<String>,
}

impl Reference {
    /// Reads every form that AWS takes; `None` for a text that has none of them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts: Vec<&str> = text.split(':').collect();
        if parts.first() == Some(&"arn") {
            if parts.len() < 3 || !parts[1].starts_with("aws") || parts[2] != "lambda" {
                return None;
            }
            parts.drain(..3);
        }
        let region = take(&mut parts, is_region);
        let account = take(&mut parts, is_account);
        let said_function = take(&mut parts, |part| part == "function").is_some();
        // `function` alone is a name.
        if parts.is_empty() && said_function {
            parts.push("function");
        }
        let (name, qualifier) = match parts.as_slice() {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => return None,
        };
        let qualifier_is_good = qualifier.is_none_or(|text| text == "$LATEST" || is_word(text));
        (is_word(name) && qualifier_is_good).then(|| Self {
            region: region.map(str::to_owned),
            account: account.map(str::to_owned),
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }
}

/// Takes the first part away when it is what `test` looks for.
fn take<'a>(parts: &mut Vec<&'a str>, test: impl Fn(&str) -> bool) -> Option<&'a str> {
    let first = *parts.first()?;
    if !test(first) {
        return None;
    }
    parts.remove(0);
    Some(first)
}

/// `[a-zA-Z0-9-_]+`.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// `[a-z]{2}(-gov|-iso.?)?-[a-z]+-\d{1}`.
pub(super) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    match parts.as_slice() {
        [country, middle @ .., number] => {
            country.len() == 2
                && letters(country)
                && (1..=2).contains(&middle.len())
                && middle.iter().all(letters)
                && number.len() == 1
                && number.chars().all(|c| c.is_ascii_digit())
        }
        _ => false,
    }
}

/// Twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

/// `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`, with the qualifier when there is one.
pub fn arn(region: &str, account: &str, name: &str, qualifier: Option<&str>) -> String {
    let arn =
        format!("arn:{}:lambda:{region}:{account}:function:{name}", crate::partition::partition(region));
    match qualifier {
        None => arn,
        Some(qualifier) => format!("{arn}:{qualifier}"),
    }
}
