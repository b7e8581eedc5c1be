//! Real sockets: one connector for the SDK and everybody else, rustls over aws-lc.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

/// How long a TCP and TLS connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How the network is reached.
#[derive(Clone, Debug, Default)]
pub struct NetworkOptions {
    /// Whom TLS trusts.
    pub roots: Roots,
    /// Host names that are not looked up: the local target's, which no name server knows.
    pub resolve: Vec<(String, IpAddr)>,
    /// Hosts that are served elsewhere, with the base URL (scheme and authority) that serves them.
    pub routes: Vec<(String, String)>,
    /// Whether `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are honoured.
    pub proxy_from_environment: bool,
}

/// Whom TLS trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// The system's certificate authorities.
    #[default]
    System,
    /// The system's and those of this PEM text, such as a company's own.
    SystemAnd(Vec<u8>),
    /// Those of this PEM text alone: the local target's.
    Only(Vec<u8>),
}

/// The connector, built at the first request: reading the system's roots takes tens of milliseconds
/// that `validate` and `--version` need not spend.
#[derive(Debug)]
pub(super) struct Network {
    options: NetworkOptions,
    connector: OnceLock<Result<Connector, &'static str>>,
    /// For hosts that no proxy may see.
    direct: OnceLock<Result<Connector, &'static str>>,
}

impl Network {
    pub(super) fn new(options: NetworkOptions) -> Self {
        Self { options, connector: OnceLock::new(), direct: OnceLock::new() }
    }

    /// The address that serves `uri` instead, if its host has a route.
    fn routed(&self, uri: &str) -> Option<String> {
        let parsed: http::Uri = uri.parse().ok()?;
        let (_, base) = self.options.routes.iter().find(|(host, _)| Some(host.as_str()) == parsed.host())?;
        let path = parsed.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        Some(format!("{}{path}", base.trim_end_matches('/')))
    }

    /// The connector that reaches `uri`.
    fn connector(&self, uri: &str) -> &Result<Connector, &'static str> {
        if !self.options.proxy_from_environment || is_nearby(host_of(uri)) {
            return self.direct.get_or_init(|| self.build(ProxyConfig::disabled()));
        }
        self.connector.get_or_init(|| self.build(ProxyConfig::from_env()))
    }

    fn build(&self, proxy: ProxyConfig) -> Result<Connector, &'static str> {
        let store = match &self.options.roots {
            Roots::System => TrustStore::default(),
            Roots::SystemAnd(pem) => TrustStore::default().with_pem_certificate(pem.clone()),
            Roots::Only(pem) => TrustStore::empty().with_pem_certificate(pem.clone()),
        };
        let resolver = Resolver(self.options.resolve.clone());
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
        // The builder has no error: it panics on a root that is no certificate.
        let build = move || {
            let context = TlsContext::builder().with_trust_store(store).build().ok()?;
            let builder = Connector::builder().connector_settings(settings).proxy_config(proxy);
            let builder = builder.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context);
            Some(builder.build_with_resolver(resolver))
        };
        catch_unwind(AssertUnwindSafe(build)).ok().flatten().ok_or(
            "TLS cannot start: the system's certificate authorities or the extra ones cannot be read as PEM certificates",
        )
    }
}

impl HttpConnector for Network {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        if let Some(uri) = self.routed(request.uri())
            && let Err(error) = request.set_uri(uri)
        {
            return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
        }
        match self.connector(request.uri()) {
            Ok(connector) => connector.call(request),
            Err(reason) => HttpConnectorFuture::ready(Err(ConnectorError::user((*reason).into()))),
        }
    }
}

/// The host of a URI, an IPv6 address without its brackets.
pub(super) fn host_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

/// Whether a host is this machine or its metadata service. A proxy cannot reach them, and what they give,
/// a machine's credentials in clear, is not for a proxy.
fn is_nearby(host: &str) -> bool {
    match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        // AWS's metadata addresses over IPv6: fd00:ec2::254 of a machine, fd00:ec2::23 of a pod.
        Ok(IpAddr::V6(address)) => {
            address.is_loopback()
                || address.is_unicast_link_local()
                || address.segments().starts_with(&[0xfd00, 0xec2])
        }
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Answers the fixed names itself and asks the system for the rest.
#[derive(Clone, Debug)]
struct Resolver(Vec<(String, IpAddr)>);

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        let fixed: Vec<IpAddr> =
            self.0.iter().filter(|(host, _)| host.eq_ignore_ascii_case(name)).map(|(_, ip)| *ip).collect();
        if !fixed.is_empty() {
            return DnsFuture::ready(Ok(fixed));
        }
        DnsFuture::new(async move {
            let found = tokio::net::lookup_host((name, 0)).await.map_err(ResolveDnsError::new)?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_in_its_address() {
        let cases = [
            ("http://169.254.169.254/latest/api/token", "169.254.169.254"),
            ("http://[fd00:ec2::254]:80/latest", "fd00:ec2::254"),
            ("https://user:word@host.example:8443?a=b", "host.example"),
            ("host.example", "host.example"),
        ];
        for (uri, expected) in cases {
            assert_eq!(host_of(uri), expected);
        }
    }

    /// Addresses: Amazon EC2 user guide "Use the Instance Metadata Service", Amazon ECS developer guide
    /// "Task IAM role" (169.254.170.2), Amazon EKS user guide "EKS Pod Identity" (169.254.170.23).
    #[test]
    fn no_proxy_sees_this_machine_and_its_metadata() {
        for near in [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "127.0.0.1",
            "127.1.2.3",
            "::1",
            "localhost",
            "LOCALHOST",
            "fe80::1",
        ] {
            assert!(is_nearby(near), "{near}");
        }
        for far in
            ["sts.eu-west-1.amazonaws.com", "10.0.0.1", "169.253.0.1", "fd00::1", "localhost.example", ""]
        {
            assert!(!is_nearby(far), "{far}");
        }
    }
}
