use std::io::{self, Write};

use anstyle::Style;
use cutshort_model::{date_time, quantity};
use cutshort_packet::FiveTuple;
use cutshort_verdict::{Row, Step, Tag, Trace, Verdict};

use crate::text::{BOLD, DIM, hanging, paragraph};

/// The columns before what a row means take this much.
const TABLE: usize = 53;
/// What a row means needs so much beside them.
const MEANING: usize = 24;

/// Shows one connection packet by packet, and why its verdict is what it is, in lines of at most
/// `width` columns, but not below 53.
pub fn write_trace(
    five_tuple: &FiveTuple,
    trace: &Trace,
    width: usize,
    mut output: impl Write,
) -> io::Result<()> {
    let out = &mut output;
    let Some(first) = trace.steps.first() else { return Ok(()) };
    paragraph(out, BOLD, &five_tuple.to_string(), width)?;
    let taken = quantity(trace.steps.len() as u64, "packet");
    paragraph(out, DIM, &format!("from {} UTC; {taken} taken", date_time(first.row.ts)), width)?;
    writeln!(
        out,
        "\n{DIM}{:>10} {:5} {:>10} {:>10} {:>5} {:>3} {:>5}{DIM:#}",
        "seconds", "flags", "seq", "ack", "bytes", "ttl", "ip id"
    )?;
    for step in &trace.steps {
        write_step(out, step, first.row.ts, width)?;
    }
    writeln!(out)?;
    trace.reasons.iter().try_for_each(|reason| paragraph(out, Style::new(), reason, width))?;
    trace.outcome.iter().flatten().try_for_each(|verdict| write_verdict(out, verdict, width))
}

fn write_step(output: &mut impl Write, step: &Step, since: i64, width: usize) -> io::Result<()> {
    let Row { ts, flags, ack, payload_len, ttl, ip_id, seq, .. } = step.row;
    let seconds = (ts - since) as f64 / 1e9;
    let seq = step.rel.map_or_else(|| seq.to_string(), relative);
    let fields =
        format!("{seconds:>10.6} {flags:5} {seq:>10} {ack:>10} {payload_len:>5} {ttl:>3} {ip_id:>5}");
    let meaning = format!("{}{}", step.meaning, if step.is_repeat { ", repeated" } else { "" });
    let lines = if width < TABLE + 2 + MEANING {
        std::iter::once(fields).chain(hanging("    ", &meaning, width)).collect()
    } else {
        hanging(&format!("{fields:TABLE$}  "), &meaning, width)
    };
    lines.iter().try_for_each(|line| writeln!(output, "{line}"))
}

fn write_verdict(output: &mut impl Write, verdict: &Verdict, width: usize) -> io::Result<()> {
    let tags: Vec<_> = verdict.tags.iter(verdict.data_set).map(Tag::name).collect();
    let tags = if tags.is_empty() { "none".to_owned() } else { tags.join(", ") };
    let ttl = verdict.rst_ttl_delta.map(|delta| format!("TTL of the RST against the SYN: {delta:+}."));
    let ip_id = verdict
        .rst_ip_id_delta
        .map(|delta| format!("IP id of the RST: {delta} away from the nearest other."));
    let lines = std::iter::once(format!("Tags: {tags}.")).chain(ttl).chain(ip_id);
    lines.into_iter().try_for_each(|line| paragraph(output, Style::new(), &line, width))
}

/// Counted from the SYN; what lies before it is negative.
fn relative(rel: u32) -> String {
    let rel = rel.cast_signed();
    if rel < 0 { rel.to_string() } else { format!("+{rel}") }
}
