//! What a pasted link to the page shows: a title, a sentence and a picture with the number that the page shows first.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderName, header, request};
use cutshort_geo::{Continent, Country};
use cutshort_model::{date_time, grouped};
use cutshort_verdict::{DataSet, Stage, WeightedCount};

use super::app::App;
use super::dispatch::client;
use super::html::escaped;
use super::limiter::Limiter;
use crate::answer::{By, sum};
use crate::ask::{self, Context, SharesQuery};
use crate::picture;
use crate::problem::Problem;
use crate::question::{Parameters, Series, stage_from_name, stage_name};

/// The page does not wait longer for it.
const PATIENCE: Duration = Duration::from_millis(400);
/// What is said of every page.
const ABOUT: &str = "Which TCP connections are cut short: where, when and how.";

/// What a link is shown with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Preview {
    pub(crate) title: String,
    pub(crate) description: String,
    /// Titles and shares of stages, if they may be shown.
    stages: Option<Vec<(&'static str, f64)>>,
}

impl Default for Preview {
    fn default() -> Self {
        Self { title: "cutshort".to_owned(), description: ABOUT.to_owned(), stages: None }
    }
}

impl Preview {
    /// Makes the preview of the requested page. It has no numbers if reading needs a token, the client has exceeded its
    /// rate, the address cannot be parsed or has no data, or the store does not answer at once.
    pub(crate) async fn of(app: &Arc<App>, parts: &request::Parts) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let plain = Self::without_numbers(query);
        let is_limited = |limiter: &Limiter| limiter.take(client(app, parts), Instant::now()).is_err();
        if !app.options.open_read || app.limiter.as_ref().is_some_and(is_limited) {
            return plain;
        }
        let (app, query) = (Arc::clone(app), query.to_owned());
        let readers = Arc::clone(&app.readers);
        let work = async {
            let permit = readers.acquire_owned().await.ok();
            let work = move || {
                let _permit = permit;
                read(&app, &query)
            };
            tokio::task::spawn_blocking(work).await.ok()?.ok()
        };
        tokio::time::timeout(PATIENCE, work).await.ok().flatten().unwrap_or(plain)
    }

    /// What is known of a page without asking the store: which view it is.
    fn without_numbers(query: &str) -> Self {
        let page = Parameters::parse(query).unwrap_or_default();
        let title =
            view(&page).map_or_else(|| "cutshort".to_owned(), |view| format!("{} · cutshort", view.title));
        Self { title, ..Self::default() }
    }

    /// As elements of a page's head. `image` is the address of the picture.
    pub(crate) fn tags(&self, image: Option<&str>) -> String {
        let mut tags = format!(
            "<meta property=\"og:type\" content=\"website\" />\n    <meta property=\"og:site_name\" content=\"cutshort\" />\n    \
             <meta property=\"og:title\" content=\"{}\" />\n    <meta property=\"og:description\" content=\"{}\" />",
            escaped(&self.title),
            escaped(&self.description)
        );
        if let Some(image) = image {
            let (width, height) = (picture::WIDTH, picture::HEIGHT);
            tags.push_str(&format!(
                "\n    <meta property=\"og:image\" content=\"{}\" />\n    <meta property=\"og:image:width\" content=\"{width}\" />\n    \
                 <meta property=\"og:image:height\" content=\"{height}\" />\n    <meta name=\"twitter:card\" content=\"summary_large_image\" />",
                escaped(image)
            ));
        }
        tags
    }

    /// The picture, as a PNG file.
    pub(crate) fn png(&self) -> Vec<u8> {
        picture::draw(&self.title, &self.description, self.stages.as_deref())
    }
}

/// The address of the picture of the page that is asked for, if the request says where this server is.
pub(crate) fn image(app: &App, parts: &request::Parts) -> Option<String> {
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST)?;
    let is_secure =
        app.options.forwarded && text(HeaderName::from_static("x-forwarded-proto")) == Some("https");
    let scheme = if is_secure { "https" } else { "http" };
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{scheme}://{host}/preview.png{query}"))
}

/// A view of the page.
struct View {
    /// In the page's address.
    name: &'static str,
    title: &'static str,
    /// Whether it has the share that the overview shows.
    has_share: bool,
}

const fn with_share(name: &'static str, title: &'static str) -> View {
    View { name, title, has_share: true }
}

/// All views but the overview.
const VIEWS: [View; 9] = [
    with_share("events", "Events"),
    with_share("compare", "Compare"),
    with_share("where", "Countries"),
    with_share("networks", "Networks"),
    with_share("servers", "Servers"),
    with_share("how", "Signatures"),
    with_share("connections", "Connections"),
    View { name: "status", title: "Status", has_share: false },
    View { name: "method", title: "Method", has_share: false },
];

/// The view of an address; none of the overview.
fn view(page: &Parameters) -> Option<&'static View> {
    let name = page.at("view", 0)?;
    VIEWS.iter().find(|view| view.name == name)
}

/// The page's filters, with the API's parameters.
const FILTERS: [(&str, &str); 4] =
    [("f.node", "node"), ("f.port", "port"), ("f.ipVersion", "ipVersion"), ("f.scanner", "scanner")];

fn read(app: &App, query: &str) -> Result<Preview, Problem> {
    let page = Parameters::parse(query)?;
    if view(&page).is_some_and(|view| !view.has_share) {
        return Ok(Preview::without_numbers(query));
    }
    let data_set = page.at("data", 0).map_or(Ok(DataSet::Tcp), str::parse).map_err(|_| unknown_data_set())?;
    let geo = app.geo.state();
    let (name, place) = place(&page, &geo.data)?;
    if let Some(chosen) = by_verdict(&page, data_set) {
        let title = format!("{}: {} with {chosen}", heading(&name, &page), connections(data_set));
        return Ok(Preview { title, ..Preview::default() });
    }
    let (facts, _) = app.facts(data_set)?;
    let parameters = parameters(&page, place);
    let now = app.now();
    let context = Context {
        store: app.store_of(data_set)?,
        facts: &facts,
        geo: &geo.data,
        now,
        cost: app.options.cost,
    };
    let kind = SharesQuery { by: By::Stage, in_time: false, own: true };
    let (answer, series) = ask::shares(&context, &parameters, kind)?;
    let [counted] = &answer.series[..] else { return Ok(Preview::default()) };
    let Some(series) = series.first().filter(|_| !counted.groups.is_empty()) else {
        return Ok(Preview::default());
    };
    let total = counted.groups.total();
    let count = |stage: Stage| {
        let group = counted.groups.groups.iter().find(|group| group.name == stage_name(data_set, stage));
        group.map(|group| sum(&group.counts)).unwrap_or_default()
    };
    let share = |stage: Stage| count(stage).share_of(&total);
    Ok(Preview {
        title: title(&heading(&name, &page), &page, data_set, &count, &total),
        description: description(&page, data_set, series, &share, total.sampled, facts.status.simulated),
        stages: Some(
            data_set.stages().iter().map(|stage| (data_set.stage_title(*stage), share(*stage))).collect(),
        ),
    })
}

fn unknown_data_set() -> Problem {
    Problem::bad_input("data: not a data set".to_owned())
}

/// `Portugal`, or `Portugal, networks` in that view.
fn heading(name: &str, page: &Parameters) -> String {
    view(page).map_or_else(|| name.to_owned(), |view| format!("{name}, {}", view.title.to_lowercase()))
}

/// What the data set consists of.
const fn connections(data_set: DataSet) -> &'static str {
    match data_set {
        DataSet::Origin => "TCP connections to other servers",
        DataSet::Quic => "QUIC connections",
        _ => "TCP connections",
    }
}

/// The signature or tag that the page's connections were chosen by; the share of those among them that are cut short says nothing.
fn by_verdict(page: &Parameters, data_set: DataSet) -> Option<String> {
    let signature = page.at("f.signature", 0).map(|text| {
        let name = data_set.signature(text).map_or_else(|_| text.to_owned(), |found| found.name().to_owned());
        format!("the signature {name}")
    });
    signature.or_else(|| page.at("f.tag", 0).map(|tag| format!("the tag {tag}")))
}

/// A parameter of the API and its value.
type PlaceFilter = (&'static str, String);

/// The name of the page's place, and the parameter of the API that selects it.
fn place(page: &Parameters, geo: &cutshort_geo::Geo) -> Result<(String, Option<PlaceFilter>), Problem> {
    let text = page.one("place")?.unwrap_or("world");
    let lower = text.to_ascii_lowercase();
    let unknown = || Problem::bad_input(format!("place: '{text}' is not known"));
    if lower == "world" {
        return Ok(("World".to_owned(), None));
    }
    if let Some(code) = lower.strip_prefix("continent-") {
        let continent = Continent::from_code(code).ok_or_else(unknown)?;
        return Ok((continent.name().to_owned(), Some(("continent", continent.code().to_owned()))));
    }
    if let Some(number) = lower
        .strip_prefix("as")
        .filter(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    {
        let number: u32 = number.parse().map_err(|_| unknown())?;
        let name = geo.as_name(number).unwrap_or_default();
        return Ok((format!("AS{number} {name}").trim_end().to_owned(), Some(("asn", number.to_string()))));
    }
    let country = Country::from_alpha2(text).ok_or_else(unknown)?;
    Ok((country.name().to_owned(), Some(("location", country.alpha2().to_owned()))))
}

/// The page's parameters as those of the API.
fn parameters(page: &Parameters, place: Option<PlaceFilter>) -> Parameters {
    let named = [
        ("range", "dateRange"),
        ("from", "dateStart"),
        ("to", "dateEnd"),
        ("handshake", "handshake"),
        ("resets", "resets"),
    ];
    let given =
        named.into_iter().chain(FILTERS).filter_map(|(own, key)| Some((key, page.at(own, 0)?.to_owned())));
    given.chain(place).collect()
}

/// `Portugal: 19.3 % of TCP connections cut short`
fn title(
    heading: &str,
    page: &Parameters,
    data_set: DataSet,
    count: &dyn Fn(Stage) -> WeightedCount,
    total: &WeightedCount,
) -> String {
    let chosen = page
        .at("stage", 0)
        .and_then(|text| stage_from_name(DataSet::Tcp, text).ok())
        .filter(|stage| *stage != Stage::None);
    let stages = match chosen {
        Some(stage) => vec![stage],
        None => data_set.stages().iter().copied().filter(|stage| *stage != Stage::None).collect(),
    };
    let matching = sum(&stages.into_iter().map(count).collect::<Vec<_>>());
    let share = cutshort_report::percent(matching.share_of(total));
    let at = chosen.map(|stage| format!(" at {}", data_set.stage_title(stage))).unwrap_or_default();
    format!("{heading}: {share} of {} cut short{at}", connections(data_set))
}

fn description(
    page: &Parameters,
    data_set: DataSet,
    series: &Series,
    share: &dyn Fn(Stage) -> f64,
    sampled: u64,
    simulated: bool,
) -> String {
    let minute = |time: i64| date_time(time)[..16].to_owned();
    let time = format!("{} to {} UTC", minute(series.range.start), minute(series.range.end));
    let cut_short = data_set.stages().iter().copied().filter(|stage| *stage != Stage::None);
    let stages: Vec<String> = cut_short
        .map(|stage| format!("{} {}", data_set.stage_title(stage), cutshort_report::percent(share(stage))))
        .collect();
    let completed =
        if page.at("handshake", 0) == Some("completed") { ", completed handshakes only" } else { "" };
    let filter = |(own, name): (&str, &str)| {
        let value = page.at(own, 0)?;
        Some(match name {
            "node" => format!(", server {value}"),
            "port" => format!(", port {value}"),
            "scanner" if value == "false" => ", known scanners left out".to_owned(),
            "scanner" => ", known scanners only".to_owned(),
            _ => format!(", {value}"),
        })
    };
    let filters: String = FILTERS.into_iter().filter_map(filter).collect();
    let simulated = if simulated { "SIMULATED. " } else { "" };
    format!(
        "{simulated}{time}. {}. {} sampled connections{completed}{filters}.",
        stages.join(", "),
        grouped(sampled)
    )
}
