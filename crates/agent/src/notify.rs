//! What systemd wants to know (sd_notify(3)), without its library: datagrams of text to a socket.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Tells systemd how the program is doing, if systemd has started it.
pub struct Notifier {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// Opens the socket that the environment names. It needs nothing else later, so it works inside a sandbox.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::new(|name| std::env::var_os(name), std::process::id())
    }

    fn new(environment: impl Fn(&str) -> Option<OsString>, process: u32) -> Self {
        let socket = environment("NOTIFY_SOCKET").and_then(|path| open(path).ok());
        let number = |name| environment(name)?.to_str()?.parse::<u64>().ok();
        // It may be meant for another process.
        let is_meant = number("WATCHDOG_PID").is_none_or(|id| id == u64::from(process));
        let watchdog = number("WATCHDOG_USEC").filter(|time| is_meant && *time > 0);
        Self { socket, watchdog: watchdog.map(Duration::from_micros) }
    }

    /// The time without [`alive`](Self::alive) after which systemd restarts the program, if it does.
    #[must_use]
    pub const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Tells that everything is open and packets are received.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// Tells the state in one line.
    pub fn status(&self, text: &str) {
        self.send(&format!("STATUS={}", text.replace('\n', " ")));
    }

    /// Tells that the program works; systemd restarts it otherwise.
    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// Tells that the program is shutting down.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// That nobody listens is no reason to stop.
    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.socket {
            let _ = socket.send_to_addr(text.as_bytes(), address);
        }
    }
}

fn open(path: OsString) -> io::Result<(UnixDatagram, SocketAddr)> {
    use std::os::unix::ffi::OsStringExt;
    let bytes = path.into_vec();
    let address = match bytes.strip_prefix(b"@") {
        Some(name) => abstract_address(name)?,
        None => SocketAddr::from_pathname(std::path::PathBuf::from(OsString::from_vec(bytes)))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_told_to_the_socket_of_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        let environment = |name: &str| match name {
            "NOTIFY_SOCKET" => Some(path.clone().into_os_string()),
            "WATCHDOG_USEC" => Some("2000000".into()),
            "WATCHDOG_PID" => Some("7".into()),
            _ => None,
        };
        let notifier = Notifier::new(environment, 7);
        assert_eq!(notifier.watchdog(), Some(Duration::from_secs(2)));
        assert_eq!(Notifier::new(environment, 8).watchdog(), None, "it is meant for another process");
        notifier.ready();
        notifier.status("a\nb");
        notifier.alive();
        notifier.stopping();
        let mut buffer = [0; 100];
        for expected in ["READY=1", "STATUS=a b", "WATCHDOG=1", "STOPPING=1"] {
            let len = listener.recv(&mut buffer).unwrap();
            assert_eq!(std::str::from_utf8(&buffer[..len]).unwrap(), expected);
        }
    }

    #[test]
    fn without_a_socket_nothing_is_told() {
        let notifier = Notifier::new(|_| None, 7);
        notifier.ready();
        assert_eq!(notifier.watchdog(), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn abstract_sockets_are_found() {
        let name = format!("cutshort-notify-{}", std::process::id());
        let listener = UnixDatagram::bind_addr(&abstract_address(name.as_bytes()).unwrap()).unwrap();
        Notifier::new(|key| (key == "NOTIFY_SOCKET").then(|| format!("@{name}").into()), 7).ready();
        let mut buffer = [0; 100];
        assert_eq!(listener.recv(&mut buffer).unwrap(), 7);
    }
}
