//! What the terms mean: the texts of the tables in `cutshort-verdict`.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use cutshort_verdict::{Signature, Stage, Tag};

use crate::text::wrap;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
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

/// All terms called so: a tag and a stage may share a name.
///
/// # Errors
/// What there is, in three lines.
pub fn find(name: &str) -> Result<Vec<Term>, String> {
    let (stage, tag, signature) = (name.parse(), name.parse(), name.parse());
    let found: Vec<Term> = (stage.clone().ok().map(Term::Stage).into_iter())
        .chain(tag.clone().ok().map(Term::Tag))
        .chain(signature.clone().ok().map(Term::Signature))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let names = |all: Vec<&str>| all.join(", ");
    Err(format!(
        "nothing is called '{name}'.\n  stages:     {}\n  tags:       {}\n  signatures: 1 to {}, or a name such as 'SYN; ACK -> RST'",
        names(Stage::ALL.map(Stage::name).to_vec()),
        names(Tag::ALL.map(Tag::name).to_vec()),
        Signature::COUNT,
    ))
}

/// Explains one term in lines of at most `width` columns.
///
/// # Errors
/// What the output gives.
pub fn write_term(term: Term, width: usize, mut output: impl Write) -> io::Result<()> {
    let out = &mut output;
    match term {
        Term::Stage(stage) => {
            writeln!(out, "{BOLD}{}{BOLD:#} {DIM}stage {stage}{DIM:#}\n", stage.title())?;
            paragraph(out, stage.about(), width)?;
            causes(out, stage.causes(), width)?;
            let here = Signature::all().filter(|signature| signature.stage() == stage);
            list(out, "Signatures at this stage", here.map(signature_line), width)
        }
        Term::Tag(tag) => {
            let with = tag.parent().map(|parent| format!(", only with {parent}")).unwrap_or_default();
            writeln!(out, "{BOLD}{tag}{BOLD:#} {DIM}tag, bit {}{with}{DIM:#}\n", tag as u8)?;
            paragraph(out, tag.about(), width)?;
            let below = Tag::ALL.into_iter().filter(|below| below.parent() == Some(tag));
            list(out, "Tags that stand only with it", below.map(|tag| tag.to_string()), width)
        }
        Term::Signature(signature) => {
            let stage = signature.stage();
            writeln!(
                out,
                "{BOLD}{signature}{BOLD:#} {DIM}signature {}, stage {stage}{DIM:#}\n",
                signature.id()
            )?;
            paragraph(out, signature.about(), width)?;
            causes(out, signature.causes(), width)
        }
    }
}

/// Lists all terms with one line each.
///
/// # Errors
/// What the output gives.
pub fn write_all(width: usize, mut output: impl Write) -> io::Result<()> {
    let out = &mut output;
    let stages = Stage::ALL.into_iter().map(|stage| format!("{:9} {}", stage.name(), stage.about()));
    list(out, "Stages", stages, width)?;
    let tags = Tag::ALL.into_iter().map(|tag| {
        let indent = if tag.parent().is_some() { "- " } else { "" };
        format!("{indent}{tag}")
    });
    list(out, "Tags", tags, width)?;
    list(out, "Signatures", Signature::all().map(signature_line), width)?;
    writeln!(out)?;
    paragraph(out, "cutshort explain NAME tells more of one. Signatures go by number, too.", width)
}

fn signature_line(signature: Signature) -> String {
    format!("{:2} {signature}", signature.id())
}

fn paragraph(output: &mut impl Write, text: &str, width: usize) -> io::Result<()> {
    wrap(text, width).iter().try_for_each(|line| writeln!(output, "{line}"))
}

fn causes(output: &mut impl Write, causes: &[&str], width: usize) -> io::Result<()> {
    list(output, "What is known to cause it", causes.iter().map(ToString::to_string), width)?;
    writeln!(output)?;
    let caveat = "Packets show what was seen, never who did it or why: none of these is proved by it.";
    wrap(caveat, width).iter().try_for_each(|line| writeln!(output, "{DIM}{line}{DIM:#}"))
}

fn list(
    output: &mut impl Write,
    title: &str,
    items: impl Iterator<Item = String>,
    width: usize,
) -> io::Result<()> {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return Ok(());
    }
    writeln!(output, "\n{HEADING}{title}{HEADING:#}")?;
    for item in items {
        let mut lines = hanging(&item, width.saturating_sub(4)).into_iter();
        writeln!(output, "  {}", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| writeln!(output, "    {line}"))?;
    }
    Ok(())
}

/// Wrapped, but with the leading column of a short item kept as it is.
fn hanging(item: &str, width: usize) -> Vec<String> {
    if item.chars().count() <= width { vec![item.to_owned()] } else { wrap(item, width) }
}
