//! The program as it serves.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{captures, cutshort, run, until};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A server with a store in a folder of its own; both end with it.
pub(crate) struct Server {
    child: Option<Child>,
    address: String,
    token: String,
    folder: Option<tempfile::TempDir>,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// With the project's captures, and a token for everything.
    pub(crate) fn of_captures() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().display().to_string();
        run(&format!("import --data {data}"), &captures()).fine_with_unused();
        Self::start(folder, &[])
    }

    /// With a shutdown of Iraq that it has found.
    pub(crate) fn of_shutdown() -> Self {
        let folder = tempfile::tempdir().unwrap();
        super::shutdown::fill(folder.path(), super::shutdown::FIVE_WEEKS, super::shutdown::end());
        let server = Self::start(folder, &[]);
        let is_found = |server: &Self| {
            server.result("/traffic_anomalies")["trafficAnomalies"] != Value::Array(Vec::new())
        };
        server.until("an event", is_found);
        server
    }

    /// With more arguments, and the store that the folder has.
    pub(crate) fn start(folder: tempfile::TempDir, arguments: &[&str]) -> Self {
        let data = folder.path().display().to_string();
        let scopes = "--scope read --scope write --scope ingest";
        // A store that was served before has the token of then.
        let name = format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let token = run(&format!("token create {name} {scopes} --data {data}"), &[] as &[&str]);
        let token = token.ended(0).stdout;
        let mut command = cutshort();
        command.arg("serve").arg("--data").arg(folder.path());
        command.args(if arguments.is_empty() { &["--listen", "127.0.0.1:0"] } else { arguments });
        command.env("CUTSHORT_CONNECTIONS", "true");
        let mut server = Self::spawn(command, folder);
        server.token = token.trim().to_owned();
        server
    }

    /// Starts a command that serves, and waits until it does.
    pub(crate) fn spawn(mut command: Command, folder: tempfile::TempDir) -> Self {
        let (server, lines) = Self::begin(&mut command, folder);
        // Whatever it says must be read, or it stands still.
        let log = Arc::clone(&server.log);
        std::thread::spawn(move || {
            lines.lines().map_while(Result::ok).for_each(|line| *log.lock().unwrap() += &format!("{line}\n"));
        });
        server
    }

    /// The same, with a standard error that is closed once it serves.
    pub(crate) fn spawn_unheard(command: &mut Command, folder: tempfile::TempDir) -> Self {
        Self::begin(command, folder).0
    }

    fn begin(command: &mut Command, folder: tempfile::TempDir) -> (Self, BufReader<ChildStderr>) {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains("is served on") {
            assert!(lines.read_line(&mut text).unwrap() > 0, "{text}");
        }
        let address = text.split("is served on http://").nth(1).unwrap().split('/').next().unwrap();
        let address = format!("http://{}", address.replace("0.0.0.0", "127.0.0.1"));
        let log = Arc::default();
        (Self { child: Some(child), address, token: String::new(), folder: Some(folder), log }, lines)
    }

    /// What it has said since it serves.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What clients of Radar take for it.
    pub(crate) fn radar(&self) -> String {
        format!("{}/client/v4", self.address)
    }

    /// Asks, with the token, and gives status and body.
    pub(crate) fn send(&self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        let answer = self.sender().send(method, path, body).unwrap();
        answer.unwrap_or_else(|| panic!("{path}: no answer"))
    }

    /// The answer to a GET request, with this `Accept`: its head, and its body.
    pub(crate) fn accepting(&self, accept: &str, path: &str) -> (String, String) {
        let answer = self.sender().ask("GET", path, &format!("Accept: {accept}\r\n"), &[]).unwrap();
        answer.unwrap_or_else(|| panic!("{path}: no answer"))
    }

    /// What asks this server, also from another thread while it is killed.
    pub(crate) fn sender(&self) -> Sender {
        let host = self.address.trim_start_matches("http://").to_owned();
        Sender { host, token: self.token.clone() }
    }

    /// The result of a question to Radar's API.
    #[track_caller]
    pub(crate) fn result(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", &format!("/client/v4/radar{path}"), &[]);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str::<Value>(&body).unwrap()["result"].clone()
    }

    /// Waits until something holds, for some seconds.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        until(what, || holds(self));
    }

    /// Asks with another token from now on.
    pub(crate) fn use_token(&mut self, token: &str) {
        token.clone_into(&mut self.token);
    }

    /// Asks without the token from now on.
    pub(crate) fn forget_token(&mut self) {
        self.token.clear();
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Kills it, so that it can put nothing in order, and gives what it leaves.
    pub(crate) fn kill(mut self) -> tempfile::TempDir {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        self.folder.take().unwrap()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().unwrap();
        signal(child.id(), "TERM");
        child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sends a signal by its name.
pub(crate) fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    assert!(status.unwrap().success());
}

/// Asks a server.
pub(crate) struct Sender {
    host: String,
    token: String,
}

impl Sender {
    /// Status and body of the answer, or none if it was cut off.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> std::io::Result<Option<(u16, String)>> {
        let answer = self.ask(method, path, "", body)?;
        Ok(answer.map(|(head, body)| (head.split(' ').nth(1).unwrap().parse().unwrap(), body)))
    }

    /// Head and body of the answer, or none if it was cut off. `headers` are more lines of the request.
    fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> std::io::Result<Option<(String, String)>> {
        let Self { host, token } = self;
        let mut stream = TcpStream::connect(host)?;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        // A server may refuse a body before it has read it.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        Ok(answer.split_once("\r\n\r\n").map(|(head, body)| (head.to_owned(), body.to_owned())))
    }
}
