//! The file format of segments.

use std::collections::BTreeMap;

use cutshort_model::Addresses;
use cutshort_verdict::DataSet;
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, KeyValue};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;
use sha2::{Digest, Sha256};

use super::{
    EARLIER_PACKET_BYTES, Keepable, Provenance, SegmentId, SegmentInfo, SegmentSource, packet_to_bytes,
    protection_to_bytes,
};

/// The columns of docs/spec.md#fields. Addresses are 16 bytes, IPv4 as IPv4-mapped; unsigned numbers are stored as
/// signed numbers with the same bits.
const SCHEMA: &str = "message packet {
  required int64 ts (TIMESTAMP(NANOS,true));
  required binary node (UTF8);
  required fixed_len_byte_array(16) src_ip;
  required fixed_len_byte_array(16) dst_ip;
  required int32 src_port (INTEGER(16,false));
  required int32 dst_port (INTEGER(16,false));
  required int32 ip_id (INTEGER(16,false));
  required int32 ttl (INTEGER(8,false));
  required int32 flags (INTEGER(16,false));
  required int32 seq (INTEGER(32,false));
  required int32 ack (INTEGER(32,false));
  required int32 window (INTEGER(16,false));
  required int32 options_len (INTEGER(8,false));
  required int32 payload_len (INTEGER(32,false));
  required int32 sample_rate (INTEGER(32,false));
";

/// The columns of docs/quic.md#fields, those that packets have as well in the same places.
const DATAGRAM_SCHEMA: &str = "message datagram {
  required int64 ts (TIMESTAMP(NANOS,true));
  required binary node (UTF8);
  required fixed_len_byte_array(16) src_ip;
  required fixed_len_byte_array(16) dst_ip;
  required int32 src_port (INTEGER(16,false));
  required int32 dst_port (INTEGER(16,false));
  required int32 ip_id (INTEGER(16,false));
  required int32 ttl (INTEGER(8,false));
  required int32 kinds (INTEGER(8,false));
  required int32 version (INTEGER(32,false));
  required int32 opened (INTEGER(8,false));
  required int32 len (INTEGER(16,false));
  required int32 dcid_len (INTEGER(8,false));
  required int32 frames (INTEGER(8,false));
  required int32 sample_rate (INTEGER(32,false));
";

/// What only datagrams have. `present` has a bit for each of the four numbers that is not null, from bit 0 on; `icmp` is 0
/// for a datagram.
const IDS: &str = "  required int32 icmp (INTEGER(8,false));
  required int32 present (INTEGER(8,false));
  required int64 dcid (INTEGER(64,false));
  required int64 scid (INTEGER(64,false));
  required int64 token (INTEGER(64,false));
  required int64 close_code (INTEGER(64,false));
";

/// Country (ZZ: unknown) and AS number (0: unknown) of the source, and the number that distinguishes connections
/// whose addresses became equal. If addresses are full, the country is empty and the numbers are 0: all files have
/// the same columns, which is easier for readers of many files.
const PROTECTED: &str = "  required binary country (UTF8);
  required int32 asn (INTEGER(32,false));
  required int64 flow (INTEGER(64,false));
";

/// What is kept of SYN packets since the third version, and "don't fragment". A value other than 0 and 255 is in one row of
/// ten, so they cost little (bench/README.md).
const OPTIONS_OF_SYN: &str = "  required int32 df (INTEGER(8,false));
  required int64 options (INTEGER(64,false));
  required int32 mss (INTEGER(16,false));
  required int32 wscale (INTEGER(8,false));
";

/// The country code if addresses are full.
pub(super) const FULL_COUNTRY: &str = "";

/// Positions of columns in the schema.
pub(super) const TS: usize = 0;
pub(super) const NODE: usize = 1;
pub(super) const SRC_IP: usize = 2;
pub(super) const DST_IP: usize = 3;
/// The first of the columns of 32 bits, in the order of [`Int`].
pub(super) const INTS: usize = 4;

/// Columns of the first version, which only segments with full addresses have.
const COLUMNS: usize = INTS + Int::COUNT;

/// Additional columns of the second version.
pub(super) const COUNTRY: usize = COLUMNS;
pub(super) const ASN: usize = COLUMNS + 1;
pub(super) const FLOW: usize = COLUMNS + 2;

/// Additional columns of the third version.
pub(super) const DF: usize = COLUMNS + 3;
pub(super) const OPTIONS: usize = COLUMNS + 4;
pub(super) const MSS: usize = COLUMNS + 5;
pub(super) const WSCALE: usize = COLUMNS + 6;

/// Additional columns of datagrams: two of 32 bits, then four of 64.
pub(super) const ICMP: usize = COLUMNS + 3;
pub(super) const PRESENT: usize = COLUMNS + 4;
pub(super) const NUMBERS: usize = COLUMNS + 5;

/// The number of columns of datagrams, the largest of all.
pub(super) const MOST_COLUMNS: usize = NUMBERS + 4;

/// Columns of 32 bits.
#[derive(Clone, Copy)]
pub(super) enum Int {
    SrcPort,
    DstPort,
    IpId,
    Ttl,
    Flags,
    Seq,
    Ack,
    Window,
    OptionsLen,
    PayloadLen,
    SampleRate,
}

impl Int {
    pub(super) const COUNT: usize = 11;

    /// Names and maximum values in segments of a data set.
    pub(super) const fn bounds(data_set: DataSet) -> &'static [(&'static str, u32); Self::COUNT] {
        match data_set {
            DataSet::Quic => &Self::DATAGRAM_BOUNDS,
            _ => &Self::BOUNDS,
        }
    }

    const DATAGRAM_BOUNDS: [(&'static str, u32); Self::COUNT] = [
        ("src_port", 0xffff),
        ("dst_port", 0xffff),
        ("ip_id", 0xffff),
        ("ttl", 0xff),
        ("kinds", 0xff),
        ("version", u32::MAX),
        ("opened", 3),
        ("len", 0xffff),
        ("dcid_len", 20),
        ("frames", 3),
        ("sample_rate", u32::MAX),
    ];

    const BOUNDS: [(&'static str, u32); Self::COUNT] = [
        ("src_port", 0xffff),
        ("dst_port", 0xffff),
        ("ip_id", 0xffff),
        ("ttl", 0xff),
        ("flags", 0x7ff),
        ("seq", u32::MAX),
        ("ack", u32::MAX),
        ("window", 0xffff),
        ("options_len", 40),
        ("payload_len", u32::MAX),
        ("sample_rate", u32::MAX),
    ];
}

/// Returns the bits that the flags of a data set's packets may have: the nine of TCP (RFC 9293, 3.1), and in the data set
/// `origin` two more for packets that were received and for ICMP errors; of datagrams the eight bits of their kinds.
pub(super) const fn flag_bits(data_set: DataSet) -> u32 {
    match data_set {
        DataSet::Origin => 0x7ff,
        DataSet::Quic => 0xff,
        _ => 0x1ff,
    }
}

/// The version of the columns, which is also recorded in the file's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaVersion {
    /// Without country, AS number and flow: an earlier version, used for full addresses. It can still be read.
    First,
    /// Without "don't fragment" and options: an earlier version. It can still be read.
    Second,
    /// All columns of packets. This version is written.
    Third,
    /// Those of datagrams.
    Datagrams,
}

impl SchemaVersion {
    pub(super) const ALL: [Self; 4] = [Self::First, Self::Second, Self::Third, Self::Datagrams];

    /// The version that is written.
    pub(super) const fn of(data_set: DataSet) -> Self {
        match data_set {
            DataSet::Quic => Self::Datagrams,
            _ => Self::Third,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::First => "1",
            Self::Second => "2",
            Self::Third => "3",
            Self::Datagrams => "datagrams 1",
        }
    }
}

const VERSION_KEY: &str = "cutshort.schema";
const ID_KEY: &str = "cutshort.id";
const NODE_KEY: &str = "cutshort.node";
const ORIGIN_KEY: &str = "cutshort.origin";
const COVERS_KEY: &str = "cutshort.covers";
const TIMES_KEY: &str = "cutshort.times";
const ADDRESSES_KEY: &str = "cutshort.addresses";
/// Missing in the data set `tcp`, which earlier versions knew only.
const DATA_SET_KEY: &str = "cutshort.data_set";

/// The number of rows in a row group; parts of a window begin at row groups.
pub(super) const ROW_GROUP: usize = 1 << 15;
/// The number of rows in a page; pages are unpacked one at a time.
pub(super) const BATCH: usize = 1 << 13;

/// The maximum length of a node's name in bytes.
pub(super) const MAX_NODE: usize = 255;

pub(super) fn schema(version: SchemaVersion) -> Result<Type, ParquetError> {
    let (first, more): (_, &[&str]) = match version {
        SchemaVersion::First => (SCHEMA, &[]),
        SchemaVersion::Second => (SCHEMA, &[PROTECTED]),
        SchemaVersion::Third => (SCHEMA, &[PROTECTED, OPTIONS_OF_SYN]),
        SchemaVersion::Datagrams => (DATAGRAM_SCHEMA, &[PROTECTED, IDS]),
    };
    parse_message_type(&format!("{first}{}}}", more.concat()))
}

/// The version that an ID is computed with. It depends on the content, not on the columns, so that a capture that is
/// imported again keeps its ID.
const fn id_version(addresses: Addresses) -> &'static str {
    match addresses {
        Addresses::Full => SchemaVersion::First.name(),
        Addresses::Truncated | Addresses::Encrypted => SchemaVersion::Second.name(),
    }
}

const ORIGINS: [(Provenance, &str); 3] =
    [(Provenance::File, "file"), (Provenance::Live, "live"), (Provenance::Simulated, "simulated")];

impl Provenance {
    /// The name in data, such as `live`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ORIGINS.iter().find(|(origin, _)| *origin == self).map_or("", |(_, name)| name)
    }

    /// Finds the origin with this [name](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        ORIGINS.iter().find(|(_, own)| *own == name).map(|(origin, _)| *origin)
    }
}

/// The metadata of a file.
pub(super) fn to_metadata(info: &SegmentInfo) -> Vec<KeyValue> {
    let pair = |(from, to): (i64, i64)| format!("{from},{to}");
    let mut entries = vec![
        (VERSION_KEY, SchemaVersion::of(info.data_set).name().to_owned()),
        (ID_KEY, info.id.to_string()),
        (NODE_KEY, info.node.clone()),
        (ORIGIN_KEY, info.origin.name().to_owned()),
        (COVERS_KEY, pair(info.covers)),
    ];
    entries.extend(info.times.map(|times| (TIMES_KEY, pair(times))));
    if info.data_set != DataSet::Tcp {
        entries.push((DATA_SET_KEY, info.data_set.name().to_owned()));
    }
    entries.push((ADDRESSES_KEY, info.addresses.name().to_owned()));
    entries.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect()
}

/// Parses a file's metadata: returns the description and the version of the columns, or what is wrong.
pub(super) fn from_metadata(file: &FileMetaData) -> Result<(SegmentInfo, SchemaVersion), String> {
    let entries: BTreeMap<&str, &str> = file
        .key_value_metadata()
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.key.as_str(), entry.value.as_deref()?)))
        .collect();
    let get = |key| entries.get(key).copied().ok_or_else(|| format!("its metadata has no {key}"));
    let wrong = |key: &str| format!("the value of {key} in its metadata is not valid");
    let number = get(VERSION_KEY)?;
    let version =
        SchemaVersion::ALL.into_iter().find(|version| version.name() == number).ok_or_else(|| {
            let known = SchemaVersion::ALL.map(SchemaVersion::name).join(", ");
            format!("its schema has version {number}, and this program knows {known}")
        })?;
    let addresses = match version {
        SchemaVersion::First => Addresses::Full,
        SchemaVersion::Second | SchemaVersion::Third | SchemaVersion::Datagrams => {
            Addresses::from_name(get(ADDRESSES_KEY)?).ok_or_else(|| wrong(ADDRESSES_KEY))?
        }
    };
    let data_set = entries.get(DATA_SET_KEY).map_or(Ok(DataSet::Tcp), |name| {
        name.parse().map_err(|unknown| format!("{unknown} ({DATA_SET_KEY} in its metadata)"))
    })?;
    if !DataSet::WITH_RULES.contains(&data_set) {
        return Err(format!(
            "its packets are of the data set {data_set}, which this version cannot classify"
        ));
    }
    if (version == SchemaVersion::Datagrams) != (data_set == DataSet::Quic) {
        return Err(format!("its columns are not those of the data set {data_set}"));
    }
    let id = get(ID_KEY)?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = is_id.then(|| u128::from_str_radix(id, 16).ok()).flatten();
    let rows = u64::try_from(file.num_rows()).map_err(|_| "its number of rows is negative".to_owned())?;
    let times = entries.get(TIMES_KEY).map(|text| pair(text).ok_or_else(|| wrong(TIMES_KEY)));
    let info = SegmentInfo {
        id: SegmentId(id.ok_or_else(|| wrong(ID_KEY))?),
        data_set,
        node: get(NODE_KEY)?.to_owned(),
        origin: Provenance::from_name(get(ORIGIN_KEY)?).ok_or_else(|| wrong(ORIGIN_KEY))?,
        covers: pair(get(COVERS_KEY)?).ok_or_else(|| wrong(COVERS_KEY))?,
        rows,
        times: times.transpose()?,
        addresses,
    };
    Ok((info, version))
}

fn pair(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once(',')?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to).then_some((from, to))
}

/// Computes an ID from the content of a segment: sorted packets and their description.
pub(super) struct ContentId(Sha256);

impl ContentId {
    pub(super) fn new(source: &SegmentSource<'_>, addresses: Addresses) -> Self {
        let SegmentSource { data_set, node, origin, covers } = *source;
        let mut hash = Sha256::new();
        let other = (data_set != DataSet::Tcp).then_some(data_set.name());
        let mode = (addresses != Addresses::Full).then_some(addresses.name());
        for text in [id_version(addresses), node, origin.name()].into_iter().chain(mode).chain(other) {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.update(covers.0.to_le_bytes());
        hash.update(covers.1.to_le_bytes());
        Self(hash)
    }

    pub(super) fn add<P: Keepable>(&mut self, packet: &P) {
        // Without what earlier versions did not keep, so that a capture that is imported again keeps its ID.
        self.0.update(&packet_to_bytes(packet.packet())[..EARLIER_PACKET_BYTES]);
        if packet.protection().addresses != Addresses::Full {
            self.0.update(protection_to_bytes(packet.protection()));
        }
        if let Some(ids) = packet.ids() {
            self.0.update(ids.to_bytes());
        }
    }

    pub(super) fn finish(self) -> SegmentId {
        let hash = self.0.finalize();
        SegmentId(hash.iter().take(16).fold(0, |id, byte| id << 8 | u128::from(*byte)))
    }
}
