//! CSV files of address ranges, with commas or tabs: `start,end,country`, `start,end,asn,name`,
//! `start,end,country,asn,name`, and the forms that the module [`columns`](crate::columns) knows.
//!
//! Where ranges overlap, the later row counts. Lines that begin with `#` and blank lines are skipped, and so is a
//! first row that begins with words is a header, whose names say what the columns have. Before the first row, comments of the form `# source: NAME`, `# date:
//! YYYY-MM-DD`, `# licence: NAME` and `# url: LINK` describe the file.

use csv::ByteRecord;

use crate::columns::{Columns, Line};
use crate::layer::{About, Layer, LayerNotes};

/// Reads a whole file. `Err` says what is wrong and in which line.
pub(crate) fn read(bytes: &[u8]) -> Result<Layer, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(bytes))
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let mut notes = LayerNotes::default();
    let mut record = ByteRecord::new();
    let (mut first, mut header) = (true, None);
    while reader.read_byte_record(&mut record).map_err(|error| error.to_string())? {
        let fields: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
        let fields: Vec<&str> = fields.iter().map(AsRef::as_ref).collect();
        if first && is_header(&fields) {
            header = Some(Columns::of_header(&fields)?);
        } else {
            add_row(header.as_ref(), &fields, &mut notes)
                .map_err(|problem| format!("line {}: {problem}", line(bytes, reader.position())))?;
        }
        first = false;
    }
    notes.finish(introduction(bytes)).ok_or_else(|| "no row has a country or an AS number".into())
}

fn add_row(header: Option<&Columns>, fields: &[&str], notes: &mut LayerNotes) -> Result<(), String> {
    let Line { first, last, country, asn, name } = Columns::read(header, fields)?;
    notes.add(first, last, country, asn)?;
    notes.name(asn.unwrap_or(0), name);
    Ok(())
}

/// The line in which the row ends that the reader has just read. The row's own position will not do: it is
/// before any comments and blank lines that were passed over.
fn line(bytes: &[u8], after: &csv::Position) -> usize {
    let read = &bytes[..bytes.len().min(after.byte() as usize)];
    1 + read.trim_ascii_end().iter().filter(|&&byte| byte == b'\n').count()
}

/// Whether a row begins with words: the names of columns.
fn is_header(fields: &[&str]) -> bool {
    let word =
        |field: &&str| field.starts_with(|first: char| first.is_ascii_alphabetic()) && !field.contains(':');
    fields.len() >= 2 && fields.iter().take(2).all(word)
}

/// Some publishers separate columns by tabs.
fn delimiter(bytes: &[u8]) -> u8 {
    let lines = bytes.split(|&byte| byte == b'\n');
    let first = lines.into_iter().find(|line| !line.starts_with(b"#") && !line.trim_ascii().is_empty());
    if first.is_some_and(|line| line.contains(&b'\t')) { b'\t' } else { b',' }
}

fn introduction(bytes: &[u8]) -> About {
    let mut about = About::default();
    let comments = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    for line in comments.take_while(|line| line.is_empty() || line.starts_with(b"#")) {
        about.note(&String::from_utf8_lossy(line.strip_prefix(b"#").unwrap_or(line)));
    }
    about
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::{Country, Provides};

    fn get(layer: &Layer, addr: &str) -> (Option<&'static str>, Option<u32>) {
        let place = match addr.parse().unwrap() {
            IpAddr::V4(v4) => layer.v4.get(v4.to_bits()),
            IpAddr::V6(v6) => layer.v6.get(v6.to_bits()),
        }
        .place();
        (place.country.map(Country::alpha2), place.asn)
    }

    #[test]
    fn countries() {
        let layer =
            read(b"192.0.2.0,192.0.2.127,AU\n\n192.0.2.128,192.0.2.255,ZZ\n2001:db8::,2001:db8::ff,nz\n");
        let layer = layer.unwrap();
        assert_eq!(layer.origins[0].provides, Provides::Country);
        assert_eq!(get(&layer, "192.0.2.127"), (Some("AU"), None));
        assert_eq!(get(&layer, "192.0.2.128"), (None, None));
        assert_eq!(get(&layer, "2001:db8::ff"), (Some("NZ"), None));
        assert_eq!(get(&layer, "2001:db8::100"), (None, None));
    }

    #[test]
    fn networks_with_quotes_a_header_and_an_introduction() {
        let text = "# source: My nets\n# date: 2026-02-03\nstart,end,asn,name\n\
                    \"192.0.2.0\",\"192.0.2.255\",\"64500\",\"Net, \"\"Inc\"\"\"\n3325256704,3325256959,AS64501,\n\
                    198.18.0.0,198.18.0.255,0,Not routed\n";
        let layer = read(text.as_bytes()).unwrap();
        assert_eq!(layer.origins[0].provides, Provides::Network);
        assert_eq!(get(&layer, "192.0.2.1"), (None, Some(64500)));
        assert_eq!(get(&layer, "198.51.100.9"), (None, Some(64501)));
        assert_eq!(get(&layer, "198.18.0.1"), (None, None));
        assert_eq!(layer.names.get(64500), Some("Net, \"Inc\""));
        assert_eq!(layer.names.get(64501), None);
        assert_eq!(layer.origins[0].about.name.as_deref(), Some("My nets"));
        assert_eq!(layer.origins[0].about.date.as_deref(), Some("2026-02-03"));
    }

    #[test]
    fn both_and_a_later_row_over_an_earlier_one() {
        let text = "10.0.0.0,10.255.255.255,IR,64500,Simulated\r\n10.9.0.0,10.9.0.255,KZ,-,\r\n";
        let layer = read(text.as_bytes()).unwrap();
        assert_eq!(layer.origins[0].provides, Provides::Both);
        assert_eq!(get(&layer, "10.8.0.0"), (Some("IR"), Some(64500)));
        assert_eq!(get(&layer, "10.9.0.0"), (Some("KZ"), None));
        assert_eq!(get(&layer, "10.9.1.0"), (Some("IR"), Some(64500)));
    }

    #[test]
    fn tabs_and_headers_of_others() {
        let layer = read(b"198.51.100.0\t198.51.100.255\t64500\tPT\tEXAMPLE\n").unwrap();
        assert_eq!(get(&layer, "198.51.100.7"), (Some("PT"), Some(64500)));
        let layer = read(b"network,country,country_code,continent,continent_code,asn,as_name,as_domain\n198.51.100.0/24,Portugal,PT,Europe,EU,AS64500,\"Example, One\",example.org\n");
        let layer = layer.unwrap();
        assert_eq!(get(&layer, "198.51.100.7"), (Some("PT"), Some(64500)));
        assert_eq!(layer.names.get(64500), Some("Example, One"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let problem = |text: &str| read(text.as_bytes()).unwrap_err();
        assert_eq!(problem("192.0.2.0,192.0.2.255,AU\n192.0.3.0,192."), "line 2: 2 columns");
        assert_eq!(problem("192.0.2.0,192.0.2.255,Australia\n"), "line 1: not a country code: \"Australia\"");
        assert_eq!(problem("\n# x\n192.0.2.0,192.0.2.255,AUS,Name\n"), "line 3: not an AS number: \"AUS\"");
        assert_eq!(problem("192.0.2.0,192.0.2.256,AU\n"), "line 1: not an address: \"192.0.2.256\"");
        assert_eq!(problem("192.0.2.9,192.0.2.0,AU\n"), "line 1: no range: 192.0.2.9 to 192.0.2.0");
        assert_eq!(problem("192.0.2.0,192.0.2.255,ZZ\n"), "no row has a country or an AS number");
        assert_eq!(problem("start,end,country\n"), "no row has a country or an AS number");
        assert_eq!(problem("# nothing\n"), "no row has a country or an AS number");
        assert_eq!(problem("Lorem ipsum\ndolor\n"), "line 1: 1 columns");
        assert!(problem("network,geoname_id\n192.0.2.0/24,6252001\n").contains("geoname_id"));
    }
}
