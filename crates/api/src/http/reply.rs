//! HTTP responses, and how they may be cached.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use cutshort_model::Window;
use serde::Serialize;

use crate::ask::{Envelope, Message, enveloped};
use crate::problem::Problem;
use crate::question::iso;

/// A response that is ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: Bytes,
    /// How long it may be cached, because it will hardly change.
    pub(super) keep: Option<Keep>,
    /// The file name if it is saved.
    pub(super) file: Option<Cow<'static, str>>,
    /// The windows that it lacks.
    missing: Option<String>,
}

/// How a response may be cached by clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keep {
    /// The duration in seconds.
    pub(super) seconds: u32,
    /// When the content was last changed, in nanoseconds since the Unix epoch.
    pub(super) modified: Option<i64>,
}

pub(super) const JSON: &str = "application/json";
pub(super) const CSV: &str = "text/csv; charset=utf-8";
pub(super) const PARQUET: &str = "application/vnd.apache.parquet";
pub(super) const HTML: &str = "text/html; charset=utf-8";

#[derive(Serialize)]
struct Nothing {}

/// The message that an unknown parameter had no effect.
pub(super) fn ignored(parameter: &str) -> Message {
    let parameter: String = parameter.chars().take(60).collect();
    Message { code: 1001, message: format!("unknown parameter '{parameter}' was ignored") }
}

/// The message that a series has no shares.
pub(super) fn empty_series(what: &str) -> Message {
    Message { code: 1003, message: format!("{what}, so it has no shares") }
}

impl Reply {
    /// A body with a media type.
    pub(super) fn new(kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: 200, kind, body: body.into(), keep: None, file: None, missing: None }
    }

    /// A result in Radar's envelope.
    pub(super) fn result(result: &impl Serialize, messages: &[Message]) -> Result<Self, Problem> {
        enveloped(result, messages).map(|body| Self::new(JSON, body))
    }

    /// JSON without an envelope.
    pub(super) fn json(value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value);
        body.map(|body| Self::new(JSON, body)).map_err(|error| Problem::internal(error.to_string()))
    }

    /// A CSV table, with a name for the saved file.
    pub(super) fn csv(text: String, file: impl Into<Cow<'static, str>>) -> Self {
        Self::file(CSV, text, file)
    }

    /// Content with a name for the saved file.
    pub(super) fn file(
        kind: &'static str,
        body: impl Into<Bytes>,
        file: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { file: Some(file.into()), ..Self::new(kind, body) }
    }

    /// Lists missing windows in a header, because a table has no other place for them.
    pub(super) fn missing(self, windows: &[Window]) -> Self {
        let names: Vec<String> = windows.iter().map(|window| iso(window.start())).collect();
        Self { missing: (!names.is_empty()).then(|| names.join(", ")), ..self }
    }

    pub(super) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) fn keep(self, keep: Option<Keep>) -> Self {
        Self { keep, ..self }
    }

    /// Converts it to an HTTP response. `private` is for responses that only callers with a token may see.
    pub(super) fn into_response(self, private: bool) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.kind == HTML {
            let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        }
        let kept = self
            .keep
            .as_ref()
            .map(|keep| format!("{}, max-age={}", if private { "private" } else { "public" }, keep.seconds));
        let control = kept.unwrap_or_else(|| "no-store".to_owned());
        if let Ok(value) = HeaderValue::from_str(&control) {
            headers.insert(header::CACHE_CONTROL, value);
        }
        if let Some(time) = self.keep.and_then(|keep| keep.modified).and_then(http_date) {
            headers.insert(header::LAST_MODIFIED, time);
        }
        if let Some(Ok(windows)) = self.missing.map(|windows| HeaderValue::from_str(&windows)) {
            headers.insert("cutshort-missing-windows", windows);
        }
        let file = self.file.map(|file| format!("inline; filename=\"{file}\""));
        if let Some(Ok(value)) = file.map(|file| HeaderValue::from_str(&file)) {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        response
    }
}

/// A problem in Radar's envelope. Its result is an empty object.
pub(crate) fn problem(problem: &Problem) -> Response<Body> {
    let errors = [Message { code: problem.code, message: problem.message.clone() }];
    let envelope = Envelope { success: false, errors: &errors, messages: &[], result: Nothing {} };
    let body = serde_json::to_vec(&envelope).unwrap_or_default();
    let mut response = Reply::new(JSON, body).status(problem.status).into_response(true);
    let headers = response.headers_mut();
    if let Some(seconds) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"cutshort\""));
    }
    response
}

/// A time in the format of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(time: i64) -> Option<HeaderValue> {
    let time = jiff::Timestamp::from_second(time.div_euclid(1_000_000_000)).ok()?;
    HeaderValue::from_str(&time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}
