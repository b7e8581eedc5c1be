//! The person at the browser: opens the verification page and fills in the forms that it finds, as a
//! browser without scripts would. There is no other way to approve a device.

use bytes::Bytes;

use crate::door::Http;
use crate::problem::Problem;

/// Pages between opening the address and the last word, at most.
const PAGES_MAX: usize = 8;

/// What the person types.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers<'a> {
    /// The code on the device.
    pub(super) user_code: &'a str,
    /// The user.
    pub(super) username: &'a str,
    /// Its password.
    pub(super) password: &'a str,
    /// What to press on the consent page.
    pub(super) decision: &'a str,
}

/// Opens `address` and goes on until there is no form left. Gives how many forms were posted.
pub(super) async fn approve(http: &Http, address: &str, answers: Answers<'_>) -> Result<usize, Problem> {
    let mut cookies: Vec<(String, String)> = Vec::new();
    let mut address = url::Url::parse(address).map_err(|error| odd(&error.to_string()))?;
    let mut form: Option<Vec<(String, String)>> = None;
    let mut posted = 0;
    for _ in 0..PAGES_MAX {
        let answer = fetch(http, &address, &cookies, form.take()).await?;
        remember(&mut cookies, answer.headers());
        if answer.status().is_redirection() {
            address = redirected(&address, answer.headers())?;
            continue;
        }
        let page = String::from_utf8_lossy(answer.body()).into_owned();
        if let Some(error) = between(&page, "data-error=\"", "\"") {
            return Err(odd(&format!("the page says {error}")));
        }
        let Some(found) = Form::find(&page) else {
            if answer.status().is_success() && posted > 0 {
                return Ok(posted);
            }
            return Err(odd(&format!("a page without a form, HTTP {}", answer.status().as_u16())));
        };
        address = address.join(&found.action).map_err(|error| odd(&error.to_string()))?;
        form = Some(found.filled(answers)?);
        posted += 1;
    }
    Err(odd("the pages do not end"))
}

fn odd(because: &str) -> Problem {
    Problem::failed("approval", "the device could not be approved in the browser").because(because)
}

async fn fetch(
    http: &Http,
    address: &url::Url,
    cookies: &[(String, String)],
    form: Option<Vec<(String, String)>>,
) -> Result<http::Response<Bytes>, Problem> {
    let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut request = http::Request::builder().uri(address.as_str());
    if !jar.is_empty() {
        request = request.header(http::header::COOKIE, jar.join("; "));
    }
    let body = match form {
        None => Bytes::new(),
        Some(fields) => {
            request = request
                .method(http::Method::POST)
                .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            Bytes::from(encoded)
        }
    };
    let request = request.body(body).map_err(|error| odd(&error.to_string()))?;
    http.send(request).await.map_err(|error| odd(&error.to_string()))
}

fn remember(cookies: &mut Vec<(String, String)>, headers: &http::HeaderMap) {
    for header in headers.get_all(http::header::SET_COOKIE) {
        let pair = header.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            cookies.retain(|(known, _)| known != name.trim());
            cookies.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
}

fn redirected(address: &url::Url, headers: &http::HeaderMap) -> Result<url::Url, Problem> {
    let location = headers
        .get(http::header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| odd("a redirect to nowhere"))?;
    address.join(location).map_err(|error| odd(&error.to_string()))
}

/// A form as it stands in a page.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    action: String,
    /// Name and value of each field, in order.
    fields: Vec<(String, String)>,
    /// Name and value of each button that has a name.
    buttons: Vec<(String, String)>,
}

impl Form {
    fn find(page: &str) -> Option<Self> {
        let inside = &page[page.find("<form")?..];
        let inside = &inside[..inside.find("</form>")?];
        let head = &inside[..inside.find('>')?];
        let named = |tag: &str| {
            tags(inside, tag)
                .filter_map(|text| {
                    Some((attribute(text, "name")?, attribute(text, "value").unwrap_or_default()))
                })
                .collect()
        };
        Some(Self {
            action: attribute(head, "action").unwrap_or_default(),
            fields: named("<input"),
            buttons: named("<button"),
        })
    }

    /// The fields with the person's answers. A field that nobody knows is an error, not a guess.
    fn filled(self, answers: Answers<'_>) -> Result<Vec<(String, String)>, Problem> {
        let mut filled = Vec::new();
        for (name, value) in self.fields {
            let value = match name.as_str() {
                "user_code" => answers.user_code.to_owned(),
                "username" => answers.username.to_owned(),
                "password" => answers.password.to_owned(),
                _ if !value.is_empty() => value,
                _ => return Err(odd(&format!("the page asks for `{name}`"))),
            };
            filled.push((name, value));
        }
        filled.extend(self.buttons.into_iter().find(|(_, value)| value == answers.decision));
        Ok(filled)
    }
}

fn tags<'a>(text: &'a str, tag: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(tag).map(move |(at, _)| {
        let rest = &text[at..];
        &rest[..rest.find('>').unwrap_or(rest.len())]
    })
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = between(tag, &format!(" {name}=\""), "\"")?;
    let plain = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    Some(plain.replace("&#39;", "'").replace("&amp;", "&"))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let start = text.find(before)? + before.len();
    let rest = &text[start..];
    Some(&rest[..rest.find(after)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<h1>x</h1><form method=\"post\" action=\"/device?a=1&amp;b=2\">\
        <input type=\"hidden\" name=\"csrf\" value=\"c&quot;1\"><input id=\"username\" name=\"username\">\
        <input name=\"password\" type=\"password\"><button name=\"decision\" value=\"allow\">Allow</button>\
        <button name=\"decision\" value=\"deny\">Deny</button></form>";

    const ANSWERS: Answers<'_> =
        Answers { user_code: "ABCD", username: "demo", password: "p", decision: "deny" };

    #[test]
    fn a_form_is_filled_as_a_person_would() {
        let form = Form::find(PAGE).unwrap();
        assert_eq!(form.action, "/device?a=1&b=2");
        let filled = form.filled(ANSWERS).unwrap();
        let pairs: Vec<(&str, &str)> = filled.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("csrf", "c\"1"), ("username", "demo"), ("password", "p"), ("decision", "deny")]);
    }

    #[test]
    fn an_unknown_empty_field_is_not_guessed() {
        let page = PAGE.replace("id=\"username\" name=\"username\"", "name=\"birthday\"");
        assert!(Form::find(&page).unwrap().filled(ANSWERS).is_err());
    }
}
