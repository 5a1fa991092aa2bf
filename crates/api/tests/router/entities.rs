//! Countries and networks.

use serde_json::json;

use crate::client::Server;
use crate::memory::Memory;

fn get(path: &str) -> serde_json::Value {
    Server::of(Memory::default()).get(&format!("/client/v4/radar{path}")).result()
}

#[test]
fn networks_are_listed_and_found() {
    let list = get("/entities/asns?limit=2&offset=1");
    assert_eq!(list["asns"].as_array().unwrap().len(), 2);
    let some = get("/entities/asns?asn=15169,13335");
    assert_eq!((&some["asns"][0]["asn"], &some["asns"][1]["asn"]), (&json!(13335), &json!(15169)));
    assert_eq!(some["asns"][1]["country"], "US");
    let portuguese = get("/entities/asns?location=PT&limit=1000");
    assert!(
        portuguese["asns"].as_array().unwrap().iter().all(|network| network["countryName"] == "Portugal")
    );
    let one = get("/entities/asns/15169");
    assert_eq!((&one["asn"]["name"], &one["asn"]["confidenceLevel"]), (&json!("Google LLC"), &json!(5)));
    assert_eq!(one["asn"]["estimatedUsers"], json!({"locations": []}));
    assert_eq!(get("/entities/asns/ip?ip=8.8.8.8")["asn"]["asn"], 15169);
    let largest = get("/entities/asns?orderBy=population&limit=1")["asns"][0]["asn"].as_u64().unwrap();
    assert!(largest > 0);
}

#[test]
fn countries_are_listed_and_found() {
    let list = get("/entities/locations?continent=SA&limit=100");
    assert!(list["locations"].as_array().unwrap().iter().any(|country| country["alpha2"] == "BR"));
    let one = get("/entities/locations/pt")["location"].clone();
    assert_eq!(one["name"], "Portugal");
    assert_eq!(one["subregion"], "Southern Europe");
    assert!(one["latitude"].is_string() && one["longitude"].is_string());
    assert_eq!(get("/entities/locations?location=DE,FR")["locations"].as_array().unwrap().len(), 2);
    let csv =
        Server::of(Memory::default()).get("/client/v4/radar/entities/locations?limit=1&format=csv").text;
    assert!(
        csv.starts_with("alpha2,name,continent,region,subregion,latitude,longitude\nAD,Andorra,EU,"),
        "{csv}"
    );
}

#[test]
fn what_does_not_exist_is_not_found() {
    let server = Server::of(Memory::default());
    for path in ["/entities/asns/4199999999", "/entities/locations/XX", "/entities/asns/ip?ip=192.0.2.1"] {
        let got = server.get(&format!("/client/v4/radar{path}"));
        assert_eq!((got.status.as_u16(), got.json()), (404, json!({"error": "Not Found"})), "{path}");
    }
    for path in [
        "/entities/asns/x",
        "/entities/asns/ip",
        "/entities/asns/ip?ip=x",
        "/entities/asns?limit=0",
        "/entities/asns?orderBy=x",
        "/search/global",
        "/search/global?query=a&include=x",
    ] {
        assert_eq!(server.get(&format!("/client/v4/radar{path}")).problem().0, 400, "{path}");
    }
}

#[test]
fn search_finds_names_without_accents_and_common_names() {
    for (query, code) in [
        ("Reunion", "RE"),
        ("r%C3%A9union", "RE"),
        ("Curacao", "CW"),
        ("Sao%20Tome", "ST"),
        ("Turkiye", "TR"),
        ("T%C3%BCrkiye", "TR"),
        ("turkey", "TR"),
        ("Czech%20Republic", "CZ"),
        ("Czech", "CZ"),
        ("USA", "US"),
        ("America", "US"),
        ("UK", "GB"),
        ("Great%20Britain", "GB"),
        ("South%20Korea", "KR"),
        ("Republic%20of%20Korea", "KR"),
        ("Russia", "RU"),
        ("Russian%20Federation", "RU"),
        ("Iran", "IR"),
        ("Vietnam", "VN"),
        ("Viet%20Nam", "VN"),
        ("Cote%20d%27Ivoire", "CI"),
        ("Burma", "MM"),
        ("Macau", "MO"),
        ("Holland", "NL"),
        ("UAE", "AE"),
        ("ua", "UA"),
    ] {
        let found = get(&format!("/search/global?query={query}"))["search"][0].clone();
        assert_eq!(found["code"], code, "{query}");
    }
}

#[test]
fn search_finds_by_name_code_and_number() {
    let search = |query: &str| get(&format!("/search/global?query={query}"))["search"].clone();
    assert_eq!(search("portugal")[0], json!({"code": "PT", "name": "Portugal", "type": "location"}));
    assert_eq!(search("AS15169")[0], json!({"code": "15169", "name": "Google LLC", "type": "asn"}));
    assert_eq!(search("pt")[0]["code"], "PT");
    let only = search("port&include=ASNS&limit=3");
    assert!(only.as_array().unwrap().iter().all(|hit| hit["type"] == "asn"));
    assert_eq!(search("portugal&exclude=ASNS,LOCATIONS"), json!([]));
}

#[test]
fn search_puts_the_country_with_a_code_of_three_letters_first() {
    for country in cutshort_geo::Country::all() {
        let found = get(&format!("/search/global?query={}&limit=1", country.alpha3().to_lowercase()));
        assert_eq!(found["search"][0]["code"], country.alpha2(), "{}", country.alpha3());
    }
}
