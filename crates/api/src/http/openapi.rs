//! The description of the API, made from its endpoints.

use cutshort_verdict::DataSet;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContactBuilder, ContentBuilder, HttpMethod, InfoBuilder, KnownFormat, LicenseBuilder,
    OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Required, ResponseBuilder, Schema, SchemaFormat, path,
};

use super::endpoint::{
    Access, Answers, Endpoint, Group, Method, Parameter, ParameterKind, ParameterPlace, Route, Schemas,
};
use super::endpoints::ROUTES;
use super::reply::{JSON, PARQUET};
use crate::question::{MAX_SERIES, pattern};

const TITLE: &str = "cutshort";
const LICENSE: &str = "MIT OR Apache-2.0";
pub(super) const ABOUT: &str = "Which TCP connections are cut short: where, when and how.\n\n\
    Answers are in the envelope of Cloudflare Radar's API: `success`, `errors`, `messages`, `result`. \
    Parameters of series may come several times; the position says which series a value belongs to, and an empty \
    value is as if it was not given. Capitals do not matter in values. Times are UTC. Shares are strings, in percent, \
    with up to six decimals.\n\n\
    `confidenceInfo.level` is 1 (too little data and erratic), 2 (too little data), 3 (erratic) or 5 (no known issue), \
    the lowest of all series. Too little: fewer than 400 sampled connections (a share may be 5 points off), or a median \
    of fewer than 100 per bucket. Erratic: more than a tenth of the buckets have no connection, or sample rates differ \
    so much that the effective sample size (Kish) is less than a quarter of the sample. \
    `confidenceInfo.annotations` has the notes of the operator about the time, and says what is missing or coarse.\n\n\
    Errors: `2001` a parameter is invalid, `2002` too costly, `2004` no connection in the first series of a \
    summary, or nothing of this number, `7003` no such route, `7001` no such method, `1015` too many requests, `10000` a token is needed, `9109` \
    not allowed, `2005` the body is too long, `2003` not available now, `2000` an internal error. Parameters that an endpoint \
    does not have are refused, except on Radar's own endpoints, where they are ignored and `messages` says so, unless \
    our other endpoints have them.";

/// The description, as OpenAPI 3.1 has it.
#[must_use]
pub fn document() -> OpenApi {
    let mut schemas = Schemas::new();
    let mut paths = PathsBuilder::new();
    for route in ROUTES.iter() {
        let method = match route.endpoint.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
            Method::Delete => HttpMethod::Delete,
        };
        paths = paths.path(&*route.path, PathItem::new(method, operation(route, &mut schemas)));
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of 'cutshort token create'"));
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .schema("Problem", problem_schema())
        .security_scheme("token", SecurityScheme::Http(bearer.build()));
    let tags = Group::ALL
        .map(|group| TagBuilder::new().name(group.title()).description(Some(group.about())).build());
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title(TITLE)
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .license(Some(LicenseBuilder::new().name(LICENSE).identifier(Some(LICENSE)).build()))
                .contact(Some(ContactBuilder::new().name(Some("The operator of this server")).build())),
        )
        .servers(Some([ServerBuilder::new().url("/").description(Some("This server")).build()]))
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some(tags))
        .build()
}

fn operation(route: &Route, schemas: &mut Schemas) -> path::Operation {
    let endpoint = route.endpoint;
    let mut operation = OperationBuilder::new()
        .operation_id(Some(&*route.id))
        .summary(Some(endpoint.title))
        .description(Some(about(route)))
        .tag(route.group().title());
    for parameter in endpoint.parameters {
        operation = operation.parameter(describe(parameter, route.data_set));
    }
    if let Some(takes) = &endpoint.takes {
        let schema = takes.schema.map(|schema| schema(schemas, route.data_set));
        let body = ContentBuilder::new().schema(schema.or_else(|| Some(binary())));
        let body = RequestBodyBuilder::new().content(takes.kind, body.build()).required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    match endpoint.access {
        Access::Open => operation = operation.securities(Some([])),
        Access::Read => {
            // Whether reading needs a token is the operator's choice.
            let either = [SecurityRequirement::default(), SecurityRequirement::new("token", [] as [&str; 0])];
            operation = operation.securities(Some(either));
        }
        Access::Token(_) => {
            operation = operation.security(SecurityRequirement::new("token", [] as [&str; 0]));
        }
    }
    responses(route, operation, schemas).build()
}

/// The documentation, with the scope that a token needs, because only OAuth's schemes may list scopes.
fn about(route: &Route) -> String {
    match route.endpoint.access {
        Access::Token(scope) => {
            format!("{} It needs a token with the scope '{}'.", route.about(), scope.name())
        }
        Access::Open | Access::Read => route.about(),
    }
}

/// What is sent back: the answer, and all that can go wrong.
fn responses(route: &Route, mut operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
    let endpoint = route.endpoint;
    let ok = match endpoint.answers {
        Answers::Result { schema, csv } => {
            let result = schema(schemas, route.data_set);
            let response = ResponseBuilder::new().content(JSON, content(envelope(result)));
            if csv { response.content("text/csv", content(text())) } else { response }
        }
        Answers::Records(schema) => {
            let result = schema(schemas, route.data_set);
            ResponseBuilder::new()
                .content(JSON, content(envelope(result)))
                .content("text/csv", content(text()))
                .content(PARQUET, content(binary()))
        }
        Answers::Json(schema) => {
            ResponseBuilder::new().content(JSON, content(schema(schemas, route.data_set)))
        }
        Answers::Text(kinds) => kinds
            .iter()
            .fold(ResponseBuilder::new(), |response, kind| response.content(*kind, content(text()))),
    };
    let ok = ok.build();
    for status in endpoint.good {
        let mut response = ok.clone();
        response.description = good(*status).to_owned();
        operation = operation.response(status.to_string(), response);
    }
    for status in statuses(route) {
        let (about, schema) = bad(status, endpoint);
        operation = operation.response(
            status.to_string(),
            ResponseBuilder::new().description(about).content(JSON, content(schema)).build(),
        );
    }
    if endpoint.method == Method::Get && endpoint.access == Access::Read {
        operation =
            operation.response("304", ResponseBuilder::new().description("Nothing has changed.").build());
    }
    operation
}

fn content(schema: RefOr<Schema>) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

fn good(status: u16) -> &'static str {
    match status {
        201 => "Kept.",
        _ => "The answer.",
    }
}

fn statuses(route: &Route) -> Vec<u16> {
    let endpoint = route.endpoint;
    let mut statuses = endpoint.bad.to_vec();
    statuses.push(400);
    if endpoint.store && route.data_set != DataSet::Tcp {
        statuses.push(404);
    }
    if endpoint.access != Access::Open {
        statuses.extend([401, 403, 429, 500, 503]);
    }
    if endpoint.takes.is_some() {
        statuses.push(408);
    }
    statuses.push(421);
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

fn bad(status: u16, endpoint: &Endpoint) -> (&'static str, RefOr<Schema>) {
    let problem = || RefOr::Ref(Ref::from_schema_name("Problem"));
    let about = match status {
        400 => "A parameter is invalid (2001).",
        401 => "A token is needed (10000).",
        403 => "The token or the operator does not allow it (9109).",
        404 => "Not found, no connections to compute shares of, or no packets of this data set (2004).",
        408 => "The body arrived too slowly (2003).",
        413 => "The body is too long (2005).",
        421 => {
            "The server listens on this machine only, and its settings do not allow the name in `Host` (2006)."
        }
        422 => "The answer would be too costly (2002).",
        429 => "Too many requests (1015).",
        503 => "Not available now; try again (2003).",
        507 => "No room is left (2003).",
        _ => "Internal error (2000).",
    };
    match (endpoint.group, status) {
        (Group::Entities, 404) => (about, not_found()),
        (Group::Operation, 503) => (
            "Not ready.",
            match endpoint.answers {
                Answers::Json(schema) => schema(&mut Schemas::new(), DataSet::Tcp),
                _ => problem(),
            },
        ),
        _ => (about, problem()),
    }
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn text() -> RefOr<Schema> {
    string().build().into()
}

fn binary() -> RefOr<Schema> {
    string().format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).build().into()
}

fn messages() -> RefOr<Schema> {
    let integer = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
    let message = ObjectBuilder::new().property("code", integer.build()).property("message", text());
    ArrayBuilder::new().items(message.required("code").required("message").build()).build().into()
}

fn boolean() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::Boolean)).build().into()
}

fn envelope(result: RefOr<Schema>) -> RefOr<Schema> {
    let names = ["success", "errors", "messages", "result"];
    let object = ObjectBuilder::new()
        .property("success", boolean())
        .property("errors", messages())
        .property("messages", messages())
        .property("result", result);
    names.into_iter().fold(object, ObjectBuilder::required).build().into()
}

fn problem_schema() -> RefOr<Schema> {
    envelope(ObjectBuilder::new().description(Some("Empty.")).build().into())
}

/// What is sent where an entity is not there, as Radar has it.
fn not_found() -> RefOr<Schema> {
    ObjectBuilder::new().property("error", text()).required("error").build().into()
}

fn describe(parameter: &Parameter, data_set: DataSet) -> path::Parameter {
    let schema = value(parameter, data_set);
    let (place, schema) = match parameter.place {
        ParameterPlace::Series => {
            let all = ArrayBuilder::new().items(schema).max_items(Some(MAX_SERIES));
            (ParameterIn::Query, all.build().into())
        }
        ParameterPlace::Query | ParameterPlace::Needed => (ParameterIn::Query, schema),
        ParameterPlace::Path => (ParameterIn::Path, schema),
        ParameterPlace::Header => (ParameterIn::Header, schema),
    };
    let needed = matches!(parameter.place, ParameterPlace::Path | ParameterPlace::Needed);
    let example = match parameter.place {
        ParameterPlace::Series => serde_json::json!([example(parameter, data_set)]),
        _ => example(parameter, data_set),
    };
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(place)
        .required(if needed { Required::True } else { Required::False })
        .description(Some(parameter.about))
        .schema(Some(schema))
        .example(Some(example))
        .build()
}

fn example(parameter: &Parameter, data_set: DataSet) -> serde_json::Value {
    match parameter.kind {
        ParameterKind::Number { .. } | ParameterKind::Flag => {
            serde_json::from_str(parameter.example).unwrap_or_default()
        }
        _ => parameter.example_in(data_set).into(),
    }
}

fn value(parameter: &Parameter, data_set: DataSet) -> RefOr<Schema> {
    match &parameter.kind {
        ParameterKind::Text => text(),
        ParameterKind::List(values) => {
            string().pattern(Some(pattern::list_of(&pattern::one_of(&values(data_set))))).build().into()
        }
        ParameterKind::Pattern(pattern) => string().pattern(Some(pattern())).build().into(),
        ParameterKind::Choice(values) => string().enum_values(Some(values.iter().copied())).build().into(),
        ParameterKind::Flag => boolean(),
        ParameterKind::Time => {
            string().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).build().into()
        }
        ParameterKind::Number { bounds, default } => {
            let number = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
            let number = number.minimum(Some(*bounds.start() as f64)).maximum(Some(*bounds.end() as f64));
            number.default(default.map(Into::into)).build().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_two_schemas_have_the_same_name() {
        let mut schemas = Schemas::new();
        ROUTES.iter().for_each(|route| {
            operation(route, &mut schemas);
        });
        let mut known: HashMap<String, String> = HashMap::new();
        for (name, schema) in schemas {
            let text = serde_json::to_string(&schema).unwrap();
            let before = known.entry(name.clone()).or_insert_with(|| text.clone());
            assert_eq!(*before, text, "{name}");
        }
        assert!(known.len() > 20);
    }

    #[test]
    fn every_endpoint_has_an_address_and_a_name_of_its_own() {
        let ids: std::collections::HashSet<&str> = ROUTES.iter().map(|route| route.id.as_str()).collect();
        assert_eq!(ids.len(), ROUTES.len());
        let in_paths: usize = document()
            .paths
            .paths
            .values()
            .map(|path| serde_json::to_value(path).unwrap().as_object().unwrap().len())
            .sum();
        assert_eq!(in_paths, ROUTES.len());
    }
}
