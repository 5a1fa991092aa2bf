//! Datagrams of QUIC connections, which are rows from here on: nothing longer is handed on.

use std::io;

use cutshort_packet::quic::{Datagram, Found, HashKey, Icmp, ServerPorts, Udp};
use cutshort_packet::{Frame, LinkType, Refusal};

use super::lottery::is_chosen_datagram;
use super::sampler::{Decision, Sampler};
use super::{LiveSettings, Open};
use crate::random;

/// Takes the datagrams of chosen connections.
pub(super) struct Datagrams {
    pub(super) rows: Vec<Datagram>,
    sampler: Sampler,
    /// Nobody needs it once the rows of a connection have their hashes, so it is kept nowhere.
    key: HashKey,
    opener: Option<Box<Open>>,
    settings: LiveSettings,
    seed: u32,
}

/// What became of a frame.
pub(super) enum Taken {
    /// It was a datagram, or an ICMP error of a connection in the sample; with its time.
    Datagram(Decision, i64),
    /// An ICMP error about connections that are not in the sample.
    OtherError,
}

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
impl Datagrams {
    pub(super) fn new(settings: &LiveSettings, seed: u32) -> io::Result<Self> {
        let keep = i64::try_from(settings.datagrams_keep.as_nanos()).unwrap_or(i64::MAX);
        Ok(Self {
            rows: Vec::new(),
            sampler: Sampler::of_datagrams(settings.datagrams, keep, settings.size),
            key: HashKey::new(random::bytes()?),
            opener: settings.opener.map(|opener| opener()),
            settings: settings.clone(),
            seed,
        })
    }

    /// Takes a frame if it belongs to a connection that is chosen here.
    pub(super) fn take(&mut self, link: LinkType, frame: Frame<'_>) -> Result<Taken, Refusal> {
        let rate = self.settings.rate.get();
        match Found::parse(link, frame, &ServerPorts::ANY)? {
            Found::Udp(udp) => {
                let (settings, seed) = (&self.settings, self.seed);
                let begins = |udp: &Udp<'_>| {
                    udp.may_begin()
                        && is_chosen_datagram(&udp.five_tuple, udp.ts, rate, seed)
                        && is_meant(udp, settings)
                };
                let decision = self.sampler.decide(&udp, begins);
                Ok(self.put(&udp, rate, decision))
            }
            Found::Icmp(rows) => Ok(self.take_error(&rows, rate)),
        }
    }

    /// Takes a frame of a connection that the kernel's rules have chosen, at the rate that they tell. Counting is theirs too;
    /// where it fails (rules that were loaded anew) it is done here.
    pub(super) fn take_sampled(
        &mut self,
        link: LinkType,
        frame: Frame<'_>,
        rate: Option<u32>,
    ) -> Result<Taken, Refusal> {
        let rate = rate.unwrap_or(self.settings.rate.get());
        match Found::parse(link, frame, &ServerPorts::ANY)? {
            Found::Udp(udp) => {
                let decision = self.sampler.decide(&udp, |_| true).by_rules();
                Ok(self.put(&udp, rate, decision))
            }
            Found::Icmp(rows) => Ok(self.take_error(&rows, rate)),
        }
    }

    /// Makes the row of a datagram that is taken.
    fn put(&mut self, udp: &Udp<'_>, sample_rate: u32, decision: Decision) -> Taken {
        if decision == Decision::Take {
            let mut row = Datagram { sample_rate, ..udp.row(&self.key) };
            if let Some(open) = &mut self.opener {
                open(udp, &mut row);
            }
            self.rows.push(row);
        }
        Taken::Datagram(decision, udp.ts)
    }

    /// Only clients' packets come here, so what an error quotes went to the client.
    fn take_error(&mut self, rows: &[Datagram], sample_rate: u32) -> Taken {
        let to_client = |row: &&Datagram| row.icmp != Some(Icmp::Server);
        let Some(row) = rows.iter().find(to_client) else { return Taken::OtherError };
        match self.sampler.decide_error(row) {
            Decision::Leave => Taken::OtherError,
            decision => {
                if decision == Decision::Take {
                    self.rows.push(Datagram { sample_rate, ..*row });
                }
                Taken::Datagram(decision, row.ts)
            }
        }
    }
}

/// Whether server port and client of a datagram are among those that are asked for.
fn is_meant(udp: &Udp<'_>, settings: &LiveSettings) -> bool {
    let client = udp.five_tuple.src();
    settings.quic_ports().contains(&udp.five_tuple.dst_port)
        && !settings.exclude.iter().any(|net| net.contains(&client))
}
