//! The files of the dashboard, which are part of the program. They are built from `web/` and know only the
//! public API.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header, request};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::http::{App, Preview, image, no_route, problem};
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
pub(crate) fn routes(app: &Arc<App>) -> Router {
    let (page_of, picture_of) = (Arc::clone(app), Arc::clone(app));
    let index = move |request: Request| async move { index(&page_of, &request.into_parts().0).await };
    let picture = move |request: Request| async move { picture(&picture_of, &request.into_parts().0).await };
    Router::new()
        .route("/", get(index))
        .route("/preview.png", get(picture))
        .route("/embed/{chart}", get(|headers: HeaderMap| async move { page(EMBED, EMBED_POLICY, &headers) }))
        .route("/favicon.svg", get(|headers: HeaderMap| async move { page("favicon.svg", POLICY, &headers) }))
        .route(
            "/licences.txt",
            get(|headers: HeaderMap| async move { page("licences.txt", POLICY, &headers) }),
        )
        .route("/assets/{file}", get(asset))
}

async fn asset(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let path = format!("assets/{name}");
    match FILES.iter().find(|file| file.path == path) {
        Some(file) => response(file, POLICY, FOR_EVER),
        None => no_route(uri.path(), &headers),
    }
}

/// The page, with what a pasted link to it shows.
async fn index(app: &Arc<App>, parts: &request::Parts) -> Response<Body> {
    let plain = page(PAGE, POLICY, &HeaderMap::new());
    let Some(html) =
        FILES.iter().find(|file| file.path == PAGE).and_then(|file| str::from_utf8(file.bytes).ok())
    else {
        return plain;
    };
    let tags = Preview::of(app, parts).await.tags(image(app, parts).as_deref());
    let html = html.replacen("</title>", &format!("</title>\n    {tags}"), 1);
    let digest =
        Sha256::digest(&html)[..8].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let mut response = plain;
    if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{digest}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    *response.body_mut() = Body::from(html);
    unless_known(response, &digest, &parts.headers)
}

async fn picture(app: &Arc<App>, parts: &request::Parts) -> Response<Body> {
    let preview = Preview::of(app, parts).await;
    // Drawing takes some milliseconds.
    let png = tokio::task::spawn_blocking(move || preview.png()).await.unwrap_or_default();
    let mut response = Response::new(Body::from(png));
    let fixed = [
        (header::CONTENT_TYPE, "image/png"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn page(path: &str, policy: &'static str, headers: &HeaderMap) -> Response<Body> {
    let Some(file) = FILES.iter().find(|file| file.path == path) else {
        return problem(&Problem::internal(format!("the dashboard was built without {path}")));
    };
    unless_known(response(file, policy, ASK_AGAIN), file.digest, headers)
}

/// Without its body if the one who asks has it.
fn unless_known(mut response: Response<Body>, digest: &str, headers: &HeaderMap) -> Response<Body> {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if known.contains(digest) {
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
