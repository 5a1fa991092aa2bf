//! The meaning of the terms: texts from the tables in `cutshort-verdict`.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use cutshort_verdict::{DataSet, Signature, Stage, Tag};

use crate::text::{BOLD, DIM, columns, hanging, paragraph};

mod topics;

pub use topics::{TOPICS, Topic, topic};

const HEADING: Style = AnsiColor::Cyan.on_default();

/// A term that can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Where a connection was cut short.
    Stage(Stage),
    /// A property of a connection.
    Tag(Tag),
    /// One of the signatures.
    Signature(Signature),
    /// A pattern in many connections.
    Topic(&'static Topic),
}

/// Finds all terms of a data set with a name: a tag and a stage may have the same one.
///
/// # Errors
/// A text of three lines that lists the known names.
pub fn find(name: &str, set: DataSet) -> Result<Vec<Term>, String> {
    let (stage, tag, signature) = (set.stage(name), set.tag(name), set.signature(name));
    let found: Vec<Term> = (stage.clone().ok().map(Term::Stage).into_iter())
        .chain(tag.clone().ok().map(Term::Tag))
        .chain(signature.clone().ok().map(Term::Signature))
        .chain(topic(name).map(Term::Topic))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let names = |all: Vec<&str>| all.join(", ");
    let (numbers, example) = set.signature_numbers();
    Err(format!(
        "unknown name '{name}'.\n  stages:     {}\n  tags:       {}\n  signatures: {numbers}, or a name such as '{example}'\n  patterns:   {}",
        names(set.stages().iter().map(|stage| set.stage_name(*stage)).collect()),
        names(set.tags().iter().map(|tag| tag.name()).collect()),
        names(TOPICS.iter().map(|topic| topic.name).collect()),
    ))
}

/// Finds the terms with a name: in this data set, or else in the first one that has it, so that terms of one data set only
/// need not be asked for.
///
/// # Errors
/// The same as those of [`find`], for this data set.
pub fn find_in_any(name: &str, set: DataSet) -> Result<(DataSet, Vec<Term>), String> {
    let of = |set| Ok((set, find(name, set)?));
    of(set).or_else(|error: String| DataSet::ALL.into_iter().find_map(|set| of(set).ok()).ok_or(error))
}

/// Explains one term of a data set in lines of at most `width` columns.
pub fn write_term(term: Term, set: DataSet, width: usize, mut output: impl Write) -> io::Result<()> {
    let out = &mut output;
    match term {
        Term::Stage(stage) => {
            let (name, radar) = (set.stage_name(stage), set.radar_name(stage));
            let also = if radar == name { String::new() } else { format!(", {radar} in the API") };
            heading(out, set.stage_title(stage), &format!("stage {name}{also}"), width)?;
            paragraph(out, Style::new(), set.stage_about(stage), width)?;
            causes(out, set.stage_causes(stage), width)?;
            let all = set.signatures().iter().copied();
            let here = all.filter(|signature| signature.stage() == stage);
            list(out, "Signatures at this stage", here.map(|signature| signature_line(set, signature)), width)
        }
        Term::Tag(tag) => {
            let with = tag.parent().map(|parent| format!(", only with {parent}")).unwrap_or_default();
            heading(out, tag.name(), &format!("tag, bit {}{with}", tag.number()), width)?;
            paragraph(out, Style::new(), set.tag_about(tag), width)?;
            let all = set.tags().iter().copied();
            let below = all.filter(|below| below.parent() == Some(tag));
            list(out, "Tags that stand only with it", below.map(|tag| tag_line(set, tag)), width)
        }
        Term::Signature(signature) => {
            let note = format!("signature {}, stage {}", signature.id(), set.stage_name(signature.stage()));
            heading(out, signature.name(), &note, width)?;
            paragraph(out, Style::new(), set.signature_about(signature), width)?;
            causes(out, set.signature_causes(signature), width)
        }
        Term::Topic(topic) => write_topic(topic, width, out),
    }
}

fn write_topic(topic: &Topic, width: usize, out: &mut impl Write) -> io::Result<()> {
    heading(out, topic.title, &format!("pattern {}", topic.name), width)?;
    paragraph(out, Style::new(), topic.about, width)?;
    causes(out, topic.causes, width)?;
    let items =
        |texts: &'static [&'static str]| texts.iter().map(|text| ("- ".to_owned(), (*text).to_owned()));
    list(out, "What you can do", items(topic.todo), width)?;
    list(out, "What the counts do not tell", items(topic.unknown), width)
}

/// Lists all terms of a data set with one line each.
pub fn write_all(set: DataSet, width: usize, mut output: impl Write) -> io::Result<()> {
    let out = &mut output;
    let width_of = |stage: &Stage| set.stage_name(*stage).len().max(9);
    let names = set.stages().iter().map(width_of).max().unwrap_or(0);
    let about = |stage: &Stage| set.stage_about(*stage).to_owned();
    let stages =
        set.stages().iter().map(|stage| (format!("{:names$} ", set.stage_name(*stage)), about(stage)));
    section(out, "Stages", stages, width)?;
    list(out, "Tags", set.tags().iter().copied().map(|tag| tag_line(set, tag)), width)?;
    list(
        out,
        "Signatures",
        set.signatures().iter().copied().map(|signature| signature_line(set, signature)),
        width,
    )?;
    if set == DataSet::Tcp {
        let patterns = TOPICS.iter().map(|topic| {
            let sentence = topic.about.split_inclusive(". ").next().unwrap_or_default();
            (format!("{:12} ", topic.name), sentence.trim_end().to_owned())
        });
        list(out, "Patterns", patterns, width)?;
    }
    writeln!(out)?;
    paragraph(
        out,
        Style::new(),
        match set {
            DataSet::Origin => {
                "cutshort explain --origin NAME explains one of them. A signature can also be given by its number."
            }
            DataSet::Quic => {
                "cutshort explain --quic NAME explains one of them. A signature can also be given by its number."
            }
            _ => {
                "cutshort explain NAME explains one of them. A signature can also be given by its number. With --origin: those of connections that this host opens; with --quic: those of QUIC."
            }
        },
        width,
    )
}

/// The beginning of a list item, and its text.
type Item = (String, String);

fn signature_line(set: DataSet, signature: Signature) -> Item {
    let width = set.signatures().last().map_or(0, |last| last.id().to_string().len());
    (format!("{:width$} ", signature.id()), signature.to_string())
}

/// The name, indented below its parents, with the first sentence about it.
fn tag_line(set: DataSet, tag: Tag) -> Item {
    let depth = std::iter::successors(tag.parent(), |parent| parent.parent()).count();
    let name = format!("{}{tag}", "  ".repeat(depth));
    let sentence = set.tag_about(tag).split_inclusive(". ").next().unwrap_or_default();
    (format!("{name:18} "), sentence.trim_end().to_owned())
}

fn heading(output: &mut impl Write, name: &str, note: &str, width: usize) -> io::Result<()> {
    if columns(name) + columns(note) + 3 <= width {
        writeln!(output, "{BOLD}{name}{BOLD:#} {DIM}({note}){DIM:#}\n")
    } else {
        paragraph(output, BOLD, name, width)?;
        paragraph(output, DIM, &format!("({note})"), width)?;
        writeln!(output)
    }
}

fn causes(output: &mut impl Write, causes: &[&str], width: usize) -> io::Result<()> {
    if causes.is_empty() {
        return Ok(());
    }
    let items = causes.iter().map(|cause| ("- ".to_owned(), (*cause).to_owned()));
    list(output, "What is known to cause it", items, width)?;
    writeln!(output)?;
    let caveat = "Packets show what was seen, never who did it or why: they do not prove any of these.";
    paragraph(output, DIM, caveat, width)
}

/// A further section, unless it is empty.
fn list(
    output: &mut impl Write,
    title: &str,
    items: impl Iterator<Item = Item>,
    width: usize,
) -> io::Result<()> {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return Ok(());
    }
    writeln!(output)?;
    section(output, title, items, width)
}

fn section(
    output: &mut impl Write,
    title: &str,
    items: impl Iterator<Item = Item>,
    width: usize,
) -> io::Result<()> {
    writeln!(output, "{HEADING}{title}{HEADING:#}")?;
    for (head, text) in items {
        let lines = hanging(&format!("  {head}"), &text, width);
        lines.iter().try_for_each(|line| writeln!(output, "{}", line.trim_end()))?;
    }
    Ok(())
}
