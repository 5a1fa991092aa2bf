use std::io::{self, Write};

use anstyle::Style;
use cutshort_model::{date_time, quantity};
use cutshort_packet::quic::{Datagram, Version};
use cutshort_packet::{FiveTuple, Flags, Packet};
use cutshort_verdict::{DataSet, Row, Step, Tag, Trace, Verdict, quic};

use crate::text::{BOLD, DIM, hanging, paragraph};

/// The width of the columns before the meaning of a row.
const TABLE: usize = 53;
/// The minimum width of the meaning of a row.
const MEANING: usize = 24;

/// Writes one QUIC connection datagram by datagram, with the reasons for its verdict, in lines of at most `width` columns
/// (at least 53). Ids are letters, in the order in which they came.
pub fn write_quic_trace(
    five_tuple: &FiveTuple,
    trace: &quic::Trace,
    width: usize,
    mut output: impl Write,
) -> io::Result<()> {
    let out = &mut output;
    let Some(first) = trace.steps.first() else { return Ok(()) };
    paragraph(out, BOLD, &five_tuple.to_string(), width)?;
    let taken = trace.steps.iter().filter(|step| !step.row.is_icmp()).count();
    let taken = quantity(taken as u64, "datagram");
    paragraph(out, DIM, &format!("from {} UTC; {taken} taken", date_time(first.row.ts)), width)?;
    writeln!(
        out,
        "\n{DIM}{:>10} {:9} {:>4} {:>5} {:>3} {:>5}{DIM:#}",
        "seconds", "version", "dcid", "bytes", "ttl", "ip id"
    )?;
    for step in &trace.steps {
        let Datagram { ts, len, ttl, ip_id, .. } = step.row;
        let seconds = (ts - first.row.ts) as f64 / 1e9;
        let (version, id) = (version_of(&step.row), step.dcid.map_or_else(String::new, letter));
        let fields = format!("{seconds:>10.6} {version:9} {id:>4} {len:>5} {ttl:>3} {ip_id:>5}");
        write_columns(out, &fields, &step.meaning, width)?;
    }
    writeln!(out)?;
    trace.reasons.iter().try_for_each(|reason| paragraph(out, Style::new(), reason, width))?;
    trace.outcome.iter().flatten().try_for_each(|verdict| write_verdict(out, verdict, width))
}

/// Its name, or its number in hexadecimal digits; nothing without a version.
fn version_of(row: &Datagram) -> String {
    match row.known_version() {
        Some(version) => version.name().to_owned(),
        None if row.version == 0 => String::new(),
        None => format!("{:08x}", row.version),
    }
}

/// `a` to `z`, then numbers.
fn letter(at: usize) -> String {
    match u8::try_from(at) {
        Ok(at) if at < 26 => char::from(b'a' + at).to_string(),
        _ => at.to_string(),
    }
}

/// Writes one connection packet by packet, with the reasons for its verdict, in lines of at most `width` columns (at
/// least 53). `syn` is its SYN packet, which is shown in p0f's notation if its options are known.
pub fn write_trace(
    five_tuple: &FiveTuple,
    trace: &Trace,
    syn: Option<&Packet>,
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
    let data_set = trace.data_set;
    for step in &trace.steps {
        write_step(out, step, data_set, first.row.ts, width)?;
    }
    writeln!(out)?;
    trace.reasons.iter().try_for_each(|reason| paragraph(out, Style::new(), reason, width))?;
    trace.outcome.iter().flatten().try_for_each(|verdict| write_verdict(out, verdict, width))?;
    let p0f = syn.and_then(Packet::p0f);
    p0f.iter()
        .try_for_each(|p0f| paragraph(out, Style::new(), &format!("The SYN as p0f writes it: {p0f}"), width))
}

fn write_step(
    output: &mut impl Write,
    step: &Step,
    data_set: DataSet,
    since: i64,
    width: usize,
) -> io::Result<()> {
    let Row { ts, flags, ack, payload_len, ttl, ip_id, seq, .. } = step.row;
    let seconds = (ts - since) as f64 / 1e9;
    // Of the server's packets the acknowledgement is counted from our SYN.
    let is_ack = step.row.is_received() && !step.row.is_icmp();
    let counted = |number: u32, holds: bool| match step.rel {
        Some(rel) if holds => relative(rel),
        _ => number.to_string(),
    };
    let (seq, ack) = (counted(seq, !is_ack), counted(ack, is_ack));
    let flags = flags_of(&step.row, flags, data_set);
    let fields =
        format!("{seconds:>10.6} {flags:5} {seq:>10} {ack:>10} {payload_len:>5} {ttl:>3} {ip_id:>5}");
    let meaning = format!("{}{}", step.meaning, if step.is_repeat { ", repeated" } else { "" });
    write_columns(output, &fields, &meaning, width)
}

/// Writes columns, and what they mean behind or, in narrow terminals, below them.
fn write_columns(output: &mut impl Write, fields: &str, meaning: &str, width: usize) -> io::Result<()> {
    let lines: Vec<String> = if width < TABLE + 2 + MEANING {
        std::iter::once(fields.to_owned()).chain(hanging("    ", meaning, width)).collect()
    } else {
        hanging(&format!("{fields:TABLE$}  "), meaning, width)
    };
    lines.iter().try_for_each(|line| writeln!(output, "{line}"))
}

fn write_verdict(output: &mut impl Write, verdict: &Verdict, width: usize) -> io::Result<()> {
    let tags: Vec<_> = verdict.tags.iter(verdict.data_set).map(Tag::name).collect();
    let tags = if tags.is_empty() { "none".to_owned() } else { tags.join(", ") };
    let against = if verdict.data_set == DataSet::Origin { "SYN+ACK" } else { "SYN" };
    let ttl = verdict.rst_ttl_delta.map(|delta| format!("TTL of the RST against the {against}: {delta:+}."));
    let ip_id = verdict
        .rst_ip_id_delta
        .map(|delta| format!("IP id of the RST: {delta} away from the nearest other."));
    let time =
        |what: &str, time: Option<i64>| time.map(|time| format!("{what}: {:.3} ms.", time as f64 / 1e6));
    let handshake = time("From the SYN to the SYN+ACK", verdict.handshake);
    let first_byte = time("From the SYN to the first byte", verdict.first_byte);
    let version =
        Version::from_number(verdict.version).map(|version| format!("Version: {}.", version.name()));
    let close = verdict.close_code.map(|code| format!("Error code of its CONNECTION_CLOSE: {code:#x}."));
    let lines = std::iter::once(format!("Tags: {tags}.")).chain(handshake).chain(first_byte);
    let lines = lines.chain(version).chain(close);
    let lines = lines.chain(ttl).chain(ip_id);
    lines.into_iter().try_for_each(|line| paragraph(output, Style::new(), &line, width))
}

/// The flags of a row. Where both directions are rows, `>` marks packets that were sent, `<` those that were received.
fn flags_of(row: &Row, flags: Flags, data_set: DataSet) -> String {
    match () {
        () if row.is_icmp() => "<ICMP".to_owned(),
        () if row.is_received() => format!("<{flags}"),
        () if data_set == DataSet::Origin => format!(">{flags}"),
        () => flags.to_string(),
    }
}

/// A sequence number relative to the SYN, negative before it.
fn relative(rel: u32) -> String {
    let rel = rel.cast_signed();
    if rel < 0 { rel.to_string() } else { format!("+{rel}") }
}
