//! All settings: name, meaning, default and kind of each, in one place.
// The texts are also printed by 'cutshort config', where links have no brackets.
#![allow(rustdoc::bare_urls)]

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use cutshort_alerts::Receiver;
use cutshort_api::{MetricPlace, Options, Rate};
use cutshort_capture::{LiveSets, LiveSettings, LiveSource};
use cutshort_clickhouse::Address;
use cutshort_model::{Addresses, ServerName};
use cutshort_pipeline::live::{RecorderSettings, Retry};
use cutshort_pipeline::{EventJob, Share, WindowJob};
use cutshort_store::{Retention, check_node};
use ipnet::IpNet;
use toml::Value;

use crate::alerts::RECEIVERS;
use crate::kind::{
    FLAG, Kind, LENGTH, LENGTH_OR_FOREVER, LISTEN, LISTEN_IF_SET, METRIC_PLACES, NETWORKS, NUMBER, PATH,
    PATHS, PORTS, PUBLIC_URL, RATE, SERVER_NAMES, SIZE, TEXT, TEXTS, integer, number, rate, read_length,
    text, text_form, text_form_if_set,
};
use crate::log_format::LogFormat;

/// One thing that can be set.
pub(crate) struct Setting {
    /// The name in the file, behind a dot in a section of it; in the environment it is in capitals behind `CUTSHORT_`,
    /// with `_` for the dot.
    pub(crate) key: &'static str,
    /// The name in the release before, which still works.
    pub(crate) former: Option<&'static str>,
    /// The lines that describe it, each with a space in front.
    pub(crate) about: &'static [&'static str],
    /// Sets it; the error says what is wrong with the value.
    pub(crate) set: fn(&mut Settings, &Value) -> Result<(), String>,
    /// Returns the value, without secrets; none if it is not set.
    pub(crate) get: fn(&Settings) -> Option<Value>,
}

/// Makes a struct for each section, the struct of all sections, and the table of all settings, from
///
/// ```text
/// /// What it does, which 'cutshort config' shows
/// field as "key" or "former key": Type = default, KIND;
/// ```
macro_rules! settings {
    ($(
        $(#[doc = $meaning:literal])+
        $section:ident: $name:ident {$(
            $(#[doc = $about:literal])+
            $field:ident $(as $key:literal)? $(or $former:literal)?: $type:ty = $default:expr, $kind:expr;
        )+}
    )+) => {
        $(
            $(#[doc = $meaning])+
            #[derive(Clone, Debug, PartialEq)]
            pub struct $name {$(
                $(#[doc = $about])+
                pub $field: $type,
            )+}

            impl Default for $name {
                fn default() -> Self {
                    Self { $($field: $default),+ }
                }
            }
        )+

        /// All settings of `cutshort serve` and `cutshort agent`.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Settings {$(
            $(#[doc = $meaning])+
            pub $section: $name,
        )+}

        /// All settings, in the order in which they are shown.
        pub(crate) const SETTINGS: &[Setting] = &[$($(
            Setting {
                key: settings!(@key $field $($key)?),
                former: settings!(@former $($former)?),
                about: &[$($about),+],
                set: |settings, value| {
                    settings.$section.$field = ($kind.read)(value)?;
                    Ok(())
                },
                get: |settings| ($kind.write)(&settings.$section.$field),
            },
        )+)+];
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@former) => { None };
    (@former $former:literal) => { Some($former) };
}

settings! {
    /// Where the store is.
    store: StoreSettings {
        /// Directory of the store.
        data: Option<PathBuf> = None, PATH;
        /// Store in ClickHouse instead: clickhouse://USER@HOST:8123/DATABASE. data is then a directory for tokens. Put the
        /// password in CUTSHORT_CLICKHOUSE_PASSWORD, or in the file that CUTSHORT_CLICKHOUSE_PASSWORD_FILE names.
        url as "store": Option<String> = None, STORE_URL;
    }

    /// The API and its dashboard.
    http: HttpSettings {
        /// Listen address of the API. Except on loopback addresses (127.0.0.1, ::1) reading needs a token, unless
        /// open_read is set.
        listen: SocketAddr = ([127, 0, 0, 1], 8080).into(), LISTEN;
        /// Allow reading without a token, on any address. Writing always needs one.
        open_read: bool = false, FLAG;
        /// Require a token on loopback addresses, too, for instance behind a proxy that others can reach.
        require_token: bool = false, FLAG;
        /// Serve single connections, which shows addresses of clients.
        connections: bool = Options::default().connections, FLAG;
        /// Host names that requests to a server on a loopback address may use, in addition to localhost and its addresses,
        /// such as "cutshort.example.org" behind a proxy that forwards the Host header; "*" allows any. Requests with
        /// other names are refused, because a web page can point its own name at this machine (DNS rebinding).
        hosts: Vec<String> = Vec::new(), TEXTS;
        /// Origins whose web pages may read (CORS), such as "https://example.org"; "*" for all.
        origins: Vec<String> = Options::default().origins, TEXTS;
        /// Address under which people open the dashboard, such as "https://cutshort.example.org", for links in alarms.
        public_url: Option<String> = None, PUBLIC_URL;
        /// Names of servers to which connections are opened, such as "api=203.0.113.5:443" or "db=192.0.2.0/24:5432". The
        /// first that fits is shown; named servers are shown even where addresses are not.
        upstreams: Vec<ServerName> = Vec::new(), SERVER_NAMES;
        /// Places whose shares of the last hour are metrics at /metrics: "world", "country:IQ", "as:64500".
        metric_places: Vec<MetricPlace> = Options::default().metric_places, METRIC_PLACES;
        /// Sustained requests per second allowed to a client; 0 for no limit.
        rate_limit: f64 = Rate::default().per_second, RATE;
        /// Burst of requests allowed to a client.
        rate_burst: f64 = Rate::default().burst, BURST;
        /// Identify clients by the last address in X-Forwarded-For. Only behind a proxy that sets it, since anybody
        /// can forge it otherwise. The proxy may then open any number of connections.
        forwarded_for: bool = Options::default().forwarded, FLAG;
        /// Time limit for answering a request. A request body may take longer to arrive: 10 minutes, at 4096 bytes/s or more
        /// after the first 20 s.
        timeout: Duration = Options::default().timeout, LENGTH;
        /// Cost limit of one answer, in counts read and returned.
        cost_limit: u64 = Options::default().cost, NUMBER;
        /// Largest segment accepted, in bytes.
        segment_bytes: usize = Options::default().segment, SIZE;
        /// Memory for cached answers, in bytes.
        cache_bytes: usize = Options::default().cache, SIZE;
    }

    /// Settings for computing results.
    jobs: JobSettings {
        /// Geo data files, which take precedence over the built-in data; later ones over earlier ones. Reloaded when they change.
        geo: Vec<PathBuf> = Vec::new(), PATHS;
        /// Threads that compute a window; 0 for one per processor.
        threads: usize = 0, SIZE;
        /// Which of several workers on one ClickHouse store this is, such as "2/3".
        worker: Share = Share::default(), text_form();
        /// Time after which this worker takes over overdue windows of other workers.
        takeover: Duration = cutshort_pipeline::Settings::default().takeover, LENGTH;
        /// How long to wait for packets of live receivers after the end of a window.
        grace: Duration = WindowJob::default().grace, LENGTH;
    }

    /// What is stored of addresses.
    privacy: PrivacySettings {
        /// How addresses of packets captured here are stored: full; truncated (/24 and /48); or encrypted with the key.
        /// Country and network are looked up first. See docs/privacy.md.
        addresses as "privacy.addresses": Addresses = Addresses::default(), ADDRESSES;
        /// Key file for addresses that are not stored in full; created if missing. Default: address.key in the directory
        /// of the store.
        key as "privacy.key": Option<PathBuf> = None, PATH;
    }

    /// How long data is kept.
    keep: KeepSettings {
        /// How long to keep packets, from their time or their arrival, whichever is later.
        packets as "keep_packets": Option<Duration> = Retention::default().packets, LENGTH_OR_FOREVER;
        /// How long to keep single connections.
        connections as "keep_connections": Option<Duration> = Retention::default().connections, LENGTH_OR_FOREVER;
        /// How long to keep counts of 15 minutes.
        fifteen_minutes as "keep_15min" or "keep_quarters":
            Option<Duration> = Retention::default().fifteen_minutes, LENGTH_OR_FOREVER;
        /// How long to keep counts of hours.
        hours as "keep_hours": Option<Duration> = Retention::default().hours, LENGTH_OR_FOREVER;
        /// How long to keep counts of days.
        days as "keep_days": Option<Duration> = Retention::default().days, LENGTH_OR_FOREVER;
    }

    /// Who is told of events that raise an alarm.
    alerts: AlertSettings {
        /// Receivers of alarms, each with name and kind (webhook, alertmanager, command, email), and what its kind needs. See
        /// docs/events.md.
        receivers as "alerts.receivers": Vec<Receiver> = Vec::new(), RECEIVERS;
        /// Receivers are told what happened to events at most so long ago, by the time of the counts.
        recent as "alerts.recent": Duration = EventJob::RECENT, LENGTH;
        /// How long to try to deliver an alert, 7 days at most.
        give_up as "alerts.give_up": Duration = Duration::from_hours(24), GIVE_UP;
    }

    /// Settings for the log.
    log: LogSettings {
        /// Log level: error, warn, info, debug or trace; also by module, such as "info,cutshort_api=debug".
        filter as "log": String = "info".to_owned(), TEXT;
        /// Log format: text, json, or auto for text on a terminal and json elsewhere.
        format as "log_format": LogFormat = LogFormat::Auto, LOG_FORMAT;
    }

    /// Settings for receiving packets.
    capture: CaptureSettings {
        /// Source of packets: nflog:GROUP, af_packet:INTERFACE or ebpf:INTERFACE. Optional for 'serve'.
        source as "capture": Option<LiveSource> = None, text_form_if_set();
        /// Name of this server in the store. Default: the host name.
        node: Option<String> = None, NODE;
        /// N of "1 in N" connections: for af_packet and ebpf, and for nflog if the rules do not state their rate (those
        /// of 'cutshort rules' do).
        sample_rate: NonZeroU32 = LiveSettings::default().rate, SAMPLE_RATE;
        /// Data sets that af_packet and ebpf sample: "tcp" (connections of clients), "origin" (connections that this host opens
        /// to other servers), "quic" (QUIC connections of clients). Rules have their own.
        sets as "capture_datasets": LiveSets = LiveSets::default(), DATASETS;
        /// Open the Initial packets of QUIC connections for acknowledgements and closes, before rows are stored. Their keys can
        /// be computed from the packets themselves. See docs/privacy.md.
        open_initials as "quic.open_initials": bool = false, FLAG;
        /// Server ports that af_packet and ebpf sample. If empty: all of TCP, and 443 of QUIC. Rules have their own.
        ports as "capture_ports": Vec<u16> = Vec::new(), PORTS;
        /// Networks that af_packet and ebpf exclude: of clients, such as those of health checks, or of servers that this host
        /// connects to. Rules have their own.
        exclude as "capture_exclude": Vec<IpNet> = Vec::new(), NETWORKS;
        /// Drop to this user after opening sockets and files, if started as root. Other privileges are dropped anyway.
        user: Option<String> = None, text_form_if_set();
        /// How long to collect packets before delivering them.
        segment_time: Duration = RecorderSettings::default().every, SEGMENT_TIME;
        /// Spool directory for packets awaiting delivery. 'serve' has its own in the store.
        spool: Option<PathBuf> = None, PATH;
        /// Size limit of the spool, in bytes; beyond it the oldest packets are dropped and counted.
        spool_bytes: u64 = 1 << 30, NUMBER;
    }

    /// Settings for delivering packets.
    delivery: DeliverySettings {
        /// Collector that 'agent' delivers to, a 'cutshort serve', such as "https://collector.example.org".
        collector: Option<String> = None, text_form_if_set();
        /// Store that 'agent' delivers to directly: clickhouse://USER@HOST:8123/DATABASE. Put the password where that of
        /// store is.
        store as "deliver": Option<String> = None, STORE_URL;
        /// File with the token that 'cutshort token create --scope ingest' created on the collector. CUTSHORT_TOKEN in the
        /// environment may hold the token itself instead.
        token_file: Option<PathBuf> = None, PATH;
        /// Trusted certificates (PEM) for the collector, instead of the system's: authorities or its own.
        ca_file: Option<PathBuf> = None, PATH;
        /// HTTP proxy that 'agent' reaches its collector through (CONNECT), such as "http://proxy.example.org:3128".
        /// HTTPS_PROXY and similar variables are ignored.
        proxy: Option<String> = None, PROXY;
        /// Time limit of a delivery. A collector allows 10 minutes, at 4096 bytes/s or more.
        upload_timeout: Duration = Duration::from_mins(10), LENGTH;
        /// Longest wait before a failed delivery is retried.
        retry_time: Duration = Retry::default().most, LENGTH;
        /// Listen address of 'agent' for Prometheus metrics, such as "127.0.0.1:9180". It answers whoever reaches it,
        /// unencrypted.
        metrics: Option<SocketAddr> = None, LISTEN_IF_SET;
    }
}

/// The address of a store, which is shown without its password.
const STORE_URL: Kind<Option<String>> = Kind {
    write: |url| Address::parse(url.as_deref()?).ok().map(|address| Value::String(address.to_string())),
    ..text_form_if_set()
};

const BURST: Kind<f64> = Kind {
    read: |value| match rate(value)? {
        burst if burst < 1.0 => Err("below 1 nobody could ask anything".to_owned()),
        burst => Ok(burst),
    },
    ..RATE
};

const ADDRESSES: Kind<Addresses> = Kind {
    read: |value| {
        let name = text(value)?;
        Addresses::from_name(name).ok_or_else(|| format!("'{name}' is none of full, truncated, encrypted"))
    },
    write: |addresses| Some(Value::String(addresses.name().to_owned())),
};

const GIVE_UP: Kind<Duration> = Kind {
    read: |value| match read_length(value)? {
        time if time > Duration::from_hours(7 * 24) => Err("write 7 days or less".to_owned()),
        time => Ok(time),
    },
    ..LENGTH
};

const LOG_FORMAT: Kind<LogFormat> = Kind {
    read: |value| LogFormat::from_name(text(value)?),
    write: |format| Some(Value::String(format.name().to_owned())),
};

const NODE: Kind<Option<String>> = Kind {
    read: |value| {
        let name = text(value)?;
        check_node(name).map(|()| Some(name.to_owned()))
    },
    ..text_form_if_set()
};

const SAMPLE_RATE: Kind<NonZeroU32> = Kind {
    read: |value| {
        let rate = u32::try_from(number(value)?).ok().and_then(NonZeroU32::new);
        rate.ok_or_else(|| format!("{value} is no number from 1 on"))
    },
    write: |rate| integer(&rate.get()),
};

const DATASETS: Kind<LiveSets> = Kind {
    read: |value| {
        LiveSets::named(&(TEXTS.read)(value)?)
            .ok_or_else(|| "the data sets are \"tcp\", \"origin\" and \"quic\", each once".to_owned())
    },
    write: |sets| Some(Value::Array(sets.names().into_iter().map(Into::into).collect())),
};

const SEGMENT_TIME: Kind<Duration> = Kind {
    read: |value| match read_length(value)? {
        time if time < Duration::from_secs(1) => Err("shorter than a second it cannot be".to_owned()),
        time => Ok(time),
    },
    ..LENGTH
};

/// The address of a proxy, which is shown without its user and password.
const PROXY: Kind<Option<String>> = Kind {
    write: |url| url.as_deref().map(|url| Value::String(without_password(url))),
    ..text_form_if_set()
};

fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rfind('@')) {
        (Some((scheme, _)), Some(at)) => format!("{scheme}://...@{}", &url[at + 1..]),
        _ => url.to_owned(),
    }
}
