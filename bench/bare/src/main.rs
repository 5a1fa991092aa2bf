//! The bare loops that cutshort's speed is measured against.
//!
//! `bare header FILE` reads a capture and looks at every TCP header; `bare hash FILE` also looks up
//! (or inserts) the packet's connection in a hash table, once per packet. No less can be done by
//! anything that classifies connections. Plain code on purpose: no mmap, no threads, no batching,
//! no prefetching, no `unsafe`.
//!
//! Reads classic pcap, little-endian, microseconds, Ethernet without VLAN tags; TCP directly
//! behind IPv4 or IPv6. Prints `name<TAB>value` lines.

mod pcap;
mod table;
mod tcp;

use std::process::ExitCode;

use table::Table;

/// What both loops add up, so that no part of the header walk can be optimised away.
#[derive(Default)]
struct Totals {
    records: u64,
    packets: u64,
    flags: u64,
    payload: u64,
    last_us: u64,
}

impl Totals {
    fn add(&mut self, header: &tcp::Header) {
        self.packets += 1;
        self.flags += u64::from(header.flags);
        self.payload += u64::from(header.payload_len);
    }

    fn print(&self) {
        println!("records\t{}", self.records);
        println!("packets\t{}", self.packets);
        println!("flags_sum\t{}", self.flags);
        println!("payload_bytes\t{}", self.payload);
        println!("last_us\t{}", self.last_us);
    }
}

fn walk(path: &str, mut each: impl FnMut(&tcp::Header, &[u8])) -> std::io::Result<Totals> {
    let mut reader = pcap::Reader::open(path)?;
    let mut totals = Totals::default();
    while let Some(record) = reader.next()? {
        totals.records += 1;
        totals.last_us = totals.last_us.max(record.time_us);
        if let Some(header) = tcp::Header::parse(record.frame) {
            totals.add(&header);
            each(&header, record.frame);
        }
    }
    Ok(totals)
}

fn header(path: &str) -> std::io::Result<()> {
    walk(path, |_, _| {})?.print();
    Ok(())
}

fn hash(path: &str) -> std::io::Result<()> {
    let mut table = Table::new();
    let totals = walk(path, |header, frame| {
        if let Some(key) = header.key(frame) {
            table.count(key);
        }
    })?;
    totals.print();
    println!("connections\t{}", table.len());
    println!("largest\t{}", table.largest());
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["header", path] => header(path),
        ["hash", path] => hash(path),
        _ => {
            eprintln!("usage: bare header|hash FILE");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bare: {error}");
            ExitCode::FAILURE
        }
    }
}
