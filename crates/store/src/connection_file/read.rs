//! Reading of stored connections.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv6Addr};

use cutshort_geo::Country;
use cutshort_model::{ADDRESSES, Addresses, ConnectionRecord};
use cutshort_packet::FiveTuple;
use cutshort_packet::quic::Version;
use cutshort_verdict::{DataSet, Progress, Signature, Stage, Tag, Tags, Termination};
use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use super::{io_error, stored_schemas};
use crate::footer::{self, Footer};

/// Reads the connections of a file that [`stored`](super::stored) wrote, in order.
///
/// # Errors
/// The file cannot be read, or is not such a file.
pub fn read(file: File) -> io::Result<Records> {
    let Footer { elements, .. } = footer::read(&file).map_err(io::Error::other)?;
    let schemas = stored_schemas().map_err(io_error)?;
    let own = schemas.into_iter().find(|(_, own)| footer::elements(own) == elements);
    let (data_set, _) =
        own.ok_or_else(|| io::Error::other("its columns are not those of stored connections"))?;
    let file = SerializedFileReader::new(file).map_err(io_error)?;
    Ok(Records { data_set, file, next_group: 0, columns: ColumnValues::default(), next: 0 })
}

/// An iterator over the connections of a file.
pub struct Records {
    data_set: DataSet,
    file: SerializedFileReader<File>,
    next_group: usize,
    columns: ColumnValues,
    next: usize,
}

impl Records {
    /// The next connection, which borrows its texts; none at the end.
    ///
    /// # Errors
    /// The file is damaged or cannot be read. The row group and all that follow are skipped then.
    pub fn next_record(&mut self) -> io::Result<Option<ConnectionRecord<'_>>> {
        while self.next == self.columns.first_us.len() {
            if self.next_group == self.file.num_row_groups() {
                return Ok(None);
            }
            let group = std::mem::replace(&mut self.next_group, self.file.num_row_groups());
            self.next = 0;
            self.columns = ColumnValues::default();
            self.columns =
                ColumnValues::read(self.data_set, &*self.file.get_row_group(group).map_err(io_error)?)?;
            self.next_group = group + 1;
        }
        self.next += 1;
        Ok(Some(self.columns.record(self.next - 1)))
    }
}

impl Iterator for Records {
    type Item = io::Result<ConnectionRecord<'static>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().map(|record| record.map(ConnectionRecord::into_owned)).transpose()
    }
}

/// The connections of a row group, column by column.
#[derive(Default)]
struct ColumnValues {
    data_set: DataSet,
    first_us: Vec<i64>,
    last_us: Vec<i64>,
    silent_us: Vec<i64>,
    node: Vec<ByteArray>,
    src_ip: Vec<Ipv6Addr>,
    src_port: Vec<i32>,
    dst_ip: Vec<Ipv6Addr>,
    dst_port: Vec<i32>,
    packets: Vec<i32>,
    progress: Vec<i32>,
    stage: Vec<Stage>,
    termination: Vec<Termination>,
    tags: Vec<Tags>,
    signature: Vec<Option<i32>>,
    location: Vec<Option<Country>>,
    asn: Vec<Option<i32>>,
    as_name: Vec<Option<ByteArray>>,
    rst_ttl_delta: Vec<Option<i32>>,
    rst_ip_id_delta: Vec<Option<i32>>,
    sample_rate: Vec<i32>,
    addresses: Vec<Addresses>,
    handshake_us: Vec<Option<i64>>,
    first_byte_us: Vec<Option<i64>>,
    version: Vec<Option<Version>>,
    close_code: Vec<Option<i64>>,
}

impl ColumnValues {
    fn read(data_set: DataSet, group: &dyn RowGroupReader) -> io::Result<Self> {
        let stage = |name: &str| data_set.stage(name).ok();
        let termination = |name: &str| data_set.termination(name).ok();
        let int64 = |of, name| match data_set == of {
            true => optional::<Int64Type>(group, name),
            false => Ok(vec![None; rows(group)]),
        };
        let rst = |name| match data_set {
            DataSet::Quic => Ok(vec![None; rows(group)]),
            _ => optional::<Int32Type>(group, name),
        };
        Ok(Self {
            data_set,
            handshake_us: int64(DataSet::Origin, "handshake_us")?,
            first_byte_us: int64(DataSet::Origin, "first_byte_us")?,
            version: versions(data_set, group)?,
            close_code: int64(DataSet::Quic, "close_code")?,
            first_us: required::<Int64Type>(group, "first_us")?,
            last_us: required::<Int64Type>(group, "last_us")?,
            silent_us: required::<Int64Type>(group, "silent_us")?,
            node: utf8(required::<ByteArrayType>(group, "node")?)?,
            src_ip: parsed("src_ip", &required::<ByteArrayType>(group, "src_ip")?, address)?,
            src_port: required::<Int32Type>(group, "src_port")?,
            dst_ip: parsed("dst_ip", &required::<ByteArrayType>(group, "dst_ip")?, address)?,
            dst_port: required::<Int32Type>(group, "dst_port")?,
            packets: required::<Int32Type>(group, "packets")?,
            progress: required::<Int32Type>(group, "progress")?,
            stage: parsed("stage", &required::<ByteArrayType>(group, "stage")?, stage)?,
            termination: parsed(
                "termination",
                &required::<ByteArrayType>(group, "termination")?,
                termination,
            )?,
            tags: tags(data_set, group)?,
            signature: optional::<Int32Type>(group, "signature_id")?,
            location: countries(&optional::<ByteArrayType>(group, "location")?)?,
            asn: optional::<Int32Type>(group, "asn")?,
            as_name: names(optional::<ByteArrayType>(group, "as_name")?)?,
            rst_ttl_delta: rst("rst_ttl_delta")?,
            rst_ip_id_delta: rst("rst_ip_id_delta")?,
            sample_rate: required::<Int32Type>(group, "sample_rate")?,
            addresses: addresses(group)?,
        })
    }

    /// The connection at an index, which must be in range. Unsigned numbers are stored as signed numbers with the
    /// same bits.
    fn record(&self, at: usize) -> ConnectionRecord<'_> {
        let five_tuple = FiveTuple {
            src_ip: self.src_ip[at],
            src_port: self.src_port[at] as u16,
            dst_ip: self.dst_ip[at],
            dst_port: self.dst_port[at] as u16,
        };
        ConnectionRecord {
            data_set: self.data_set,
            handshake_us: self.handshake_us[at],
            first_byte_us: self.first_byte_us[at],
            version: self.version[at],
            close_code: self.close_code[at].map(i64::cast_unsigned),
            five_tuple,
            addresses: self.addresses[at],
            first_us: self.first_us[at],
            last_us: self.last_us[at],
            node: text(&self.node[at]),
            packets: self.packets[at].cast_unsigned(),
            progress: progress(self.progress[at]),
            stage: self.stage[at],
            termination: self.termination[at],
            tags: self.tags[at],
            signature: self.signature[at].and_then(|id| Signature::from_id(id as u8)),
            location: self.location[at],
            asn: self.asn[at].map(i32::cast_unsigned),
            as_name: self.as_name[at].as_ref().map(text),
            rst_ttl_delta: self.rst_ttl_delta[at].map(|delta| delta as i16),
            rst_ip_id_delta: self.rst_ip_id_delta[at].map(|delta| delta as u16),
            silent_us: self.silent_us[at],
            sample_rate: self.sample_rate[at].cast_unsigned(),
        }
    }
}

fn versions(data_set: DataSet, group: &dyn RowGroupReader) -> io::Result<Vec<Option<Version>>> {
    if data_set != DataSet::Quic {
        return Ok(vec![None; rows(group)]);
    }
    let version = |text: &ByteArray| {
        let known = Version::ALL.into_iter().find(|version| version.name().as_bytes() == text.data());
        known.ok_or_else(|| wrong("version", "an unknown version"))
    };
    let texts = optional::<ByteArrayType>(group, "version")?;
    texts.iter().map(|text| text.as_ref().map(version).transpose()).collect()
}

/// Earlier files, from before addresses could be protected, do not have this column.
fn addresses(group: &dyn RowGroupReader) -> io::Result<Vec<Addresses>> {
    if position(group, ADDRESSES).is_none() {
        return Ok(vec![Addresses::Full; rows(group)]);
    }
    parsed(ADDRESSES, &required::<ByteArrayType>(group, ADDRESSES)?, Addresses::from_name)
}

const fn progress(value: i32) -> Progress {
    match value {
        0 => Progress::PostSyn,
        1 => Progress::PostAck,
        2 => Progress::PostPsh,
        _ => Progress::Later,
    }
}

/// A text that was found to be UTF-8.
fn text(bytes: &ByteArray) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.data())
}

fn address(text: &str) -> Option<Ipv6Addr> {
    Some(match text.parse().ok()? {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    })
}

fn wrong(column: &str, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} in the column {column}"))
}

/// Where a column is.
fn position(group: &dyn RowGroupReader, name: &str) -> Option<usize> {
    let columns = group.metadata().schema_descr().columns();
    columns.iter().position(|column| column.path().parts().first().is_some_and(|part| part == name))
}

/// The reader of a column; all columns have as many rows as the group.
fn column<T: DataType>(group: &dyn RowGroupReader, name: &str) -> io::Result<ColumnReaderImpl<T>> {
    let schema = group.metadata().schema_descr();
    let at = position(group, name)
        .filter(|at| schema.column(*at).physical_type() == T::get_physical_type())
        .ok_or_else(|| wrong(name, "nothing of the right type"))?;
    Ok(get_typed_column_reader(group.get_column_reader(at).map_err(io_error)?))
}

fn rows(group: &dyn RowGroupReader) -> usize {
    usize::try_from(group.metadata().num_rows()).unwrap_or(0)
}

fn required<T: DataType>(group: &dyn RowGroupReader, name: &str) -> io::Result<Vec<T::T>> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let mut column = column::<T>(group, name)?;
    column.read_records(rows(group), Some(&mut levels), None, &mut values).map_err(io_error)?;
    if values.len() == rows(group) { Ok(values) } else { Err(wrong(name, "values are missing")) }
}

fn optional<T: DataType>(group: &dyn RowGroupReader, name: &str) -> io::Result<Vec<Option<T::T>>> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let mut column = column::<T>(group, name)?;
    column.read_records(rows(group), Some(&mut levels), None, &mut values).map_err(io_error)?;
    if levels.len() != rows(group) {
        return Err(wrong(name, "values are missing"));
    }
    let mut values = values.into_iter();
    Ok(levels.iter().map(|level| if *level > 0 { values.next() } else { None }).collect())
}

/// Texts as what they stand for. The same text mostly stands several times in a row.
fn parsed<T: Copy>(name: &str, texts: &[ByteArray], parse: impl Fn(&str) -> Option<T>) -> io::Result<Vec<T>> {
    let mut values = Vec::with_capacity(texts.len());
    let mut last: Option<(&[u8], T)> = None;
    for text in texts {
        let value = match last {
            Some((same, value)) if same == text.data() => value,
            _ => text.as_utf8().ok().and_then(&parse).ok_or_else(|| wrong(name, "an unknown value"))?,
        };
        last = Some((text.data(), value));
        values.push(value);
    }
    Ok(values)
}

fn countries(codes: &[Option<ByteArray>]) -> io::Result<Vec<Option<Country>>> {
    let country = |code: &ByteArray| {
        let country = code.as_utf8().ok().and_then(Country::from_alpha2);
        country.ok_or_else(|| wrong("location", "an unknown country"))
    };
    codes.iter().map(|code| code.as_ref().map(country).transpose()).collect()
}

fn utf8(texts: Vec<ByteArray>) -> io::Result<Vec<ByteArray>> {
    let is_text = texts.iter().all(|text| text.as_utf8().is_ok());
    if is_text { Ok(texts) } else { Err(wrong("node", "no text")) }
}

fn names(texts: Vec<Option<ByteArray>>) -> io::Result<Vec<Option<ByteArray>>> {
    let is_text = texts.iter().flatten().all(|text| text.as_utf8().is_ok());
    if is_text { Ok(texts) } else { Err(wrong("as_name", "no text")) }
}

fn tags(data_set: DataSet, group: &dyn RowGroupReader) -> io::Result<Vec<Tags>> {
    let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    column::<ByteArrayType>(group, "tags")?
        .read_records(rows(group), Some(&mut definitions), Some(&mut repetitions), &mut values)
        .map_err(io_error)?;
    let tag = |name: &str| data_set.tags().iter().copied().find(|tag| tag.name() == name);
    let mut found = parsed("tags", &values, tag)?.into_iter();
    let mut all: Vec<Tags> = Vec::with_capacity(rows(group));
    for (definition, repetition) in definitions.iter().zip(&repetitions) {
        if *repetition == 0 {
            all.push(Tags::default());
        }
        if let (Some(last), true) = (all.last_mut(), *definition > 0) {
            let bits = found.next().map_or(0, Tag::bit);
            *last = Tags::from_bits(last.bits() | bits);
        }
    }
    if all.len() == rows(group) { Ok(all) } else { Err(wrong("tags", "values are missing")) }
}
