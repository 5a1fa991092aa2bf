//! The documentation as a book: the pages in `docs/`, in the order in which one reads them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::html::{escaped, page};

/// A page of the documentation.
struct Chapter {
    /// Its name in addresses, and that of its file without `.md`.
    name: &'static str,
    text: &'static str,
}

macro_rules! chapters {
    ($($name:literal),* $(,)?) => {
        &[$(Chapter { name: $name, text: include_str!(concat!("../../../../docs/", $name, ".md")) }),*]
    };
}

/// The contents, which are shown first, and all chapters.
const CHAPTERS: &[Chapter] = chapters![
    "README",
    "install",
    "first-capture",
    "one-server",
    "many-servers",
    "live",
    "reading",
    "events",
    "origin",
    "quic",
    "spec",
    "glossary",
    "captures",
    "api",
    "data",
    "clickhouse",
    "scaling",
    "privacy",
    "operating",
    "troubleshooting",
    "upstream",
];

/// The HTML pages by the names of their chapters.
static PAGES: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
    let titles: Vec<String> = CHAPTERS.iter().map(|chapter| title(chapter.text)).collect();
    CHAPTERS.iter().enumerate().map(|(at, chapter)| (chapter.name, whole(at, chapter, &titles))).collect()
});

/// The contents.
pub(super) fn contents() -> &'static str {
    chapter(CHAPTERS[0].name).unwrap_or_default()
}

/// The HTML page of a chapter.
pub(super) fn chapter(name: &str) -> Option<&'static str> {
    PAGES.get(name).map(String::as_str)
}

fn whole(at: usize, chapter: &Chapter, titles: &[String]) -> String {
    let text = rendered(chapter.text);
    if at == 0 {
        return page(&titles[at], &text);
    }
    let mut main = String::from("<div class=\"book\">\n<nav aria-label=\"Chapters\">\n<ol>\n");
    for (chapter, (number, title)) in CHAPTERS.iter().zip(titles.iter().enumerate()).skip(1) {
        let current = if number == at { " aria-current=\"page\"" } else { "" };
        // Writing to a text cannot fail.
        let _ = writeln!(main, "<li><a href=\"/docs/{}\"{current}>{}</a></li>", chapter.name, escaped(title));
    }
    let _ = write!(main, "</ol>\n</nav>\n<article>\n{text}");
    if let (Some(next), Some(title)) = (CHAPTERS.get(at + 1), titles.get(at + 1)) {
        let _ = writeln!(
            main,
            "<p class=\"next\">Next: <a href=\"/docs/{}\">{}</a></p>",
            next.name,
            escaped(title)
        );
    }
    main.push_str("</article>\n</div>\n");
    page(&titles[at], &main)
}

/// The title, which is the first line.
fn title(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches('#').trim().to_owned()
}

fn rendered(text: &str) -> String {
    let mut events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    name_headings(&mut events);
    let mut outside = false;
    let events = events.into_iter().filter_map(|event| match event {
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => match address(&dest_url) {
            Some(dest_url) => Some(Event::Start(Tag::Link { link_type, dest_url, title, id })),
            None => {
                outside = true;
                None
            }
        },
        Event::End(TagEnd::Link) if std::mem::take(&mut outside) => None,
        Event::Start(Tag::Table(_)) => Some(Event::Start(Tag::Table(Vec::new()))),
        event => Some(event),
    });
    let mut rendered = String::new();
    html::push_html(&mut rendered, events);
    rendered
}

/// Gives each heading the name by which pages link to it.
fn name_headings(events: &mut [Event<'_>]) {
    for at in 0..events.len() {
        let Event::Start(Tag::Heading { level, id: None, .. }) = &events[at] else { continue };
        let level: HeadingLevel = *level;
        let inside =
            events[at + 1..].iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
        let text: String = inside
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        let id = Some(CowStr::from(anchor(&text)));
        events[at] = Event::Start(Tag::Heading { level, id, classes: Vec::new(), attrs: Vec::new() });
    }
}

/// The name of a heading, as GitHub makes it.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Where a link leads in the book; nowhere if its target comes only with the source.
fn address<'a>(link: &CowStr<'a>) -> Option<CowStr<'a>> {
    if link.starts_with('#') || link.contains("://") {
        return Some(link.clone());
    }
    let (file, anchor) = link.split_once('#').map_or((link.as_ref(), ""), |(file, anchor)| (file, anchor));
    let name = file.strip_suffix(".md")?;
    CHAPTERS.iter().find(|chapter| chapter.name == name)?;
    let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
    Some(format!("/docs/{name}{anchor}").into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What stands between `begin` and a quotation mark, each time.
    fn quoted<'a>(page: &'a str, begin: &'a str) -> impl Iterator<Item = &'a str> {
        page.split(begin).skip(1).filter_map(|rest| rest.split('"').next())
    }

    #[test]
    fn all_documents_are_chapters() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files: BTreeSet<String> =
            names.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        let chapters: BTreeSet<String> = CHAPTERS.iter().map(|chapter| chapter.name.to_owned()).collect();
        assert_eq!(files, chapters);
    }

    #[test]
    fn the_contents_list_all_chapters_in_their_order() {
        let listed: Vec<&str> = CHAPTERS[0]
            .text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(".md)"))
            .map(|(name, _)| name)
            .collect();
        let chapters: Vec<&str> = CHAPTERS.iter().skip(1).map(|chapter| chapter.name).collect();
        assert_eq!(listed, chapters);
    }

    #[test]
    fn links_between_chapters_lead_to_what_is_there() {
        for (name, page) in &*PAGES {
            for link in
                quoted(page, "href=\"").filter(|link| link.starts_with("/docs/") || link.starts_with('#'))
            {
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = path.strip_prefix("/docs/").unwrap_or(name);
                if ["style.css", "api-reference"].contains(&target) {
                    continue;
                }
                let target = chapter(target).unwrap_or_else(|| panic!("{name}: {link}"));
                let is_there = anchor.is_empty() || quoted(target, "id=\"").any(|id| id == anchor);
                assert!(is_there, "{name}: {link}");
            }
        }
    }

    #[test]
    fn what_comes_with_the_source_only_is_no_link() {
        let html = rendered(
            "See [bench](../bench/README.md#live), [rules](live.md#the-rules), [d](https://d.example).",
        );
        assert_eq!(
            html,
            "<p>See bench, <a href=\"/docs/live#the-rules\">rules</a>, <a href=\"https://d.example\">d</a>.</p>\n"
        );
    }

    #[test]
    fn headings_and_tables_are_read() {
        assert_eq!(rendered("## `a --b`, C"), "<h2 id=\"a---b-c\"><code>a --b</code>, C</h2>\n");
        assert!(rendered("| a |\n|--:|\n| b |\n").contains("<td>b</td>"));
    }
}
