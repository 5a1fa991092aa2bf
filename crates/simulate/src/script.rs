//! Plays one connection: writes its packets and notes what they mean.
use crate::client::{Client, any_id};
use crate::profile::{Ending, Reached, Resets, Scenario};
use crate::rng::Rng;
use crate::truth::{ScriptFacts, tag};
use crate::{PACKET_LIMIT, frame};
use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};

const MS: i64 = 1_000_000;
const SECOND: i64 = 1000 * MS;
const PSH_ACK: Flags = Flags::from_bits(Flags::PSH.bits() | Flags::ACK.bits());
const FIN_ACK: Flags = Flags::from_bits(Flags::FIN.bits() | Flags::ACK.bits());
const RST_ACK: Flags = Flags::from_bits(Flags::RST.bits() | Flags::ACK.bits());

/// A connection while it is played.
pub(crate) struct Script<'a> {
    rng: &'a mut Rng,
    packets: &'a mut Vec<Packet>,
    client: Client,
    /// What the next packet is made of: its time, sequence and acknowledgement number, …
    now: Packet,
    /// Sequence number of the SYN.
    isn: u32,
    hops: u8,
    rtt: i64,
    /// The latest data, for being sent again.
    data: Option<Packet>,
    facts: ScriptFacts,
}

impl<'a> Script<'a> {
    /// Writes the packets of a connection that starts at `ts` into `packets`, and returns what they
    /// mean.
    pub(crate) fn play(
        scenario: Scenario,
        client: Client,
        (ts, five_tuple): (i64, FiveTuple),
        rng: &'a mut Rng,
        packets: &'a mut Vec<Packet>,
    ) -> ScriptFacts {
        // Scanners that go on do so with an ordinary socket.
        let alone = matches!(scenario, Scenario::Run(Reached::Syn | Reached::SynData, _));
        let client = if client.is_raw() && !alone { Client::Linux } else { client };
        let mut script = Self::new(client, ts, five_tuple, rng, packets);
        match scenario {
            Scenario::Run(reached, ending) => script.run(reached, ending),
            Scenario::Tail => script.tail(),
            Scenario::TwoSyns => script.two_syns(),
        }
        script.facts
    }

    fn new(
        client: Client,
        ts: i64,
        five_tuple: FiveTuple,
        rng: &'a mut Rng,
        packets: &'a mut Vec<Packet>,
    ) -> Self {
        let isn = rng.next_u32();
        let hops = rng.between(4, 25) as u8;
        let v4 = five_tuple.is_ipv4();
        let now = Packet {
            ts,
            five_tuple,
            ip_id: if v4 { client.syn_id(&five_tuple, isn, rng) } else { 0 },
            ttl: client.syn_ttl() - hops,
            flags: Flags::SYN,
            seq: isn,
            ack: 0,
            tcp_window: client.syn_window(),
            options_len: client.syn_options(),
            payload_len: 0,
            sample_rate: 1,
            df: v4 && client.syn_df(),
            syn: SynOptions::NONE,
        };
        let rtt = rng.between(8, 230) as i64 * MS + rng.below(MS as u64) as i64;
        packets.clear();
        Self { rng, packets, client, now, isn, hops, rtt, data: None, facts: ScriptFacts::default() }
    }

    fn run(&mut self, reached: Reached, ending: Ending) {
        self.syn(reached, ending);
        match reached {
            Reached::Syn | Reached::SynData => {}
            Reached::Ack => self.handshake(),
            Reached::Idle => self.idle(),
            Reached::Banner => self.banner(),
            Reached::Request => self.request(),
            Reached::Pipelined => self.pipelined(),
            Reached::Answer => self.talk(ending, false),
            Reached::More => self.talk(ending, true),
        }
        self.end(reached, ending);
    }

    fn end(&mut self, reached: Reached, ending: Ending) {
        match ending {
            Ending::Silence if self.data.is_some() && !self.facts.answered => self.insist(),
            Ending::Silence => {}
            Ending::Fin => self.fin(reached),
            Ending::Abort(resets) => self.abort(resets),
            Ending::Forged(resets) => self.forged(resets),
            Ending::FinAbort(resets) => {
                self.close();
                self.abort(resets);
            }
        }
    }

    fn wait(&mut self, ns: i64) {
        self.now.ts += ns;
    }

    fn wait_up_to(&mut self, ns: i64) {
        let ns = self.rng.below(ns as u64) as i64;
        self.wait(ns);
    }

    /// Between `from` and `to` milliseconds, to the nanosecond.
    fn wait_ms(&mut self, from: i64, to: i64) {
        self.wait(from * MS);
        self.wait_up_to((to - from) * MS);
    }

    /// Whether the packet just written is among those that capturing takes.
    fn seen(&self) -> bool {
        self.own_packets() <= PACKET_LIMIT
    }

    /// How many packets were written, without an attempt before.
    fn own_packets(&self) -> usize {
        self.packets.len() - usize::from(self.facts.after_attempt)
    }

    fn push(&mut self, flags: Flags, payload_len: u32) -> bool {
        self.now.flags = flags;
        self.now.payload_len = payload_len;
        self.now.syn = frame::syn_options(&self.now);
        self.packets.push(self.now);
        self.facts.packets += u8::from(self.seen());
        // A host that leaves the id 0 always does.
        if self.now.ip_id != 0 {
            self.now.ip_id = self.now.ip_id.wrapping_add(1).max(1);
        }
        self.seen()
    }

    fn syn(&mut self, reached: Reached, ending: Ending) {
        self.facts.zmap = self.client == Client::Zmap && self.now.five_tuple.is_ipv4();
        self.facts.syn_payload = reached == Reached::SynData;
        let payload = if self.facts.syn_payload { self.rng.between(60, 300) as u32 } else { 0 };
        self.push(Flags::SYN, payload);
        self.facts.syn_tags = self.packets.last().map_or(0, syn_tags);
        let lost = reached == Reached::Syn && ending == Ending::Silence;
        let repeats = match lost {
            _ if self.client.is_raw() => 0,
            true => self.rng.below(7),
            false => u64::from(self.rng.permille(12)),
        };
        for nth in 0..repeats {
            self.wait(SECOND << nth);
            self.wait_up_to(9 * MS);
            self.facts.syn_repeats += u8::from(self.push(Flags::SYN, 0));
        }
        self.now.seq = self.isn.wrapping_add(1 + payload);
        // The server's number stays clear of 0 and of wrapping: both have a meaning in RSTs.
        self.now.ack = self.rng.between(1, 1 << 31) as u32;
    }

    /// Later packets of the same host; a raw socket's are the kernel's, which knows no connection.
    fn established(&mut self) {
        self.now.ttl = self.client.ttl() - self.hops;
        self.now.tcp_window = self.client.window();
        self.now.options_len = self.client.options();
        self.now.df = self.now.five_tuple.is_ipv4();
    }

    fn handshake(&mut self) {
        self.established();
        self.wait(self.rtt);
        self.push(Flags::ACK, 0);
        self.facts.handshake = true;
        self.facts.acks += 1;
    }

    /// Keep-alives: the byte before the next one, or nothing in its place.
    fn idle(&mut self) {
        self.handshake();
        let payload = self.rng.below(2) as u32;
        self.now.seq = self.isn;
        for _ in 0..self.rng.between(1, 3) {
            self.wait_ms(10_000, 45_000);
            self.push(Flags::ACK, payload);
        }
        self.now.seq = self.isn.wrapping_add(1);
        self.facts.acks += 1;
    }

    fn banner(&mut self) {
        self.now.five_tuple.dst_port = if self.rng.below(2) == 0 { 22 } else { 25 };
        // The SYN has been written already, to another port.
        for packet in self.packets.iter_mut() {
            packet.five_tuple = self.now.five_tuple;
        }
        self.handshake();
        self.answer();
    }

    /// The first message: one segment, or two where it does not fit.
    fn request(&mut self) {
        self.handshake();
        self.wait_ms(1, 4);
        if self.now.five_tuple.dst_port != 80 && self.rng.permille(350) {
            self.send(Flags::ACK, 1400);
            self.wait(20_000);
        }
        let length = self.rng.between(180, 620) as u32;
        self.send(PSH_ACK, length);
        self.facts.request = true;
    }

    fn send(&mut self, flags: Flags, length: u32) -> bool {
        self.data = Some(self.now);
        let seen = self.push(flags, length);
        self.data = self.packets.last().copied();
        self.now.seq = self.now.seq.wrapping_add(length);
        seen
    }

    fn pipelined(&mut self) {
        self.request();
        self.more();
    }

    fn more(&mut self) {
        self.wait_ms(2, 400);
        let length = self.rng.between(40, 900) as u32;
        self.facts.more |= self.send(PSH_ACK, length);
    }

    /// The client acknowledges something new.
    fn answer(&mut self) {
        self.wait(self.rtt / 3);
        self.wait_up_to(30 * MS);
        self.now.ack += self.rng.between(300, 2800) as u32;
        if self.push(Flags::ACK, 0) {
            self.facts.answered = true;
            self.facts.acks += 1;
        }
    }

    /// Request and answer, and more of both; as long as `ending` leaves room within the packets that
    /// are taken, or well beyond them: never such that half of an ending is seen.
    fn talk(&mut self, ending: Ending, more: bool) {
        self.request();
        self.wait(self.rtt);
        self.answer();
        if more {
            self.more();
        }
        let length = self.length(ending);
        while self.own_packets() < length {
            match self.rng.below(10) {
                0..3 if more => self.more(),
                3 => _ = self.push(Flags::ACK, 0),
                _ => self.answer(),
            }
        }
    }

    /// How many packets a talk has before its end.
    fn length(&mut self, ending: Ending) -> usize {
        let room = PACKET_LIMIT - if matches!(ending, Ending::FinAbort(_)) { 4 } else { 3 };
        match ending {
            Ending::Silence | Ending::Fin if self.rng.permille(650) => self.rng.between(4, 8) as usize,
            Ending::Silence | Ending::Fin => self.rng.between(8, 18) as usize,
            _ if self.rng.permille(60) => self.rng.between(10, 16) as usize,
            _ => self.rng.between(4, room as u64) as usize,
        }
    }

    /// The latest data again and again, ever slower.
    fn insist(&mut self) {
        let Some(data) = self.data else { return };
        self.now.seq = data.seq;
        for nth in 0..self.rng.between(1, 7) {
            self.wait((300 * MS) << nth);
            self.wait_up_to(20 * MS);
            self.facts.data_repeats += u8::from(self.push(data.flags, data.payload_len));
        }
    }

    fn fin(&mut self, reached: Reached) {
        self.wait_ms(5, 6000);
        self.close();
        if reached != Reached::Ack || self.rng.below(2) == 0 {
            self.wait(self.rtt);
            self.now.ack += 1;
            // The server's own FIN is something new to acknowledge.
            self.facts.answered |= self.push(Flags::ACK, 0);
        }
    }

    fn close(&mut self) {
        self.wait_ms(1, 300);
        self.facts.fin |= self.push(FIN_ACK, 0);
        self.now.seq = self.now.seq.wrapping_add(1);
    }

    /// RSTs of the client itself.
    fn abort(&mut self, resets: Resets) {
        self.established();
        if self.client.is_raw() {
            // The kernel's RST for a connection that it does not know.
            self.now.ip_id = 0;
            self.now.ack = if resets == Resets::One { 0 } else { self.now.ack };
        }
        self.wait(self.rtt);
        self.wait_ms(0, if self.client.is_raw() { 1 } else { 4000 });
        self.resets(resets);
    }

    /// RSTs from elsewhere: sooner, and of another host's TTL and id.
    fn forged(&mut self, resets: Resets) {
        let syn = self.packets[0];
        let start = if syn.ttl > 64 { 64 } else { 128 };
        self.now.ttl = start - self.rng.between(3, 12) as u8;
        if syn.five_tuple.is_ipv4() {
            self.now.ip_id = syn.ip_id.wrapping_add(self.rng.between(5000, 60_000) as u16).max(1);
        }
        self.wait(self.rtt / 3);
        self.wait_ms(0, 2);
        self.resets(resets);
    }

    fn resets(&mut self, resets: Resets) {
        self.now.tcp_window = 0;
        self.now.options_len = 0;
        let visible = self.own_packets() < PACKET_LIMIT;
        let ack = self.now.ack;
        let n = self.rng.between(2, 3) as u32;
        let either = if n == 2 { 0 } else { ack };
        match resets {
            Resets::One => self.rst(Flags::RST, either),
            Resets::OneAck => self.rst(RST_ACK, ack),
            Resets::Same => (0..n).for_each(|_| self.rst(Flags::RST, ack)),
            Resets::Same0 => (0..n).for_each(|_| self.rst(Flags::RST, 0)),
            Resets::Diff => (0..n).for_each(|nth| self.rst(Flags::RST, ack + nth * 1460)),
            Resets::Diff0 => (0..2).for_each(|nth| self.rst(Flags::RST, ack * (1 - nth))),
            Resets::ManyAck => (0..n).for_each(|_| self.rst(RST_ACK, ack)),
            Resets::Mixed => [Flags::RST, RST_ACK].into_iter().for_each(|flags| self.rst(flags, ack)),
        }
        self.facts.resets = visible.then_some(resets);
    }

    fn rst(&mut self, flags: Flags, ack: u32) {
        self.now.ack = ack;
        let differs = self.packets.first().is_some_and(|syn| syn.ttl.abs_diff(self.now.ttl) >= 3);
        self.facts.rst_ttl_differs |= self.push(flags, 0) && differs;
        self.wait(20_000);
        self.wait_up_to(300_000);
    }

    /// The rest of a connection whose start was not captured, or an answer to a packet with a spoofed source address.
    fn tail(&mut self) {
        self.facts.no_syn = true;
        self.established();
        self.now.ip_id = if self.now.five_tuple.is_ipv4() { any_id(self.rng) } else { 0 };
        self.now.ack = self.rng.between(1, 1 << 31) as u32;
        match self.rng.below(4) {
            0 => _ = self.push(Flags::SYN | Flags::ACK, 0),
            1 => self.resets(Resets::One),
            2 => self.resets(Resets::OneAck),
            _ => {
                self.push(Flags::ACK, 0);
                self.close();
            }
        }
        // None of it means anything without a SYN.
        self.facts = ScriptFacts { no_syn: true, packets: self.facts.packets, ..ScriptFacts::default() };
    }

    /// A host that starts anew on the same ports before the first attempt was answered.
    fn two_syns(&mut self) {
        self.push(Flags::SYN, 0);
        self.wait_ms(900, 3000);
        self.isn = self.isn.wrapping_add(self.rng.between(1, u64::from(u32::MAX)) as u32);
        self.now.seq = self.isn;
        self.facts = ScriptFacts { after_attempt: true, ..ScriptFacts::default() };
        self.run(Reached::Answer, Ending::Fin);
    }
}

/// The tags of a SYN packet that depend on nothing else.
fn syn_tags(syn: &Packet) -> u32 {
    let is_ipv4 = syn.five_tuple.is_ipv4();
    let [.., a, b, c, d] = syn.five_tuple.dst_ip.octets();
    let server = u32::from_be_bytes([a, b, c, d]);
    let masscan = server as u16 ^ syn.five_tuple.dst_port ^ syn.seq as u16;
    let is_full = syn.tcp_window == 65535;
    // Only ZMap sends without "don't fragment", and its options are those of Windows.
    let zmap4 = is_full && !syn.df && syn.options_len == 12;
    [
        (tag::ZMAP4, is_ipv4 && zmap4),
        (tag::MASSCAN, is_ipv4 && !is_full && syn.ip_id == masscan),
        (tag::MIRAI, is_ipv4 && syn.seq == server),
        (tag::NO_SYN_OPTIONS, syn.options_len == 0),
        (tag::HIGH_TTL, syn.ttl > 200),
    ]
    .iter()
    .map(|(tag, holds)| if *holds { *tag } else { 0 })
    .sum()
}
