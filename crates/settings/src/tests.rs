use std::time::Duration;

use super::*;

fn nothing(_: &str) -> Option<String> {
    None
}

fn file(text: &str) -> Result<Settings, String> {
    let mut read = Read { settings: Settings::default(), origins: vec![Origin::Default; SETTINGS.len()] };
    from_file(&mut read, text).map(|()| read.settings)
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let set = "data = '/srv/c'\nlisten = '[::1]:1'\nopen_read = true\nhosts = ['a.example']\norigins = ['https://a', '*']\nrate_limit = 2.5\n\
               timeout = '90s'\ncost_limit = 7\ngeo = ['a.mmdb']\nkeep_packets = 'forever'\nkeep_days = '4w'\nlog_format = 'json'\n\
               [privacy]\naddresses = 'truncated'\nkey = '/etc/k'\n";
    let mut read = read_from(None, nothing).unwrap();
    read.settings = file(set).unwrap();
    assert_eq!(file(&write(&read)).unwrap(), read.settings);
    let defaults = read_from(None, nothing).unwrap();
    assert_eq!(file(&write(&defaults)).unwrap(), Settings::default());
}

#[test]
fn mistakes_are_named_with_their_place() {
    let error = |text: &str| file(text).unwrap_err();
    assert_eq!(
        error("\n  lisen = 1"),
        "line 2, column 3: unknown setting 'lisen'; 'cutshort config' lists all"
    );
    assert!(
        error("open-read = true").ends_with("did you mean 'open_read'?"),
        "{}",
        error("open-read = true")
    );
    assert!(error("keep = '7d'").contains("line 1, column 1"));
    assert!(error("listen = '127.0.0.1'").contains("listen: \"127.0.0.1\" is no address with a port"));
    assert!(error("timeout = 30").contains("timeout: 30 is no length of time"));
    assert!(error("keep_days = 'never'").contains("or \"forever\""));
    assert!(error("threads = -1").contains("from 0 on"));
    assert!(error("rate_burst = 0").contains("below 1"));
    assert!(error("open_read = 'yes'").contains("neither true nor false"));
    assert!(error("origins = [1]").contains("1 is no text"));
    assert!(error("geo = {}").contains("no such kind"));
    assert!(
        error("privacy.addresses = 'none'")
            .ends_with("privacy.addresses: 'none' is none of full, truncated, encrypted")
    );
    assert_eq!(
        error("[privacy]\nadresses = 'full'"),
        "line 2, column 1: unknown setting 'privacy.adresses'; 'cutshort config' lists all"
    );
    assert!(error("privacy = 'full'").contains("unknown setting 'privacy'"));
    assert!(error("log_format = 'xml'").contains("auto, text, json"));
    assert!(error("a = ").contains("line 1"));
}

#[test]
fn the_environment_goes_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, "listen = '127.0.0.1:1'\nthreads = 3\n").unwrap();
    let environment = |name: &str| match name {
        "CUTSHORT_LISTEN" => Some("127.0.0.1:2".to_owned()),
        "CUTSHORT_RATE_LIMIT" => Some("9".to_owned()),
        "CUTSHORT_ORIGINS" => Some("https://a, https://b".to_owned()),
        "CUTSHORT_OPEN_READ" => Some("true".to_owned()),
        "CUTSHORT_KEEP_PACKETS" => Some("1d".to_owned()),
        _ => None,
    };
    let read = read_from(Some(&path), environment).unwrap();
    let Settings { http, jobs, keep, .. } = read.settings.clone();
    assert_eq!((http.listen.port(), jobs.threads, http.rate_limit, http.open_read), (2, 3, 9.0, true));
    assert_eq!(http.origins, ["https://a", "https://b"]);
    assert_eq!(keep.packets, Some(Duration::from_secs(86_400)));
    assert!(write(&read).contains("# Set by CUTSHORT_LISTEN now.\nlisten = \"127.0.0.1:2\"\n"));
    let wrong = read_from(None, |name| (name == "CUTSHORT_GRACE").then(|| "soon".to_owned()));
    let message = wrong.err().unwrap().to_string();
    assert!(message.starts_with("CUTSHORT_GRACE=soon: "), "{message}");
    let missing = read_from(Some(&folder.path().join("none")), nothing).err().unwrap();
    assert!(missing.to_string().contains("none: "));
}

#[test]
fn variables_that_are_no_settings_are_named() {
    assert_eq!(mistaken("CUTSHORT_LISTEN"), None);
    assert_eq!(mistaken("CUTSHORT_PRIVACY_ADDRESSES"), None);
    assert_eq!(mistaken("CUTSHORT_TOKEN"), None);
    assert_eq!(mistaken("PATH"), None);
    assert_eq!(
        mistaken("CUTSHORT_OPENREAD").unwrap(),
        "unknown setting 'openread'; did you mean 'open_read'?"
    );
}

/// A proxy's password is shown to nobody.
#[test]
fn a_proxy_is_shown_without_its_password() {
    let proxy = |url: &str| {
        let read = read_from(None, |name| (name == "CUTSHORT_PROXY").then(|| url.to_owned())).unwrap();
        assert_eq!(read.settings.delivery.proxy.as_deref(), Some(url));
        write(&read)
    };
    let text = proxy("http://me:p@ss@proxy.example.org:3128");
    assert!(text.contains("proxy = \"http://...@proxy.example.org:3128\""), "{text}");
    assert!(!text.contains("p@ss"), "{text}");
    assert!(proxy("http://[::1]:3128").contains("proxy = \"http://[::1]:3128\""));
}

/// Who scrapes may be elsewhere.
#[test]
fn numbers_may_have_any_address() {
    for address in ["127.0.0.1:9180", "0.0.0.0:9180", "[2001:db8::1]:9180"] {
        let read = read_from(None, |name| (name == "CUTSHORT_METRICS").then(|| address.to_owned())).unwrap();
        assert_eq!(read.settings.delivery.metrics, Some(address.parse().unwrap()));
    }
}

#[test]
fn former_names_work_for_one_release() {
    let day = Some(Duration::from_secs(86_400));
    assert_eq!(file("keep_quarters = \"1d\"").unwrap().keep.fifteen_minutes, day);
    let former = |variable: &str| (variable == "CUTSHORT_KEEP_QUARTERS").then(|| "1d".to_owned());
    assert_eq!(read_from(None, former).unwrap().settings.keep.fifteen_minutes, day);
    assert_eq!(mistaken("CUTSHORT_KEEP_QUARTERS"), None);
    let both = |variable: &str| match variable {
        "CUTSHORT_KEEP_15MIN" => Some("1d".to_owned()),
        "CUTSHORT_KEEP_QUARTERS" => Some("2d".to_owned()),
        _ => None,
    };
    assert_eq!(read_from(None, both).unwrap().settings.keep.fifteen_minutes, day);
}
