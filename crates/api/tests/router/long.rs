//! Long input, which no error repeats as a whole.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use cutshort_api::Options;
use serde_json::Value;

use crate::client::{Got, Server, open};
use crate::memory::Memory;

/// As long as an address can be.
const LENGTH: usize = 60_000;
/// More than any message of its own has.
const MOST: usize = 4_000;

#[track_caller]
fn assert_short(got: &Got, what: &str) {
    let is_problem = got.status.is_client_error() || got.status.is_server_error();
    assert!(!is_problem || got.text.len() < MOST, "{what}: {} bytes, {:.200}", got.text.len(), got.text);
}

#[test]
fn no_error_repeats_all_of_a_long_address() {
    let server = Server::with(Memory::default(), Options { connections: true, ..open() });
    let long = "x".repeat(LENGTH);
    assert_short(&server.get(&format!("/{long}")), "a path that there is not");
    let document = server.get("/openapi.json").json();
    let mut problems: BTreeSet<String> = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let parameters = methods["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let names = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap());
        for name in names.chain([long.as_str()]) {
            let address = match path.contains(&format!("{{{name}}}")) {
                true => path.replace(&format!("{{{name}}}"), &long),
                false => format!("{path}?{name}={long}"),
            };
            // Two long ones are more than an address can have.
            if address.len() <= u16::MAX.into() {
                let got = server.get(&address);
                assert_short(&got, &format!("{path} {name}"));
                if got.status.is_client_error() {
                    problems.insert(name.to_owned());
                }
            }
        }
    }
    assert!(problems.len() > 15, "{problems:?}");
}

#[test]
fn no_error_repeats_all_of_a_long_body() {
    let folder = tempfile::tempdir().unwrap();
    let path = cutshort_api::TokenFile::path(folder.path());
    let mut file = cutshort_api::TokenFile::default();
    let token = file.create("all", &cutshort_api::Scope::ALL, None, "2026-01-14T12:00:00Z").unwrap();
    file.write(&path).unwrap();
    let server = Server::with_parts(std::sync::Arc::new(Memory::default()), open(), Some(path));
    let long = Value::from("x".repeat(LENGTH / 2));
    for key in ["eventType", "startDate", "endDate", "locations", "asns", "outage", "linkedUrl", "unknown"] {
        let mut note = serde_json::json!({ "startDate": "2026-01-14", "description": "short" });
        note[key] = long.clone();
        let request = Request::post("/client/v4/radar/annotations/outages");
        let request = request.header("authorization", format!("Bearer {token}"));
        let got = server.send(request.body(Body::from(note.to_string())).unwrap());
        assert!(got.status.is_client_error(), "{key}: {}", got.status);
        assert_short(&got, key);
    }
}
