//! Parquet files of others: one thing wrong in each.

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::*;

/// A file as a stranger may write it, with statistics of everything.
struct File {
    schema: String,
    entries: Vec<(&'static str, String)>,
    properties: WriterPropertiesBuilder,
    ts: Vec<i64>,
    node: Vec<&'static str>,
    src_ip: Vec<[u8; 16]>,
    dst_ip: Vec<[u8; 16]>,
    /// From `src_port` to `sample_rate`.
    ints: [Vec<i32>; 11],
    /// Country, AS number and flow of each row, in files that have these columns.
    protection: Option<[(&'static str, i32, i64); 3]>,
    /// "Don't fragment", kinds of options, MSS and window scale of each row, in files that have these columns.
    options: Option<[(i32, i64, i32, i32); 3]>,
    groups: usize,
}

const INTS: [(&str, u8); 11] = [
    ("src_port", 16),
    ("dst_port", 16),
    ("ip_id", 16),
    ("ttl", 8),
    ("flags", 16),
    ("seq", 32),
    ("ack", 32),
    ("window", 16),
    ("options_len", 8),
    ("payload_len", 32),
    ("sample_rate", 32),
];

fn v4(last: u8) -> [u8; 16] {
    std::net::Ipv4Addr::new(198, 51, 100, last).to_ipv6_mapped().octets()
}

impl File {
    /// Three packets that may be kept.
    fn good() -> Self {
        let ints = INTS.map(|(name, bits)| format!("required int32 {name} (INTEGER({bits},false));"));
        Self {
            schema: format!(
                "message packet {{ required int64 ts (TIMESTAMP(NANOS,true)); required binary node (UTF8);
                 required fixed_len_byte_array(16) src_ip; required fixed_len_byte_array(16) dst_ip; {} }}",
                ints.concat()
            ),
            entries: vec![
                ("cutshort.schema", "1".to_owned()),
                ("cutshort.id", format!("{:032x}", 77)),
                ("cutshort.node", "edge".to_owned()),
                ("cutshort.origin", "live".to_owned()),
                ("cutshort.covers", "0,100".to_owned()),
                ("cutshort.times", "1,9".to_owned()),
            ],
            properties: WriterProperties::builder()
                .set_compression(Compression::ZSTD(ZstdLevel::default()))
                .set_dictionary_enabled(false),
            ts: vec![5, 9, 1],
            node: vec!["edge"; 3],
            src_ip: vec![v4(1), v4(1), v4(2)],
            dst_ip: vec![v4(9); 3],
            ints: std::array::from_fn(|_| vec![3; 3]),
            protection: None,
            options: None,
            groups: 1,
        }
    }

    /// The same with the columns of protected addresses, as they were written before options were kept.
    fn full() -> Self {
        let mut file = Self::good();
        let more = "required binary country (UTF8); required int32 asn (INTEGER(32,false)); \
             required int64 flow (INTEGER(64,false)); }";
        file.schema = file.schema.replace('}', more);
        file.entry("cutshort.schema", "2");
        file.entries.push(("cutshort.addresses", "full".to_owned()));
        file.protection = Some([("", 0, 0); 3]);
        file
    }

    /// The same with all columns, as they are written now.
    fn latest() -> Self {
        let mut file = Self::full();
        let more = "required int32 df (INTEGER(8,false)); required int64 options (INTEGER(64,false)); \
             required int32 mss (INTEGER(16,false)); required int32 wscale (INTEGER(8,false)); }";
        file.schema = file.schema.replace('}', more);
        file.entry("cutshort.schema", "3");
        file.options = Some([(0, 0, 0, 255); 3]);
        file
    }

    /// All rows are SYN packets.
    fn of_syns(mut self) -> Self {
        self.ints[4] = vec![2; 3];
        self
    }

    fn int(&mut self, name: &str, value: i32) {
        let at = INTS.iter().position(|(own, _)| *own == name).unwrap();
        self.ints[at][1] = value;
    }

    fn entry(&mut self, name: &str, value: &str) {
        let entry = self.entries.iter_mut().find(|(own, _)| *own == name).unwrap();
        entry.1 = value.to_owned();
    }

    fn write(self) -> Vec<u8> {
        let entry = |(key, value): &(&str, String)| KeyValue::new((*key).to_owned(), value.clone());
        let properties = self.properties.clone();
        let properties = properties.set_key_value_metadata(Some(self.entries.iter().map(entry).collect()));
        let schema = Arc::new(parse_message_type(&self.schema).unwrap());
        let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build())).unwrap();
        for _ in 0..self.groups {
            let mut group = file.next_row_group().unwrap();
            self.write_group(&mut group);
            group.close().unwrap();
        }
        file.into_inner().unwrap()
    }

    fn write_group(&self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>) {
        let addresses = |of: &[[u8; 16]]| -> Vec<FixedLenByteArray> {
            of.iter().map(|octets| octets.to_vec().into()).collect()
        };
        let nodes: Vec<ByteArray> = self.node.iter().map(|node| (*node).into()).collect();
        column::<Int64Type>(group, &self.ts);
        column::<ByteArrayType>(group, &nodes);
        column::<FixedLenByteArrayType>(group, &addresses(&self.src_ip));
        column::<FixedLenByteArrayType>(group, &addresses(&self.dst_ip));
        for values in &self.ints {
            column::<Int32Type>(group, values);
        }
        if let Some(rows) = self.protection {
            column::<ByteArrayType>(group, &rows.map(|(country, ..)| country.into()));
            column::<Int32Type>(group, &rows.map(|(_, asn, _)| asn));
            column::<Int64Type>(group, &rows.map(|(.., flow)| flow));
        }
        if let Some(rows) = self.options {
            column::<Int32Type>(group, &rows.map(|(df, ..)| df));
            column::<Int64Type>(group, &rows.map(|(_, kinds, ..)| kinds));
            column::<Int32Type>(group, &rows.map(|(.., mss, _)| mss));
            column::<Int32Type>(group, &rows.map(|(.., wscale)| wscale));
        }
    }
}

fn column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, values: &[T::T]) {
    if let Some(mut column) = group.next_column().unwrap() {
        column.typed::<T>().write_batch(values, None, None).unwrap();
        column.close().unwrap();
    }
}

#[test]
fn a_stranger_s_file_is_taken() {
    let segment = Segment::parse(File::good().write()).unwrap();
    assert_eq!((segment.info().rows, segment.info().times), (3, Some((1, 9))));
    assert_eq!(segment.packets().unwrap()[2].ts, 1);
}

/// Files from before all had the same columns, and files from now.
#[test]
fn full_addresses_are_read_with_and_without_later_columns() {
    let [first, second, third] =
        [File::good(), File::full(), File::latest()].map(|file| Segment::parse(file.write()).unwrap());
    assert_eq!((first.info(), second.info()), (second.info(), third.info()));
    assert_eq!(first.protected().unwrap(), second.protected().unwrap());
    assert_eq!(second.protected().unwrap(), third.protected().unwrap());
}

/// Rows of earlier files have options that nobody knows, and no tag that needs them.
#[test]
fn options_of_earlier_files_are_unknown() {
    for file in [File::good(), File::full()] {
        let packets = Segment::parse(file.of_syns().write()).unwrap().packets().unwrap();
        assert!(packets.iter().all(|packet| packet.syn == SynOptions::UNKNOWN && !packet.df));
    }
    let known = [(1, 0, 0, 255), (0, 0x41_1312, 1460, 8), (1, -1, 0, 0)];
    let file = File { options: Some(known), ..File::latest().of_syns() };
    let packets = Segment::parse(file.write()).unwrap().packets().unwrap();
    let read = packets.iter().map(|packet| (packet.df, packet.syn)).collect::<Vec<_>>();
    let options = |kinds, mss, wscale| SynOptions { kinds, mss, wscale };
    let expected =
        [(true, SynOptions::NONE), (false, options(0x41_1312, 1460, 8)), (true, options(u64::MAX, 0, 0))];
    assert_eq!(read, expected);
}

#[test]
fn options_that_no_packet_has_are_refused() {
    let refused = |rest: (i32, i64, i32, i32), expected: &str, change: fn(File) -> File| {
        let mut options = [(0, 0, 0, 255); 3];
        options[1] = rest;
        let file = change(File { options: Some(options), ..File::latest() });
        let error = Segment::parse(file.write()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused((2, 0, 0, 255), "column df", File::of_syns);
    refused((0, 0, 0x1_0000, 255), "column mss", File::of_syns);
    refused((0, 0, 0, 256), "column wscale", File::of_syns);
    for rest in [(0, 1, 0, 255), (0, 0, 1, 255), (0, 0, 0, 7)] {
        refused(rest, "is no SYN packet", |file| file);
    }
    let over_ipv6 =
        |file| File { src_ip: vec![[0x20; 16]; 3], dst_ip: vec![[0x20; 16]; 3], ts: vec![1, 5, 9], ..file };
    refused((1, 0, 0, 255), "which IPv6 has not", over_ipv6);
}

#[test]
fn what_full_addresses_tell_themselves_does_not_stand_beside_them() {
    for (name, row) in
        [("country", ("PT", 0, 0)), ("country", ("ZZ", 0, 0)), ("asn", ("", 1, 0)), ("flow", ("", 0, 1))]
    {
        let file = File { protection: Some([("", 0, 0), row, ("", 0, 0)]), ..File::full() };
        let error = Segment::parse(file.write()).unwrap_err().to_string();
        assert!(error.contains(&format!("its column {name}")), "{error}");
    }
    let mut claimed = File::full();
    claimed.entry("cutshort.schema", "1");
    assert!(Segment::parse(claimed.write()).unwrap_err().to_string().contains("columns"));
}

#[track_caller]
fn refused(expected: &str, change: impl FnOnce(&mut File)) {
    let mut file = File::good();
    change(&mut file);
    match Segment::parse(file.write()) {
        Err(StoreError::Refused(why)) => assert!(why.contains(expected), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_out_of_bounds_are_refused() {
    for (name, value) in [
        ("src_port", 0x1_0000),
        ("dst_port", -1),
        ("ip_id", 0x1_0000),
        ("ttl", 256),
        ("flags", 0x200),
        ("window", 0x1_0000),
        ("options_len", 41),
    ] {
        refused(name, |file| file.int(name, value));
    }
    refused("sample_rate", |file| file.int("sample_rate", 0));
    refused("outside the time", |file| file.ts[1] = 101);
}

#[test]
fn data_sets_without_rules_are_refused() {
    refused("the data set quic", |file| file.entries.push(("cutshort.data_set", "quic".to_owned())));
    refused("there are: tcp, origin", |file| file.entries.push(("cutshort.data_set", "udp".to_owned())));
}

#[test]
fn addresses_of_two_families_are_refused() {
    refused("families", |file| file.dst_ip[2] = [0x3f; 16]);
}

#[test]
fn packets_that_are_not_sorted_are_refused() {
    refused("not sorted", |file| file.ts.swap(0, 1));
    refused("not sorted", |file| file.src_ip.reverse());
    refused("not sorted", |file| file.groups = 2);
}

#[test]
fn other_columns_are_refused() {
    refused("columns", |file| file.schema = file.schema.replace("NANOS", "MICROS"));
    refused("columns", |file| file.schema = file.schema.replace("src_ip", "source"));
    refused("columns", |file| file.schema = file.schema.replace("INTEGER(8,false)", "INTEGER(8,true)"));
}

#[test]
fn what_the_metadata_says_must_be_there_and_true() {
    for name in File::good().entries.iter().map(|(name, _)| *name) {
        let expected = if name == "cutshort.times" { "times" } else { name };
        refused(expected, |file| file.entries.retain(|(own, _)| *own != name));
    }
    refused("version 4", |file| file.entry("cutshort.schema", "4"));
    refused("no cutshort.addresses", |file| file.entry("cutshort.schema", "2"));
    refused("cutshort.id", |file| file.entry("cutshort.id", "+0000000000000000000000000000007"));
    refused("cutshort.origin", |file| file.entry("cutshort.origin", "heaven"));
    refused("cutshort.covers", |file| file.entry("cutshort.covers", "100,0"));
    refused("times", |file| file.entry("cutshort.times", "0,9"));
    refused("id", |file| file.entry("cutshort.origin", "file"));
    refused("node", |file| file.entry("cutshort.node", "other"));
    refused("node", |file| file.node[1] = "other");
}

#[test]
fn other_encodings_are_refused() {
    let change = |change: fn(WriterPropertiesBuilder) -> WriterPropertiesBuilder| {
        move |file: &mut File| file.properties = change(file.properties.clone())
    };
    refused("not plain", change(|properties| properties.set_dictionary_enabled(true)));
    refused("not plain", change(|properties| properties.set_writer_version(WriterVersion::PARQUET_2_0)));
    refused("not with zstd", change(|properties| properties.set_compression(Compression::UNCOMPRESSED)));
}

#[test]
fn statistics_must_be_there() {
    refused("statistics", |file| {
        file.properties = file.properties.clone().set_statistics_enabled(EnabledStatistics::None);
    });
}

/// By their number, before any of them is read: each costs something, however little is in it.
#[test]
fn too_many_row_groups_are_refused() {
    const MOST: usize = 1024;
    refused("it has 1025 row groups", |file| file.groups = MOST + 1);
    refused("not sorted", |file| file.groups = MOST);
}
