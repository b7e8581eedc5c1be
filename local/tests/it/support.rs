//! What the tests share: packages made of the test bootstrap, a served target, and small clients.

use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use local::clock::Clock;
use local::serve::{self, RunFile, ServeError};
use local::state_directory::StateDirectory;
use local::{Options, Target};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Returns a zip of `bootstrap` alone.
pub(crate) fn package_of(bootstrap: &[u8]) -> Bytes {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).unix_permissions(0o755);
    writer.start_file("bootstrap", options).unwrap();
    writer.write_all(bootstrap).unwrap();
    Bytes::from(writer.finish().unwrap().into_inner())
}

/// Returns the package of the test bootstrap.
pub(crate) fn package() -> Bytes {
    static PACKAGE: OnceLock<Bytes> = OnceLock::new();
    PACKAGE.get_or_init(|| package_of(&std::fs::read(env!("CARGO_BIN_EXE_test-bootstrap")).unwrap())).clone()
}

/// A target served by a thread of its own, until it is dropped.
pub(crate) struct Served {
    pub(crate) target: Target,
    pub(crate) run_file: RunFile,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    /// Serves what is in the directory.
    pub(crate) fn start(directory: &StateDirectory) -> Result<Self, ServeError> {
        let target = Target::open(directory, Clock::wall(), Options::default()).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (started, running) = mpsc::channel();
        let (theirs, directory) = (target.clone(), directory.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                match serve::serve(theirs, &directory).await {
                    Ok(running) => {
                        started.send(Ok(running.run_file().clone())).unwrap();
                        let _asked = stopped.await;
                        running.stop().await;
                    }
                    Err(error) => started.send(Err(error)).unwrap(),
                }
            });
        });
        let run_file = running.recv().unwrap()?;
        Ok(Self { target, run_file, stop: Some(stop), thread: Some(thread) })
    }

    /// Connects to the port of this URL.
    pub(crate) fn connect(url: &str) -> TcpStream {
        let socket = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        socket
    }

    /// Connects to the data port, asking for the server `name` and offering `protocols`.
    pub(crate) fn connect_data(
        &self,
        name: &str,
        protocols: &[&str],
    ) -> Result<StreamOwned<ClientConnection, TcpStream>, std::io::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.run_file.ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(("127.0.0.1", self.run_file.data_port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut stream = StreamOwned::new(client, socket);
        stream.conn.complete_io(&mut stream.sock)?;
        Ok(stream)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Sends `request` (a whole HTTP/1.1 request) and returns the answer's head and body.
pub(crate) fn exchange(stream: &mut (impl Read + Write), request: &[u8]) -> (String, Vec<u8>) {
    stream.write_all(request).unwrap();
    stream.flush().unwrap();
    let mut reader = BufReader::new(stream);
    let head = read_head(&mut reader);
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

/// Reads the head of an answer.
pub(crate) fn read_head(reader: &mut impl BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "the connection ended in {head:?}");
    }
    head
}
