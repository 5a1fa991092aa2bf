//! What kind of event a rise of single SYNs is: of a place, or a flood, a scan or a reflection. It is told from the counts of the window
//! with which the event opens.

use crate::watched::Now;
use crate::{Channel, SeriesPlace};

/// The part of a place's connections that may have completed their handshake, at most, if it only scans or floods.
const MOST_COMPLETED: f64 = 0.2;
/// Of single SYNs that look reflected, at least so many end with a RST and go to one port, and fewer have marks of scanners.
const REFLECTED: f64 = 0.8;
const SCANNERS: f64 = 0.1;

impl Now {
    /// The kind of an event that opens in the share of Post-SYN. `is_common` says that the share rose in most networks.
    pub(crate) fn kind_of_rise(&self, place: &SeriesPlace, is_common: bool) -> Channel {
        let (Some(single), syns) = (self.single, self.syns()) else { return Channel::PostSyn };
        let has_handshakes = self.completed() > MOST_COMPLETED * self.all();
        if *place == SeriesPlace::World {
            return if is_common || !has_handshakes { Channel::Flood } else { Channel::PostSyn };
        }
        if has_handshakes || syns <= 0.0 {
            return Channel::PostSyn;
        }
        let is_reflected = single.reset >= REFLECTED * syns
            && single.port >= REFLECTED * syns
            && single.scanner < SCANNERS * syns;
        if is_reflected { Channel::Reflection } else { Channel::Scan }
    }
}
