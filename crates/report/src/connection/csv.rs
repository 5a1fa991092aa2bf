use std::io::{self, Write};

use cutshort_geo::Country;
use cutshort_verdict::{Row, Signature, Tag};

use super::Writer;
use super::record::{FIELDS, Record};

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
    fn write_record(&mut self, record: &Record<'_>, _rows: &[Row]) -> io::Result<()> {
        let tags: Vec<_> = record.tags.iter().map(Tag::name).collect();
        let tuple = record.five_tuple;
        // A tuple serialises as one flat row; serde stops at 16 fields, so it takes two.
        let head = (
            (record.first_us, record.last_us, &record.node, tuple.src(), tuple.src_port),
            (tuple.dst(), tuple.dst_port, record.ip_version(), record.packets),
            (record.stage.name(), record.termination.name(), tags.join(" ")),
            (record.signature.map(Signature::name), record.signature.map(Signature::id)),
        );
        let place = (record.location.map(Country::alpha2), record.asn, &record.as_name);
        let evidence = (record.rst_ttl_delta, record.rst_ip_id_delta, record.silent_us, record.sample_rate);
        self.output.serialize((head, place, evidence)).map_err(io_error)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.output.flush()
    }
}

/// The error of the output as it came: the conversion of the crate hides a broken pipe.
pub(crate) fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
