use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::Options;
use crate::clock::Clock;

/// Asks on a connection that stays open, and reads the head of the answer.
async fn ask(socket: &mut TcpStream) {
    socket.write_all(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").await.unwrap();
    let mut head = [0; 1024];
    let read = socket.read(&mut head).await.unwrap();
    assert!(head[..read].starts_with(b"HTTP/1.1 403 "));
}

#[tokio::test]
async fn one_connection_too_many_waits_until_another_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let target = Target::in_memory(Clock::wall(), Options::default());
    let (_sender, stop) = watch::channel(false);
    let two = Arc::new(Semaphore::new(2));
    let served = tokio::spawn(accept(listener, two, Role::Control, target, Arc::default(), stop));
    let connect = || async { TcpStream::connect(address).await.unwrap() };
    let (mut first, mut second) = (connect().await, connect().await);
    ask(&mut first).await;
    ask(&mut second).await;
    let mut third = connect().await;
    third.write_all(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").await.unwrap();
    for _ in 0..20 {
        // Enough turns for an answer to the third, if it were let in.
        ask(&mut first).await;
        ask(&mut second).await;
    }
    let mut answer = [0; 13];
    let early = third.try_read(&mut answer);
    assert!(early.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock), "it was let in");
    drop(first);
    third.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 403 ");
    served.abort();
}
