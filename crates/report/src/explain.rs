//! What the terms mean: the texts of the tables in `cutshort-verdict`.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use cutshort_verdict::{DataSet, Signature, Stage, Tag};

use crate::text::{BOLD, DIM, columns, hanging, paragraph};

const HEADING: Style = AnsiColor::Cyan.on_default();

/// A term that can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Where a connection was cut short.
    Stage(Stage),
    /// A property of a connection.
    Tag(Tag),
    /// One of the 19 signatures.
    Signature(Signature),
}

/// Finds all terms with a name: a tag and a stage may have the same one.
///
/// # Errors
/// A text of three lines that lists the known names.
pub fn find(name: &str) -> Result<Vec<Term>, String> {
    let set = DataSet::Tcp;
    let (stage, tag, signature) = (set.stage(name), set.tag(name), set.signature(name));
    let found: Vec<Term> = (stage.clone().ok().map(Term::Stage).into_iter())
        .chain(tag.clone().ok().map(Term::Tag))
        .chain(signature.clone().ok().map(Term::Signature))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let names = |all: Vec<&str>| all.join(", ");
    Err(format!(
        "unknown name '{name}'.\n  stages:     {}\n  tags:       {}\n  signatures: 1 to {}, or a name such as 'SYN; ACK -> RST'",
        names(Stage::ALL.map(Stage::name).to_vec()),
        names(set.tags().iter().map(|tag| tag.name()).collect()),
        set.signatures().len(),
    ))
}

/// Explains one term in lines of at most `width` columns.
pub fn write_term(term: Term, width: usize, mut output: impl Write) -> io::Result<()> {
    let out = &mut output;
    match term {
        Term::Stage(stage) => {
            let radar = stage.radar_name();
            let also = if radar == stage.name() { String::new() } else { format!(", {radar} in the API") };
            heading(out, stage.title(), &format!("stage {stage}{also}"), width)?;
            paragraph(out, Style::new(), stage.about(), width)?;
            causes(out, stage.causes(), width)?;
            let all = DataSet::Tcp.signatures().iter().copied();
            let here = all.filter(|signature| signature.stage() == stage);
            list(out, "Signatures at this stage", here.map(signature_line), width)
        }
        Term::Tag(tag) => {
            let with = tag.parent().map(|parent| format!(", only with {parent}")).unwrap_or_default();
            heading(out, tag.name(), &format!("tag, bit {}{with}", tag.number()), width)?;
            paragraph(out, Style::new(), tag.about(), width)?;
            let all = DataSet::Tcp.tags().iter().copied();
            let below = all.filter(|below| below.parent() == Some(tag));
            list(out, "Tags that stand only with it", below.map(tag_line), width)
        }
        Term::Signature(signature) => {
            let note = format!("signature {}, stage {}", signature.id(), signature.stage());
            heading(out, signature.name(), &note, width)?;
            paragraph(out, Style::new(), signature.about(), width)?;
            causes(out, signature.causes(), width)
        }
    }
}

/// Lists all terms with one line each.
pub fn write_all(width: usize, mut output: impl Write) -> io::Result<()> {
    let out = &mut output;
    let stages = Stage::ALL.map(|stage| (format!("{:9} ", stage.name()), stage.about().to_owned()));
    section(out, "Stages", stages.into_iter(), width)?;
    list(out, "Tags", DataSet::Tcp.tags().iter().copied().map(tag_line), width)?;
    list(out, "Signatures", DataSet::Tcp.signatures().iter().copied().map(signature_line), width)?;
    writeln!(out)?;
    paragraph(
        out,
        Style::new(),
        "cutshort explain NAME explains one of them. A signature can also be given by its number.",
        width,
    )
}

/// What stands before a text in a list, and the text.
type Item = (String, String);

fn signature_line(signature: Signature) -> Item {
    (format!("{:2} ", signature.id()), signature.to_string())
}

/// Indented below its parents, with the first sentence about it.
fn tag_line(tag: Tag) -> Item {
    let depth = std::iter::successors(tag.parent(), |parent| parent.parent()).count();
    let name = format!("{}{tag}", "  ".repeat(depth));
    let sentence = tag.about().split_inclusive(". ").next().unwrap_or_default();
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

/// A section behind others, if there is anything in it.
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
