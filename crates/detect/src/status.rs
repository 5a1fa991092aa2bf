use crate::config::WEEK;
use crate::series::{Measured, connections, share};
use crate::{Channel, Detector, SeriesPlace};

/// Whether an event in a channel of a place would be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesStatus {
    /// It is not watched: nothing has come from it, or too many other places are watched.
    Unknown,
    /// It is too new, or too little of its past is known, to say what is usual.
    Learning,
    /// It has too few connections: even the loss of all of them would not be noticed within a day.
    TooFew,
    /// It is watched.
    Watched {
        /// After how many windows the loss of all its connections, or a rise that is just large enough, would be noticed, at
        /// what is usual at this time.
        windows: u32,
    },
}

impl Detector {
    /// Whether an event in this channel of this place would be noticed, and how soon.
    #[must_use]
    pub fn status(&self, place: &SeriesPlace, channel: Channel) -> SeriesStatus {
        let (Some(&position), Some(next)) = (self.index.get(place), self.next) else {
            return SeriesStatus::Unknown;
        };
        let Some(index) = channel.position() else { return SeriesStatus::Unknown };
        let watched = &self.places[position];
        let series = &watched.series[index];
        let expected = series.expected(index, next - 1).filter(|_| next - watched.since > WEEK);
        let Some((usual, _)) = expected else { return SeriesStatus::Learning };
        let unit = if watched.weight > 0.0 { watched.squares / watched.weight } else { 1.0 };
        let completed =
            watched.series[0].expected(0, next - 1).map_or(0.0, |(usual, _)| connections(usual, unit));
        let reading = match index {
            0 => Measured::Traffic { seen: 0.0, usual: completed, least: completed },
            _ => {
                let usual = share(usual);
                Measured::Share { seen: 0.0, of: completed, usual, most: usual }
            }
        };
        series
            .windows_to_notice(reading, self.threshold())
            .map_or(SeriesStatus::TooFew, |windows| SeriesStatus::Watched { windows })
    }
}
