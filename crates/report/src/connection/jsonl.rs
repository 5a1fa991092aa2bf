use std::io::{self, Write};

use cutshort_model::ConnectionRecord;
use cutshort_verdict::Row;

use super::Writer;

pub(super) struct Jsonl<W> {
    output: W,
}

impl<W: Write> Jsonl<W> {
    pub(super) const fn new(output: W) -> Self {
        Self { output }
    }
}

impl<W: Write + Send> Writer for Jsonl<W> {
    fn write_record(&mut self, record: &ConnectionRecord<'_>, _rows: &[Row]) -> io::Result<()> {
        serde_json::to_writer(&mut self.output, record)?;
        self.output.write_all(b"\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.output.flush()
    }
}
