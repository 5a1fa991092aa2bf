//! Formats of counts by time and value, for programs.

use std::io::{self, Write};
use std::sync::Arc;

use cutshort_model::{micros, rfc3339};
use cutshort_store::connection_file::io_error as parquet_error;
use cutshort_verdict::{DataSet, Exclusion, Stage, WeightedCount};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde::Serializer;
use serde_json::Value;

use crate::cell;
use crate::connection::csv_error;

/// The counts of one interval and one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts<'a> {
    /// The start of the interval, in nanoseconds since the Unix epoch.
    pub from: i64,
    /// The dimension that connections are grouped by; empty for totals.
    pub by: &'a str,
    /// The value; empty if it is unknown.
    pub value: &'a str,
    /// Connections by stage, in the order of [`Stage::ALL`].
    pub stages: [WeightedCount; Stage::ALL.len()],
    /// Connections that are in no total, in the order of [`Exclusion::ALL`].
    pub excluded: [WeightedCount; Exclusion::ALL.len()],
}

impl Counts<'_> {
    /// The weighted and the sampled number of connections: in total, by stage, and excluded, of a data set.
    fn numbers(&self, data_set: DataSet) -> impl Iterator<Item = i64> {
        let mut total = WeightedCount::default();
        self.stages.iter().for_each(|count| total.merge(count));
        let excluded = data_set.exclusions().iter().map(|reason| self.excluded[*reason as usize]);
        let stages = data_set.stages().iter().map(|stage| self.stages[*stage as usize]);
        let counts = std::iter::once(total).chain(stages).chain(excluded);
        let both = counts.flat_map(|count| [count.weight, count.sampled]);
        both.map(|number| i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// The names of the numbers: `connections`, `connections_sampled`, `post_syn`, `post_syn_sampled`, ..., with the stages of
/// the data set.
fn names(data_set: DataSet) -> impl Iterator<Item = String> {
    let groups = data_set.stages().iter().map(move |stage| data_set.stage_name(*stage));
    let groups = groups.chain(data_set.exclusions().iter().map(|reason| reason.name()));
    let groups = std::iter::once("connections").chain(groups);
    groups.flat_map(|name| [name.to_owned(), format!("{name}_sampled")])
}

/// Formats of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// An Apache Parquet file, compressed with zstd.
    Parquet,
}

impl Format {
    /// Begins to write in this format to `output`.
    pub fn writer<'a>(self, output: impl Write + Send + 'a) -> io::Result<Box<dyn Writer + 'a>> {
        self.writer_of(output, DataSet::Tcp)
    }

    /// Begins to write counts of a data set, which has exclusions of its own, in this format to `output`.
    pub fn writer_of<'a>(
        self,
        output: impl Write + Send + 'a,
        data_set: DataSet,
    ) -> io::Result<Box<dyn Writer + 'a>> {
        Ok(match self {
            Self::Jsonl => Box::new(Jsonl { output, data_set, names: names(data_set).collect() }),
            Self::Csv => Box::new(Csv::new(output, data_set)?),
            Self::Parquet => Box::new(Parquet::new(output, data_set)?),
        })
    }
}

/// Writes rows of counts, one at a time, to an output.
pub trait Writer {
    /// Writes the counts of one interval and one value.
    fn write(&mut self, counts: &Counts<'_>) -> io::Result<()>;

    /// Completes the output. Without this, a file is incomplete.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

struct Jsonl<W> {
    output: W,
    data_set: DataSet,
    names: Vec<String>,
}

impl<W: Write> Writer for Jsonl<W> {
    fn write(&mut self, counts: &Counts<'_>) -> io::Result<()> {
        let from: Value = rfc3339(counts.from).into();
        let head = [("from", from), ("by", counts.by.into()), ("value", counts.value.into())];
        let numbers =
            self.names.iter().map(String::as_str).zip(counts.numbers(self.data_set).map(Value::from));
        serde_json::Serializer::new(&mut self.output).collect_map(head.into_iter().chain(numbers))?;
        self.output.write_all(b"\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.output.flush()
    }
}

struct Csv<W: Write> {
    output: csv::Writer<W>,
    data_set: DataSet,
}

impl<W: Write> Csv<W> {
    fn new(output: W, data_set: DataSet) -> io::Result<Self> {
        let mut output = csv::Writer::from_writer(output);
        let header = ["from", "by", "value"].map(str::to_owned).into_iter().chain(names(data_set));
        output.write_record(header).map_err(csv_error)?;
        Ok(Self { output, data_set })
    }
}

impl<W: Write> Writer for Csv<W> {
    fn write(&mut self, counts: &Counts<'_>) -> io::Result<()> {
        let head = [rfc3339(counts.from), counts.by.to_owned(), cell(counts.value).into_owned()];
        let fields = head.into_iter().chain(counts.numbers(self.data_set).map(|number| number.to_string()));
        self.output.write_record(fields).map_err(csv_error)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.output.flush()
    }
}

/// The number of rows in a row group, which is held in memory until it is written.
const ROW_GROUP: usize = 100_000;

struct Parquet<W: Write + Send> {
    file: SerializedFileWriter<W>,
    from: Vec<i64>,
    texts: [Vec<ByteArray>; 2],
    data_set: DataSet,
    numbers: Vec<Vec<i64>>,
}

impl<W: Write + Send> Parquet<W> {
    fn new(output: W, data_set: DataSet) -> io::Result<Self> {
        let numbers: String = names(data_set).map(|name| format!(" required int64 {name};")).collect();
        let schema = format!(
            "message counts {{ required int64 from (TIMESTAMP(MICROS,true)); required binary by (UTF8); \
             required binary value (UTF8);{numbers} }}"
        );
        let schema = Arc::new(parse_message_type(&schema).map_err(parquet_error)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("cutshort version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = SerializedFileWriter::new(output, schema, Arc::new(properties)).map_err(parquet_error)?;
        let numbers = vec![Vec::new(); names(data_set).count()];
        Ok(Self { file, from: Vec::new(), texts: [Vec::new(), Vec::new()], data_set, numbers })
    }

    fn write_row_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        let mut longs = std::iter::once(&mut self.from).chain(&mut self.numbers);
        let mut texts = self.texts.iter_mut();
        let mut at = 0;
        while let Some(mut column) = group.next_column()? {
            if matches!(at, 1 | 2) {
                let texts = texts.next().map(std::mem::take).unwrap_or_default();
                column.typed::<ByteArrayType>().write_batch(&texts, None, None)?;
            } else {
                let longs = longs.next().map(std::mem::take).unwrap_or_default();
                column.typed::<Int64Type>().write_batch(&longs, None, None)?;
            }
            column.close()?;
            at += 1;
        }
        group.close()?;
        Ok(())
    }
}

impl<W: Write + Send> Writer for Parquet<W> {
    fn write(&mut self, counts: &Counts<'_>) -> io::Result<()> {
        self.from.push(micros(counts.from));
        for (column, text) in self.texts.iter_mut().zip([counts.by, counts.value]) {
            column.push(text.into());
        }
        for (column, number) in self.numbers.iter_mut().zip(counts.numbers(self.data_set)) {
            column.push(number);
        }
        if self.from.len() == ROW_GROUP { self.write_row_group().map_err(parquet_error) } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if !self.from.is_empty() {
            self.write_row_group().map_err(parquet_error)?;
        }
        self.file.close().map(drop).map_err(parquet_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> Vec<u8> {
        written_of(format, DataSet::Tcp)
    }

    fn written_of(format: Format, data_set: DataSet) -> Vec<u8> {
        let mut output = Vec::new();
        let mut writer = format.writer_of(&mut output, data_set).unwrap();
        let mut counts = Counts {
            from: 1_767_571_200_000_000_000,
            by: "location",
            value: "PE",
            stages: Default::default(),
            excluded: Default::default(),
        };
        counts.stages[0].add(100);
        counts.stages[4].add(100);
        counts.excluded[1].add(1);
        writer.write(&counts).unwrap();
        writer.finish().unwrap();
        output
    }

    #[test]
    fn counts_are_one_line() {
        let csv = String::from_utf8(written(Format::Csv)).unwrap();
        let (header, line) = csv.trim_end().split_once('\n').unwrap();
        assert!(header.starts_with("from,by,value,connections,connections_sampled,post_syn,"), "{header}");
        assert!(header.ends_with(",incomplete,incomplete_sampled"), "{header}");
        assert_eq!(line, "2026-01-05T00:00:00Z,location,PE,200,2,100,1,0,0,0,0,0,0,100,1,0,0,1,1,0,0");
        let json: Value = serde_json::from_slice(&written(Format::Jsonl)).unwrap();
        assert_eq!((&json["from"], &json["none_sampled"]), (&"2026-01-05T00:00:00Z".into(), &1.into()));
    }

    #[test]
    fn each_data_set_has_its_exclusions() {
        let csv = String::from_utf8(written_of(Format::Csv, DataSet::Origin)).unwrap();
        let (header, line) = csv.trim_end().split_once('\n').unwrap();
        let end = ",self,self_sampled,no_syn,no_syn_sampled,multiple_syn,multiple_syn_sampled,incomplete,incomplete_sampled";
        assert!(header.ends_with(end), "{header}");
        assert!(line.ends_with(",0,0,0,0,1,1,0,0"), "{line}");
    }

    #[test]
    fn parquet_has_the_same_columns() {
        use parquet::file::reader::{FileReader, SerializedFileReader};
        let file = tempfile::tempfile().unwrap();
        (&file).write_all(&written(Format::Parquet)).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let row = reader.get_row_iter(None).unwrap().next().unwrap().unwrap();
        let names: Vec<_> = row.get_column_iter().skip(3).map(|(name, _)| name.clone()).collect();
        assert_eq!(names, super::names(DataSet::Tcp).collect::<Vec<_>>());
        assert_eq!(row.get_column_iter().nth(3).unwrap().1.to_string(), "200");
    }
}
