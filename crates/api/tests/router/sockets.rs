//! Clients that hold connections, over real sockets: others are answered all the while.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutshort_api::{Limits, Options, Scope, TokenFile, Uploads};

use crate::client::{app, open};
use crate::memory::Memory;

/// A server on a socket, which ends with it.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// The head of a preface of HTTP/2, and the whole of it with empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// As many as a client may have, and more than fit in all.
const MANY: usize = 40;

fn limits() -> Limits {
    Limits { connections: 32, head: Duration::from_millis(600), idle: Duration::from_millis(900) }
}

impl Listening {
    pub(crate) fn with(options: Options, tokens: Option<std::path::PathBuf>) -> Self {
        let app = Arc::new(app(Arc::new(Memory::default()), options, tokens));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let stopped = async { drop(stopped.await) };
                cutshort_api::serve(listener, app, stopped, Duration::from_millis(100)).await;
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Connects, sends this, and waits for nothing.
    pub(crate) fn connect(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    }

    /// What a client at another address is answered to this request.
    pub(crate) fn ask(&self, request: &str) -> String {
        let socket = socket(OTHER, self.address);
        let mut stream = socket;
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[track_caller]
    fn is_healthy(&self) {
        let begin = Instant::now();
        let answer = self.ask("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(begin.elapsed() < Duration::from_secs(2), "it took {:?}", begin.elapsed());
    }

    /// A number of `/metrics`.
    fn metric(&self, name: &str) -> u64 {
        let answer = self.ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name}: {answer}")).parse::<f64>().unwrap() as u64
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().unwrap().join();
    }
}

/// A connection from one of this machine's own addresses.
fn socket(from: IpAddr, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream
}

/// Whether the server has ended a connection, whatever it said before.
fn has_ended(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// Many connections that begin so, and on which something is done again and again: others are answered, and all
/// connections end.
fn hold(begin: &[u8], again: impl Fn(&mut TcpStream)) {
    let server = Listening::with(Options { limits: limits(), ..open() }, None);
    let mut held: Vec<TcpStream> = (0..MANY).map(|_| server.connect(begin)).collect();
    let since = Instant::now();
    while held.iter_mut().any(|stream| !has_ended(stream)) {
        assert!(since.elapsed() < Duration::from_secs(20), "connections stay open");
        held.iter_mut().for_each(&again);
        server.is_healthy();
        std::thread::sleep(Duration::from_millis(50));
    }
    let share = 32 / 8;
    assert_eq!(server.metric("cutshort_http_connections_idle_total"), share);
    let refused = server.metric("cutshort_http_connections_refused_total{reason=\"share\"}");
    assert_eq!(refused, MANY as u64 - share);
    // A connection that its client has closed is counted until the server has seen that.
    while server.metric("cutshort_http_connections") != 1 {
        assert!(since.elapsed() < Duration::from_secs(20), "only the one that asks is left");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn nothing(_: &mut TcpStream) {}

#[test]
fn silent_connections_end() {
    hold(b"", nothing);
}

#[test]
fn parts_of_a_preface_end() {
    hold(&PREFACE[..5], nothing);
}

#[test]
fn slow_heads_end() {
    hold(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n", |stream| {
        let _ = stream.write(b"X");
    });
}

#[test]
fn idle_connections_end_after_their_requests() {
    hold(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", nothing);
}

#[test]
fn idle_connections_of_http_2_end_even_if_they_ping() {
    hold(&[PREFACE, SETTINGS].concat(), |stream| {
        let _ = stream.write(&[&[0, 0, 8, 6, 0, 0, 0, 0, 0][..], b"pingping"].concat());
    });
}

#[test]
fn a_connection_that_is_used_stays() {
    let server = Listening::with(Options { limits: limits(), ..open() }, None);
    let mut stream = server.connect(b"");
    let begin = Instant::now();
    while begin.elapsed() < 2 * limits().idle {
        stream.write_all(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
        std::thread::sleep(limits().idle / 5);
    }
}

#[test]
fn who_is_refused_is_told() {
    let server = Listening::with(Options { limits: limits(), ..open() }, None);
    let _held: Vec<TcpStream> = (0..4).map(|_| server.connect(b"")).collect();
    server.is_healthy();
    let mut refused = server.connect(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut answer = Vec::new();
    let _ = refused.read_to_end(&mut answer);
    // What comes after the refusal resets the connection, at times before the answer is read.
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503 "), "{answer}");
}

/// A request that announces `length` bytes and contains only `body`.
fn upload(token: &str, length: usize, body: &str) -> String {
    format!(
        "POST /ingest/v1/segments HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[test]
fn slow_uploads_do_not_hold_up_others_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = TokenFile::path(folder.path());
    let mut tokens = TokenFile::read(&path).unwrap();
    let token = tokens.create("agent", &[Scope::Ingest], None, "").unwrap();
    tokens.write(&path).unwrap();
    let uploads = Uploads { patience: Duration::from_secs(3), slowest: 100, most: Duration::from_secs(30) };
    // Shorter than a body may take.
    let timeout = Duration::from_millis(800);
    let server = Listening::with(Options { uploads, timeout, ..open() }, Some(path));
    let mut slow: Vec<TcpStream> =
        (0..8).map(|_| server.connect(upload(&token, 1000, "PAR1").as_bytes())).collect();
    let mut steady = server.connect(upload(&token, 2000, "PAR1").as_bytes());
    let begin = Instant::now();
    let answer = server.ask(&upload(&token, 4, "PAR1"));
    assert!(answer.starts_with("HTTP/1.1 400"), "it is no segment: {answer}");
    assert!(begin.elapsed() < uploads.patience, "it took {:?}", begin.elapsed());
    // 400 bytes a second, and done after the time in which a request is answered.
    for _ in 0..45 {
        std::thread::sleep(Duration::from_millis(100));
        steady.write_all(&[b'x'; 40]).unwrap();
    }
    steady.write_all(&[b'x'; 196]).unwrap();
    let answer = |stream: &mut TcpStream| {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let steady = answer(&mut steady);
    assert!(steady.starts_with("HTTP/1.1 400"), "it is no segment, but arrived: {steady}");
    for stream in &mut slow {
        let answer = answer(stream);
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("bytes/s"), "{answer}");
    }
}

#[test]
fn a_proxy_has_no_share() {
    let server = Listening::with(Options { limits: limits(), forwarded: true, ..open() }, None);
    let mut held: Vec<TcpStream> = (0..20).map(|_| server.connect(b"")).collect();
    server.is_healthy();
    assert!(held.iter_mut().all(|stream| !has_ended(stream)));
}
