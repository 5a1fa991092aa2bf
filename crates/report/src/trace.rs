use std::io::{self, Write};

use anstyle::Style;
use cutshort_packet::FiveTuple;
use cutshort_verdict::{Row, Trace};

use crate::text::wrap;
use crate::time::date_time;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Shows one connection packet by packet, and why its verdict is what it is, in lines of at most
/// `width` columns where that is possible.
///
/// # Errors
/// What the output gives.
pub fn write_trace(
    five_tuple: &FiveTuple,
    trace: &Trace,
    width: usize,
    mut output: impl Write,
) -> io::Result<()> {
    writeln!(output, "{BOLD}{five_tuple}{BOLD:#}")?;
    let Some(first) = trace.steps.first() else { return Ok(()) };
    writeln!(
        output,
        "{DIM}from {} UTC; {} packets taken{DIM:#}\n",
        date_time(first.row.ts),
        trace.steps.len()
    )?;
    writeln!(
        output,
        "{DIM}{:>11}  {:5} {:>10} {:>10} {:>6} {:>3} {:>5}  what it is{DIM:#}",
        "seconds", "flags", "seq", "ack", "bytes", "ttl", "ip id"
    )?;
    for step in &trace.steps {
        let Row { ts, flags, ack, payload_len, ttl, ip_id, seq, .. } = step.row;
        let seconds = (ts - first.row.ts) as f64 / 1e9;
        let seq = step.rel.map_or_else(|| seq.to_string(), relative);
        let repeat = if step.is_repeat { " (repeat)" } else { "" };
        writeln!(
            output,
            "{seconds:>11.6}  {flags:5} {seq:>10} {ack:>10} {payload_len:>6} {ttl:>3} {ip_id:>5}  {}{repeat}",
            step.meaning
        )?;
    }
    writeln!(output)?;
    for reason in &trace.reasons {
        wrap(reason, width).iter().try_for_each(|line| writeln!(output, "{line}"))?;
    }
    let Ok(verdict) = &trace.outcome else { return Ok(()) };
    let tags: Vec<_> = verdict.tags.iter().map(cutshort_verdict::Tag::name).collect();
    writeln!(output, "Tags: {}.", if tags.is_empty() { "none".to_owned() } else { tags.join(", ") })?;
    evidence(&mut output, verdict.rst_ttl_delta, verdict.rst_ip_id_delta)
}

fn evidence(output: &mut impl Write, ttl: Option<i16>, ip_id: Option<u16>) -> io::Result<()> {
    if let Some(delta) = ttl {
        writeln!(output, "TTL of the RST against the SYN: {delta:+}.")?;
    }
    if let Some(delta) = ip_id {
        writeln!(output, "IP id of the RST: {delta} away from the nearest other.")?;
    }
    Ok(())
}

/// Counted from the SYN; what lies before it is negative.
fn relative(rel: u32) -> String {
    let rel = rel.cast_signed();
    if rel < 0 { rel.to_string() } else { format!("+{rel}") }
}
