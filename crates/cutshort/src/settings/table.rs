//! All settings.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use cutshort_api::{Options, Rate};
use cutshort_capture::LiveSettings;
use cutshort_clickhouse::Address;
use cutshort_pipeline::live::{RecorderSettings, Retry};
use cutshort_pipeline::{Share, WindowJob};
use cutshort_store::{Addresses, Retention, check_node};
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
            keep_quarters: keep.quarters,
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
        about: "Folder of the store.",
        set: |settings, value| text(value).map(|path| settings.data = Some(PathBuf::from(path))),
        get: |settings| settings.data.as_ref().map(|path| Value::String(path.display().to_string())),
    },
    Setting {
        key: "store",
        about: "Store in ClickHouse instead: clickhouse://USER@HOST:8123/DATABASE. data is then a folder for tokens. The\npassword is better in CUTSHORT_CLICKHOUSE_PASSWORD, or in the file that CUTSHORT_CLICKHOUSE_PASSWORD_FILE names.",
        set: |settings, value| text(value).map(|store| settings.store = Some(store.to_owned())),
        get: |settings| address(settings.store.as_deref()),
    },
    Setting {
        key: "listen",
        about: "Address and port on which the API answers. On another address than those of this machine\nitself (127.0.0.1, ::1) reading needs a token, unless open_read says otherwise.",
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
        about: "Let everybody who reaches the address read without a token. Writing needs one always.",
        set: |settings, value| flag(value).map(|value| settings.open_read = value),
        get: |settings| Some(Value::Boolean(settings.open_read)),
    },
    Setting {
        key: "require_token",
        about: "Ask for a token on 127.0.0.1 and ::1 as well, as behind a proxy that is open to others.",
        set: |settings, value| flag(value).map(|value| settings.require_token = value),
        get: |settings| Some(Value::Boolean(settings.require_token)),
    },
    Setting {
        key: "connections",
        about: "Answer questions about single connections, which shows addresses of clients.",
        set: |settings, value| flag(value).map(|value| settings.connections = value),
        get: |settings| Some(Value::Boolean(settings.connections)),
    },
    Setting {
        key: "hosts",
        about: "Names by which a server on 127.0.0.1 or ::1 may be asked, besides localhost and its addresses, such as\n\"cutshort.example.org\" behind a proxy that passes on the name it was asked by; \"*\" for any. Requests with other\nnames are refused, as web pages can have a name of their own lead to this machine (DNS rebinding).",
        set: |settings, value| list(value).map(|hosts| settings.hosts = hosts),
        get: |settings| Some(texts(&settings.hosts)),
    },
    Setting {
        key: "origins",
        about: "Web pages of these origins may read, such as \"https://example.org\"; \"*\" for all.",
        set: |settings, value| list(value).map(|origins| settings.origins = origins),
        get: |settings| Some(texts(&settings.origins)),
    },
    Setting {
        key: "rate_limit",
        about: "Requests a second that a client may send in the long run; 0 for any number.",
        set: |settings, value| rate(value).map(|rate| settings.rate_limit = rate),
        get: |settings| Some(Value::Float(settings.rate_limit)),
    },
    Setting {
        key: "rate_burst",
        about: "Requests that a client may send at once.",
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
        about: "Tell clients apart by the last address in X-Forwarded-For. Only behind a proxy that sets it:\nelse anybody can say anything. The proxy may then open any number of connections.",
        set: |settings, value| flag(value).map(|value| settings.forwarded_for = value),
        get: |settings| Some(Value::Boolean(settings.forwarded_for)),
    },
    Setting {
        key: "timeout",
        about: "How long answering a request may take. A body has more time to arrive: 10 minutes, as long as 4096 bytes/s\ndo after the first 20 s.",
        set: |settings, value| length::read(value).map(|length| settings.timeout = length),
        get: |settings| Some(length::write(settings.timeout)),
    },
    Setting {
        key: "cost_limit",
        about: "The most that one answer may cost, in counts that are read and given.",
        set: |settings, value| number(value).map(|number| settings.cost_limit = number),
        get: |settings| Some(integer(settings.cost_limit)),
    },
    Setting {
        key: "segment_bytes",
        about: "The largest segment that is taken, in bytes.",
        set: |settings, value| size(value).map(|size| settings.segment_bytes = size),
        get: |settings| Some(integer(settings.segment_bytes)),
    },
    Setting {
        key: "cache_bytes",
        about: "Memory for answers that are given again to those who ask the same, in bytes.",
        set: |settings, value| size(value).map(|size| settings.cache_bytes = size),
        get: |settings| Some(integer(settings.cache_bytes)),
    },
    Setting {
        key: "geo",
        about: "Files of countries and networks, before those that cutshort has; later ones go before earlier ones. Read again when they change.",
        set: |settings, value| {
            list(value).map(|files| settings.geo = files.into_iter().map(PathBuf::from).collect())
        },
        get: |settings| Some(texts(&settings.geo.iter().map(|file| file.display()).collect::<Vec<_>>())),
    },
    Setting {
        key: "threads",
        about: "Threads that compute a window; 0 for as many as there are processors.",
        set: |settings, value| size(value).map(|size| settings.threads = size),
        get: |settings| Some(integer(settings.threads)),
    },
    Setting {
        key: "worker",
        about: "Which of several workers this is that compute the windows of one store in ClickHouse, such as \"2/3\".",
        set: |settings, value| parsed(value).map(|share| settings.worker = share),
        get: |settings| Some(Value::String(settings.worker.to_string())),
    },
    Setting {
        key: "takeover",
        about: "After how long windows of other workers are computed here that these should have computed.",
        set: |settings, value| length::read(value).map(|length| settings.takeover = length),
        get: |settings| Some(length::write(settings.takeover)),
    },
    Setting {
        key: "grace",
        about: "How long packets of live receivers are awaited after the end of a window.",
        set: |settings, value| length::read(value).map(|length| settings.grace = length),
        get: |settings| Some(length::write(settings.grace)),
    },
    Setting {
        key: "privacy.addresses",
        about: "What is kept of addresses of packets that are captured here: full; truncated, their networks only (/24 and\n/48); or encrypted, with the key. Countries and networks are looked up before. docs/privacy.md tells more.",
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
        about: "File with the key for addresses, if these are not kept in full; made if it is missing. None is address.key\nin the folder of the store.",
        set: |settings, value| text(value).map(|path| settings.address_key = Some(PathBuf::from(path))),
        get: |settings| settings.address_key.as_ref().map(|path| Value::String(path.display().to_string())),
    },
    Setting {
        key: "keep_packets",
        about: "For how long packets are kept, from when they happened or came in, whichever is later.",
        set: |settings, value| read_or_forever(value).map(|length| settings.keep_packets = length),
        get: |settings| Some(write_or_forever(settings.keep_packets)),
    },
    Setting {
        key: "keep_connections",
        about: "For how long single connections are kept.",
        set: |settings, value| read_or_forever(value).map(|length| settings.keep_connections = length),
        get: |settings| Some(write_or_forever(settings.keep_connections)),
    },
    Setting {
        key: "keep_quarters",
        about: "For how long counts of 15 minutes are kept.",
        set: |settings, value| read_or_forever(value).map(|length| settings.keep_quarters = length),
        get: |settings| Some(write_or_forever(settings.keep_quarters)),
    },
    Setting {
        key: "keep_hours",
        about: "For how long counts of hours are kept.",
        set: |settings, value| read_or_forever(value).map(|length| settings.keep_hours = length),
        get: |settings| Some(write_or_forever(settings.keep_hours)),
    },
    Setting {
        key: "keep_days",
        about: "For how long counts of days are kept.",
        set: |settings, value| read_or_forever(value).map(|length| settings.keep_days = length),
        get: |settings| Some(write_or_forever(settings.keep_days)),
    },
    Setting {
        key: "log",
        about: "What is logged: error, warn, info, debug or trace; also by part, such as \"info,cutshort_api=debug\".",
        set: |settings, value| text(value).map(|filter| settings.log = filter.to_owned()),
        get: |settings| Some(Value::String(settings.log.clone())),
    },
    Setting {
        key: "log_format",
        about: "How it is logged: text for people, json for programs, auto for text on a terminal and json elsewhere.",
        set: |settings, value| {
            settings.log_format = LogFormat::from_name(text(value)?)?;
            Ok(())
        },
        get: |settings| Some(Value::String(settings.log_format.name().to_owned())),
    },
    Setting {
        key: "capture",
        about: "Where packets are received from: nflog:GROUP or af_packet:INTERFACE. 'serve' needs none.",
        set: |settings, value| parsed(value).map(|source| settings.capture = Some(source)),
        get: |settings| settings.capture.as_ref().map(|source| Value::String(source.to_string())),
    },
    Setting {
        key: "node",
        about: "What this server is called in the store. Without it, the host's name.",
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
        about: "N of \"1 in N\" connections: what af_packet takes, and what packets of nflog are said to be where their\nrule does not tell. The rules of 'cutshort rules' do.",
        set: |settings, value| {
            let rate = u32::try_from(number(value)?).ok().and_then(NonZeroU32::new);
            settings.sample_rate = rate.ok_or_else(|| format!("{value} is no number from 1 on"))?;
            Ok(())
        },
        get: |settings| Some(integer(settings.sample_rate.get())),
    },
    Setting {
        key: "capture_ports",
        about: "Ports of servers whose connections af_packet takes; all if there are none. Rules have their own.",
        set: |settings, value| parsed_list(value).map(|ports| settings.capture_ports = ports),
        get: |settings| Some(texts(&settings.capture_ports)),
    },
    Setting {
        key: "capture_exclude",
        about: "Networks of clients that af_packet leaves out, such as those of health checks. Rules have their own.",
        set: |settings, value| parsed_list(value).map(|networks| settings.capture_exclude = networks),
        get: |settings| Some(texts(&settings.capture_exclude)),
    },
    Setting {
        key: "user",
        about: "Become this user once all is open, if started as root. With 'capture' other privileges are dropped anyway.",
        set: |settings, value| text(value).map(|user| settings.user = Some(user.to_owned())),
        get: |settings| settings.user.clone().map(Value::String),
    },
    Setting {
        key: "segment_time",
        about: "For how long packets are gathered before they are delivered.",
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
        about: "Folder in which packets wait to be delivered. 'serve' has its own in the store.",
        set: |settings, value| path(value).map(|path| settings.spool = Some(path)),
        get: |settings| settings.spool.as_deref().map(path_of),
    },
    Setting {
        key: "spool_bytes",
        about: "How much may wait, in bytes; beyond it the oldest is dropped, and counted.",
        set: |settings, value| number(value).map(|number| settings.spool_bytes = number),
        get: |settings| Some(integer(settings.spool_bytes)),
    },
    Setting {
        key: "collector",
        about: "Where 'agent' delivers to, such as \"https://collector.example.org\": a 'cutshort serve'.",
        set: |settings, value| text(value).map(|url| settings.collector = Some(url.to_owned())),
        get: |settings| settings.collector.clone().map(Value::String),
    },
    Setting {
        key: "deliver",
        about: "Store to which 'agent' delivers without a collector: clickhouse://USER@HOST:8123/DATABASE. The password is\nwhere that of store is.",
        set: |settings, value| text(value).map(|url| settings.deliver = Some(url.to_owned())),
        get: |settings| address(settings.deliver.as_deref()),
    },
    Setting {
        key: "token_file",
        about: "File with the token for the collector, which 'cutshort token create --scope ingest' makes there. Or the\nenvironment has the token itself, in CUTSHORT_TOKEN.",
        set: |settings, value| path(value).map(|path| settings.token_file = Some(path)),
        get: |settings| settings.token_file.as_deref().map(path_of),
    },
    Setting {
        key: "ca_file",
        about: "Certificates (PEM) that the collector's must come from or be one of, instead of the system's.",
        set: |settings, value| path(value).map(|path| settings.ca_file = Some(path)),
        get: |settings| settings.ca_file.as_deref().map(path_of),
    },
    Setting {
        key: "proxy",
        about: "HTTP proxy through which 'agent' reaches its collector (CONNECT), such as \"http://proxy.example.org:3128\".\nHTTPS_PROXY and the like in the environment are not used.",
        set: |settings, value| text(value).map(|url| settings.proxy = Some(url.to_owned())),
        get: |settings| settings.proxy.as_deref().map(|url| Value::String(without_password(url))),
    },
    Setting {
        key: "upload_timeout",
        about: "How long a delivery may take. A collector takes one for 10 minutes, as long as 4096 bytes/s arrive.",
        set: |settings, value| length::read(value).map(|length| settings.upload_timeout = length),
        get: |settings| Some(length::write(settings.upload_timeout)),
    },
    Setting {
        key: "retry_time",
        about: "How long to wait at most before a delivery that has failed is tried again.",
        set: |settings, value| length::read(value).map(|length| settings.retry_time = length),
        get: |settings| Some(length::write(settings.retry_time)),
    },
    Setting {
        key: "metrics",
        about: "Address and port on which 'agent' has numbers for Prometheus, such as \"127.0.0.1:9180\". It answers whoever\nreaches that address, unencrypted.",
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
