//! Requests without a network.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use cutshort_api::{App, Options, Parts};
use cutshort_geo::Geo;
use cutshort_model::{Bucket, Window};
use cutshort_pipeline::GeoData;
use cutshort_store::Store;
use serde_json::Value;
use tower::ServiceExt;

use crate::memory::Memory;

/// 2026-01-14T12:10:00Z, a Wednesday: relative ranges end at 12:00.
pub(crate) const NOW: i64 = 1_768_392_600_000_000_000;
/// The last quarter of an hour that is over, 12:00.
pub(crate) const END: i64 = 1_768_392_000_000_000_000;
pub(crate) const WINDOW: i64 = Window::LENGTH;
pub(crate) const DAY: i64 = Bucket::Day.nanoseconds();
pub(crate) const RADAR: &str = "/client/v4/radar/tcp_resets_timeouts";

pub(crate) struct Server {
    router: Router,
}

pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn open() -> Options {
    Options { open_read: true, rate: None, ..Options::default() }
}

/// The same with everything on, and a server that has the name of the documentation's examples.
pub(crate) fn with_all() -> Options {
    let upstreams = vec!["api=192.0.2.0/24".parse().expect("a name")];
    Options { connections: true, upstreams, ..open() }
}

/// The shipped data, loaded once.
pub(crate) fn geo() -> Arc<GeoData> {
    static GEO: std::sync::OnceLock<Arc<GeoData>> = std::sync::OnceLock::new();
    Arc::clone(GEO.get_or_init(|| Arc::new(Geo::builtin().into())))
}

/// What requests share, at the time that is [`NOW`].
pub(crate) fn app(store: Arc<dyn Store>, options: Options, tokens: Option<std::path::PathBuf>) -> App {
    app_of(Parts { store, geo: geo(), service: None, tokens }, options)
}

fn app_of(parts: Parts, options: Options) -> App {
    let now = || -> SystemTime { UNIX_EPOCH + Duration::from_nanos(NOW as u64) };
    App::new(parts, options).with_clock(now)
}

impl Server {
    pub(crate) fn of(store: Memory) -> Self {
        Self::with(store, open())
    }

    pub(crate) fn with(store: Memory, options: Options) -> Self {
        Self::with_parts(Arc::new(store), options, None)
    }

    pub(crate) fn with_geo(store: Memory, geo: Arc<GeoData>) -> Self {
        let parts = Parts { store: Arc::new(store), geo, service: None, tokens: None };
        Self { router: cutshort_api::router(&Arc::new(app_of(parts, open()))) }
    }

    pub(crate) fn with_parts(
        store: Arc<dyn Store>,
        options: Options,
        tokens: Option<std::path::PathBuf>,
    ) -> Self {
        Self { router: cutshort_api::router(&Arc::new(app(store, options, tokens))) }
    }

    pub(crate) fn get(&self, path: &str) -> Got {
        self.send(Request::get(path).body(Body::empty()).unwrap())
    }

    pub(crate) fn radar(&self, rest: &str) -> Got {
        self.get(&format!("{RADAR}{rest}"))
    }

    pub(crate) fn send(&self, request: Request<Body>) -> Got {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Got { status: parts.status, headers: parts.headers, text, bytes }
        })
    }
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The result of an answer that succeeded.
    #[track_caller]
    pub(crate) fn result(&self) -> Value {
        let json = self.json();
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        assert_eq!(json["success"], true, "{}", self.text);
        assert_eq!(json["errors"], Value::Array(Vec::new()));
        json["result"].clone()
    }

    /// Status, code and message of a problem, whose envelope is looked at.
    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, u64, String) {
        let json = self.json();
        assert_eq!(json["success"], false, "{}", self.text);
        assert_eq!(json["messages"], Value::Array(Vec::new()));
        assert_eq!(json["result"], serde_json::json!({}));
        let error = &json["errors"][0];
        (self.status.as_u16(), error["code"].as_u64().unwrap(), error["message"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.headers)).to_str().unwrap()
    }
}
