use std::io::{self, Write};

use cutshort_verdict::Row;

use super::record::Record;
use super::{Connection, Writer};

pub(super) struct Jsonl<W> {
    output: W,
}

impl<W: Write> Jsonl<W> {
    pub(super) const fn new(output: W) -> Self {
        Self { output }
    }
}

impl<W: Write> Writer for Jsonl<W> {
    fn write(&mut self, connection: &Connection<'_>, _rows: &[Row]) -> io::Result<()> {
        serde_json::to_writer(&mut self.output, &Record::from(connection))?;
        self.output.write_all(b"\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.output.flush()
    }
}
