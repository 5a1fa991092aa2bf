//! What the description says of a value is what the server does with it.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use crate::client::{Server, with_all};
use crate::memory::Memory;

/// Extremes of every kind, and what is just not one; each is tried with every parameter that has a pattern.
const VALUES: [&str; 66] = [
    "0",
    "00",
    "7",
    "443",
    "0443",
    "9999",
    "10000",
    "27017",
    "65535",
    "65536",
    "65530",
    "65529",
    "99999",
    "13335",
    "4200000132",
    "4294967295",
    "4294967294",
    "4294967296",
    "9999999999",
    "18446744073709551615",
    "18446744073709551616",
    "AS174",
    "as174",
    "As174",
    "AS",
    "ASAS174",
    "ASN174",
    "-174",
    "- 174",
    "--174",
    "+174",
    "1.5",
    "174,3356",
    "174, -3356",
    "174 , AS3356,",
    ",",
    "-",
    "-443,80",
    "443;80",
    "US",
    "us",
    "-us, PT",
    "XX",
    "USA",
    "EU",
    "-eu,na",
    "IPv4",
    "ipv6,4",
    "IPvIPv4",
    "5",
    "reset",
    "-RESET",
    "zmap",
    "ZMAP",
    "post_ack",
    "later",
    "later_in_flow",
    "POST-ACK",
    "later-in-flow",
    "364d",
    "365d",
    "0d",
    "07d",
    "52W",
    "7dControl",
    "00000000000000ff",
];

#[test]
fn patterns_take_what_the_server_takes() {
    let server = Server::with(Memory::default().with_origin(), with_all());
    let document = server.get("/openapi.json").json();
    // Of each pattern, how many values were taken and refused.
    let mut tried: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let parameters = methods["get"]["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in &parameters {
            let Some(pattern) = pattern(parameter) else { continue };
            let expression = Regex::new(pattern).unwrap();
            let counts = tried.entry(format!("{} {pattern}", parameter["name"])).or_default();
            for value in VALUES {
                let matches = expression.is_match(value);
                let got = server.get(&address(path, &parameters, &parameter["name"], value));
                // What cannot be the code of a country is not found, as in Radar.
                let refused =
                    got.status == 400 || (!matches && parameter["in"] == "path" && got.status == 404);
                let name = &parameter["name"];
                assert_ne!(refused, matches, "{path} {name}={value}: {pattern}: {}", got.text);
                counts[usize::from(matches)] += 1;
            }
        }
    }
    assert!(tried.len() > 10, "{tried:?}");
    assert!(tried.values().all(|[refused, taken]| *refused > 0 && *taken > 0), "{tried:?}");
}

fn pattern(parameter: &Value) -> Option<&str> {
    let schema = &parameter["schema"];
    schema["pattern"].as_str().or_else(|| schema["items"]["pattern"].as_str())
}

/// The address that asks with a value, and with examples of what else is needed.
fn address(path: &str, parameters: &[Value], name: &Value, value: &str) -> String {
    let mut path = path.to_owned();
    let mut query = form_urlencoded::Serializer::new(String::new());
    for parameter in parameters {
        let own = parameter["name"].as_str().unwrap();
        let value = if parameter["name"] == *name {
            value.to_owned()
        } else if parameter["required"] == true {
            parameter["example"].as_str().map_or_else(|| parameter["example"].to_string(), str::to_owned)
        } else {
            continue;
        };
        if parameter["in"] == "path" {
            let part: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            path = path.replace(&format!("{{{own}}}"), &part.replace('+', "%20"));
        } else {
            query.append_pair(own, &value);
        }
    }
    format!("{path}?{}", query.finish())
}

#[test]
fn examples_are_of_the_type_that_is_said() {
    let document = Server::of(Memory::default()).get("/openapi.json").json();
    let operations = document["paths"].as_object().unwrap().values();
    let all = operations.flat_map(|path| path.as_object().unwrap().values());
    for parameter in all.flat_map(|operation| operation["parameters"].as_array().cloned().unwrap_or_default())
    {
        let (schema, example) = match parameter["example"].as_array() {
            Some(items) => (&parameter["schema"]["items"], &items[0]),
            None => (&parameter["schema"], &parameter["example"]),
        };
        let fits = match schema["type"].as_str() {
            Some("boolean") => example.is_boolean(),
            Some("integer") => example.is_u64(),
            _ => example.is_string(),
        };
        assert!(fits, "{}: {schema} {example}", parameter["name"]);
        if let (Some(pattern), Some(example)) = (schema["pattern"].as_str(), example.as_str()) {
            assert!(Regex::new(pattern).unwrap().is_match(example), "{}: {example}", parameter["name"]);
        }
    }
}
