//! Types and lengths of blocks.

pub(super) const SECTION: u32 = 0x0a0d_0d0a;
pub(super) const INTERFACE: u32 = 1;
/// The obsolete packet block, which some old captures still have.
pub(super) const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAMES: u32 = 4;
pub(super) const STATISTICS: u32 = 5;
pub(super) const ENHANCED_PACKET: u32 = 6;
/// systemd's journal, secrets, custom blocks that may be copied and that may not, and Apple's processes.
const OTHERS: [u32; 5] = [9, 10, 0x0bad, 0x4000_0bad, 0x8000_0001];

/// No block is longer, except for packets where the snapshot length allows it. Wireshark has the same limit.
pub(super) const MAX_LEN: u32 = 16 << 20;

/// Whether the content of such a block matters; all others are stepped over.
pub(super) const fn is_parsed(kind: u32) -> bool {
    matches!(kind, SECTION | INTERFACE | PACKET | SIMPLE_PACKET | ENHANCED_PACKET)
}

/// Whether such blocks are usual, so that one may begin where damage ends.
pub(super) fn is_known(kind: u32) -> bool {
    is_parsed(kind) || matches!(kind, NAMES | STATISTICS) || OTHERS.contains(&kind)
}

/// Whether a block may have that length.
pub(super) const fn is_len(len: u32) -> bool {
    len >= 12 && len <= MAX_LEN && len.is_multiple_of(4)
}
