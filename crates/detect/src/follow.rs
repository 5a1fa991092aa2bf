use crate::event::EventState;
use crate::{Channel, Detector, SeriesPlace, SeriesStatus};

/// Which networks follow an event of their country.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followers {
    /// Networks in which the same is seen: their own event is open, or there is evidence for one.
    pub following: Vec<SeriesPlace>,
    /// Networks in which it would have been seen by now, and is not.
    pub exempt: Vec<SeriesPlace>,
}

impl Detector {
    /// Tells which networks of a country follow its open event in a channel, in the order of their numbers; `None` if there
    /// is no such event. Networks that are too small to tell are in neither list: a network is exempt if there is no evidence at
    /// all, and half of the time since the onset had been enough to notice.
    #[must_use]
    pub fn followers(&self, country: [u8; 2], channel: Channel) -> Option<Followers> {
        let place = SeriesPlace::Country(country);
        let event = self.live.values().map(|live| &live.event).find(|event| {
            event.place == place && event.channel == channel && event.state == EventState::Open
        })?;
        let lasted = self.next? - event.onset;
        let channel = channel.watched()?;
        let position_of_channel = channel.position()?;
        let mut followers = Followers::default();
        for (place, &position) in &self.index {
            let watched = &self.places[position];
            if !matches!(place, SeriesPlace::Network(_)) || watched.country != Some(country) {
                continue;
            }
            let series = &watched.series[position_of_channel];
            if series.open.is_some() || series.evidence() > 0.0 {
                followers.following.push(place.clone());
            } else if let SeriesStatus::Watched { windows } = self.status(place, channel)
                && i64::from(windows) * 2 <= lasted
            {
                followers.exempt.push(place.clone());
            }
        }
        Some(followers)
    }
}
