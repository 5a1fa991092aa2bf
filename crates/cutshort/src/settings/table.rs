//! All settings.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use cutshort_api::{Options, Rate};
use cutshort_capture::LiveSettings;
use cutshort_clickhouse::Address;
use cutshort_model::Addresses;
use cutshort_pipeline::live::{RecorderSettings, Retry};
use cutshort_pipeline::{Share, WindowJob};
use cutshort_store::{Retention, check_node};
use toml::Value;

use super::length::{self, read_or_forever, write_or_forever};
use super::value::{
    flag, integer, list, number, parsed, parsed_list, path, path_of, rate, size, text, texts,
};
use super::{LogFormat, Setting, Settings};

impl Default for Settings {
    fn default() -> Self {
        let (api, keep, rate) = (Options::default(), Retention::default(), Rate::default());
        Self {
            data: None,
            store: None,
            listen: ([127, 0, 0, 1], 8080).into(),
            open_read: false,
            require_token: false,
            connections: api.connections,
            hosts: Vec::new(),
            origins: api.origins,
            rate_limit: rate.per_second,
            rate_burst: rate.burst,
            forwarded_for: api.forwarded,
            timeout: api.timeout,
            cost_limit: api.cost,
            segment_bytes: api.segment,
            cache_bytes: api.cache,
            geo: Vec::new(),
            threads: 0,
            worker: Share::default(),
            takeover: cutshort_pipeline::Settings::default().takeover,
            grace: WindowJob::default().grace,
            addresses: Addresses::default(),
            address_key: None,
            keep_packets: keep.packets,
            keep_connections: keep.connections,
            keep_15min: keep.fifteen_minutes,
            keep_hours: keep.hours,
            keep_days: keep.days,
            log: "info".to_owned(),
            log_format: LogFormat::Auto,
            capture: None,
            node: None,
            sample_rate: LiveSettings::default().rate,
            capture_ports: Vec::new(),
            capture_exclude: Vec::new(),
            user: None,
            segment_time: RecorderSettings::default().every,
            spool: None,
            spool_bytes: 1 << 30,
            collector: None,
            deliver: None,
            token_file: None,
            ca_file: None,
            proxy: None,
            upload_timeout: Duration::from_mins(10),
            retry_time: Retry::default().most,
            metrics: None,
        }
    }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "data",
        about: "Directory of the store.",
        set: |settings, value| text(value).map(|path| settings.data = Some(PathBuf::from(path))),
        get: |settings| settings.data.as_ref().map(|path| Value::String(path.display().to_string())),
    },
    Setting {
        key: "store",
        about: "Store in ClickHouse instead: clickhouse://USER@HOST:8123/DATABASE. data is then a directory for tokens. Put the\npassword in CUTSHORT_CLICKHOUSE_PASSWORD, or in the file that CUTSHORT_CLICKHOUSE_PASSWORD_FILE names.",
        set: |settings, value| text(value).map(|store| settings.store = Some(store.to_owned())),
        get: |settings| address(settings.store.as_deref()),
    },
    Setting {
        key: "listen",
        about: "Listen address of the API. Except on loopback addresses (127.0.0.1, ::1) reading needs a token, unless\nopen_read is set.",
        set: |settings, value| {
            let wrong =
                || format!("{value} is no address with a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"");
            settings.listen = text(value)?.parse().map_err(|_| wrong())?;
            Ok(())
        },
        get: |settings| Some(Value::String(settings.listen.to_string())),
    },
    Setting {
        key: "open_read",
        about: "Allow reading without a token, on any address. Writing always needs one.",
        set: |settings, value| flag(value).map(|value| settings.open_read = value),
        get: |settings| Some(Value::Boolean(settings.open_read)),
    },
    Setting {
        key: "require_token",
        about: "Require a token on loopback addresses, too, for instance behind a proxy that others can reach.",
        set: |settings, value| flag(value).map(|value| settings.require_token = value),
        get: |settings| Some(Value::Boolean(settings.require_token)),
    },
    Setting {
        key: "connections",
        about: "Serve single connections, which shows addresses of clients.",
        set: |settings, value| flag(value).map(|value| settings.connections = value),
        get: |settings| Some(Value::Boolean(settings.connections)),
    },
    Setting {
        key: "hosts",
        about: "Host names that a server on a loopback address accepts in requests, besides localhost and its addresses, such as\n\"cutshort.example.org\" behind a proxy that passes on the Host header; \"*\" for any. Requests with other\nnames are refused, as web pages can have a name of their own lead to this machine (DNS rebinding).",
        set: |settings, value| list(value).map(|hosts| settings.hosts = hosts),
        get: |settings| Some(texts(&settings.hosts)),
    },
    Setting {
        key: "origins",
        about: "Origins whose web pages may read (CORS), such as \"https://example.org\"; \"*\" for all.",
        set: |settings, value| list(value).map(|origins| settings.origins = origins),
        get: |settings| Some(texts(&settings.origins)),
    },
    Setting {
        key: "rate_limit",
        about: "Sustained requests per second allowed to a client; 0 for no limit.",
        set: |settings, value| rate(value).map(|rate| settings.rate_limit = rate),
        get: |settings| Some(Value::Float(settings.rate_limit)),
    },
    Setting {
        key: "rate_burst",
        about: "Burst of requests allowed to a client.",
        set: |settings, value| {
            settings.rate_burst = rate(value)?;
            if settings.rate_burst < 1.0 {
                Err("below 1 nobody could ask anything".to_owned())
            } else {
                Ok(())
            }
        },
        get: |settings| Some(Value::Float(settings.rate_burst)),
    },
    Setting {
        key: "forwarded_for",
        about: "Identify clients by the last address in X-Forwarded-For. Only behind a proxy that sets it, since anybody\ncan forge it otherwise. The proxy may then open any number of connections.",
        set: |settings, value| flag(value).map(|value| settings.forwarded_for = value),
        get: |settings| Some(Value::Boolean(settings.forwarded_for)),
    },
    Setting {
        key: "timeout",
        about: "Time limit for answering a request. A request body may take longer to arrive: 10 minutes, at 4096 bytes/s or more\nafter the first 20 s.",
        set: |settings, value| length::read(value).map(|length| settings.timeout = length),
        get: |settings| Some(length::write(settings.timeout)),
    },
    Setting {
        key: "cost_limit",
        about: "Cost limit of one answer, in counts read and returned.",
        set: |settings, value| number(value).map(|number| settings.cost_limit = number),
        get: |settings| Some(integer(settings.cost_limit)),
    },
    Setting {
        key: "segment_bytes",
        about: "Largest segment accepted, in bytes.",
        set: |settings, value| size(value).map(|size| settings.segment_bytes = size),
        get: |settings| Some(integer(settings.segment_bytes)),
    },
    Setting {
        key: "cache_bytes",
        about: "Memory for cached answers, in bytes.",
        set: |settings, value| size(value).map(|size| settings.cache_bytes = size),
        get: |settings| Some(integer(settings.cache_bytes)),
    },
    Setting {
        key: "geo",
        about: "Geo data files, which take precedence over the built-in data; later ones over earlier ones. Reloaded when they change.",
        set: |settings, value| {
            list(value).map(|files| settings.geo = files.into_iter().map(PathBuf::from).collect())
        },
        get: |settings| Some(texts(&settings.geo.iter().map(|file| file.display()).collect::<Vec<_>>())),
    },
    Setting {
        key: "threads",
        about: "Threads that compute a window; 0 for one per processor.",
        set: |settings, value| size(value).map(|size| settings.threads = size),
        get: |settings| Some(integer(settings.threads)),
    },
    Setting {
        key: "worker",
        about: "Which of several workers on one ClickHouse store this is, such as \"2/3\".",
        set: |settings, value| parsed(value).map(|share| settings.worker = share),
        get: |settings| Some(Value::String(settings.worker.to_string())),
    },
    Setting {
        key: "takeover",
        about: "Time after which this worker takes over overdue windows of other workers.",
        set: |settings, value| length::read(value).map(|length| settings.takeover = length),
        get: |settings| Some(length::write(settings.takeover)),
    },
    Setting {
        key: "grace",
        about: "How long to wait for packets of live receivers after the end of a window.",
        set: |settings, value| length::read(value).map(|length| settings.grace = length),
        get: |settings| Some(length::write(settings.grace)),
    },
    Setting {
        key: "privacy.addresses",
        about: "How addresses of packets captured here are stored: full; truncated (/24 and /48); or encrypted with the key.\nCountry and network are looked up first. See docs/privacy.md.",
        set: |settings, value| {
            let name = text(value)?;
            let found = Addresses::from_name(name);
            settings.addresses =
                found.ok_or_else(|| format!("'{name}' is none of full, truncated, encrypted"))?;
            Ok(())
        },
        get: |settings| Some(Value::String(settings.addresses.name().to_owned())),
    },
    Setting {
        key: "privacy.key",
        about: "Key file for addresses that are not stored in full; created if missing. Default: address.key in the directory\nof the store.",
        set: |settings, value| text(value).map(|path| settings.address_key = Some(PathBuf::from(path))),
        get: |settings| settings.address_key.as_ref().map(|path| Value::String(path.display().to_string())),
    },
    Setting {
        key: "keep_packets",
        about: "How long to keep packets, from their time or their arrival, whichever is later.",
        set: |settings, value| read_or_forever(value).map(|length| settings.keep_packets = length),
        get: |settings| Some(write_or_forever(settings.keep_packets)),
    },
    Setting {
        key: "keep_connections",
        about: "How long to keep single connections.",
        set: |settings, value| read_or_forever(value).map(|length| settings.keep_connections = length),
        get: |settings| Some(write_or_forever(settings.keep_connections)),
    },
    Setting {
        key: "keep_15min",
        about: "How long to keep counts of 15 minutes.",
        set: |settings, value| read_or_forever(value).map(|length| settings.keep_15min = length),
        get: |settings| Some(write_or_forever(settings.keep_15min)),
    },
    Setting {
        key: "keep_hours",
        about: "How long to keep counts of hours.",
        set: |settings, value| read_or_forever(value).map(|length| settings.keep_hours = length),
        get: |settings| Some(write_or_forever(settings.keep_hours)),
    },
    Setting {
        key: "keep_days",
        about: "How long to keep counts of days.",
        set: |settings, value| read_or_forever(value).map(|length| settings.keep_days = length),
        get: |settings| Some(write_or_forever(settings.keep_days)),
    },
    Setting {
        key: "log",
        about: "Log level: error, warn, info, debug or trace; also by module, such as \"info,cutshort_api=debug\".",
        set: |settings, value| text(value).map(|filter| settings.log = filter.to_owned()),
        get: |settings| Some(Value::String(settings.log.clone())),
    },
    Setting {
        key: "log_format",
        about: "Log format: text, json, or auto for text on a terminal and json elsewhere.",
        set: |settings, value| {
            settings.log_format = LogFormat::from_name(text(value)?)?;
            Ok(())
        },
        get: |settings| Some(Value::String(settings.log_format.name().to_owned())),
    },
    Setting {
        key: "capture",
        about: "Source of packets: nflog:GROUP or af_packet:INTERFACE. Optional for 'serve'.",
        set: |settings, value| parsed(value).map(|source| settings.capture = Some(source)),
        get: |settings| settings.capture.as_ref().map(|source| Value::String(source.to_string())),
    },
    Setting {
        key: "node",
        about: "Name of this server in the store. Default: the host name.",
        set: |settings, value| {
            let name = text(value)?;
            check_node(name)?;
            settings.node = Some(name.to_owned());
            Ok(())
        },
        get: |settings| settings.node.clone().map(Value::String),
    },
    Setting {
        key: "sample_rate",
        about: "N of \"1 in N\" connections: for af_packet, and for nflog if the rules do not state their rate (those of\n'cutshort rules' do).",
        set: |settings, value| {
            let rate = u32::try_from(number(value)?).ok().and_then(NonZeroU32::new);
            settings.sample_rate = rate.ok_or_else(|| format!("{value} is no number from 1 on"))?;
            Ok(())
        },
        get: |settings| Some(integer(settings.sample_rate.get())),
    },
    Setting {
        key: "capture_ports",
        about: "Server ports that af_packet samples; all if empty. Rules have their own.",
        set: |settings, value| parsed_list(value).map(|ports| settings.capture_ports = ports),
        get: |settings| Some(texts(&settings.capture_ports)),
    },
    Setting {
        key: "capture_exclude",
        about: "Client networks that af_packet excludes, such as those of health checks. Rules have their own.",
        set: |settings, value| parsed_list(value).map(|networks| settings.capture_exclude = networks),
        get: |settings| Some(texts(&settings.capture_exclude)),
    },
    Setting {
        key: "user",
        about: "Drop to this user after opening sockets and files, if started as root. Other privileges are dropped anyway.",
        set: |settings, value| text(value).map(|user| settings.user = Some(user.to_owned())),
        get: |settings| settings.user.clone().map(Value::String),
    },
    Setting {
        key: "segment_time",
        about: "How long to collect packets before delivering them.",
        set: |settings, value| {
            settings.segment_time = length::read(value)?;
            match settings.segment_time >= Duration::from_secs(1) {
                true => Ok(()),
                false => Err("shorter than a second it cannot be".to_owned()),
            }
        },
        get: |settings| Some(length::write(settings.segment_time)),
    },
    Setting {
        key: "spool",
        about: "Spool directory for packets awaiting delivery. 'serve' has its own in the store.",
        set: |settings, value| path(value).map(|path| settings.spool = Some(path)),
        get: |settings| settings.spool.as_deref().map(path_of),
    },
    Setting {
        key: "spool_bytes",
        about: "Size limit of the spool, in bytes; beyond it the oldest packets are dropped and counted.",
        set: |settings, value| number(value).map(|number| settings.spool_bytes = number),
        get: |settings| Some(integer(settings.spool_bytes)),
    },
    Setting {
        key: "collector",
        about: "Collector that 'agent' delivers to, a 'cutshort serve', such as \"https://collector.example.org\".",
        set: |settings, value| text(value).map(|url| settings.collector = Some(url.to_owned())),
        get: |settings| settings.collector.clone().map(Value::String),
    },
    Setting {
        key: "deliver",
        about: "Store that 'agent' delivers to directly: clickhouse://USER@HOST:8123/DATABASE. Put the password where that of\nstore is.",
        set: |settings, value| text(value).map(|url| settings.deliver = Some(url.to_owned())),
        get: |settings| address(settings.deliver.as_deref()),
    },
    Setting {
        key: "token_file",
        about: "File with the token that 'cutshort token create --scope ingest' created on the collector. CUTSHORT_TOKEN in the\nenvironment may hold the token itself instead.",
        set: |settings, value| path(value).map(|path| settings.token_file = Some(path)),
        get: |settings| settings.token_file.as_deref().map(path_of),
    },
    Setting {
        key: "ca_file",
        about: "Trusted certificates (PEM) for the collector, instead of the system's: authorities or its own.",
        set: |settings, value| path(value).map(|path| settings.ca_file = Some(path)),
        get: |settings| settings.ca_file.as_deref().map(path_of),
    },
    Setting {
        key: "proxy",
        about: "HTTP proxy that 'agent' reaches its collector through (CONNECT), such as \"http://proxy.example.org:3128\".\nHTTPS_PROXY and similar variables are ignored.",
        set: |settings, value| text(value).map(|url| settings.proxy = Some(url.to_owned())),
        get: |settings| settings.proxy.as_deref().map(|url| Value::String(without_password(url))),
    },
    Setting {
        key: "upload_timeout",
        about: "Time limit of a delivery. A collector allows 10 minutes, at 4096 bytes/s or more.",
        set: |settings, value| length::read(value).map(|length| settings.upload_timeout = length),
        get: |settings| Some(length::write(settings.upload_timeout)),
    },
    Setting {
        key: "retry_time",
        about: "Longest wait before a failed delivery is retried.",
        set: |settings, value| length::read(value).map(|length| settings.retry_time = length),
        get: |settings| Some(length::write(settings.retry_time)),
    },
    Setting {
        key: "metrics",
        about: "Listen address of 'agent' for Prometheus metrics, such as \"127.0.0.1:9180\". It answers whoever reaches it,\nunencrypted.",
        set: |settings, value| parsed(value).map(|address| settings.metrics = Some(address)),
        get: |settings| settings.metrics.map(|address| Value::String(address.to_string())),
    },
];

impl LogFormat {
    const ALL: [Self; 3] = [Self::Auto, Self::Text, Self::Json];

    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    fn from_name(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| format!("'{name}' is none of auto, text, json"))
    }
}

/// An address without its password.
fn address(text: Option<&str>) -> Option<Value> {
    Address::parse(text?).ok().map(|address| Value::String(address.to_string()))
}

/// The address of a proxy, which may have a user and a password.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rfind('@')) {
        (Some((scheme, _)), Some(at)) => format!("{scheme}://...@{}", &url[at + 1..]),
        _ => url.to_owned(),
    }
}
