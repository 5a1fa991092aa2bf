//! The HTTP interface of the API.

mod activity;
mod agents;
mod app;
mod body;
mod book;
mod cache;
mod dispatch;
mod endpoint;
mod endpoints;
mod facts;
mod fold;
mod host;
mod html;
mod limiter;
mod local;
mod metrics;
mod openapi;
mod parameters;
mod preview;
mod reply;
mod results;
mod room;
mod serve;
mod tokens;
mod warnings;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method as HttpMethod, Response, StatusCode, Uri, header};
use axum::routing::{MethodFilter, on};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};

pub use app::{App, Options, Parts};
pub use body::Uploads;
pub(crate) use fold::plain as plain_letter;
pub use limiter::Rate;
pub use local::LocalCollector;
pub use openapi::document as openapi;
pub(crate) use preview::{Preview, image};
pub(crate) use reply::problem;
pub use results::MetricPlace;
pub use room::Limits;
pub use serve::serve;
pub use tokens::{Scope, Token, TokenFile};

use crate::dashboard;
use crate::problem::Problem;
use dispatch::dispatch;
use endpoint::Method;
use endpoints::ROUTES;

/// The router of all endpoints and the dashboard.
pub fn router(app: &Arc<App>) -> Router {
    let cors = cors(&app.options.origins);
    let mut router = dashboard::routes(app);
    for route in ROUTES.iter() {
        let app = Arc::clone(app);
        let handler = move |request: Request| dispatch(Arc::clone(&app), route, request);
        router = router.route(&route.path, on(filter(route.endpoint.method), handler));
    }
    // Small answers do not become smaller.
    let worth_it = DefaultPredicate::new().and(SizeAbove::new(512));
    let router = router
        .fallback(|uri: Uri, headers: HeaderMap| async move { no_route(uri.path(), &headers) })
        .method_not_allowed_fallback(other_method)
        .layer(CompressionLayer::new().compress_when(worth_it))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), host::check));
    match cors {
        Some(cors) => router.layer(cors),
        None => router,
    }
}

/// That there is nothing at a path: a page for people, and for programs what they can read.
pub(crate) fn no_route(path: &str, headers: &HeaderMap) -> Response<Body> {
    if wants_page(headers) && !path.starts_with("/client/") {
        return html::not_found(path).into_response(true);
    }
    problem(&Problem::no_route(path))
}

/// Whether a person asks, with a browser.
fn wants_page(headers: &HeaderMap) -> bool {
    let is_page = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains("text/html"));
    headers.get_all(header::ACCEPT).iter().any(is_page)
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Delete => MethodFilter::DELETE,
    }
}

/// Answers OPTIONS requests, and other methods that a path does not have.
async fn other_method(method: HttpMethod, path: axum::extract::MatchedPath) -> Response<Body> {
    let here = ROUTES.iter().filter(|route| route.path == path.as_str());
    let methods: Vec<Method> = here.map(|route| route.endpoint.method).collect();
    // The dashboard's files are in no table.
    let methods = if methods.is_empty() { vec![Method::Get] } else { methods };
    let allowed: Vec<&str> = methods
        .iter()
        .flat_map(|method| match method {
            Method::Get => &["GET", "HEAD"][..],
            Method::Post => &["POST"],
            Method::Delete => &["DELETE"],
        })
        .copied()
        .chain(["OPTIONS"])
        .collect();
    let allowed = allowed.join(", ");
    let mut response = if method == HttpMethod::OPTIONS {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    } else {
        problem(&Problem::no_method(&allowed))
    };
    if let Ok(value) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// Allows pages of other origins to read answers, if configured. Without credentials, but pages may send a token.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed = match origins.iter().any(|origin| origin == "*") {
        true => AllowOrigin::any(),
        false => AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok())),
    };
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([HttpMethod::GET, HttpMethod::HEAD, HttpMethod::OPTIONS])
            .allow_headers([header::AUTHORIZATION, header::IF_NONE_MATCH])
            .expose_headers([header::ETAG, header::RETRY_AFTER]),
    )
}
