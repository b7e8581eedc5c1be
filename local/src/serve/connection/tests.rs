use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance};

use super::*;
use crate::clock::Clock;
use crate::data::broker::Message;
use crate::data::topic::Topic;

/// tokio's default of `max_blocking_threads`.
const BLOCKING_THREADS: usize = 512;

#[test]
fn whoever_blocks_takes_no_thread_from_another_kind() {
    let places = Places::default();
    let peer = Peer { server_name: String::new(), connection: String::new() };
    let kinds = [
        (Port::Data(peer), "/topics/t"),
        (Port::Control, "/2015-03-31/functions"),
        (Port::Control, "/_local/faults"),
        (Port::Identity, "/token"),
    ];
    let mut taken = Vec::new();
    for (port, path) in &kinds {
        // All that one kind may have is gone, and every other still has its own.
        let before = taken.len();
        while let Ok(place) = places.of(port, path).try_acquire() {
            taken.push(place);
        }
        assert!(taken.len() - before >= 32, "{path} has {} of its own", taken.len() - before);
    }
    assert!(taken.len() < BLOCKING_THREADS, "{}", taken.len());
    taken.clear();
    let all: Vec<_> = kinds.iter().map(|(port, path)| places.of(port, path).try_acquire()).collect();
    assert!(all.iter().all(Result::is_ok));
}

/// A served connection through which so many bytes fit that nobody has read.
fn connect(target: &Target, bytes: usize) -> (DuplexStream, JoinHandle<()>) {
    let (client, far_end) = duplex(bytes);
    let (sender, stop) = watch::channel(false);
    let served = serve_stream(far_end, Role::Control, target.clone(), Arc::default(), stop);
    let served = tokio::spawn(async move {
        served.await;
        drop(sender);
    });
    (client, served)
}

fn target() -> Target {
    Target::in_memory(Clock::wall(), crate::Options::default())
}

/// How long the connection lasts while its client does nothing more.
async fn lasts(served: JoinHandle<()>) -> Duration {
    let began = Instant::now();
    let ended = timeout(Duration::from_hours(24), served).await;
    ended.expect("the connection is held for ever").unwrap();
    began.elapsed()
}

/// Answered at once, by the guard: its answer is longer than what fits.
const REFUSED: &[u8] = b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n";
const FITS_BYTES: usize = 64;

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_loses_the_connection() {
    let (mut client, served) = connect(&target(), FITS_BYTES);
    client.write_all(REFUSED).await.unwrap();
    let lasted = lasts(served).await;
    assert!(lasted >= WRITE_LIMIT && lasted < WRITE_LIMIT + Duration::from_secs(1), "{lasted:?}");
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest.len(), FITS_BYTES);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_gets_its_whole_answer() {
    let (mut client, served) = connect(&target(), FITS_BYTES);
    client.write_all(REFUSED).await.unwrap();
    let (began, mut read) = (Instant::now(), Vec::new());
    while !read.ends_with(b"\n") || !read.windows(4).any(|end| end == b"\r\n\r\n") {
        advance(WRITE_LIMIT / 2).await;
        read.push(client.read_u8().await.unwrap());
    }
    assert!(read.starts_with(b"HTTP/1.1 403 "));
    assert!(began.elapsed() > WRITE_LIMIT * 10, "{:?}", began.elapsed());
    served.abort();
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_stops_reading_loses_the_connection() {
    let target = target();
    let (mut client, served) = connect(&target, 4096);
    let key = target.credentials().secret_access_key;
    let asked = format!("GET /_local/messages HTTP/1.1\r\nHost: localhost\r\nx-thinggate-key: {key}\r\n\r\n");
    client.write_all(asked.as_bytes()).await.unwrap();
    let mut head = [0; 15];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    target.deliver(Message {
        region: "eu-west-1".into(),
        topic: Topic::new("t").unwrap(),
        payload: vec![b'x'; 8192].into(),
        qos: 0,
        retain: false,
        at: std::time::SystemTime::UNIX_EPOCH,
        trace_id: "t".into(),
    });
    let lasted = lasts(served).await;
    assert!(lasted < WRITE_LIMIT + Duration::from_secs(1), "{lasted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_finish_its_request_loses_the_connection() {
    for (sent, limit) in [
        ("", HEAD_LIMIT),
        ("GET / HTTP/1.1\r\nHost: loc", HEAD_LIMIT),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf", BODY_LIMIT),
    ] {
        let (mut client, served) = connect(&target(), 4096);
        client.write_all(sent.as_bytes()).await.unwrap();
        let lasted = lasts(served).await;
        assert!(lasted >= limit && lasted < limit + Duration::from_secs(1), "{sent:?}: {lasted:?}");
    }
}
