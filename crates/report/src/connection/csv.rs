use std::io::{self, Write};

use cutshort_geo::Country;
use cutshort_model::{ADDRESSES, ConnectionRecord, fields};
use cutshort_packet::quic::Version;
use cutshort_verdict::{DataSet, Row, Signature, Tag};

use super::Writer;
use crate::cell;

/// The fields of the JSON lines, and optionally how addresses are kept. Tags are separated by spaces; fields are
/// empty where JSON has null.
pub(super) struct Csv<W: Write> {
    output: csv::Writer<W>,
    addresses: bool,
}

impl<W: Write> Csv<W> {
    pub(super) fn new(output: W, data_set: DataSet, addresses: bool) -> io::Result<Self> {
        let mut output = csv::Writer::from_writer(output);
        let header = fields(data_set).chain(addresses.then_some(ADDRESSES));
        output.write_record(header).map_err(io_error)?;
        Ok(Self { output, addresses })
    }
}

impl<W: Write + Send> Writer for Csv<W> {
    fn write_record(&mut self, record: &ConnectionRecord<'_>, _rows: &[Row]) -> io::Result<()> {
        let tags: Vec<_> = record.tags.iter(record.data_set).map(Tag::name).collect();
        let tuple = record.five_tuple;
        // A tuple serialises as one flat row; serde stops at 16 fields, so it takes two.
        let head = (
            (record.first_us, record.last_us, cell(&record.node), tuple.src(), tuple.src_port),
            (tuple.dst(), tuple.dst_port, record.ip_version(), record.packets),
            (record.data_set.stage_name(record.stage), record.termination.name(), tags.join(" ")),
            (record.signature.map(Signature::name), record.signature.map(Signature::id)),
        );
        let place = (record.location.map(Country::alpha2), record.asn, record.as_name.as_deref().map(cell));
        let rsts = (record.rst_ttl_delta, record.rst_ip_id_delta);
        let rest = (record.silent_us, record.sample_rate);
        let set = record.data_set.name();
        let origin = (set, record.handshake_us, record.first_byte_us);
        let quic = (set, record.version.map(Version::name), record.close_code);
        let addresses = record.addresses.name();
        let written = match (record.data_set, self.addresses) {
            (DataSet::Origin, true) => self.output.serialize((head, place, rsts, rest, origin, addresses)),
            (DataSet::Origin, false) => self.output.serialize((head, place, rsts, rest, origin)),
            (DataSet::Quic, true) => self.output.serialize((head, place, rest, quic, addresses)),
            (DataSet::Quic, false) => self.output.serialize((head, place, rest, quic)),
            (_, true) => self.output.serialize((head, place, rsts, rest, addresses)),
            (_, false) => self.output.serialize((head, place, rsts, rest)),
        };
        written.map_err(io_error)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.output.flush()
    }
}

/// The original error of the output, because the conversion by the crate hides a broken pipe.
pub(crate) fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
