//! Records that could not be read, in the same words for all outputs.

use std::cmp::Reverse;
use std::collections::HashMap;

use cutshort_packet::{Refusal, Unread};
use foldhash::fast::RandomState;

use crate::InputCount;
use cutshort_model::{grouped, quantity};

/// Records by what they carry instead of a readable TCP packet.
#[derive(Clone, Debug, Default)]
pub struct UnreadCount(HashMap<Unread, u64, RandomState>);

impl UnreadCount {
    /// Adds a number of records of one kind.
    pub fn add(&mut self, unread: Unread, records: u64) {
        *self.0.entry(unread).or_default() += records;
    }

    /// The counts, in any order.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Unread, u64)> {
        self.0.iter().map(|(unread, count)| (*unread, *count))
    }

    /// First the kinds that may hold TCP packets, then the rest; the most frequent first.
    pub(crate) fn sorted(&self) -> Vec<(Unread, u64)> {
        let mut counts: Vec<_> = self.counts().collect();
        counts.sort_by_key(|(unread, count)| (!unread.may_hold_tcp(), Reverse(*count), *unread));
        counts
    }

    /// The number of unread records that may hold TCP packets.
    fn lost(&self) -> u64 {
        self.counts().filter(|(unread, _)| unread.may_hold_tcp()).map(|(_, count)| count).sum()
    }
}

/// Lost packets that a capture itself reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Packets that the interfaces received, as far as the capture says.
    pub received: u64,
    /// Packets that the interfaces dropped.
    pub interface: u64,
    /// Packets that the operating system dropped.
    pub system: u64,
    /// Packets that were lost between two others, according to these.
    pub between: u64,
}

impl Dropped {
    /// Adds the counts of another capture.
    pub const fn merge(&mut self, other: &Self) {
        self.received += other.received;
        self.interface += other.interface;
        self.system += other.system;
        self.between += other.between;
    }

    /// Describes the losses; `None` if there were none.
    fn sentence(&self) -> Option<String> {
        let counts = [
            (self.interface, "dropped by the interface"),
            (self.system, "dropped by the operating system"),
            (self.between, "lost between those that it has"),
        ];
        let lost: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, how)| format!("{} {how}", quantity(count, "packet")))
            .collect();
        let of = match self.received {
            0 => String::new(),
            received => format!(", of {} received", grouped(received)),
        };
        (!lost.is_empty()).then(|| {
            format!(
                "The capture itself says that packets were lost: {}{of}. A connection whose last packets were lost looks like a timeout.",
                lost.join(", ")
            )
        })
    }
}

/// The maximum number of kinds that a text names.
const MOST: usize = 10;

impl InputCount {
    /// Whether all records that may hold TCP packets were read.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.unread.lost() == 0
    }

    /// What is missing and what to do, for outputs without a list of unread records.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = self.notes();
        sentences.extend(self.unusable());
        sentences
    }

    /// Remarks in addition to a list of unread records.
    pub(crate) fn notes(&self) -> Vec<String> {
        let kinds = self.unread.sorted();
        let lost: Vec<_> = kinds.into_iter().filter(|(unread, _)| unread.may_hold_tcp()).collect();
        let (named, others) = lost.split_at(lost.len().min(MOST));
        let mut notes: Vec<String> = self.without_tcp().into_iter().collect();
        notes.extend(named.iter().map(|(unread, count)| lost_sentence(*unread, *count)));
        if !others.is_empty() {
            let records = quantity(others.iter().map(|(_, count)| count).sum(), "record");
            notes.push(format!("{records} of {} more kinds were not read.", grouped(others.len() as u64)));
        }
        notes.extend(self.cut_note());
        notes.extend(self.unwrapped_note());
        notes.extend((self.late > 0).then(|| {
            let late = quantity(self.late, "packet");
            format!(
                "{late} came after their window was closed, or long after the ports of their connection were used again, and were not used. 'reordercap IN OUT' puts a capture \
                 in order."
            )
        }));
        notes.extend(self.dropped.sentence());
        notes.extend(self.incomplete_note());
        notes
    }

    /// Records that are not TCP packets, for a list: by what they carry, as far as it is known.
    pub(crate) fn left_out(&self) -> Vec<(u64, String)> {
        let kinds = self.unread.sorted();
        let (named, others) = kinds.split_at(kinds.len().min(MOST));
        let mut list: Vec<_> = named.iter().map(|(unread, count)| (*count, self.name(*unread))).collect();
        let records = others.iter().map(|(_, count)| count).sum();
        list.push((records, format!("of {} other kinds", grouped(others.len() as u64))));
        let mut unnamed = self.refused;
        for (unread, count) in kinds {
            let counted = match unread.refusal() {
                Some(Refusal::NotTcp) if self.of_quic => Some(Refusal::NotQuic),
                refusal => refusal,
            };
            if let Some(refusal) = counted {
                unnamed[refusal as usize] = unnamed[refusal as usize].saturating_sub(count);
            }
        }
        list.extend(
            Refusal::ALL.into_iter().zip(unnamed).map(|(reason, count)| (count, reason.about().to_owned())),
        );
        list
    }

    /// The remark that there are no TCP packets, or no readable ones.
    fn without_tcp(&self) -> Option<String> {
        if self.records == 0 || self.packets > 0 {
            return None;
        }
        let kinds = self.unread.sorted();
        let is_sure = kinds.iter().all(|(unread, _)| unread.is_known_other());
        if !is_sure {
            return Some(format!("No {} in it could be read.", self.wanted()));
        }
        let names: Vec<String> =
            kinds.iter().take(MOST).map(|(unread, count)| format!("{} {unread}", grouped(*count))).collect();
        let has = if names.is_empty() { String::new() } else { format!(" It has {}.", names.join(", ")) };
        Some(format!("There is no {} in it.{has}", self.wanted()))
    }

    /// What is read.
    const fn wanted(&self) -> &'static str {
        if self.of_quic { "datagram of a QUIC port" } else { "TCP packet" }
    }

    /// What a record carries that is not read, in words.
    fn name(&self, unread: Unread) -> String {
        match unread {
            Unread::Fragment if self.of_quic => "IP fragments other than the first".to_owned(),
            Unread::Cut if self.of_quic => "cut by the capture before the UDP header was complete".to_owned(),
            unread => unread.to_string(),
        }
    }

    /// Records of TCP packets that cannot be used.
    fn unusable(&self) -> impl Iterator<Item = String> {
        let (cut, fragment) = match self.of_quic {
            false => (
                "cut before the TCP header was complete; a larger snapshot length helps (tcpdump -s 96)",
                "not used: IP fragments without a whole TCP header",
            ),
            true => (
                "cut before the UDP header was complete; QUIC needs whole packets (tcpdump -s 0)",
                "not used: IP fragments other than the first",
            ),
        };
        let reasons = [
            (Refusal::Cut, cut),
            (Refusal::Malformed, "not used: malformed headers"),
            (Refusal::Fragment, fragment),
        ];
        let counts = reasons.map(|(refusal, what)| (self.refused[refusal as usize], what));
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        counts.map(|(count, what)| {
            format!("{} {} {what}.", quantity(count, "record"), if count == 1 { "was" } else { "were" })
        })
    }
}

fn lost_sentence(unread: Unread, count: u64) -> String {
    let records = quantity(count, "record");
    let (are, their) = if count == 1 { ("is", "its") } else { ("are", "their") };
    match unread {
        Unread::Origin => {
            let were = if count == 1 { "was" } else { "were" };
            format!(
                "{records} {were} left out: 'cutshort rules --origin' logged them, and such packets are used only as \
                 they are received (cutshort classify --origin nflog:GROUP)."
            )
        }
        Unread::LeftOut => {
            let say = if count == 1 { "says" } else { "say" };
            format!(
                "{records} {say} that sampling was incomplete: connections that cutshort's rules had chosen were left \
                 out, as they could not remember more."
            )
        }
        Unread::Link(_) => {
            format!("{records} {} {unread}, which is not supported. {}", has_link(count), help(unread))
        }
        Unread::Udp(_) | Unread::Gre(_) | Unread::Protocol(_) => {
            format!(
                "{records} {are} in a tunnel, {unread}: {their} inner packets were not read. {}",
                help(unread)
            )
        }
        _ => format!("{records} {are} {unread}: the packets inside were not read. {}", help(unread)),
    }
}

const fn has_link(count: u64) -> &'static str {
    if count == 1 { "has the link layer" } else { "have the link layer" }
}

/// How to get at the packets inside.
const fn help(unread: Unread) -> &'static str {
    match unread {
        Unread::Link(119 | 163) => "Capture on the wired side of the access point.",
        Unread::Link(_) => "Capture on an Ethernet interface, or with 'tcpdump -i any' on Linux.",
        Unread::EtherType(0x8847 | 0x8848) => {
            "Capture where the labels are gone, or cut them off: 'editcap -C 18 -L -T rawip IN OUT' for one label."
        }
        Unread::Udp(4789 | 8472) => {
            "Capture inside the tunnel (on the vxlan interface), or cut the outer headers off: \
             'editcap -C 50 -L IN OUT' where these are Ethernet, IPv4 and UDP."
        }
        Unread::Udp(_) | Unread::Gre(_) | Unread::Protocol(_) => {
            "Capture inside the tunnel, on the interface where it ends."
        }
        _ => "Capture where packets do not have this header.",
    }
}
