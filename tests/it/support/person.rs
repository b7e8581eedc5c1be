//! The person at the browser, for logins from the command line: fills in the forms that the pages have.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Opens the page at `address` and goes on until there is no form left.
pub(crate) fn approve(address: &str, code: &str) {
    let host = address.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let mut path = address[7 + host.len()..].to_owned();
    let (mut cookies, mut form) = (Vec::<String>::new(), None::<String>);
    for _ in 0..12 {
        let (head, page) = ask(&host, &path, &cookies.join("; "), form.take().as_deref());
        for line in head.lines() {
            match line.split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("set-cookie") => {
                    let pair = value.split(';').next().unwrap();
                    let name = &pair[..=pair.find('=').unwrap()];
                    cookies.retain(|cookie| !cookie.starts_with(name));
                    cookies.push(pair.to_owned());
                }
                Some((name, value)) if name.eq_ignore_ascii_case("location") => value.clone_into(&mut path),
                _ => {}
            }
        }
        if head.starts_with("HTTP/1.1 3") {
            continue;
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}\n{page}");
        let Some(at) = page.find("<form") else { return };
        let inside = &page[at..page.find("</form>").unwrap()];
        if let Some(action) = attribute(inside.split('>').next().unwrap(), "action") {
            path = action;
        }
        form = Some(filled(inside, code));
    }
    panic!("the pages do not end");
}

fn filled(form: &str, code: &str) -> String {
    let mut fields = form_urlencoded::Serializer::new(String::new());
    for tag in form.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let name = attribute(tag, "name").unwrap();
        let value = match name.as_str() {
            "user_code" => code.to_owned(),
            "username" => "demo".to_owned(),
            "password" => "changeit".to_owned(),
            _ => attribute(tag, "value").unwrap(),
        };
        fields.append_pair(&name, &value);
    }
    if form.contains("value=\"allow\"") {
        fields.append_pair("decision", "allow");
    }
    fields.finish()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!(" {name}=\""))?.1.split('"').next()?;
    Some(value.replace("&quot;", "\"").replace("&amp;", "&"))
}

fn ask(host: &str, path: &str, cookies: &str, form: Option<&str>) -> (String, String) {
    let mut connection = TcpStream::connect(host).unwrap();
    let (method, body) = form.map_or(("GET", ""), |form| ("POST", form));
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}
