//! Geo data that is read again while the server runs.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use cutshort_pipeline::GeoData;
use cutshort_verdict::Stage;
use serde_json::Value;

use crate::client::{END, Server};
use crate::memory::{Memory, connection};

const RADAR: &str = "/client/v4/radar";

/// A server whose network 64500 has a name from a file.
struct Named {
    _folder: tempfile::TempDir,
    file: PathBuf,
    geo: Arc<GeoData>,
    server: Server,
}

impl Named {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("networks.csv");
        fs::write(&file, row(name)).unwrap();
        let geo = Arc::new(GeoData::open(std::slice::from_ref(&file)).unwrap());
        let store = Memory::of(vec![connection(END - 900_000_000_000, "PT", 64_500, Stage::PostSyn, 10)]);
        let server = Server::with_geo(store, Arc::clone(&geo));
        Self { _folder: folder, file, geo, server }
    }

    fn write(&self, text: &str) {
        fs::write(&self.file, text).unwrap();
        self.geo.reload();
    }

    #[track_caller]
    fn result(&self, path: &str) -> Value {
        self.server.get(&format!("{RADAR}{path}")).result()
    }

    /// What the network is called, in all answers that have its name.
    #[track_caller]
    fn names(&self) -> Vec<String> {
        let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        vec![
            name(&self.result("/entities/asns/64500")["asn"]["name"]),
            name(&self.result("/entities/asns/ip?ip=198.51.100.7")["asn"]["name"]),
            name(&self.result("/entities/asns?asn=64500")["asns"][0]["name"]),
            name(&self.result("/search/global?query=64500")["search"][0]["name"]),
            name(&self.result("/tcp_resets_timeouts/top/ases?dateRange=1d")["top_0"][0]["clientASName"]),
        ]
    }

    #[track_caller]
    fn metric(&self, name: &str) -> f64 {
        let text = self.server.get("/metrics").text;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{name}: {text}")).parse().unwrap()
    }
}

fn row(name: &str) -> String {
    format!("198.51.100.0,198.51.100.255,PT,64500,{name}\n")
}

#[test]
fn all_answers_have_the_names_of_the_data_that_was_read_last() {
    let named = Named::new("Old");
    assert_eq!(named.names(), ["Old"; 5]);
    named.write(&row("New"));
    assert_eq!(named.names(), ["New"; 5], "answers that were remembered are of the old data");
    // A network that was not there before.
    assert_eq!(named.server.get(&format!("{RADAR}/entities/asns/64511")).status, 404);
    named.write("198.51.100.0,198.51.100.255,ES,64511,Other\n");
    assert_eq!(named.result("/entities/asns/64511")["asn"]["country"], "ES");
}

#[test]
fn caches_elsewhere_learn_that_names_have_changed() {
    let named = Named::new("Old");
    let path = format!("{RADAR}/tcp_resets_timeouts/top/ases?dateRange=1d");
    let before = named.server.get(&path);
    named.write(&row("New"));
    let after = named.server.get(&path);
    for header in ["etag", "last-modified"] {
        assert_ne!(before.header(header), after.header(header), "{header}");
    }
}

#[test]
fn status_and_metrics_tell_of_what_date_geo_data_is_and_why_it_is_no_newer() {
    let named = Named::new("Old");
    let status = named.result("/status");
    assert_eq!((&status["geoTrouble"], &status["geo"][0]["name"]), (&Value::Null, &"networks.csv".into()));
    assert_eq!(named.metric("cutshort_geo_trouble"), 0.0);
    let read = named.metric("cutshort_geo_read_timestamp_seconds");
    named.write("");
    let status = named.result("/status");
    assert!(status["geoTrouble"].as_str().unwrap().contains("networks.csv: the file is empty"), "{status}");
    let hints = status["hints"].to_string();
    assert!(hints.contains("Geo data cannot be read again"), "{hints}");
    assert_eq!(named.metric("cutshort_geo_trouble"), 1.0);
    assert_eq!(named.metric("cutshort_geo_read_timestamp_seconds"), read);
    assert_eq!(named.names(), ["Old"; 5]);
    named.write(&row("New"));
    assert_eq!(named.result("/status")["geoTrouble"], Value::Null);
    assert_eq!(named.metric("cutshort_geo_trouble"), 0.0);
    assert!(named.metric("cutshort_geo_read_timestamp_seconds") > read);
    let metrics = named.server.get("/metrics").text;
    assert!(metrics.contains("cutshort_geo_source_timestamp_seconds{source=\"DB-IP"), "{metrics}");
}
