//! The summary and the explanations on terminals of every width.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::fmt::Write;

use cutshort_geo::Geo;
use cutshort_packet::{FiveTuple, Packet, SynOptions};
use cutshort_report::{Summary, Widths, explain, write_trace};
use cutshort_verdict::{DataSet, FlowContext, Row, Rules, Signature, Stage, Trace, Verdict};

use common::{TS, closed, connection, five_tuple, geo, reset};

const WIDTHS: std::ops::RangeInclusive<usize> = 30..=130;

/// Without colours.
fn plain(text: &[u8]) -> String {
    let text = String::from_utf8(text.to_vec()).unwrap();
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').unwrap().1)
}

fn table(summary: &Summary, geo: &Geo, width: usize) -> String {
    let mut text = Vec::new();
    summary.write_table(geo, width, &mut text).unwrap();
    plain(&text)
}

#[track_caller]
fn fits(text: &str, width: usize) {
    for line in text.lines() {
        assert!(line.chars().count() <= width, "{width} columns: {line}\n{text}");
    }
}

/// Networks of which the n-th is 198.51.100.n.
fn networks(names: &[&str]) -> Geo {
    let rows = names.iter().enumerate().fold(String::new(), |mut rows, (at, name)| {
        let name = name.replace('"', "\"\"");
        writeln!(rows, "198.51.100.{at},198.51.100.{at},PE,{},\"{name}\"", 64_500 + at).unwrap();
        rows
    });
    geo(&rows)
}

/// So many connections of every network, every other of them cut short.
fn summary(geo: &Geo, networks: usize, times: usize) -> Summary {
    let verdicts = [reset(), closed()];
    let mut summary = Summary::default();
    let tuples: Vec<FiveTuple> = (0..networks).map(|at| five_tuple(&format!("198.51.100.{at}"))).collect();
    for at in 0..times {
        for tuple in &tuples {
            summary.add(&connection(tuple, &verdicts[at % 2], geo));
        }
    }
    summary.input.add_record(TS);
    summary.input.add_record(TS + 900_000_000_000);
    summary
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let geo = networks(&["A", "A name as long as names of networks can be, with more words and words"]);
    let summary = summary(&geo, 2, 10);
    WIDTHS.for_each(|width| fits(&table(&summary, &geo, width), width));
}

#[test]
fn no_line_of_a_large_capture_is_wider_than_the_terminal() {
    let geo = networks(&["Net"]);
    let summary = summary(&geo, 1, 1_500_000);
    WIDTHS.for_each(|width| fits(&table(&summary, &geo, width), width));
}

#[test]
fn narrower_terminals_get_lines_of_30_columns() {
    let geo = networks(&["Net"]);
    let summary = summary(&geo, 1, 10);
    assert_eq!(table(&summary, &geo, 0), table(&summary, &geo, 30));
    assert_eq!(table(&summary, &geo, usize::MAX), table(&summary, &geo, 100));
}

/// A file or a pipe has no width, and a wide terminal has room.
#[test]
fn names_are_cut_only_where_there_is_no_room() {
    let name = "Simulated Backbone and Access Network of a Name of Sixty Letters";
    let geo = networks(&[name]);
    let summary = summary(&geo, 1, 20);
    let mut text = Vec::new();
    summary.write_table(&geo, Widths { text: 80, tables: usize::MAX }, &mut text).unwrap();
    assert!(plain(&text).contains(&format!("AS64500 {name}")), "{}", plain(&text));
    assert!(table(&summary, &geo, 140).contains(name));
    assert!(!table(&summary, &geo, 100).contains(name));
}

/// One of one is no share, and where nobody knows the network there is no network to rank.
#[test]
fn small_groups_are_not_ranked_and_unknown_ones_stand_apart() {
    let geo = networks(&["Small", "Large"]);
    let [small, large] = ["198.51.100.0", "198.51.100.1"].map(five_tuple);
    let unknown = five_tuple("203.0.113.1");
    let mut summary = Summary::default();
    let (reset, closed) = (reset(), closed());
    (0..4).for_each(|_| summary.add(&connection(&small, &reset, &geo)));
    (0..6).for_each(|at| summary.add(&connection(&large, if at < 2 { &reset } else { &closed }, &geo)));
    (0..9).for_each(|_| summary.add(&connection(&unknown, &reset, &geo)));
    let text = table(&summary, &geo, 80);
    assert!(text.contains("Networks cut short most (those with 5 connections or more)"), "{text}");
    assert!(text.contains("AS64501 Large") && !text.contains("Small"), "{text}");
    assert!(text.contains("\n  Unknown network: 100.0 % (9 / 9)\n"), "{text}");
    assert!(text.contains("\n  PE Peru "), "{text}");
    let mut few = Summary::default();
    few.add(&connection(&small, &reset, &geo));
    assert!(table(&few, &geo, 80).contains("\n  No network has that many.\n"), "{}", table(&few, &geo, 80));
}

#[test]
fn a_summary_of_nothing_counts_records() {
    let geo = networks(&["Net"]);
    let text = table(&Summary::default(), &geo, 80);
    assert!(text.starts_with("0 connections in 0 records\n"), "{text}");
    assert!(!text.contains("NaN") && !text.contains("Where they end"), "{text}");
}

#[test]
fn every_reason_for_leaving_out_is_shown() {
    let geo = networks(&["Net"]);
    let mut summary = summary(&geo, 1, 4);
    for (at, exclusion) in DataSet::Tcp.exclusions().iter().copied().enumerate() {
        (0..=at).for_each(|_| summary.add_excluded(exclusion));
    }
    summary.input.refused.iter_mut().enumerate().for_each(|(at, count)| *count = 1000 + at as u64);
    let text = table(&summary, &geo, 100);
    DataSet::Tcp.exclusions().iter().for_each(|reason| assert!(text.contains(reason.about()), "{text}"));
    (0..summary.input.refused.len())
        .for_each(|at| assert!(text.contains(&format!("  1,00{at}  ")), "{text}"));
    WIDTHS.for_each(|width| fits(&table(&summary, &geo, width), width));
}

/// Names come from files. Nothing in them may steer the terminal or break a line.
#[test]
fn names_do_not_steer_the_terminal() {
    let names = ["\u{1b}[2Jgone", "bell\u{7}", "tab\there", "\u{9b}31mred", "\u{202e}right to left"];
    let geo = networks(&names);
    let summary = summary(&geo, names.len(), 10);
    let mut text = Vec::new();
    summary.write_table(&geo, 100, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains("\u{1b}[2J") && !text.contains(['\u{7}', '\u{9b}', '\t']), "{text:?}");
}

/// They turn the rest of the line around.
#[test]
fn names_do_not_change_the_direction_of_writing() {
    let geo = networks(&["\u{202e}right to left"]);
    assert!(!table(&summary(&geo, 1, 10), &geo, 100).contains('\u{202e}'));
}

/// A column may be two of the terminal's, as in names in Chinese.
#[test]
fn wide_letters_count_twice() {
    let geo = networks(&["中国电信股份有限公司骨干网络中心及其分支机构的网络"]);
    let text = table(&summary(&geo, 1, 10), &geo, 80);
    let line = text.lines().find(|line| line.contains('中')).unwrap();
    let width: usize = line.chars().map(|c| if c as u32 >= 0x2e80 { 2 } else { 1 }).sum();
    assert!(width <= 80, "{width} columns: {line}");
}

#[test]
fn the_share_of_an_empty_part_is_no_number_of_nothing() {
    let geo = networks(&["Net"]);
    let syn_only = Verdict {
        data_set: DataSet::Tcp,
        handshake: None,
        first_byte: None,
        version: 0,
        close_code: None,
        progress: cutshort_verdict::Progress::PostSyn,
        stage: Stage::PostSyn,
        signature: Signature::from_id(2),
        ..reset()
    };
    let tuple = five_tuple("198.51.100.0");
    let mut summary = Summary::default();
    summary.add(&connection(&tuple, &syn_only, &geo));
    let text = table(&summary, &geo, 80);
    assert!(text.contains("100.0 %") && !text.contains("NaN"), "{text}");
}

/// A share of nothing is not 0 %.
#[test]
fn no_share_of_no_handshake_is_shown() {
    let geo = networks(&["Net"]);
    let syn_only =
        Verdict { progress: cutshort_verdict::Progress::PostSyn, stage: Stage::PostSyn, ..reset() };
    let tuple = five_tuple("198.51.100.0");
    let mut summary = Summary::default();
    summary.add(&connection(&tuple, &syn_only, &geo));
    let text = table(&summary, &geo, 80);
    assert!(!text.contains("0.0 % of the 0"), "{text}");
}

fn all_terms() -> Vec<explain::Term> {
    let stages = Stage::ALL.into_iter().map(explain::Term::Stage);
    let tags = DataSet::Tcp.tags().iter().copied().map(explain::Term::Tag);
    stages
        .chain(tags)
        .chain(DataSet::Tcp.signatures().iter().copied().map(explain::Term::Signature))
        .collect()
}

fn explained(term: explain::Term, width: usize) -> String {
    let mut text = Vec::new();
    explain::write_term(term, DataSet::Tcp, width, &mut text).unwrap();
    plain(&text)
}

#[test]
fn explanations_fit_from_60_columns_on() {
    for term in all_terms() {
        (60..=130).for_each(|width| fits(&explained(term, width), width));
    }
}

#[test]
fn explanations_fit_30_columns() {
    for term in all_terms() {
        fits(&explained(term, 30), 30);
    }
}

#[test]
fn explanations_blame_nobody() {
    for term in all_terms() {
        let text = explained(term, 80).to_lowercase();
        assert!(!text.contains("tamper") && !text.contains("censor"), "{text}");
    }
}

#[test]
fn every_term_is_found_by_its_name() {
    for stage in Stage::ALL {
        assert!(explain::find(stage.name(), DataSet::Tcp).unwrap().contains(&explain::Term::Stage(stage)));
    }
    for tag in DataSet::Tcp.tags() {
        assert!(explain::find(tag.name(), DataSet::Tcp).unwrap().contains(&explain::Term::Tag(*tag)));
    }
    for signature in DataSet::Tcp.signatures() {
        let term = explain::Term::Signature(*signature);
        let (name, id) = (signature.name(), signature.id().to_string());
        let ascii = name.replace('→', "->");
        for text in [name, &id, &ascii, &name.to_lowercase()] {
            assert!(explain::find(text, DataSet::Tcp).is_ok_and(|found| found.contains(&term)), "{text}");
        }
    }
}

/// Where the text begins that stands behind a name.
fn column_behind(text: &str, name: &str) -> usize {
    let line = text.lines().find(|line| line.trim().starts_with(name)).unwrap();
    let behind = line.split_once(name).unwrap().1;
    line.len() - behind.trim_start().len()
}

#[test]
fn the_list_of_terms_is_aligned() {
    let mut text = Vec::new();
    explain::write_all(DataSet::Tcp, 80, &mut text).unwrap();
    let text = plain(&text);
    let columns = Stage::ALL.map(|stage| column_behind(&text, stage.name()));
    assert!(columns.iter().all(|column| *column == columns[0]), "{columns:?}\n{text}");
}

#[test]
fn the_list_of_terms_begins_at_once() {
    let mut text = Vec::new();
    explain::write_all(DataSet::Tcp, 80, &mut text).unwrap();
    assert!(!plain(&text).starts_with('\n'));
}

/// The words of a trace below its table of packets.
fn reasons(width: usize) -> String {
    let row = |ts: i64, flags: &str, seq, ack| Row {
        ts: TS + ts,
        flags: cutshort_packet::Flags::from_letters(flags).unwrap(),
        seq,
        ack,
        ip_id: 7 + u16::try_from(ts).unwrap(),
        ttl: 57,
        sample_rate: 1,
        ..Row::default()
    };
    let rows =
        [row(0, "S", 0, 0), row(1, "A", 1, 1), row(2, "R", 1, 1), row(3, "R", 1, 2), row(4, "R", 1, 0)];
    let around = FlowContext { cutoff: TS + 20_000_000_000, other_rsts: &[] };
    let mut text = Vec::new();
    let trace = Trace::of(&rows, &Rules::default(), &around);
    let options = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
    let kept = rows[0].packet(five_tuple("198.51.100.7"));
    let syn = SynOptions::parse(&options);
    let syn = Packet { df: true, tcp_window: 64_240, options_len: 20, syn, ..kept };
    write_trace(&five_tuple("198.51.100.7"), &trace[0], Some(&syn), width, &mut text).unwrap();
    plain(&text).rsplit_once("\n\n").unwrap().1.to_owned()
}

#[test]
fn reasons_fit_80_columns() {
    fits(&reasons(80), 80);
    assert!(
        reasons(80)
            .ends_with("The SYN as p0f writes it: 4:57+7:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+,seq-:0\n")
    );
}

#[test]
fn tags_and_evidence_fit_a_narrow_terminal() {
    fits(&reasons(30), 30);
}
