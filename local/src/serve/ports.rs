//! The ports of a state directory: chosen once, then kept, so that endpoints stay the same.

use std::io::ErrorKind;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::ServeError;
use crate::state_directory::StateDirectory;

const FILE: &str = "ports.json";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ports {
    control: u16,
    data: u16,
    identity: u16,
}

/// The three listening sockets, on the loopback address only.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) control: TcpListener,
    pub(super) data: TcpListener,
    pub(super) identity: TcpListener,
}

impl Listeners {
    /// Binds the ports of the directory; the first time, ports that the system chooses.
    pub(super) async fn bind(directory: &StateDirectory) -> Result<Self, ServeError> {
        let known: Option<Ports> = directory.read_json(FILE)?;
        let wanted = known.unwrap_or(Ports { control: 0, data: 0, identity: 0 });
        let listeners = Self {
            control: bind("control", wanted.control).await?,
            data: bind("data", wanted.data).await?,
            identity: bind("identity", wanted.identity).await?,
        };
        if known.is_none() {
            let ports = Ports {
                control: port(&listeners.control)?,
                data: port(&listeners.data)?,
                identity: port(&listeners.identity)?,
            };
            directory.write_json(FILE, &ports)?;
        }
        Ok(listeners)
    }
}

/// The port that a socket listens on.
pub(super) fn port(listener: &TcpListener) -> Result<u16, ServeError> {
    Ok(listener.local_addr()?.port())
}

async fn bind(what: &'static str, port: u16) -> Result<TcpListener, ServeError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => ServeError::PortTaken { what, port },
        _ => ServeError::Io(error),
    })
}
