//! Pages that this server writes itself: the documentation, and that there is nothing.

use super::reply::{HTML, Reply};

/// Text as it stands in HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A page with a title, in the style of the dashboard, and a way back to it. `main` is HTML.
pub(super) fn page(title: &str, main: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title} · cutshort</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\n<link rel=\"stylesheet\" href=\"/docs/style.css\">\n</head>\n<body>\n\
         <header><nav aria-label=\"Site\"><a class=\"brand\" href=\"/\">cutshort</a> <a href=\"/\">Dashboard</a> <a href=\"/docs\">Documentation</a> <a href=\"/docs/api-reference\">API</a></nav></header>\n\
         <main>\n{main}</main>\n</body>\n</html>\n",
        title = escaped(title),
    )
}

/// The answer to a person who has followed a wrong link.
pub(super) fn not_found(path: &str) -> Reply {
    let path: String = path.chars().take(100).collect();
    let main = format!(
        "<h1>Page not found</h1>\n<p>There is nothing at <code>{}</code>. The link may be incomplete or mistyped.</p>\n\
         <p>Go to the <a href=\"/\">dashboard</a>, or look into the <a href=\"/docs\">documentation</a>.</p>\n",
        escaped(&path)
    );
    Reply::new(HTML, page("Page not found", &main)).status(404)
}
