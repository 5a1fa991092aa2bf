use std::borrow::Cow;

use cutshort_verdict::Tags;
use serde::{Serialize, Serializer};

use super::Connection;
use crate::time::micros;

/// The fields of SPEC 10 in their order: a connection as it is written and read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record<'a> {
    pub(super) first_us: i64,
    pub(super) last_us: i64,
    pub(super) node: Cow<'a, str>,
    pub(super) src_ip: String,
    pub(super) src_port: u16,
    pub(super) dst_ip: String,
    pub(super) dst_port: u16,
    pub(super) ip_version: u8,
    pub(super) packets: u32,
    pub(super) stage: &'static str,
    pub(super) termination: &'static str,
    #[serde(serialize_with = "tag_names")]
    pub(super) tags: Tags,
    pub(super) signature: Option<&'static str>,
    pub(super) signature_id: Option<u8>,
    pub(super) location: Option<&'static str>,
    pub(super) asn: Option<u32>,
    pub(super) as_name: Option<Cow<'a, str>>,
    pub(super) rst_ttl_delta: Option<i16>,
    pub(super) rst_ip_id_delta: Option<u16>,
    pub(super) silent_us: i64,
    pub(super) sample_rate: u32,
}

/// The names of the fields, in their order.
pub(super) const FIELDS: [&str; 21] = [
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

impl<'a> From<&Connection<'a>> for Record<'a> {
    fn from(connection: &Connection<'a>) -> Self {
        let Connection { five_tuple, verdict, node, place, as_name } = *connection;
        Self {
            first_us: micros(verdict.first_ts),
            last_us: micros(verdict.last_ts),
            node: node.into(),
            src_ip: five_tuple.src().to_string(),
            src_port: five_tuple.src_port,
            dst_ip: five_tuple.dst().to_string(),
            dst_port: five_tuple.dst_port,
            ip_version: if five_tuple.is_ipv4() { 4 } else { 6 },
            packets: verdict.packets,
            stage: verdict.stage.name(),
            termination: verdict.termination.name(),
            tags: verdict.tags,
            signature: verdict.signature.map(cutshort_verdict::Signature::name),
            signature_id: verdict.signature.map(cutshort_verdict::Signature::id),
            location: place.country.map(cutshort_geo::Country::alpha2),
            asn: place.asn,
            as_name: as_name.map(Cow::from),
            rst_ttl_delta: verdict.rst_ttl_delta,
            rst_ip_id_delta: verdict.rst_ip_id_delta,
            silent_us: micros(verdict.silent),
            sample_rate: verdict.sample_rate,
        }
    }
}

fn tag_names<S: Serializer>(tags: &Tags, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(tags.iter().map(cutshort_verdict::Tag::name))
}
