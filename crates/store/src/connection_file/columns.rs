use std::io::Write;

use cutshort_model::ConnectionRecord;
use cutshort_verdict::DataSet;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;

use super::Extra;
use super::texts::Texts;

/// The columns of a row group. Unsigned numbers are stored as signed numbers with the same bits.
#[derive(Default)]
pub(super) struct Columns {
    texts: Texts,
    first_us: Vec<i64>,
    last_us: Vec<i64>,
    node: Vec<ByteArray>,
    src_ip: Vec<ByteArray>,
    src_port: Vec<i32>,
    dst_ip: Vec<ByteArray>,
    dst_port: Vec<i32>,
    ip_version: Vec<i32>,
    packets: Vec<i32>,
    stage: Vec<ByteArray>,
    termination: Vec<ByteArray>,
    tags: Lists,
    signature: Optional<ByteArray>,
    signature_id: Optional<i32>,
    location: Optional<ByteArray>,
    asn: Optional<i32>,
    as_name: Optional<ByteArray>,
    /// None if these columns are not written.
    rsts: Option<Rsts>,
    silent_us: Vec<i64>,
    sample_rate: Vec<i32>,
    /// None if these columns are not written.
    times: Option<Times>,
    /// None if these columns are not written.
    closes: Option<Closes>,
    /// None if this column is not written.
    progress: Option<Vec<i32>>,
    /// None if this column is not written.
    addresses: Option<Vec<ByteArray>>,
}

/// What connections over TCP have.
#[derive(Default)]
struct Rsts {
    ttl_delta: Optional<i32>,
    ip_id_delta: Optional<i32>,
}

/// What connections of the data set `quic` have.
#[derive(Default)]
struct Closes {
    version: Optional<ByteArray>,
    close_code: Optional<i64>,
}

/// The times of connections of the data set `origin`.
#[derive(Default)]
struct Times {
    handshake_us: Optional<i64>,
    first_byte_us: Optional<i64>,
}

impl Columns {
    pub(super) fn new(extra: Extra) -> Self {
        let Extra { data_set, progress, addresses } = extra;
        Self {
            texts: Texts::new(data_set),
            rsts: (data_set != DataSet::Quic).then(Rsts::default),
            times: (data_set == DataSet::Origin).then(Times::default),
            closes: (data_set == DataSet::Quic).then(Closes::default),
            progress: progress.then(Vec::new),
            addresses: addresses.then(Vec::new),
            ..Self::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.first_us.len()
    }

    pub(super) fn push(&mut self, record: &ConnectionRecord<'_>) {
        let (texts, tuple) = (&mut self.texts, &record.five_tuple);
        self.first_us.push(record.first_us);
        self.last_us.push(record.last_us);
        self.node.push(texts.node(&record.node));
        self.src_ip.push(texts.src_ip(tuple.src_ip));
        self.src_port.push(tuple.src_port.into());
        self.dst_ip.push(texts.dst_ip(tuple.dst_ip));
        self.dst_port.push(tuple.dst_port.into());
        self.ip_version.push(record.ip_version().into());
        self.packets.push(record.packets.cast_signed());
        self.stage.push(texts.stage(record.stage));
        self.termination.push(texts.termination(record.termination));
        self.tags.push(record.tags.iter(record.data_set).map(|tag| texts.tag(tag)));
        self.signature.push(record.signature.map(|signature| texts.signature(signature)));
        self.signature_id.push(record.signature.map(|signature| signature.id().into()));
        self.location.push(record.location.map(|country| texts.country(country)));
        self.asn.push(record.asn.map(u32::cast_signed));
        self.as_name.push(record.as_name.as_deref().map(|name| texts.network(record.asn, name)));
        if let Some(rsts) = &mut self.rsts {
            rsts.ttl_delta.push(record.rst_ttl_delta.map(i32::from));
            rsts.ip_id_delta.push(record.rst_ip_id_delta.map(i32::from));
        }
        self.silent_us.push(record.silent_us);
        self.sample_rate.push(record.sample_rate.cast_signed());
        if let Some(times) = &mut self.times {
            times.handshake_us.push(record.handshake_us);
            times.first_byte_us.push(record.first_byte_us);
        }
        if let Some(closes) = &mut self.closes {
            closes.version.push(record.version.map(|version| texts.version(version)));
            closes.close_code.push(record.close_code.map(u64::cast_signed));
        }
        if let Some(progress) = &mut self.progress {
            progress.push(record.progress as i32);
        }
        if let Some(addresses) = &mut self.addresses {
            addresses.push(texts.addresses(record.addresses));
        }
    }

    /// Writes all columns, in the order of the schema, and empties them.
    pub(super) fn write<W: Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        required::<Int64Type, W>(group, &mut self.first_us)?;
        required::<Int64Type, W>(group, &mut self.last_us)?;
        required::<ByteArrayType, W>(group, &mut self.node)?;
        required::<ByteArrayType, W>(group, &mut self.src_ip)?;
        required::<Int32Type, W>(group, &mut self.src_port)?;
        required::<ByteArrayType, W>(group, &mut self.dst_ip)?;
        required::<Int32Type, W>(group, &mut self.dst_port)?;
        required::<Int32Type, W>(group, &mut self.ip_version)?;
        required::<Int32Type, W>(group, &mut self.packets)?;
        required::<ByteArrayType, W>(group, &mut self.stage)?;
        required::<ByteArrayType, W>(group, &mut self.termination)?;
        self.tags.write(group)?;
        self.signature.write::<ByteArrayType, W>(group)?;
        self.signature_id.write::<Int32Type, W>(group)?;
        self.location.write::<ByteArrayType, W>(group)?;
        self.asn.write::<Int32Type, W>(group)?;
        self.as_name.write::<ByteArrayType, W>(group)?;
        if let Some(rsts) = &mut self.rsts {
            rsts.ttl_delta.write::<Int32Type, W>(group)?;
            rsts.ip_id_delta.write::<Int32Type, W>(group)?;
        }
        required::<Int64Type, W>(group, &mut self.silent_us)?;
        required::<Int32Type, W>(group, &mut self.sample_rate)?;
        if let Some(times) = &mut self.times {
            times.handshake_us.write::<Int64Type, W>(group)?;
            times.first_byte_us.write::<Int64Type, W>(group)?;
        }
        if let Some(closes) = &mut self.closes {
            closes.version.write::<ByteArrayType, W>(group)?;
            closes.close_code.write::<Int64Type, W>(group)?;
        }
        self.progress.as_mut().map_or(Ok(()), |progress| required::<Int32Type, W>(group, progress))?;
        self.addresses.as_mut().map_or(Ok(()), |addresses| required::<ByteArrayType, W>(group, addresses))
    }
}

fn required<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &mut Vec<T::T>,
) -> Result<(), ParquetError> {
    write::<T, W>(group, values, None, None)?;
    values.clear();
    Ok(())
}

fn write<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    definitions: Option<&[i16]>,
    repetitions: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(values, definitions, repetitions)?;
    column.close()
}

/// Values that may be missing, with definition levels: 1 where there is one.
#[derive(Default)]
struct Optional<T> {
    values: Vec<T>,
    levels: Vec<i16>,
}

impl<T> Optional<T> {
    fn push(&mut self, value: Option<T>) {
        self.levels.push(value.is_some().into());
        self.values.extend(value);
    }

    fn write<D: DataType<T = T>, W: Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        write::<D, W>(group, &self.values, Some(&self.levels), None)?;
        self.values.clear();
        self.levels.clear();
        Ok(())
    }
}

/// Lists, with definition levels (0 for an empty one) and repetition levels (0 where one begins).
#[derive(Default)]
struct Lists {
    values: Vec<ByteArray>,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
}

impl Lists {
    fn push(&mut self, list: impl Iterator<Item = ByteArray>) {
        let before = self.values.len();
        self.values.extend(list);
        let len = self.values.len() - before;
        self.definitions.extend(std::iter::repeat_n(i16::from(len > 0), len.max(1)));
        self.repetitions.extend((0..len.max(1)).map(|at| i16::from(at > 0)));
    }

    fn write<W: Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        write::<ByteArrayType, W>(group, &self.values, Some(&self.definitions), Some(&self.repetitions))?;
        self.values.clear();
        self.definitions.clear();
        self.repetitions.clear();
        Ok(())
    }
}
