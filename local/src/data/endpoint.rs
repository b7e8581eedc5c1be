//! The names of the data endpoints, and what the socket knows about a request.

/// How the name of every data endpoint begins; `DescribeEndpoint` answers with it.
const BEFORE_REGION: &str = "thinggatelocal-ats.iot.";
/// How it ends.
pub const HOST_SUFFIX: &str = "amazonaws.com";
/// Longest Region name taken.
const REGION_BYTES_MAX: usize = 32;

/// The data endpoint of `region`, such as `thinggatelocal-ats.iot.eu-west-1.amazonaws.com`.
pub fn host(region: &str) -> String {
    format!("{BEFORE_REGION}{region}.{HOST_SUFFIX}")
}

/// What a name of ours means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The endpoint of this Region.
    Region(String),
    /// `localhost`: no Region is named.
    Localhost,
}

impl Endpoint {
    /// What `name`, without a port, means; `None` when it is not ours.
    pub fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if name == "localhost" {
            return Some(Self::Localhost);
        }
        let region = name.strip_prefix(BEFORE_REGION)?.strip_suffix(HOST_SUFFIX)?.strip_suffix('.')?;
        let well_formed = (1..=REGION_BYTES_MAX).contains(&region.len())
            && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        well_formed.then(|| Self::Region(region.to_owned()))
    }
}

/// What the socket knows about a request; put into its extensions by [`crate::serve`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The server name that the client asked for in the TLS handshake.
    pub server_name: String,
    /// The id of the connection, a UUID, as the authorizer's event tells it.
    pub connection: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_names_are_ours() {
        assert_eq!(Endpoint::of(&host("eu-west-1")), Some(Endpoint::Region("eu-west-1".into())));
        assert_eq!(Endpoint::of("LOCALHOST"), Some(Endpoint::Localhost));
        for other in [
            "",
            "127.0.0.1",
            "evil.example",
            "thinggatelocal-ats.iot.amazonaws.com",
            "thinggatelocal-ats.iot..amazonaws.com",
            "thinggatelocal-ats.iot.eu.west.amazonaws.com",
            "other-ats.iot.eu-west-1.amazonaws.com",
            "thinggatelocal-ats.iot.eu-west-1.amazonaws.com.evil.example",
            "xthinggatelocal-ats.iot.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(Endpoint::of(other), None, "{other}");
        }
    }
}
