//! How operating systems and scanners fill in headers.
use crate::rng::Rng;
use cutshort_packet::FiveTuple;

/// The IP id of ZMap before 4.1; nobody else gets it by accident.
const ZMAP_ID: u16 = 54321;

/// The program or system that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Linux,
    Windows,
    Apple,
    /// ZMap before 4.1.
    Zmap,
    /// ZMap from 4.1 on.
    ZmapNew,
    Masscan,
    /// A raw socket without options.
    Bare,
}

impl Client {
    /// Window of the SYN.
    pub(crate) fn syn_window(self) -> u16 {
        match self {
            Self::Linux | Self::Windows => 64240,
            Self::Apple | Self::Zmap | Self::ZmapNew => 65535,
            Self::Masscan => 1024,
            Self::Bare => 8192,
        }
    }

    /// Window after the SYN.
    pub(crate) fn window(self) -> u16 {
        match self {
            Self::Linux | Self::Zmap | Self::ZmapNew | Self::Masscan => 502,
            Self::Windows => 1026,
            Self::Apple => 2058,
            Self::Bare => 8192,
        }
    }

    /// Bytes of options in the SYN.
    pub(crate) fn syn_options(self) -> u8 {
        match self {
            Self::Linux => 20,
            Self::Apple => 24,
            Self::Windows | Self::ZmapNew => 12,
            Self::Zmap | Self::Bare => 0,
            Self::Masscan => 4,
        }
    }

    /// Bytes of options after the SYN: the timestamps.
    pub(crate) fn options(self) -> u8 {
        if matches!(self, Self::Linux | Self::Apple) { 12 } else { 0 }
    }

    /// Whether the SYN is sent with "don't fragment".
    pub(crate) fn syn_df(self) -> bool {
        !matches!(self, Self::Zmap | Self::ZmapNew)
    }

    /// TTL with which the SYN starts out.
    pub(crate) fn syn_ttl(self) -> u8 {
        match self {
            Self::Windows => 128,
            Self::Zmap | Self::Masscan | Self::Bare => 255,
            Self::Linux | Self::Apple | Self::ZmapNew => 64,
        }
    }

    /// TTL after the SYN: the kernel's, also where a raw socket sent the SYN.
    pub(crate) fn ttl(self) -> u8 {
        if self == Self::Windows { 128 } else { 64 }
    }

    /// Whether the SYN comes from a raw socket, so that it is never repeated and the kernel, which
    /// knows of no connection, answers for it.
    pub(crate) fn is_raw(self) -> bool {
        matches!(self, Self::Zmap | Self::ZmapNew | Self::Masscan | Self::Bare)
    }

    /// IP id of the SYN.
    pub(crate) fn syn_id(self, tuple: &FiveTuple, seq: u32, rng: &mut Rng) -> u16 {
        match self {
            Self::Zmap => ZMAP_ID,
            Self::Apple => 0,
            Self::Masscan => tuple.dst_ip.segments()[7] ^ tuple.dst_port ^ seq as u16,
            Self::Linux | Self::Windows | Self::ZmapNew | Self::Bare => any_id(rng),
        }
    }
}

/// An IP id that is neither 0 nor ZMap's.
pub(crate) fn any_id(rng: &mut Rng) -> u16 {
    let id = rng.between(1, 0xffff) as u16;
    if id == ZMAP_ID { id + 1 } else { id }
}
