//! Who may talk to a loopback port: no web page, and nobody by another name (DNS rebinding).

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

/// Who a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Askers {
    /// Programs only: any `Origin` is refused.
    Programs,
    /// Pages that this very port served, and programs.
    OwnPages,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// No `Host`, several, or not a name of this machine.
    Host,
    /// A web page asked.
    Origin,
}

impl Refused {
    /// The sentence for whoever looks into it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Host => "the Host header must name localhost or a loopback address",
            Self::Origin => "web pages of other origins may not use this port",
        }
    }
}

/// Which names, in lower case, a port answers to besides loopback ones.
pub(super) type Names = fn(&str) -> bool;

/// AWS's own names of STS, which nobody else can lead to this machine: a client that signed a request for one of
/// them may be sent here.
pub(super) fn is_sts(name: &str) -> bool {
    name.starts_with("sts.") && [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|end| name.ends_with(end))
}

/// Checks where a request comes from.
pub(super) fn check(uri: &Uri, headers: &HeaderMap, askers: Askers, names: Names) -> Result<(), Refused> {
    let Value::One(host) = value(headers, &header::HOST) else { return Err(Refused::Host) };
    if !is_ours(host, names) || uri.host().is_some_and(|asked| !is_ours(asked, names)) {
        return Err(Refused::Host);
    }
    match value(headers, &header::ORIGIN) {
        Value::Absent => Ok(()),
        Value::One(origin) if askers == Askers::OwnPages && origin.strip_prefix("http://") == Some(host) => {
            Ok(())
        }
        Value::One(_) | Value::Unclear => Err(Refused::Origin),
    }
}

/// What a header says.
enum Value<'a> {
    Absent,
    One(&'a str),
    /// Several values, or one that is not text.
    Unclear,
}

fn value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Value<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (None, _) => Value::Absent,
        (Some(Ok(text)), None) => Value::One(text),
        _ => Value::Unclear,
    }
}

fn is_ours(authority: &str, names: Names) -> bool {
    let name = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(name, _)| name),
    };
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1") || names(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_one(headers: &[(&'static str, &'static str)], askers: Askers) -> Result<(), Refused> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        check(&Uri::from_static("/x"), &map, askers, |name| name == "identity.thinggate.local")
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in ["localhost", "127.0.0.1:4566", "LOCALHOST:1", "[::1]:80", "identity.thinggate.local:9"] {
            assert_eq!(check_one(&[("host", host)], Askers::Programs), Ok(()), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example:80", "127.0.0.1.nip.io", "", "0.0.0.0:1", "10.0.0.1"]
        {
            assert_eq!(check_one(&[("host", host)], Askers::Programs), Err(Refused::Host), "{host}");
        }
        assert_eq!(check_one(&[], Askers::Programs), Err(Refused::Host));
        let twice = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(check_one(&twice, Askers::Programs), Err(Refused::Host));
    }

    #[test]
    fn sts_has_its_names() {
        for name in ["sts.amazonaws.com", "sts.eu-west-1.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn"] {
            assert!(is_sts(name), "{name}");
        }
        for name in
            ["sts.evil.example", "sts.amazonaws.com.evil.example", "amazonaws.com", "iam.amazonaws.com"]
        {
            assert!(!is_sts(name), "{name}");
        }
    }

    #[test]
    fn pages_of_others_are_refused() {
        let with = |origin, askers| check_one(&[("host", "localhost:8080"), ("origin", origin)], askers);
        assert_eq!(with("http://localhost:8080", Askers::OwnPages), Ok(()));
        assert_eq!(with("http://localhost:8080", Askers::Programs), Err(Refused::Origin));
        for origin in ["http://evil.example", "null", "https://localhost:8080", "http://localhost:8081"] {
            assert_eq!(with(origin, Askers::OwnPages), Err(Refused::Origin), "{origin}");
        }
    }
}
