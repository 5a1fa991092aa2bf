//! The way of a request: who asks, may they, has it been answered before; then the answer, in time.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header, request};
use sha2::{Digest, Sha256};

use super::app::App;
use super::cache::{CacheKey, Generation};
use super::endpoint::{Access, Call, Endpoint, Method, ParameterPlace, Route, Unknown};
use super::reply::{self, Reply};
use super::tokens::Scope;
use crate::ask::Message;
use crate::problem::Problem;
use crate::question::{OWN_ARRAYS, Parameters, floor};

/// Answers a request.
pub(super) async fn dispatch(app: Arc<App>, route: &'static Route, request: Request<Body>) -> Response<Body> {
    let endpoint = route.endpoint;
    let begin = Instant::now();
    let (parts, body) = request.into_parts();
    let conditions = parts.headers.clone();
    let private = !app.options.open_read || matches!(endpoint.access, Access::Token(_));
    let shared = Arc::clone(&app);
    let response = match answer(app, route, parts, body).await {
        Ok(reply) => conditional(reply, private, &conditions),
        Err(problem) => {
            if problem.status >= 500 {
                shared.warnings.warn(&route.id, &problem, Instant::now());
            }
            reply::problem(&problem)
        }
    };
    let (status, took) = (response.status().as_u16(), begin.elapsed());
    tracing::debug!(endpoint = route.id, status, milliseconds = took.as_secs_f64() * 1e3, "answered");
    shared.metrics.request(&route.id, status, took);
    response
}

async fn answer(
    app: Arc<App>,
    route: &'static Route,
    mut parts: request::Parts,
    body: Body,
) -> Result<Reply, Problem> {
    let (endpoint, data_set) = (route.endpoint, route.data_set);
    limit(&app, endpoint, &parts)?;
    let sender = allow(&app, endpoint, &parts.headers)?;
    let path = path_of(&mut parts).await;
    let parameters = Parameters::parse(parts.uri.query().unwrap_or_default())?;
    let messages = unknown(route, &parameters)?;
    let work = move |app: &Arc<App>, body| {
        let now = app.now();
        let headers = std::mem::take(&mut parts.headers);
        let geo = app.geo.state();
        let mut call = Call { app, data_set, parameters, path, headers, body, geo, now, messages, sender };
        match endpoint.method {
            Method::Get => remembered(endpoint, &mut call, &parts),
            Method::Post | Method::Delete => (endpoint.run)(&mut call),
        }
    };
    in_time(app, endpoint, body, work).await
}

/// Waits for the body, then does the work where it may block, with as many others as it should, and not for ever.
async fn in_time(
    app: Arc<App>,
    endpoint: &'static Endpoint,
    body: Body,
    work: impl FnOnce(&Arc<App>, Bytes) -> Result<Reply, Problem> + Send + 'static,
) -> Result<Reply, Problem> {
    let limit = app.options.timeout;
    let busy = || Problem::unavailable(format!("not answered within {} s", limit.as_secs_f64()));
    let body = match &endpoint.takes {
        Some(takes) => Some(app.bodies.read(body, (takes.most)(&app), &app.options.uploads).await?),
        None => None,
    };
    let done = async {
        let _turn = match &body {
            Some(_) => Some(app.bodies.turn().await.ok_or_else(busy)?),
            None => None,
        };
        let readers = Arc::clone(&app.readers);
        let permit = match endpoint.access {
            Access::Open => None,
            _ if !endpoint.store => None,
            _ => Some(readers.acquire_owned().await.map_err(|_| busy())?),
        };
        let shared = Arc::clone(&app);
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let (bytes, _memory) = body.map_or((Bytes::new(), None), |body| (body.bytes, body.memory));
            work(&shared, bytes)
        });
        work.await.unwrap_or_else(|_| Err(Problem::internal("internal error; see the log of the server")))
    };
    tokio::time::timeout(limit, done).await.unwrap_or_else(|_| Err(busy()))
}

fn limit(app: &App, endpoint: &Endpoint, parts: &request::Parts) -> Result<(), Problem> {
    let (Some(limiter), true) = (&app.limiter, endpoint.access != Access::Open) else { return Ok(()) };
    limiter.take(client(app, parts), Instant::now()).map_err(Problem::too_many)
}

/// Who asks: the last address that the proxy in front has noted, if one is trusted.
pub(super) fn client(app: &App, parts: &request::Parts) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let forwarded = || {
        let value = parts.headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        value.rsplit(',').next()?.trim().parse().ok()
    };
    let forwarded = if app.options.forwarded { forwarded() } else { None };
    forwarded.or(peer).unwrap_or(IpAddr::from([0, 0, 0, 0]))
}

/// What is wrong is for the operator, not for callers.
const TOKENS_UNREADABLE: &str =
    "this server cannot read its tokens, and accepts none until it can; its log says why";

/// Refuses callers without the right token. Gives the node that the token is bound to, if it is.
fn allow(app: &App, endpoint: &Endpoint, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let scope = match endpoint.access {
        Access::Open => return Ok(None),
        // Clients of Radar always send some token, which need not be one of ours.
        Access::Read if app.options.open_read => return Ok(None),
        Access::Read => Scope::Read,
        Access::Token(scope) => scope,
    };
    let name = scope.name();
    let secret = bearer(headers).ok_or_else(|| {
        Problem::no_token(format!(
            "this needs a token: send 'Authorization: Bearer TOKEN'; 'cutshort token create --scope {name}' makes one"
        ))
    })?;
    match app.tokens.find(secret).map_err(|_| Problem::unavailable(TOKENS_UNREADABLE))? {
        None => Err(Problem::no_token("the token is not known here, or was revoked")),
        Some(token) if !token.scopes.contains(&scope) => {
            Err(Problem::forbidden(format!("the token does not allow this: it needs the scope {name}")))
        }
        Some(token) => Ok(token.node),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

async fn path_of(parts: &mut request::Parts) -> HashMap<String, String> {
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(path) => path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        Err(_) => HashMap::new(),
    }
}

/// Ignores or refuses parameters that an endpoint does not have.
fn unknown(route: &Route, parameters: &Parameters) -> Result<Vec<Message>, Problem> {
    let endpoint = route.endpoint;
    let is_elsewhere = |place| matches!(place, ParameterPlace::Path | ParameterPlace::Header);
    let in_query = endpoint.parameters.iter().filter(|parameter| !is_elsewhere(parameter.place));
    let known: Vec<&'static str> = in_query.map(|parameter| parameter.name).collect();
    let unknown = parameters.unknown(&known);
    let ours = |key: &&&str| OWN_ARRAYS.contains(*key) || **key == "counts" || **key == "limitPerGroup";
    match (endpoint.unknown, unknown.iter().find(ours)) {
        (Unknown::Ignored, None) => match unknown.iter().find_map(|key| Some((key, meant(key, &known)?))) {
            None => Ok(unknown.into_iter().map(reply::ignored).collect()),
            Some((key, name)) => {
                let key: String = key.chars().take(60).collect();
                Err(Problem::bad_input(format!("{key}: no parameter here; write it as '{name}'")))
            }
        },
        (Unknown::Ignored, Some(own)) => Err(Problem::bad_input(format!(
            "{own}: not here, where answers are as Radar's; it is a parameter of {}/stage",
            route.path
        ))),
        (Unknown::Refused, _) => match unknown.first() {
            None => Ok(Vec::new()),
            Some(key) => {
                let key: String = key.chars().take(60).collect();
                let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(Problem::bad_input(format!("{key}: unknown parameter; the parameters are: {there}")))
            }
        },
    }
}

/// The parameter that is meant by one in another case, in the plural, or with other separators: if it was ignored, the
/// answer would be another than was meant.
fn meant(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain =
        |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase().trim_end_matches('s').to_owned();
    let key = plain(key);
    known.iter().chain(&OWN_ARRAYS).copied().find(|name| plain(name) == key)
}

/// Gives the answer that was given before, or answers and remembers it.
fn remembered(endpoint: &Endpoint, call: &mut Call<'_>, parts: &request::Parts) -> Result<Reply, Problem> {
    // Whether the program lives, and how it is used, must not wait for the store.
    if endpoint.access == Access::Open || !endpoint.store {
        return (endpoint.run)(call);
    }
    let app = Arc::clone(call.app);
    let Ok((_, facts)) = app.facts(call.data_set) else { return (endpoint.run)(call) };
    let generation = Generation { facts, geo: call.geo.generation };
    let key = CacheKey { address: parts.uri.to_string(), quarter: floor(call.now) };
    if let Some(reply) = app.cache.get(&key, generation) {
        app.metrics.remembered();
        return Ok(reply);
    }
    let reply = (endpoint.run)(call)?;
    // What may be kept elsewhere may be kept here; single connections are not made of facts.
    if reply.keep.is_some() {
        app.cache.put(key, generation, &reply);
    }
    Ok(reply)
}

/// The answer, or that nothing has changed since it was asked for before.
fn conditional(reply: Reply, private: bool, conditions: &HeaderMap) -> Response<Body> {
    if reply.keep.is_none() {
        return reply.into_response(private);
    }
    // Weak, as the body may be compressed on its way.
    let digest = Sha256::digest(&reply.body);
    let tag = digest[..12].iter().fold(String::from("W/\""), |tag, byte| format!("{tag}{byte:02x}")) + "\"";
    let mut response = reply.into_response(private);
    let same = |value: &HeaderValue| {
        let value = value.to_str().unwrap_or_default();
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        value.trim() == "*" || value.split(',').any(|one| opaque(one) == opaque(&tag))
    };
    let unchanged = match conditions.get_all(header::IF_NONE_MATCH).iter().any(same) {
        true => true,
        false if conditions.contains_key(header::IF_NONE_MATCH) => false,
        false => not_modified_since(&response, conditions),
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(header::CONTENT_TYPE);
        *response.body_mut() = Body::empty();
    }
    response
}

fn not_modified_since(response: &Response<Body>, conditions: &HeaderMap) -> bool {
    let time = |headers: &HeaderMap, name| {
        let text = headers.get(name)?.to_str().ok()?;
        jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
    };
    let since = time(conditions, header::IF_MODIFIED_SINCE);
    let modified = time(response.headers(), header::LAST_MODIFIED);
    matches!((since, modified), (Some(since), Some(modified)) if modified <= since)
}
