use std::io::{self, Write};

use cutshort_model::ConnectionRecord;
use cutshort_store::connection_file::{ConnectionFile, Extra};
use cutshort_verdict::{DataSet, Row};

use super::Writer;

/// The fields of the JSON lines under the same names; times are timestamps, tags a list.
pub(super) struct Parquet<W: Write + Send> {
    file: ConnectionFile<W>,
}

impl<W: Write + Send> Parquet<W> {
    pub(super) fn new(output: W, data_set: DataSet, addresses: bool) -> io::Result<Self> {
        let extra = Extra { data_set, addresses, ..Extra::default() };
        Ok(Self { file: ConnectionFile::new(output, extra)? })
    }
}

impl<W: Write + Send> Writer for Parquet<W> {
    fn write_record(&mut self, record: &ConnectionRecord<'_>, _rows: &[Row]) -> io::Result<()> {
        self.file.write(record)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.file.finish()
    }
}
