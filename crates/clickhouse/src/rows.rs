//! The columns of the table `packet`, some of which depend on the data set.
//!
//! Rows of `tcp` and `origin` are packets. Those of `quic` are datagrams: what packets have as well is read into the same
//! fields, as in segments, and ids follow.

use cutshort_verdict::DataSet;

/// The columns that depend on the data set, in SQL.
pub(crate) struct RowColumns {
    /// As they are declared.
    declared: &'static str,
    /// Their names.
    names: &'static str,
    /// What is inserted, in the same order, from the columns of a segment's file.
    values: &'static str,
    /// Those of the file, with their types. Earlier segments lack some of them.
    file: &'static str,
    pub(crate) places: RowPlaces,
    /// Whether rows keep their place in their segment: rules depend on the order of arrival, also of rows of equal time.
    pub(crate) has_ordinal: bool,
    /// Whether rows have ids.
    pub(crate) has_ids: bool,
}

/// What stands in the place of each field of a packet.
pub(crate) struct RowPlaces {
    pub(crate) flags: &'static str,
    pub(crate) seq: &'static str,
    pub(crate) ack: &'static str,
    pub(crate) window: &'static str,
    pub(crate) options_len: &'static str,
    pub(crate) payload_len: &'static str,
    pub(crate) df: &'static str,
    pub(crate) options: &'static str,
    pub(crate) mss: &'static str,
    pub(crate) wscale: &'static str,
    /// The place of the row in its segment.
    pub(crate) ordinal: &'static str,
    /// What only datagrams have: the number of the ICMP error, then the numbers that may be missing.
    pub(crate) ids: &'static str,
}

const NO_ORDINAL: &str = "toUInt32(0)";
const NO_IDS: &str = "CAST((0, NULL, NULL, NULL, NULL), 'Tuple(UInt8, Nullable(UInt64), Nullable(UInt64), Nullable(UInt64), Nullable(UInt64))')";

const PACKETS: RowColumns = RowColumns {
    declared: "flags UInt16 CODEC(ZSTD(1)), seq UInt32 CODEC(Delta, ZSTD(1)), ack UInt32 CODEC(Delta, ZSTD(1)),
  window UInt16 CODEC(ZSTD(1)), options_len UInt8 CODEC(ZSTD(1)), payload_len UInt32 CODEC(ZSTD(1)),
  df UInt8 CODEC(ZSTD(1)), options UInt64 DEFAULT if(bitAnd(flags, 23) = 2, 18446744073709551615, 0) CODEC(ZSTD(1)),
  mss UInt16 CODEC(ZSTD(1)), wscale UInt8 DEFAULT 255 CODEC(ZSTD(1))",
    names: "flags, seq, ack, window, options_len, payload_len, df, options, mss, wscale",
    values: "flags, seq, ack, window, options_len, payload_len, \
     ifNull(df, 0), ifNull(options, if(bitAnd(flags, 23) = 2, 18446744073709551615, 0)), ifNull(mss, 0), ifNull(wscale, 255)",
    file: "flags UInt16, seq UInt32, ack UInt32, window UInt16, options_len UInt8, payload_len UInt32, \
     df Nullable(UInt8), options Nullable(UInt64), mss Nullable(UInt16), wscale Nullable(UInt8)",
    places: RowPlaces {
        flags: "flags",
        seq: "seq",
        ack: "ack",
        window: "window",
        options_len: "options_len",
        payload_len: "payload_len",
        df: "df",
        options: "options",
        mss: "mss",
        wscale: "wscale",
        ordinal: NO_ORDINAL,
        ids: NO_IDS,
    },
    has_ordinal: false,
    has_ids: false,
};

const ARRIVALS: RowColumns =
    RowColumns { places: RowPlaces { ordinal: "ordinal", ..PACKETS.places }, has_ordinal: true, ..PACKETS };

const DATAGRAMS: RowColumns = RowColumns {
    declared: "kinds UInt8 CODEC(ZSTD(1)), version UInt32 CODEC(ZSTD(1)), opened UInt8 CODEC(ZSTD(1)),
  len UInt16 CODEC(ZSTD(1)), dcid_len UInt8 CODEC(ZSTD(1)), frames UInt8 CODEC(ZSTD(1)), icmp UInt8 CODEC(ZSTD(1)),
  dcid Nullable(UInt64) CODEC(ZSTD(1)), scid Nullable(UInt64) CODEC(ZSTD(1)), token Nullable(UInt64) CODEC(ZSTD(1)),
  close_code Nullable(UInt64) CODEC(ZSTD(1))",
    names: "kinds, version, opened, len, dcid_len, frames, icmp, dcid, scid, token, close_code",
    values: "kinds, version, opened, len, dcid_len, frames, icmp, \
     if(bitAnd(present, 1) = 0, NULL, dcid), if(bitAnd(present, 2) = 0, NULL, scid), \
     if(bitAnd(present, 4) = 0, NULL, token), if(bitAnd(present, 8) = 0, NULL, close_code)",
    file: "kinds UInt8, version UInt32, opened UInt8, len UInt16, dcid_len UInt8, frames UInt8, icmp UInt8, present UInt8, \
     dcid UInt64, scid UInt64, token UInt64, close_code UInt64",
    places: RowPlaces {
        flags: "kinds",
        seq: "version",
        ack: "opened",
        window: "len",
        options_len: "dcid_len",
        payload_len: "frames",
        df: "toUInt8(0)",
        options: "toUInt64(0)",
        mss: "toUInt16(0)",
        wscale: "toUInt8(255)",
        ordinal: NO_ORDINAL,
        ids: "(icmp, dcid, scid, token, close_code)",
    },
    has_ordinal: false,
    has_ids: true,
};

/// The place of a row in its segment, from 0. Declared apart, because a later version added it.
pub(crate) const ORDINAL: &str = "ordinal UInt32 CODEC(Delta, ZSTD(1))";

impl RowColumns {
    pub(crate) const fn of(data_set: DataSet) -> &'static Self {
        match data_set {
            DataSet::Quic => &DATAGRAMS,
            DataSet::Origin => &ARRIVALS,
            _ => &PACKETS,
        }
    }

    /// All of them, as they are declared.
    pub(crate) fn declared(&self) -> String {
        let ordinal = if self.has_ordinal { format!(", {ORDINAL}") } else { String::new() };
        format!("{}{ordinal}", self.declared)
    }

    /// Inserts the file of the segment with the id of the parameter `segment`. Times of windows are multiples of 15 minutes.
    pub(crate) fn insert(&self) -> String {
        let Self { names, values, file, .. } = self;
        // Files are read by one thread, in order.
        let [ordinal, number] = match self.has_ordinal {
            true => [", ordinal", ", toUInt32(rowNumberInAllBlocks())"],
            false => [""; 2],
        };
        format!(
            "INSERT INTO packet (window_start, src_ip, src_port, dst_ip, dst_port, ts, node, segment, ip_id, ttl, \
             sample_rate, country, asn, flow, {names}{ordinal}) \
             SELECT fromUnixTimestamp64Nano(toUnixTimestamp64Nano(ts) - positiveModulo(toUnixTimestamp64Nano(ts), 900000000000), 'UTC'), \
             src_ip, src_port, dst_ip, dst_port, ts, node, {{segment:String}}, ip_id, ttl, \
             sample_rate, country, asn, flow, {values}{number} \
             FROM input('ts DateTime64(9, ''UTC''), node String, src_ip IPv6, dst_ip IPv6, src_port UInt16, dst_port UInt16, \
             ip_id UInt16, ttl UInt8, sample_rate UInt32, country String, asn UInt32, flow UInt64, {file}') FORMAT Parquet"
        )
    }
}
