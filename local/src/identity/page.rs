//! The pages as HTML: no script, no outside resource, readable on a phone.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::codes::Waiting;

/// What is shown.
#[derive(Clone, Debug)]
pub(super) enum Page {
    /// Asks for the code.
    Code { typed: String, wrong: bool },
    /// Asks who it is.
    Login { waiting: Waiting, wrong: bool },
    /// Asks for the decision.
    Consent { waiting: Waiting, user: &'static str },
    /// The decision is made.
    Done { allowed: bool },
    /// Nothing more can be done here; why.
    Stopped(&'static str),
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1.125rem/1.5 system-ui,sans-serif;max-width:26rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}label{display:block;margin-top:1rem}\
input,button{font:inherit;width:100%;box-sizing:border-box;padding:.75rem;margin-top:.25rem;\
border:1px solid #767676;border-radius:.5rem}\
button{margin-top:1rem;cursor:pointer}\
.code{font-family:ui-monospace,monospace;font-size:1.5rem;letter-spacing:.1em}\
.note{font-size:.9rem}[role=alert]{border-left:.25rem solid;padding-left:.75rem}";

/// The page. `action` is the form's address, `csrf` its hidden value.
pub(super) fn render(page: &Page, action: &str, csrf: &str) -> String {
    let (title, inside) = match page {
        Page::Code { typed, wrong } => ("Connect a device", code(typed, *wrong)),
        Page::Login { waiting, wrong } => ("Log in", login(waiting, *wrong)),
        Page::Consent { waiting, user } => ("Allow this device?", consent(waiting, user)),
        Page::Done { allowed: true } => {
            ("Device connected", "<p>You can close this page and return to your device.</p>".to_owned())
        }
        Page::Done { allowed: false } => {
            ("Device refused", "<p>The device gets no access. You can close this page.</p>".to_owned())
        }
        Page::Stopped(why) => {
            let action = escape(action);
            let why = escape(why);
            (
                "That did not work",
                format!("<p role=\"alert\">{why}</p><p><a href=\"{action}\">Start again</a></p>"),
            )
        }
    };
    let inside = match page {
        Page::Done { .. } | Page::Stopped(_) => inside,
        _ => format!(
            "<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">{inside}</form>",
            escape(action),
            escape(csrf)
        ),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\n\
         <body><main><h1>{title}</h1>{inside}\
         <p class=\"note\">Identity provider of the thinggate local target.</p></main></body></html>\n"
    )
}

/// The policy that goes with every page: this style, this server's forms, nothing else.
pub(super) fn content_security_policy() -> String {
    let digest = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
}

fn code(typed: &str, wrong: bool) -> String {
    let alert = if wrong {
        "<p role=\"alert\" data-error=\"not_found\">That code is not known, or has expired.</p>"
    } else {
        ""
    };
    format!(
        "{alert}<p>Type the code that your device shows.</p><label for=\"user_code\">Code</label>\
         <input class=\"code\" id=\"user_code\" name=\"user_code\" value=\"{}\" maxlength=\"16\" required autofocus \
         autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\"><button>Continue</button>",
        escape(typed)
    )
}

fn login(waiting: &Waiting, wrong: bool) -> String {
    let alert =
        if wrong { "<p role=\"alert\" data-error=\"login\">User or password is wrong.</p>" } else { "" };
    format!(
        "{alert}<p>Device code <span class=\"code\">{}</span></p>\
         <label for=\"username\">User</label><input id=\"username\" name=\"username\" maxlength=\"64\" required \
         autofocus autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\">\
         <label for=\"password\">Password</label><input id=\"password\" name=\"password\" type=\"password\" \
         maxlength=\"128\" required autocomplete=\"current-password\"><button>Log in</button>",
        escape(&waiting.user_code)
    )
}

fn consent(waiting: &Waiting, user: &str) -> String {
    let scopes: Vec<String> =
        waiting.scopes.iter().map(|scope| format!("<li>{}</li>", escape(scope))).collect();
    let scopes = scopes.concat();
    format!(
        "<p>{} wants access as <strong>{}</strong>:</p><ul>{scopes}</ul>\
         <p>Allow it only if your device shows <span class=\"code\">{}</span>.</p>\
         <button name=\"decision\" value=\"allow\">Allow</button>\
         <button name=\"decision\" value=\"deny\">Deny</button>",
        escape(waiting.client),
        escape(user),
        escape(&waiting.user_code)
    )
}

/// Text as it may stand in an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
