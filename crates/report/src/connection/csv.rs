use std::io::{self, Write};

use cutshort_verdict::Row;

use super::record::{FIELDS, Record};
use super::{Connection, Writer};

/// The fields of the JSON lines; tags separated by spaces, empty where JSON has null.
pub(super) struct Csv<W: Write> {
    output: csv::Writer<W>,
}

impl<W: Write> Csv<W> {
    pub(super) fn new(output: W) -> io::Result<Self> {
        let mut output = csv::Writer::from_writer(output);
        output.write_record(FIELDS).map_err(io_error)?;
        Ok(Self { output })
    }
}

impl<W: Write> Writer for Csv<W> {
    fn write(&mut self, connection: &Connection<'_>, _rows: &[Row]) -> io::Result<()> {
        let record = Record::from(connection);
        let tags: Vec<_> = record.tags.iter().map(cutshort_verdict::Tag::name).collect();
        // A tuple serialises as one flat row; serde stops at 16 fields, so it takes two.
        let head = (
            (record.first_us, record.last_us, record.node, record.src_ip, record.src_port),
            (record.dst_ip, record.dst_port, record.ip_version, record.packets),
            (record.stage, record.termination, tags.join(" "), record.signature, record.signature_id),
        );
        let place = (record.location, record.asn, record.as_name);
        let evidence = (record.rst_ttl_delta, record.rst_ip_id_delta, record.silent_us, record.sample_rate);
        self.output.serialize((head, place, evidence)).map_err(io_error)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.output.flush()
    }
}

/// The error of the output as it came: the conversion of the crate hides a broken pipe.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
