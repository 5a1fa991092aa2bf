//! The documentation of the API, for programs and for people.

use std::fmt::Write;
use std::sync::OnceLock;

use cutshort_verdict::DataSet;

use super::ROUTES;
use crate::http::book;
use crate::http::endpoint::{
    Access, Answers, Call, Endpoint, Group, Method, Parameter, ParameterKind, ParameterPlace, Path, Route,
    Unknown,
};
use crate::http::html::{self, escaped};
use crate::http::openapi;
use crate::http::parameters as p;
use crate::http::reply::{HTML, JSON, Keep, Reply};
use crate::http::wants_page;
use crate::problem::Problem;

const BASE: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Whole("/openapi.json"),
    id: "openapi",
    title: "OpenAPI",
    about: "This description for programs.",
    group: Group::Operation,
    parameters: &[],
    access: Access::Open,
    unknown: Unknown::Ignored,
    answers: Answers::Json(|_, _| utoipa::openapi::schema::ObjectBuilder::new().build().into()),
    good: &[200],
    bad: &[],
    takes: None,
    store: false,
    run: description,
};

pub(super) const OPENAPI: Endpoint = BASE;

pub(super) const PAGE: Endpoint = Endpoint {
    path: Path::Whole("/docs/api-reference"),
    id: "apiReference",
    title: "API reference",
    about: "This description for people.",
    answers: Answers::Text(&["text/html"]),
    run: page,
    ..BASE
};

pub(super) const CONTENTS: Endpoint = Endpoint {
    path: Path::Whole("/docs"),
    id: "docs",
    title: "Documentation",
    about: "The contents of the documentation.",
    run: |_| Ok(Reply::new(HTML, book::contents()).keep(KEEP)),
    ..PAGE
};

pub(super) const CHAPTER: Endpoint = Endpoint {
    path: Path::Whole("/docs/{chapter}"),
    id: "docsChapter",
    title: "A chapter",
    about: "A chapter of the documentation.",
    parameters: &[&p::CHAPTER],
    bad: &[404],
    run: chapter,
    ..PAGE
};

pub(super) const STYLE: Endpoint = Endpoint {
    path: Path::Whole("/docs/style.css"),
    id: "docsStyle",
    title: "Style",
    about: "How the description looks.",
    answers: Answers::Text(&["text/css"]),
    run: |_| Ok(Reply::new("text/css; charset=utf-8", include_str!("style.css")).keep(KEEP)),
    ..BASE
};

/// Documents only change with a new version.
const KEEP: Option<Keep> = Some(Keep { seconds: 300, modified: None });

fn description(_call: &mut Call<'_>) -> Result<Reply, Problem> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| openapi::document().to_pretty_json().unwrap_or_default());
    Ok(Reply::new(JSON, text.as_str()).keep(KEEP))
}

fn chapter(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let name = call.part("chapter");
    match book::chapter(name) {
        Some(text) => Ok(Reply::new(HTML, text).keep(KEEP)),
        None if wants_page(&call.headers) => Ok(html::not_found(&format!("/docs/{name}"))),
        None => Err(Problem::no_data(format!("there is no chapter '{name}': /docs lists them"))),
    }
}

fn page(_call: &mut Call<'_>) -> Result<Reply, Problem> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = write_page(&mut text);
        html::page("API", &text)
    });
    Ok(Reply::new(HTML, text.as_str()).keep(KEEP))
}

fn write_page(page: &mut String) -> std::fmt::Result {
    writeln!(page, "<h1>API <small>cutshort {}</small></h1>", env!("CARGO_PKG_VERSION"))?;
    for paragraph in openapi::ABOUT.split("\n\n") {
        writeln!(page, "<p>{}</p>", marked(paragraph))?;
    }
    page.push_str("<p>For programs: <a href=\"/openapi.json\">openapi.json</a></p>\n");
    page.push_str("<nav aria-label=\"Contents\">\n<ul>\n");
    for group in Group::ALL {
        writeln!(page, "<li><a href=\"#{}\">{}</a></li>", anchor(group), group.title())?;
    }
    page.push_str("</ul>\n</nav>\n");
    for group in Group::ALL {
        let (title, about) = (group.title(), escaped(group.about()));
        writeln!(page, "<h2 id=\"{}\">{title}</h2>\n<p>{about}</p>", anchor(group))?;
        let routes = ROUTES.iter().filter(|route| route.group() == group);
        match group {
            Group::Origin | Group::Quic => {
                let (own, same): (Vec<&Route>, Vec<&Route>) =
                    routes.partition(|route| !matches!(route.endpoint.path, Path::OfDataSet(_)));
                write_list(page, same)?;
                own.into_iter().try_for_each(|route| write_route(page, route))?;
            }
            _ => routes.into_iter().try_for_each(|route| write_route(page, route))?,
        }
    }
    Ok(())
}

/// The routes of another data set in short, each with a link to that of `tcp`, which has the same parameters.
fn write_list(page: &mut String, routes: Vec<&Route>) -> std::fmt::Result {
    page.push_str("<ul>\n");
    for route in routes {
        let (path, id, title) = (escaped(&route.path), route.endpoint.id, escaped(route.endpoint.title));
        writeln!(page, "<li><code>GET {path}</code>: <a href=\"#{id}\">{title}</a></li>")?;
    }
    page.push_str("</ul>\n");
    Ok(())
}

/// Apart from the ids of endpoints.
fn anchor(group: Group) -> String {
    format!("group-{}", group.title().to_ascii_lowercase().replace(' ', "-"))
}

fn write_route(page: &mut String, route: &Route) -> std::fmt::Result {
    let endpoint = route.endpoint;
    let method = match endpoint.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    };
    writeln!(page, "<section id=\"{}\">\n<h3>{}</h3>", route.id, escaped(endpoint.title))?;
    writeln!(
        page,
        "<p><code>{method} {}</code></p>\n<p>{}</p>",
        escaped(&route.path),
        escaped(&route.about())
    )?;
    if let Access::Token(scope) = endpoint.access {
        writeln!(page, "<p>Needs a token with the scope <code>{}</code>.</p>", scope.name())?;
    }
    if endpoint.method == Method::Get {
        let address = example(route);
        writeln!(page, "<p>Try it: <a href=\"{0}\"><code>{0}</code></a></p>", escaped(&address))?;
    }
    if !endpoint.parameters.is_empty() {
        page.push_str("<table>\n<thead><tr><th scope=\"col\">parameter</th><th scope=\"col\">values</th><th scope=\"col\">meaning</th></tr></thead>\n<tbody>\n");
        endpoint
            .parameters
            .iter()
            .try_for_each(|parameter| write_parameter(page, parameter, route.data_set))?;
        page.push_str("</tbody>\n</table>\n");
    }
    page.push_str("</section>\n");
    Ok(())
}

fn write_parameter(page: &mut String, parameter: &Parameter, data_set: DataSet) -> std::fmt::Result {
    let place = match parameter.place {
        ParameterPlace::Series => " (one for each series)",
        ParameterPlace::Query => "",
        ParameterPlace::Needed => " (needed)",
        ParameterPlace::Path => " (in the path)",
        ParameterPlace::Header => " (a header)",
    };
    let values = match &parameter.kind {
        ParameterKind::Choice(values) => values.join(", "),
        ParameterKind::Flag => "true, false".to_owned(),
        ParameterKind::Number { bounds, default } => {
            let default = default.map(|default| format!("; default {default}")).unwrap_or_default();
            format!("{} to {}{default}", bounds.start(), bounds.end())
        }
        ParameterKind::List(values) if values(data_set).len() < 30 => values(data_set).join(", "),
        ParameterKind::Text | ParameterKind::Pattern(_) | ParameterKind::List(_) | ParameterKind::Time => {
            format!("such as {}", parameter.example_in(data_set))
        }
    };
    let (name, about) = (parameter.name, escaped(parameter.about));
    writeln!(
        page,
        "<tr><td><code>{name}</code>{place}</td><td>{}</td><td>{about}</td></tr>",
        escaped(&values)
    )
}

/// A URL that works.
fn example(route: &Route) -> String {
    let parameters = route.endpoint.parameters;
    let in_path = parameters.iter().filter(|parameter| parameter.place == ParameterPlace::Path);
    let path = in_path.fold(route.path.clone(), |path, parameter| {
        path.replace(&format!("{{{}}}", parameter.name), parameter.example_in(route.data_set))
    });
    let needed = parameters.iter().filter(|parameter| parameter.place == ParameterPlace::Needed);
    let query: Vec<String> = needed
        .map(|parameter| format!("{}={}", parameter.name, parameter.example_in(route.data_set)))
        .collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// Marks text between backticks as code.
fn marked(text: &str) -> String {
    let parts = escaped(text);
    let parts = parts.split('`').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() })
        .collect()
}
