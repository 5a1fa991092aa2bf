//! The packed form that the built-in data is shipped in.
//!
//! ```text
//! file       = "cutshort-geo 1\n" *( key ": " value "\n" ) "\n" payload
//! key        = "source" | "date" | "licence" | "url"      the url any number of times
//! payload    = one zstd frame with a checksum, of: dictionary, IPv4 ranges, IPv6 ranges
//! dictionary = column of lines: country [ " " asn [ " " name ] ] "\n"    the country "-" if unknown
//! ranges     = five columns, of: gap zeros, gap rest, length zeros, length rest, line of the dictionary
//! column     = varint length in bytes, the bytes
//! varint     = LEB128
//! ```
//!
//! Ranges are sorted and do not overlap. `gap` counts the addresses between a range and the one before (or
//! address 0), `length` those in the range. Such numbers mostly end in many zero bits, so a number is a byte
//! and a varint: for `n` = (2 `r` + 1) << `z` the byte `z` + 1 and the varint `r`; for 0 the byte 0 and no
//! varint. 2^128, the length of all of IPv6, has `z` = 128. A line of the dictionary is a varint. A line is
//! written where it is used first, so new ones are always the next.
//!
//! Each kind of number is a column of its own because zstd finds more in them than in rows.

use std::collections::HashMap;
use std::io::{Read, Write};

use crate::layer::{About, Layer};
use crate::names::Names;
use crate::steps::{Builder, Cell, Key, Span, Steps};
use crate::{Country, Provides};

const MAGIC: &[u8] = b"cutshort-geo 1\n";
const LEVEL: i32 = 19;
/// Far above what the whole internet needs: a small file cannot fill the memory.
const MAX_PAYLOAD: u64 = 1 << 28;

/// Whether these are the bytes of a packed file.
pub(crate) fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The packed form of a layer.
pub(crate) fn write(layer: &Layer) -> std::io::Result<Vec<u8>> {
    let mut lines = Lines { names: &layer.names, numbers: HashMap::new(), text: Vec::new() };
    let v4 = write_ranges(&layer.v4, &mut lines);
    let v6 = write_ranges(&layer.v6, &mut lines);
    let mut payload = Vec::new();
    put_column(&mut payload, &lines.text);
    payload.extend(v4);
    payload.extend(v6);
    let mut encoder = zstd::Encoder::new(header(&layer.about), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(payload.len() as u64))?;
    encoder.include_contentsize(true)?;
    encoder.write_all(&payload)?;
    encoder.finish()
}

fn header(about: &About) -> Vec<u8> {
    let single = [("source", &about.name), ("date", &about.date), ("licence", &about.licence)];
    let single = single.into_iter().filter_map(|(key, value)| value.as_ref().map(|value| (key, value)));
    let urls = about.urls.iter().map(|url| ("url", url));
    let mut header = MAGIC.to_vec();
    for (key, value) in single.chain(urls) {
        header.extend(format!("{key}: {value}\n").bytes());
    }
    header.push(b'\n');
    header
}

/// The dictionary while it grows.
struct Lines<'a> {
    names: &'a Names,
    numbers: HashMap<(Option<Country>, Option<u32>), u128>,
    text: Vec<u8>,
}

impl Lines<'_> {
    fn number(&mut self, cell: Cell) -> u128 {
        let place = cell.place();
        let next = self.numbers.len() as u128;
        *self.numbers.entry((place.country, place.asn)).or_insert_with(|| {
            let country = place.country.map_or("-", Country::alpha2);
            let line = match place.asn {
                None => country.to_owned(),
                Some(asn) => format!("{country} {asn} {}", self.names.get(asn).unwrap_or("")),
            };
            self.text.extend(line.trim_end().bytes().chain([b'\n']));
            next
        })
    }
}

fn write_ranges<K: Key>(steps: &Steps<K>, lines: &mut Lines<'_>) -> Vec<u8> {
    let mut columns: [Vec<u8>; 5] = Default::default();
    let [gap_zeros, gap_rest, length_zeros, length_rest, numbers] = &mut columns;
    let mut free = 0;
    for span in steps.spans() {
        put_number(gap_zeros, gap_rest, span.first.to_u128() - free);
        // 2^128 wraps to 0, which no range is long.
        let length = (span.last - span.first).to_u128().wrapping_add(1);
        match length {
            0 => put_zeros(length_zeros, length_rest, 128, 0),
            _ => put_number(length_zeros, length_rest, length),
        }
        put_varint(numbers, lines.number(span.cell));
        free = span.last.to_u128().wrapping_add(1);
    }
    let mut bytes = Vec::new();
    columns.iter().for_each(|column| put_column(&mut bytes, column));
    bytes
}

fn put_number(zeros: &mut Vec<u8>, rest: &mut Vec<u8>, number: u128) {
    match number.trailing_zeros() {
        128 => zeros.push(0),
        shift => put_zeros(zeros, rest, shift as u8, number >> shift >> 1),
    }
}

fn put_zeros(zeros: &mut Vec<u8>, rest: &mut Vec<u8>, shift: u8, value: u128) {
    zeros.push(shift + 1);
    put_varint(rest, value);
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn put_column(bytes: &mut Vec<u8>, column: &[u8]) {
    put_varint(bytes, column.len() as u128);
    bytes.extend(column);
}

/// Reads a packed file. `Err` says what is wrong with it.
pub(crate) fn read(bytes: &[u8]) -> Result<Layer, String> {
    let (about, frame) = read_header(bytes).ok_or_else(|| damaged("no header"))?;
    let mut payload = Vec::new();
    zstd::Decoder::with_buffer(frame)
        .and_then(|decoder| decoder.take(MAX_PAYLOAD).read_to_end(&mut payload))
        .map_err(|error| damaged(&error.to_string()))?;
    read_payload(about, &payload).ok_or_else(|| damaged("no such ranges"))
}

fn damaged(problem: &str) -> String {
    format!("a damaged file of packed geo data ({problem})")
}

fn read_header(bytes: &[u8]) -> Option<(About, &[u8])> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut about = About::default();
    loop {
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        rest = &rest[end + 1..];
        if line.is_empty() {
            return Some((about, rest));
        }
        about.note(line);
    }
}

fn read_payload(about: About, mut payload: &[u8]) -> Option<Layer> {
    let dictionary = Dictionary::read(take_column(&mut payload)?)?;
    let v4 = read_ranges(&mut payload, &dictionary.cells)?;
    let v6 = read_ranges(&mut payload, &dictionary.cells)?;
    payload.is_empty().then_some(())?;
    Some(Layer { about, provides: dictionary.provides()?, v4, v6, names: dictionary.names })
}

struct Dictionary {
    cells: Vec<Cell>,
    names: Names,
}

impl Dictionary {
    fn read(text: &[u8]) -> Option<Self> {
        let mut cells = Vec::new();
        let mut names = Vec::new();
        for line in std::str::from_utf8(text).ok()?.lines() {
            let mut parts = line.splitn(3, ' ');
            let country = match parts.next()? {
                "-" => None,
                code => Some(Country::from_alpha2(code)?),
            };
            let asn = parts.next().map(str::parse).transpose().ok()?;
            names.extend(asn.zip(parts.next()));
            cells.push(Cell::new(country, asn));
        }
        names.sort_unstable();
        names.dedup_by_key(|(asn, _)| *asn);
        Some(Self { cells, names: Names::from_sorted(names.into_iter()) })
    }

    fn provides(&self) -> Option<Provides> {
        let places = || self.cells.iter().map(|cell| cell.place());
        Provides::from_flags(
            places().any(|place| place.country.is_some()),
            places().any(|place| place.asn.is_some()),
        )
    }
}

fn read_ranges<K: Key>(payload: &mut &[u8], cells: &[Cell]) -> Option<Steps<K>> {
    let mut columns = [&[][..]; 5];
    for column in &mut columns {
        *column = take_column(payload)?;
    }
    let [gap_zeros, mut gap_rest, length_zeros, mut length_rest, mut numbers] = columns;
    let mut builder = Builder::new(gap_zeros.len());
    let mut free = Some(0_u128);
    for (&gap, &length) in gap_zeros.iter().zip(length_zeros) {
        let first = free?.checked_add(take_number(gap, &mut gap_rest)?)?;
        let length = take_number(length, &mut length_rest)?;
        let last = first.checked_add(length.wrapping_sub(1))?;
        let cell = *cells.get(usize::try_from(take_varint(&mut numbers)?).ok()?)?;
        builder.add(Span { first: K::from_u128(first)?, last: K::from_u128(last)?, cell });
        free = last.checked_add(1);
    }
    let all_used = gap_rest.is_empty() && length_rest.is_empty() && numbers.is_empty();
    (all_used && gap_zeros.len() == length_zeros.len()).then(|| builder.finish())
}

/// 2^128 wraps to 0.
fn take_number(zeros: u8, rest: &mut &[u8]) -> Option<u128> {
    let Some(shift) = zeros.checked_sub(1) else { return Some(0) };
    let odd = take_varint(rest)?.checked_mul(2)? | 1;
    match shift {
        128 => (odd == 1).then_some(0),
        _ => odd.checked_shl(shift.into()).filter(|number| number >> shift == odd),
    }
}

fn take_varint(bytes: &mut &[u8]) -> Option<u128> {
    let mut value = 0_u128;
    for shift in (0..128).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u128::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take_column<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_varint(bytes)?).ok()?;
    let (column, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(column)
}

#[cfg(test)]
mod tests;
