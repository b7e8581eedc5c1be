//! Sockets around the target: loopback only, each port chosen once for its state directory and kept.
//!
//! * control (HTTP): the AWS APIs, and the target's own switches under `/_local/`;
//! * data (HTTPS): devices, by the names of the data endpoints, with the directory's own authority;
//! * identity (HTTP): the identity provider.
//!
//! While it serves, `run.json` in the state directory says where ([`RunFile`]).

mod authority;
mod connection;
mod guard;
mod ports;
mod write_limit;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::Target;
use crate::data::endpoint;
use crate::state_directory::{OpenError, StateDirectory};
use connection::{Places, Role};
use ports::Listeners;

/// Says where a target is served; `run.json` in the state directory.
pub const RUN_FILE: &str = "run.json";
/// Connections of one port at a time; further ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 512;
/// Between two tries when the system has no descriptor for a connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
/// What answers in progress get at the end.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// Why a target cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The state directory cannot be used.
    #[error(transparent)]
    Directory(#[from] OpenError),
    /// The operating system refused.
    #[error("the local target cannot be served: {0}")]
    Io(#[from] io::Error),
    /// A port that was chosen earlier is somebody else's now.
    #[error(
        "port {port} ({what}), kept in `ports.json`, is in use by another program; end it, or remove that file to choose new ports"
    )]
    PortTaken {
        /// What the port is for.
        what: &'static str,
        /// Its number.
        port: u16,
    },
    /// The certificate authority of the directory cannot be used.
    #[error("the certificate authority of the local target cannot be used: {0}")]
    Certificate(String),
}

impl From<rcgen::Error> for ServeError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

/// Where a served target is, and the access key that signs for it. Holds a secret: the file is 0600.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// The process that serves.
    pub pid: u32,
    /// The endpoint of every AWS API, such as `http://127.0.0.1:40001`.
    pub control_url: String,
    /// A data endpoint is `thinggatelocal-ats.iot.REGION.` and this; it resolves to nothing: connect to
    /// 127.0.0.1 and `data_port`.
    pub data_host_suffix: String,
    /// The port of the data endpoints on 127.0.0.1.
    pub data_port: u16,
    /// The identity provider.
    pub identity_url: String,
    /// The target's own switches: `http://127.0.0.1:40001/_local`.
    pub admin_url: String,
    /// The certificate that clients of the data endpoints trust.
    pub ca: PathBuf,
    /// The target's access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
}

impl fmt::Debug for RunFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RunFile").field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// A target that is being served. Dropping it ends it at once; [`Running::stop`] lets answers finish.
#[derive(Debug)]
pub struct Running {
    run_file: RunFile,
    directory: StateDirectory,
    target: Target,
    stop: watch::Sender<bool>,
    ports: Vec<JoinHandle<()>>,
}

/// Serves `target` until the value that it returns is stopped or dropped. Needs a tokio runtime.
pub async fn serve(target: Target, directory: &StateDirectory) -> Result<Running, ServeError> {
    let tls = TlsAcceptor::from(Arc::new(authority::tls(directory)?));
    let Listeners { control, data, identity } = Listeners::bind(directory).await?;
    let control_url = format!("http://127.0.0.1:{}", ports::port(&control)?);
    let credentials = target.credentials();
    let run_file = RunFile {
        pid: std::process::id(),
        data_host_suffix: endpoint::HOST_SUFFIX.to_owned(),
        data_port: ports::port(&data)?,
        identity_url: format!("http://127.0.0.1:{}", ports::port(&identity)?),
        admin_url: format!("{control_url}/_local"),
        control_url,
        ca: std::path::absolute(directory.path().join(authority::CERTIFICATE_FILE))?,
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key,
    };
    target.provider().set_public_base(&run_file.identity_url);
    let (stop, stopping) = watch::channel(false);
    let places = Arc::new(Places::default());
    let port = |listener, role| {
        let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        tokio::spawn(accept(listener, free, role, target.clone(), Arc::clone(&places), stopping.clone()))
    };
    let ports =
        vec![port(control, Role::Control), port(data, Role::Data(tls)), port(identity, Role::Identity)];
    // Last: whoever finds the file can connect.
    directory.write_json(RUN_FILE, &run_file)?;
    Ok(Running { run_file, directory: directory.clone(), target, stop, ports })
}

impl Running {
    /// Where it is.
    pub fn run_file(&self) -> &RunFile {
        &self.run_file
    }

    /// Whether its state directory is still where others look for it: else they do not find this target, and
    /// no change of its state can be written.
    pub fn is_in_place(&self) -> bool {
        self.directory.is_in_place()
    }

    /// Takes no new connection, lets answers in progress finish for a moment, and removes the run file.
    pub async fn stop(mut self) {
        // First, so that nobody finds a target that is about to go.
        let _absent = self.directory.remove(RUN_FILE);
        self.stop.send_replace(true);
        self.target.end_subscriptions();
        self.target.faults().release();
        for port in std::mem::take(&mut self.ports) {
            let abort = port.abort_handle();
            if timeout(STOP_LIMIT, port).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for port in &self.ports {
            port.abort();
        }
        // What waits for them holds a thread, and with it the end of the program.
        self.target.end_subscriptions();
        self.target.faults().release();
        // It is gone already after a stop; when it cannot be removed, its pid says that nobody serves.
        let _absent = self.directory.remove(RUN_FILE);
    }
}

/// Accepts connections, as many at a time as `free` has places, until told to stop; then waits for those that
/// are open. Aborting it ends them.
async fn accept(
    listener: TcpListener,
    free: Arc<Semaphore>,
    role: Role,
    target: Target,
    places: Arc<Places>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&free).acquire_owned().await.ok()?;
            Some((listener.accept().await, place))
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            _ = stop.wait_for(|stop| *stop) => None,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Some((Ok((socket, _)), place)) => {
                let served = connection::serve(
                    socket,
                    role.clone(),
                    target.clone(),
                    Arc::clone(&places),
                    stop.clone(),
                );
                connections.spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            Some((Err(error), _)) if connection::is_passing(&error) => {}
            // Out of file descriptors, most likely: others must end before the next can come.
            Some((Err(_), _)) => tokio::time::sleep(ACCEPT_AGAIN).await,
            None => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests;
