use std::borrow::Cow;
use std::net::Ipv6Addr;

use cutshort_geo::{Country, Place};
use cutshort_packet::FiveTuple;
use cutshort_packet::quic::Version;
use cutshort_verdict::{DataSet, Progress, Signature, Stage, Tag, Tags, Termination, Verdict};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::{Addresses, micros};

/// A connection with its verdict and place, as the writers of reports take it.
#[derive(Clone, Copy, Debug)]
pub struct JudgedConnection<'a> {
    /// Addresses and ports, client first.
    pub five_tuple: &'a FiveTuple,
    /// How much of its addresses is kept.
    pub addresses: Addresses,
    /// The verdict of the rules.
    pub verdict: &'a Verdict,
    /// The node that captured its SYN packet; empty for a capture file.
    pub node: &'a str,
    /// Country and AS number of the client.
    pub place: Place,
    /// The name of the client's network.
    pub as_name: Option<&'a str>,
}

/// A connection as it is stored and exported. Serialised, it has the [`FIELDS`] of docs/spec.md#json.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRecord<'a> {
    /// The data set that it belongs to. JSON has it only if this is not `tcp`.
    pub data_set: DataSet,
    /// Addresses and ports, client first.
    pub five_tuple: FiveTuple,
    /// How much of its addresses is kept. JSON has it only if they are not the full addresses.
    pub addresses: Addresses,
    /// Time of the earliest row, in microseconds since the Unix epoch, rounded down.
    pub first_us: i64,
    /// Time of the latest row, in microseconds since the Unix epoch, rounded down.
    pub last_us: i64,
    /// The node that captured its SYN packet; empty for a capture file.
    pub node: Cow<'a, str>,
    /// The number of its packets that were classified, rarely more than 10.
    pub packets: u32,
    /// How far it got. Not part of docs/spec.md#json; stored because queries can ask for completed handshakes.
    pub progress: Progress,
    /// Where it was cut short.
    pub stage: Stage,
    /// How it ended.
    pub termination: Termination,
    /// All tags that apply to it.
    pub tags: Tags,
    /// The signature that it matches, if any.
    pub signature: Option<Signature>,
    /// The client's country, if it is known.
    pub location: Option<Country>,
    /// The AS number of the client's network, if it is known.
    pub asn: Option<u32>,
    /// The name of the client's network.
    pub as_name: Option<Cow<'a, str>>,
    /// TTL(RST) - TTL(SYN): of all its RST packets, the difference of largest magnitude.
    pub rst_ttl_delta: Option<i16>,
    /// Distance of a RST packet's IP ID to the nearest IP ID of its other packets.
    pub rst_ip_id_delta: Option<u16>,
    /// Time from the latest row to the cutoff, in microseconds, rounded down.
    pub silent_us: i64,
    /// How many connections this one stands for: the N of "1 in N" sampling.
    pub sample_rate: u32,
    /// In the data set `origin`, the time from the SYN to the SYN+ACK in microseconds, rounded down.
    pub handshake_us: Option<i64>,
    /// In the data set `origin`, the time from the SYN to the first byte of an answer in microseconds, rounded down.
    pub first_byte_us: Option<i64>,
    /// In the data set `quic`, the version of the earliest Initial packet.
    pub version: Option<Version>,
    /// In the data set `quic`, the error code of the client's first CONNECTION_CLOSE in an Initial packet (RFC 9000, 20.1).
    pub close_code: Option<u64>,
}

/// The names of the fields of docs/spec.md#json, in their order.
pub const FIELDS: [&str; 21] = [
    "first_us",
    "last_us",
    "node",
    "src_ip",
    "src_port",
    "dst_ip",
    "dst_port",
    "ip_version",
    "packets",
    "stage",
    "termination",
    "tags",
    "signature",
    "signature_id",
    "location",
    "asn",
    "as_name",
    "rst_ttl_delta",
    "rst_ip_id_delta",
    "silent_us",
    "sample_rate",
];

/// Those of the [`FIELDS`] that are about RSTs, which the data set `quic` does not have.
pub const RST_FIELDS: [&str; 2] = ["rst_ttl_delta", "rst_ip_id_delta"];

/// The name of the field that follows [`FIELDS`] if addresses are not the full ones.
pub const ADDRESSES: &str = "addresses";

/// The names of the fields that follow [`FIELDS`] in a data set.
#[must_use]
pub const fn more_fields(data_set: DataSet) -> &'static [&'static str] {
    match data_set {
        DataSet::Origin => &["dataset", "handshake_us", "first_byte_us"],
        DataSet::Quic => &["dataset", "version", "close_code"],
        _ => &[],
    }
}

/// The names of all fields of a data set, in their order.
pub fn fields(data_set: DataSet) -> impl Iterator<Item = &'static str> {
    let has = move |field: &&str| data_set != DataSet::Quic || !RST_FIELDS.contains(field);
    FIELDS.into_iter().filter(has).chain(more_fields(data_set).iter().copied())
}

impl<'a> From<&JudgedConnection<'a>> for ConnectionRecord<'a> {
    fn from(connection: &JudgedConnection<'a>) -> Self {
        let JudgedConnection { five_tuple, addresses, verdict, node, place, as_name } = *connection;
        Self {
            data_set: verdict.data_set,
            five_tuple: *five_tuple,
            addresses,
            first_us: micros(verdict.first_ts),
            last_us: micros(verdict.last_ts),
            node: node.into(),
            packets: verdict.packets,
            progress: verdict.progress,
            stage: verdict.stage,
            termination: verdict.termination,
            tags: verdict.tags,
            signature: verdict.signature,
            location: place.country,
            asn: place.asn,
            as_name: as_name.map(Cow::from),
            rst_ttl_delta: verdict.rst_ttl_delta,
            rst_ip_id_delta: verdict.rst_ip_id_delta,
            silent_us: micros(verdict.silent),
            sample_rate: verdict.sample_rate,
            handshake_us: verdict.handshake.map(micros),
            first_byte_us: verdict.first_byte.map(micros),
            version: Version::from_number(verdict.version),
            close_code: verdict.close_code,
        }
    }
}

impl ConnectionRecord<'_> {
    /// Makes a record that owns its texts.
    #[must_use]
    pub fn into_owned(self) -> ConnectionRecord<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        ConnectionRecord { node: owned(self.node), as_name: self.as_name.map(owned), ..self }
    }

    /// The IP version, 4 or 6.
    #[must_use]
    pub fn ip_version(&self) -> u8 {
        if self.five_tuple.is_ipv4() { 4 } else { 6 }
    }

    /// Whether the handshake was completed, which a client with a spoofed source address cannot do
    /// (docs/spec.md#rates).
    #[must_use]
    pub const fn completed_handshake(&self) -> bool {
        !matches!(self.progress, Progress::PostSyn) && !self.tags.contains(Tag::SynAckLate)
    }
}

/// An address in the notation of its family: IPv4-mapped addresses as IPv4.
struct ShownAddress(Ipv6Addr);

impl Serialize for ShownAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.to_canonical())
    }
}

struct TagNames(DataSet, Tags);

impl Serialize for TagNames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter(self.0).map(Tag::name))
    }
}

impl Serialize for ConnectionRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_full = self.addresses == Addresses::Full;
        let mut object =
            serializer.serialize_struct("Record", fields(self.data_set).count() + usize::from(!is_full))?;
        object.serialize_field("first_us", &self.first_us)?;
        object.serialize_field("last_us", &self.last_us)?;
        object.serialize_field("node", &self.node)?;
        object.serialize_field("src_ip", &ShownAddress(self.five_tuple.src_ip))?;
        object.serialize_field("src_port", &self.five_tuple.src_port)?;
        object.serialize_field("dst_ip", &ShownAddress(self.five_tuple.dst_ip))?;
        object.serialize_field("dst_port", &self.five_tuple.dst_port)?;
        object.serialize_field("ip_version", &self.ip_version())?;
        object.serialize_field("packets", &self.packets)?;
        object.serialize_field("stage", self.data_set.stage_name(self.stage))?;
        object.serialize_field("termination", self.termination.name())?;
        object.serialize_field("tags", &TagNames(self.data_set, self.tags))?;
        object.serialize_field("signature", &self.signature.map(Signature::name))?;
        object.serialize_field("signature_id", &self.signature.map(Signature::id))?;
        object.serialize_field("location", &self.location.map(Country::alpha2))?;
        object.serialize_field("asn", &self.asn)?;
        object.serialize_field("as_name", &self.as_name)?;
        if self.data_set != DataSet::Quic {
            object.serialize_field("rst_ttl_delta", &self.rst_ttl_delta)?;
            object.serialize_field("rst_ip_id_delta", &self.rst_ip_id_delta)?;
        }
        object.serialize_field("silent_us", &self.silent_us)?;
        object.serialize_field("sample_rate", &self.sample_rate)?;
        match self.data_set {
            DataSet::Origin => {
                object.serialize_field("dataset", self.data_set.name())?;
                object.serialize_field("handshake_us", &self.handshake_us)?;
                object.serialize_field("first_byte_us", &self.first_byte_us)?;
            }
            DataSet::Quic => {
                object.serialize_field("dataset", self.data_set.name())?;
                object.serialize_field("version", &self.version.map(Version::name))?;
                object.serialize_field("close_code", &self.close_code)?;
            }
            _ => {}
        }
        if !is_full {
            object.serialize_field(ADDRESSES, self.addresses.name())?;
        }
        object.end()
    }
}
