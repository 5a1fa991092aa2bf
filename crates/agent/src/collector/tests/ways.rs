//! Encrypted, and through a proxy.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread::JoinHandle;

use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use super::*;
use cutshort_client::Verifier;

/// The usual recipe for a self-signed certificate, which calls itself an authority.
const SELF_SIGNED: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";

/// A folder in which a shell has made certificates. None, with a word, where openssl is missing.
fn certificates(commands: &[&str]) -> Option<TempDir> {
    if Command::new("openssl").arg("version").output().is_err() {
        let _ = writeln!(std::io::stderr(), "NOT RUN: certificates: openssl is not installed");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    for command in commands {
        let command = format!("{SELF_SIGNED} {command}");
        let output = Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
    }
    Some(folder)
}

const OWN: &str = "-subj /CN=a -addext subjectAltName=IP:127.0.0.1 -keyout own.key -out own.crt";
const OTHER: &str = "-subj /CN=a -addext subjectAltName=IP:127.0.0.1 -keyout other.key -out other.crt";
const NAMELESS: &str = "-subj /CN=127.0.0.1 -keyout nameless.key -out nameless.crt";

/// A collector behind TLS that keeps what it gets, once.
fn encrypted(folder: &TempDir, name: &str) -> (String, JoinHandle<()>) {
    encrypted_times(folder, name, 1)
}

/// The same for so many connections.
fn encrypted_times(folder: &TempDir, name: &str, times: usize) -> (String, JoinHandle<()>) {
    let path = |kind: &str| folder.path().join(format!("{name}.{kind}"));
    let certificate = CertificateDer::from_pem_file(path("crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(path("key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let config = Arc::new(config);
    let keep = move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
        while !request.ends_with(b"the segment") {
            match stream.read(&mut buffer) {
                Ok(len) if len > 0 => request.extend_from_slice(&buffer[..len]),
                // The client does not trust it.
                _ => return,
            }
        }
        stream.write_all(&answer("201 Created", &kept(ID))).unwrap();
    };
    let thread = std::thread::spawn(move || (0..times).for_each(|_| keep()));
    (url, thread)
}

fn to(url: &str, ca_file: Option<PathBuf>, proxy: Option<String>) -> HttpCollector {
    let (token, timeout) = (Token::Text("secret".to_owned()), Duration::from_secs(5));
    HttpCollector::new(&HttpSettings { url: url.to_owned(), token, ca_file, proxy, timeout }).unwrap()
}

/// As where a collector gets a new one.
#[test]
fn a_certificate_that_was_replaced_is_found() {
    let Some(folder) = certificates(&[OWN, OTHER]) else { return };
    let trusted = folder.path().join("trusted.crt");
    std::fs::copy(folder.path().join("other.crt"), &trusted).unwrap();
    // Refused, refused again while the file cannot be read, refused and found to be trusted now.
    let (url, thread) = encrypted_times(&folder, "own", 4);
    let mut collector = to(&url, Some(trusted.clone()), None);
    for text in [None, Some("nonsense")] {
        if let Some(text) = text {
            std::fs::write(&trusted, text).unwrap();
        }
        let delivered = deliver(&mut collector);
        assert!(matches!(&delivered, Delivered::Blocked(_)), "{delivered:?}");
    }
    std::fs::copy(folder.path().join("own.crt"), &trusted).unwrap();
    assert_eq!(deliver(&mut collector), Delivered::Kept);
    thread.join().unwrap();
}

#[test]
fn a_self_signed_certificate_is_trusted_by_itself_only() {
    let Some(folder) = certificates(&[OWN, OTHER, NAMELESS]) else { return };
    let both = folder.path().join("both.crt");
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    std::fs::write(&both, [read("other.crt"), read("own.crt")].concat()).unwrap();
    let cases = [
        ("own", "own.crt", ""),
        ("own", "both.crt", ""),
        // Another key with the same names.
        ("own", "other.crt", "certificate"),
        ("nameless", "nameless.crt", "subjectAltName=DNS:HOST"),
    ];
    for (server, trusted, said) in cases {
        let (url, thread) = encrypted(&folder, server);
        let delivered = deliver(&mut to(&url, Some(folder.path().join(trusted)), None));
        match &delivered {
            Delivered::Kept => assert_eq!(said, "", "{server} {trusted}"),
            Delivered::Blocked(why) => assert!(!said.is_empty() && why.contains(said), "{why}"),
            other => panic!("{server} {trusted}: {other:?}"),
        }
        thread.join().unwrap();
    }
}

/// As a leaf of its authority it is still trusted, and as an authority for others only by name.
#[test]
fn chains_are_trusted_as_before() {
    let leaf = "-subj /CN=leaf -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1 \
                -CA own.crt -CAkey own.key -keyout leaf.key -out leaf.crt";
    let Some(folder) = certificates(&[OWN, OTHER, leaf]) else { return };
    for (trusted, is_kept) in [("own.crt", true), ("other.crt", false)] {
        let (url, thread) = encrypted(&folder, "leaf");
        let delivered = deliver(&mut to(&url, Some(folder.path().join(trusted)), None));
        assert_eq!(delivered == Delivered::Kept, is_kept, "{trusted}: {delivered:?}");
        thread.join().unwrap();
    }
}

#[test]
fn a_named_certificate_has_its_time_and_its_name() {
    let Some(folder) = certificates(&[OWN]) else { return };
    let verifier = Verifier::new(Some(&folder.path().join("own.crt"))).unwrap();
    let certificate = CertificateDer::from_pem_file(folder.path().join("own.crt")).unwrap();
    let now = UnixTime::now().as_secs();
    let verify = |days: i64, host: &str| {
        let time = now.checked_add_signed(days * 86_400).unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(time));
        verifier
            .verify_server_cert(&certificate, &[], &name, &[], time)
            .map(drop)
            .map_err(|why| why.to_string())
    };
    assert_eq!(verify(0, "127.0.0.1"), Ok(()));
    assert!(verify(3, "127.0.0.1").unwrap_err().contains("expired"));
    assert!(verify(-3, "127.0.0.1").unwrap_err().contains("not valid yet"));
    assert!(verify(0, "127.0.0.2").unwrap_err().contains("not valid for name"));
}

/// Waiting does not make it right.
#[test]
fn the_wrong_scheme_is_for_somebody_to_change() {
    let nginx = "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>";
    let go = "Client sent an HTTP request to an HTTPS server.\n";
    for body in [nginx, go] {
        let (url, asked) = server(vec![answer("400 Bad Request", body)]);
        let delivered = deliver(&mut to(&url, None, None));
        assert!(
            matches!(&delivered, Delivered::Blocked(why) if why.contains("name https://")),
            "{delivered:?}"
        );
        asked.join().unwrap();
    }
    let Some(folder) = certificates(&[OWN]) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let plain = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        stream.write_all(&answer("400 Bad Request", "")).unwrap();
    });
    let delivered = deliver(&mut to(&url, Some(folder.path().join("own.crt")), None));
    assert!(matches!(&delivered, Delivered::Blocked(why) if why.contains("speaks no TLS")), "{delivered:?}");
    plain.join().unwrap();
}

/// A proxy that answers one request to connect so, and gives what it was asked for.
fn proxy(status: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        write!(client, "HTTP/1.1 {status}\r\n\r\n").unwrap();
        if status.starts_with("200") {
            let target = head.split(' ').nth(1).unwrap();
            relay(client, TcpStream::connect(target).unwrap());
        }
        head
    });
    (address, thread)
}

fn relay(client: TcpStream, server: TcpStream) {
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        })
    };
    copy(client.try_clone().unwrap(), server.try_clone().unwrap());
    copy(server, client);
}

#[test]
fn a_proxy_is_asked_to_connect() {
    let (url, asked) = server(vec![answer("201 Created", &kept(ID))]);
    let (address, connected) = proxy("200 Connection established");
    let collector = to(&url, None, Some(format!("http://me:secret%20word@{address}")));
    let (host, port) = address.split_once(':').unwrap();
    assert_eq!(collector.proxy(), Some((host.to_owned(), port.parse().unwrap())));
    let mut collector = collector;
    assert_eq!(deliver(&mut collector), Delivered::Kept);
    // Ends the connections.
    drop(collector);
    let head = connected.join().unwrap();
    let target = url.trim_start_matches("http://").trim_end_matches('/');
    assert!(head.starts_with(&format!("CONNECT {target} HTTP/1.1\r\n")), "{head}");
    // The proxy's password is for the proxy, the token for the collector.
    assert!(head.contains("Proxy-Authorization: Basic bWU6c2VjcmV0IHdvcmQ=\r\n"), "{head}");
    assert!(!head.contains("Bearer"), "{head}");
    assert!(!asked.join().unwrap()[0].contains("proxy-authorization"));

    let Some(folder) = certificates(&[OWN]) else { return };
    let (url, thread) = encrypted(&folder, "own");
    let (address, connected) = proxy("200 OK");
    let mut collector = to(&url, Some(folder.path().join("own.crt")), Some(format!("http://{address}")));
    assert_eq!(deliver(&mut collector), Delivered::Kept);
    drop(collector);
    connected.join().unwrap();
    thread.join().unwrap();
}

#[test]
fn what_a_proxy_refuses_is_told() {
    let url = "https://collector.example";
    for (status, is_blocked) in
        [("407 Proxy Authentication Required", true), ("403 Forbidden", true), ("503 Busy", false)]
    {
        let (address, asked) = proxy(status);
        let delivered = deliver(&mut to(url, None, Some(format!("http://{address}"))));
        asked.join().unwrap();
        let (Delivered::Blocked(why) | Delivered::Later(why)) = &delivered else { panic!("{delivered:?}") };
        assert!(why.contains("the proxy does not connect") && why.contains(&status[..3]), "{why}");
        assert_eq!(matches!(delivered, Delivered::Blocked(_)), is_blocked, "{why}");
    }
    let delivered = deliver(&mut to(url, None, Some("http://127.0.0.1:1".to_owned())));
    assert!(matches!(delivered, Delivered::Later(_)), "{delivered:?}");
    for wrong in ["", "socks5://a:1080", "a b", "http://", "proxy.example.org:3128"] {
        let error = read_proxy(wrong).unwrap_err();
        assert!(error.contains("no proxy's address"), "{wrong}");
    }
}
