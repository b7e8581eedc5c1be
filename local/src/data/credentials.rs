//! What a device brings: in headers or in the query string, whichever (AWS IoT Developer Guide,
//! "Connecting to AWS IoT Core by using custom authentication").

use http::HeaderMap;

use crate::Request;

const AUTHORIZER_NAME: &str = "x-amz-customauthorizer-name";
/// Carries the token signature.
pub(super) const SIGNATURE: &str = "x-amz-customauthorizer-signature";

/// One name was given two values: which of them counts would be a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ambiguous(pub(super) String);

/// The places in which credentials travel.
pub(super) struct Credentials<'a> {
    headers: &'a HeaderMap,
    query: Vec<(String, String)>,
}

impl<'a> Credentials<'a> {
    pub(super) fn of(request: &'a Request) -> Self {
        let query = request.uri().query().unwrap_or_default();
        Self {
            headers: request.headers(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        }
    }

    /// The authorizer that the device names.
    pub(super) fn authorizer_name(&self) -> Result<Option<String>, Ambiguous> {
        self.value(AUTHORIZER_NAME)
    }

    /// The token signature.
    pub(super) fn signature(&self) -> Result<Option<String>, Ambiguous> {
        self.value(SIGNATURE)
    }

    /// The token, under the authorizer's token key name.
    pub(super) fn token(&self, key_name: &str) -> Result<Option<String>, Ambiguous> {
        self.value(key_name)
    }

    /// Header names are not case sensitive, names in a query are. An empty value is none.
    fn value(&self, name: &str) -> Result<Option<String>, Ambiguous> {
        let header = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let mut values: Vec<String> = self.headers.get_all(name).iter().map(header).collect();
        values.extend(self.query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()));
        values.retain(|value| !value.is_empty());
        values.dedup();
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(Ambiguous(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request {
        let mut builder = http::Request::builder().uri(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(Bytes::new()).unwrap()
    }

    #[test]
    fn headers_and_query_are_both_read() {
        let by_header = request("/topics/a", &[("X-Amz-CustomAuthorizer-Name", "one"), ("Token", "abc")]);
        let by_query = request("/topics/a?x-amz-customauthorizer-name=one&token=a%2Bb%2F%3D", &[]);
        for (request, key, token) in
            [(&by_header, "token", "abc"), (&by_header, "TOKEN", "abc"), (&by_query, "token", "a+b/=")]
        {
            let credentials = Credentials::of(request);
            assert_eq!(credentials.authorizer_name(), Ok(Some("one".into())));
            assert_eq!(credentials.token(key), Ok(Some(token.into())));
            assert_eq!(credentials.signature(), Ok(None));
        }
        // A query name has one spelling, and a bare + in a query is a space, which breaks a signature.
        assert_eq!(Credentials::of(&by_query).token("Token"), Ok(None));
        let bare = request("/topics/a?x-amz-customauthorizer-signature=a+b", &[]);
        assert_eq!(Credentials::of(&bare).signature(), Ok(Some("a b".into())));
    }

    #[test]
    fn two_values_of_one_name_are_no_value() {
        for request in [
            request("/topics/a", &[("token", "one"), ("token", "two")]),
            request("/topics/a?token=one", &[("token", "two")]),
            request("/topics/a?token=one&token=two", &[]),
        ] {
            assert_eq!(Credentials::of(&request).token("token"), Err(Ambiguous("token".into())));
        }
        let same = request("/topics/a?token=one", &[("token", "one")]);
        assert_eq!(Credentials::of(&same).token("token"), Ok(Some("one".into())));
        let empty = request("/topics/a?token=", &[("token", "")]);
        assert_eq!(Credentials::of(&empty).token("token"), Ok(None));
    }
}
