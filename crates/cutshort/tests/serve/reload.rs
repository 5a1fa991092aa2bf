//! Files that are read again while a server runs, and signals that do not end it.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::common::cutshort;
use crate::common::server::{Server, signal};

/// A server with a file of networks, in a folder of its own that others replace files in.
struct Place {
    folder: tempfile::TempDir,
    server: Server,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("networks.csv");
        fs::write(&path, row("Old")).unwrap();
        let arguments = ["--listen", "127.0.0.1:0", "--geo", path.to_str().unwrap()];
        let server = Server::start(tempfile::tempdir().unwrap(), &arguments);
        assert_eq!(name(&server), "Old");
        Self { folder, server }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("networks.csv")
    }

    /// Another file under the same name.
    fn replace(&self, text: &str) {
        let new = self.folder.path().join("new.csv");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path()).unwrap();
    }

    fn hang_up(&self) {
        signal(self.server.id(), "HUP");
    }
}

fn row(name: &str) -> String {
    format!("198.51.100.0,198.51.100.255,PT,64500,{name}\n")
}

/// What the network is called.
fn name(server: &Server) -> String {
    let network = server.result("/entities/asns/ip?ip=198.51.100.7");
    network["asn"]["name"].as_str().unwrap_or_default().to_owned()
}

/// From behind the fence, also where the file is another one.
#[test]
fn sighup_has_geo_files_read_again_and_what_is_broken_changes_nothing() {
    let place = Place::new();
    place.replace(&row("New"));
    place.hang_up();
    place.server.until("the new name is there", |server| name(server) == "New");
    place.server.until("it is said", |server| {
        let log = server.log();
        log.contains("SIGHUP: geo files are read again")
            && log.contains("geo data was read again: networks.csv of")
    });
    const BROKEN: &str = "geo data cannot be read again, networks.csv of";
    for (times, break_it) in [(1, "nonsense"), (2, "")] {
        place.replace(break_it);
        place.hang_up();
        place.server.until("it is said once", |server| server.log().matches(BROKEN).count() == times);
        assert_eq!(name(&place.server), "New");
        assert!(place.server.result("/status")["geoTrouble"].as_str().unwrap().contains("networks.csv"));
    }
    // Written in place.
    fs::write(place.path(), row("Newer")).unwrap();
    place.hang_up();
    place.server.until("the newer name is there", |server| name(server) == "Newer");
    assert_eq!(place.server.result("/status")["geoTrouble"], Value::Null);
    assert_eq!(place.server.terminate().code(), Some(0));
}

#[test]
fn geo_files_that_change_are_read_again_without_being_told() {
    let place = Place::new();
    place.replace(&row("New"));
    place.server.until("the new name is there", |server| name(server) == "New");
    assert_eq!(place.server.terminate().code(), Some(0));
}

/// As when the terminal that it was started in is closed.
#[test]
fn sighup_does_not_end_a_server_whose_log_nobody_reads() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = cutshort();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
    let server = Server::spawn_unheard(command.stdout(Stdio::null()), folder);
    for _ in 0..3 {
        signal(server.id(), "HUP");
        assert_eq!(server.send("GET", "/healthz", &[]).0, 200);
    }
    assert_eq!(server.terminate().code(), Some(0));
}
