//! The packed form that the built-in data is shipped in.
//!
//! It is made for being loaded fast: columns that need hardly any decoding, compressed as a whole.
//!
//! ```text
//! file    = "cutshort-geo 2\n" 1*source "\n" frame    sources in the order of precedence
//! source  = "provides: " ( "country" | "network" | "both" ) "\n" *( key ": " value "\n" )
//! key     = "source" | "date" | "licence" | "url"     the url any number of times
//! frame   = one zstd frame with its size and a checksum, of: cells, names, IPv4 steps, IPv6 steps
//! cells   = bytes: codes of countries, two letters each
//!           numbers: AS numbers, each as the difference to the one before; 0 if unknown
//!           bytes: countries, each as its place among the codes from 1 on; 0 if unknown
//! names   = numbers: AS numbers, each as the difference to the one before
//!           numbers: lengths in bytes
//!           bytes: the names, one after the other
//! steps   = numbers: the different lengths of steps, each less one
//!           numbers: which of these each step but the last has, counted from 0
//!           bytes: for each step how many steps back one has the same cell, or 0
//!           numbers: for each 0 of these the cell of the step, counted from 0
//! bytes   = length, the bytes
//! numbers = count, a byte for how many bytes a number has, all lowest bytes, all second lowest and so on
//! length, count: four bytes, the lowest first
//! ```
//!
//! A step is a number of addresses that all have the same cell, which is a pair of country and AS number. The
//! first step begins at address 0, each other one where the one before ends, and the last one ends with the
//! last address. There are only thousands of different lengths, and often networks take turns: that is why
//! lengths are numbered and cells are looked up among the last steps. Zstd finds little more to save in these
//! columns, and so decodes them fast.

use std::collections::{BTreeSet, HashMap};

use zstd::bulk::Compressor;
use zstd::stream::raw::CParameter;

use crate::layer::{About, Layer, Origin};
use crate::names::Names;
use crate::steps::{AddressNumber, Cell, Steps};
use crate::{Country, Provides};

const MAGIC: &[u8] = b"cutshort-geo 2\n";
const LEVEL: i32 = 19;
/// The shortest repetition that zstd makes use of: shorter ones save little and cost much to decode.
const MIN_MATCH: u32 = 7;
/// Far above what the whole internet needs: a small file cannot fill the memory.
const MAX_PAYLOAD: usize = 1 << 27;
/// How many steps back a cell is looked for.
const MAX_BACK: usize = 255;

/// Whether these are the bytes of a packed file.
pub(crate) fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The packed form of a layer.
pub(crate) fn write(layer: &Layer) -> std::io::Result<Vec<u8>> {
    let cells: BTreeSet<_> = layer.v4.cells().iter().chain(layer.v6.cells()).copied().collect();
    let cells: Vec<Cell> = cells.into_iter().collect();
    let mut payload = Vec::new();
    put_cells(&mut payload, &cells);
    put_names(&mut payload, &layer.names);
    put_steps(&mut payload, &layer.v4, &cells);
    put_steps(&mut payload, &layer.v6, &cells);
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::MinMatch(MIN_MATCH))?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    Ok([header(&layer.origins), compressor.compress(&payload)?].concat())
}

fn header(origins: &[Origin]) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    for Origin { about, provides, .. } in origins {
        let single = [("source", &about.name), ("date", &about.date), ("licence", &about.licence)];
        let single = single.into_iter().filter_map(|(key, value)| value.as_ref().map(|value| (key, value)));
        let urls = about.urls.iter().map(|url| ("url", url));
        header.extend(format!("provides: {}\n", provides.word()).bytes());
        for (key, value) in single.chain(urls) {
            header.extend(format!("{key}: {value}\n").bytes());
        }
    }
    header.push(b'\n');
    header
}

fn put_cells(payload: &mut Vec<u8>, cells: &[Cell]) {
    let places = || cells.iter().map(|cell| cell.place());
    let countries: BTreeSet<Country> = places().filter_map(|place| place.country).collect();
    let countries: Vec<Country> = countries.into_iter().collect();
    let codes: Vec<&str> = countries.iter().map(|country| country.alpha2()).collect();
    let number = |country| countries.binary_search(&country).map_or(0, |at| at as u8 + 1);
    put_bytes(payload, codes.concat().as_bytes());
    put_numbers(payload, &differences(places().map(|place| place.asn.unwrap_or(0))));
    put_bytes(payload, &places().map(|place| place.country.map_or(0, number)).collect::<Vec<u8>>());
}

fn put_names(payload: &mut Vec<u8>, names: &Names) {
    put_numbers(payload, &differences(names.asns().iter().copied()));
    put_numbers(payload, &differences(names.ends().iter().copied()));
    put_bytes(payload, names.text().as_bytes());
}

fn put_steps<K: AddressNumber>(payload: &mut Vec<u8>, steps: &Steps<K>, all: &[Cell]) {
    let lengths: Vec<K> = steps.starts().windows(2).map(|pair| pair[1] - pair[0] - K::ONE).collect();
    let different = by_frequency(&lengths);
    let numbers: HashMap<K, u32> = different.iter().copied().zip(0..).collect();
    put_numbers(payload, &different);
    put_numbers(payload, &lengths.iter().map(|length| numbers[length]).collect::<Vec<u32>>());

    let (mut backs, mut direct) = (Vec::new(), Vec::new());
    let mut last = HashMap::new();
    for (at, &cell) in steps.cells().iter().enumerate() {
        let number = all.partition_point(|&other| other < cell) as u32;
        match last.insert(number, at).map(|before| at - before) {
            Some(back @ 1..=MAX_BACK) => backs.push(back as u8),
            _ => {
                backs.push(0);
                direct.push(number);
            }
        }
    }
    put_bytes(payload, &backs);
    put_numbers(payload, &direct);
}

/// What is in the list, the most frequent first.
fn by_frequency<K: AddressNumber>(list: &[K]) -> Vec<K> {
    let mut counts: HashMap<K, usize> = HashMap::new();
    for &item in list {
        *counts.entry(item).or_default() += 1;
    }
    let mut items: Vec<K> = counts.keys().copied().collect();
    items.sort_unstable_by_key(|item| (std::cmp::Reverse(counts[item]), *item));
    items
}

/// Of ascending numbers, the first from 0.
fn differences(ascending: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut before = 0;
    ascending.map(|number| number - std::mem::replace(&mut before, number)).collect()
}

fn put_bytes(payload: &mut Vec<u8>, bytes: &[u8]) {
    payload.extend((bytes.len() as u32).to_le_bytes());
    payload.extend(bytes);
}

fn put_numbers<K: AddressNumber>(payload: &mut Vec<u8>, numbers: &[K]) {
    let used = |place: &usize| numbers.iter().any(|number| number.byte(*place) != 0);
    let width = (1..K::BYTES).rev().find(used).map_or(1, |highest| highest + 1);
    payload.extend((numbers.len() as u32).to_le_bytes());
    payload.push(width as u8);
    for place in 0..width {
        payload.extend(numbers.iter().map(|number| number.byte(place)));
    }
}

/// Reads a packed file. `Err` says what is wrong with it.
pub(crate) fn read(bytes: &[u8]) -> Result<Layer, String> {
    let (origins, frame) = read_header(bytes).ok_or_else(|| damaged("no header"))?;
    let payload = zstd::bulk::decompress(frame, MAX_PAYLOAD).map_err(|error| damaged(&error.to_string()))?;
    read_payload(origins, &payload).ok_or_else(|| damaged("no such ranges"))
}

fn damaged(problem: &str) -> String {
    format!("a damaged file of packed geo data ({problem})")
}

fn read_header(bytes: &[u8]) -> Option<(Vec<Origin>, &[u8])> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut origins: Vec<Origin> = Vec::new();
    loop {
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        rest = &rest[end + 1..];
        match line.strip_prefix("provides: ") {
            Some(word) => origins.push(Origin::new(About::default(), Provides::from_word(word)?)),
            None if line.is_empty() => return (!origins.is_empty()).then_some((origins, rest)),
            None => origins.last_mut()?.about.note(line),
        }
    }
}

fn read_payload(origins: Vec<Origin>, mut payload: &[u8]) -> Option<Layer> {
    let cells = take_cells(&mut payload)?;
    let names = take_names(&mut payload)?;
    let v4 = take_steps(&mut payload, &cells)?;
    let v6 = take_steps(&mut payload, &cells)?;
    payload.is_empty().then_some(Layer { origins, v4, v6, names })
}

fn take_cells(payload: &mut &[u8]) -> Option<Vec<Cell>> {
    let codes = take_bytes(payload)?.chunks(2);
    let codes = codes.map(|code| Country::from_alpha2(std::str::from_utf8(code).ok()?).map(Some));
    let countries: Vec<Option<Country>> = std::iter::once(Some(None)).chain(codes).collect::<Option<_>>()?;
    let asns = sums(take_numbers(payload)?)?;
    let numbers = take_bytes(payload)?;
    let cell =
        |(asn, &country): (u32, &u8)| Some(Cell::new(*countries.get(usize::from(country))?, Some(asn)));
    let cells = asns.iter().copied().zip(numbers).map(cell).collect::<Option<Vec<Cell>>>()?;
    (asns.len() == numbers.len()).then_some(cells)
}

fn take_names(payload: &mut &[u8]) -> Option<Names> {
    let asns = sums(take_numbers(payload)?)?;
    let ends = sums(take_numbers(payload)?)?;
    let text = std::str::from_utf8(take_bytes(payload)?).ok()?;
    Names::from_columns(asns, ends, text.to_owned())
}

fn take_steps<K: AddressNumber>(payload: &mut &[u8], all: &[Cell]) -> Option<Steps<K>> {
    let lengths: Vec<K> = take_numbers(payload)?;
    let lengths: Vec<K> = lengths.into_iter().map(K::next).collect::<Option<_>>()?;
    let numbers: Vec<u32> = take_numbers(payload)?;
    let mut starts = vec![K::ZERO; numbers.len() + 1];
    let mut sum = K::ZERO;
    for (start, &number) in starts[1..].iter_mut().zip(&numbers) {
        sum = sum.checked_add(*lengths.get(number as usize)?)?;
        *start = sum;
    }

    let backs = take_bytes(payload)?;
    let direct: Vec<u32> = take_numbers(payload)?;
    let mut direct = direct.iter();
    let mut cells: Vec<Cell> = Vec::with_capacity(backs.len());
    for &back in backs {
        let cell = match back {
            0 => all.get(*direct.next()? as usize)?,
            _ => cells.get(cells.len().wrapping_sub(back.into()))?,
        };
        cells.push(*cell);
    }
    (direct.next().is_none() && cells.len() == starts.len()).then(|| Steps::from_columns(starts, cells))
}

/// Converts [`differences`] back to the numbers.
fn sums(mut numbers: Vec<u32>) -> Option<Vec<u32>> {
    let mut sum = 0_u32;
    for number in &mut numbers {
        sum = sum.checked_add(*number)?;
        *number = sum;
    }
    Some(numbers)
}

fn take_numbers<K: AddressNumber>(payload: &mut &[u8]) -> Option<Vec<K>> {
    let count = take_u32(payload)?;
    let width = usize::from(*payload.split_off_first()?);
    let bytes = payload.split_off(..count.checked_mul(width)?)?;
    if !(1..=K::BYTES).contains(&width) {
        return None;
    }
    let mut numbers = vec![K::ZERO; count];
    for (place, column) in bytes.chunks_exact(count.max(1)).enumerate() {
        for (number, &byte) in numbers.iter_mut().zip(column) {
            *number = number.with_byte(place, byte);
        }
    }
    Some(numbers)
}

fn take_bytes<'a>(payload: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_u32(payload)?;
    payload.split_off(..length)
}

fn take_u32(payload: &mut &[u8]) -> Option<usize> {
    let (number, rest) = payload.split_first_chunk()?;
    *payload = rest;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

#[cfg(test)]
mod tests;
