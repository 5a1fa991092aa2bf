//! The files of the dashboard, which are part of the program. They are built from `web/` and know only the
//! public API.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header};
use axum::routing::get;

use crate::http::problem;
use crate::problem::Problem;

/// A built file.
struct File {
    path: &'static str,
    kind: &'static str,
    /// Of its bytes.
    digest: &'static str,
    bytes: &'static [u8],
}

const FILES: &[File] = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/dist/files.rs"));

const PAGE: &str = "index.html";
const EMBED: &str = "embed/index.html";
/// Everything comes from this server. Pictures for download are created in memory (`blob:`).
const POLICY: &str = "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";
/// The same for charts, which other pages may show.
const EMBED_POLICY: &str = "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors *";
/// The names of assets hold a digest of their content: they never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// Its routes: the page at `/`, charts for other pages below `/embed/`.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(|headers: HeaderMap| async move { page(PAGE, POLICY, &headers) }))
        .route("/embed/{chart}", get(|headers: HeaderMap| async move { page(EMBED, EMBED_POLICY, &headers) }))
        .route("/favicon.svg", get(|headers: HeaderMap| async move { page("favicon.svg", POLICY, &headers) }))
        .route(
            "/licences.txt",
            get(|headers: HeaderMap| async move { page("licences.txt", POLICY, &headers) }),
        )
        .route("/assets/{file}", get(asset))
}

async fn asset(Path(name): Path<String>, uri: Uri) -> Response<Body> {
    let path = format!("assets/{name}");
    match FILES.iter().find(|file| file.path == path) {
        Some(file) => response(file, POLICY, FOR_EVER),
        None => problem(&Problem::no_route(uri.path())),
    }
}

fn page(path: &str, policy: &'static str, headers: &HeaderMap) -> Response<Body> {
    let Some(file) = FILES.iter().find(|file| file.path == path) else {
        return problem(&Problem::internal(format!("the dashboard was built without {path}")));
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut response = response(file, policy, ASK_AGAIN);
    if known.contains(file.digest) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
    }
    response
}

fn response(file: &File, policy: &'static str, cache: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(file.bytes));
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_TYPE, file.kind),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Weak, as the body may be compressed on its way.
    if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{}\"", file.digest)) {
        headers.insert(header::ETAG, tag);
    }
    response
}
