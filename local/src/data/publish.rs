//! `POST /topics/{topic}`: what the request asks for, before anybody is asked whether it may.
//! (API reference `iot-data`, `Publish`; AWS IoT Developer Guide, "HTTPS".)

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use super::topic::Topic;
use crate::Request;
use crate::refusal_log::Why;

/// A message's payload (AWS IoT Core quotas, "Payload size": 128 KB).
pub(super) const PAYLOAD_BYTES_MAX: usize = 128 << 10;

/// A request to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Publish {
    pub(super) topic: Topic,
    pub(super) qos: u8,
    pub(super) retain: bool,
    pub(super) payload: Bytes,
}

/// Why a request is not one to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invalid {
    pub(super) status: u16,
    pub(super) why: Why,
    pub(super) text: String,
}

fn invalid(text: impl Into<String>) -> Invalid {
    Invalid { status: 400, why: Why::InvalidRequest, text: text.into() }
}

impl Publish {
    /// Reads the request. The topic is what follows `/topics/`, decoded once and never normalised: it is
    /// the topic that is authorised, and the topic that is published.
    pub(super) fn read(request: &Request) -> Result<Self, Invalid> {
        let Some(encoded) = request.uri().path().strip_prefix("/topics/") else {
            return Err(Invalid { status: 404, why: Why::UnknownPath, text: "Not Found".into() });
        };
        if request.method() != Method::POST {
            return Err(Invalid {
                status: 405,
                why: Why::MethodNotAllowed,
                text: "Method Not Allowed".into(),
            });
        }
        let topic =
            percent_decode_str(encoded).decode_utf8().map_err(|_| invalid("the topic is not UTF-8"))?;
        let topic = Topic::new(&topic).map_err(|error| invalid(format!("the topic: {error}")))?;
        if request.body().len() > PAYLOAD_BYTES_MAX {
            let text = format!("the payload is larger than {PAYLOAD_BYTES_MAX} bytes");
            return Err(Invalid { status: 413, why: Why::PayloadTooLarge, text });
        }
        let (qos, retain) = parameters(request.uri().query().unwrap_or_default())?;
        check_headers(request.headers())?;
        Ok(Self { topic, qos, retain, payload: request.body().clone() })
    }
}

/// `qos` and `retain`; the others are checked, and credentials are none of this module's business.
fn parameters(query: &str) -> Result<(u8, bool), Invalid> {
    let (mut qos, mut retain) = (None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let repeated = match &*name {
            "qos" => {
                let level = match &*value {
                    "0" => 0,
                    "1" => 1,
                    _ => return Err(invalid("`qos` is 0 or 1")),
                };
                qos.replace(level).is_some()
            }
            "retain" => {
                let flag = match &*value {
                    "true" => true,
                    "false" => false,
                    _ => return Err(invalid("`retain` is true or false")),
                };
                retain.replace(flag).is_some()
            }
            "messageExpiry" if value.parse::<u32>().is_err() => {
                return Err(invalid("`messageExpiry` is a number of seconds"));
            }
            "responseTopic" if value.contains(['+', '#']) => {
                return Err(invalid("`responseTopic` is a topic, not a filter"));
            }
            _ => false,
        };
        if repeated {
            return Err(invalid(format!("`{name}` is there twice")));
        }
    }
    Ok((qos.unwrap_or(0), retain.unwrap_or(false)))
}

/// The MQTT 5 properties that travel in headers.
fn check_headers(headers: &HeaderMap) -> Result<(), Invalid> {
    let text = |name: &str| {
        let value = headers.get(name)?;
        Some(value.to_str().map_err(|_| invalid(format!("`{name}` is not text"))))
    };
    let decoded = |name: &str| {
        let decode =
            |value: &str| STANDARD.decode(value).map_err(|_| invalid(format!("`{name}` is not base64")));
        text(name).map(|value| value.and_then(decode)).transpose()
    };
    if let Some(indicator) = text("x-amz-mqtt5-payload-format-indicator").transpose()?
        && !matches!(indicator, "UNSPECIFIED_BYTES" | "UTF8_DATA")
    {
        return Err(invalid("the payload format is UNSPECIFIED_BYTES or UTF8_DATA"));
    }
    decoded("x-amz-mqtt5-correlation-data")?;
    if let Some(properties) = decoded("x-amz-mqtt5-user-properties")?
        && serde_json::from_slice::<serde_json::Value>(&properties).is_err()
    {
        return Err(invalid("the user properties are not JSON in base64"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: Method, uri: &str, size: usize) -> Result<Publish, Invalid> {
        let body = Bytes::from(vec![b'x'; size]);
        Publish::read(&http::Request::builder().method(method).uri(uri).body(body).unwrap())
    }

    /// Path and the topic that it is; the paths that gateways have been led astray with.
    const PATHS: &[(&str, &str)] = &[
        ("/topics/a", "a"),
        ("/topics/a/b", "a/b"),
        ("/topics/a%2Fb", "a/b"),
        ("/topics/a%2fb", "a/b"),
        ("/topics/a/", "a/"),
        ("/topics//a", "/a"),
        ("/topics/a//b", "a//b"),
        ("/topics/a/../b", "a/../b"),
        ("/topics/a/%2e%2e/b", "a/../b"),
        ("/topics/./a", "./a"),
        ("/topics/A", "A"),
        ("/topics/%41", "A"),
        ("/topics/a%252Fb", "a%2Fb"),
        ("/topics/a%2e%252e", "a.%2e"),
        ("/topics/a+b", "?"),
        ("/topics/a%20b", "a b"),
        ("/topics/%C3%A9", "é"),
        ("/topics/a%3Fb", "a?b"),
        ("/topics/a;b=c", "a;b=c"),
        ("/topics/a%", "a%"),
    ];

    #[test]
    fn the_topic_is_the_path_decoded_once() {
        for (path, topic) in PATHS {
            let read = read(Method::POST, path, 0);
            if *topic == "?" {
                assert!(read.unwrap_err().text.contains("filters"), "{path}: + is no space in a path");
            } else {
                assert_eq!(read.unwrap().topic.as_str(), *topic, "{path}");
            }
        }
    }

    #[test]
    fn what_is_no_publish_is_told_apart() {
        let status = |method, uri: &str, size| read(method, uri, size).unwrap_err().status;
        for path in ["/", "/topics", "/Topics/a", "//topics/a", "/topic/a", "/mqtt"] {
            assert_eq!(status(Method::POST, path, 0), 404, "{path}");
        }
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD] {
            assert_eq!(status(method, "/topics/a", 0), 405);
        }
        for bad in [
            "/topics/",
            "/topics/%FF",
            "/topics/a%00",
            "/topics/$aws/things",
            "/topics/%24aws",
            "/topics/a/%23",
            "/topics/1/2/3/4/5/6/7/8/9",
            "/topics/a?qos=2",
            "/topics/a?qos=",
            "/topics/a?qos=1&qos=1",
            "/topics/a?retain=yes",
            "/topics/a?messageExpiry=-1",
            "/topics/a?responseTopic=%2B",
        ] {
            assert_eq!(status(Method::POST, bad, 0), 400, "{bad}");
        }
        assert!(read(Method::POST, "/topics/a", PAYLOAD_BYTES_MAX).is_ok());
        assert_eq!(status(Method::POST, "/topics/a", PAYLOAD_BYTES_MAX + 1), 413);
    }

    #[test]
    fn parameters_are_read() {
        let read =
            read(Method::POST, "/topics/a?qos=1&retain=true&contentType=text%2Fplain&token=x", 3).unwrap();
        assert_eq!((read.qos, read.retain, read.payload.len()), (1, true, 3));
        let read = super::tests::read(Method::POST, "/topics/a", 0).unwrap();
        assert_eq!((read.qos, read.retain), (0, false));
    }
}
