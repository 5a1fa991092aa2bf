//! Tells the log when sampling becomes incomplete, and when it is complete again: once each, as connections are left
//! out by the thousands.

use cutshort_capture::{LeftOut, LiveSource, Spell};
use cutshort_model::{date_time, grouped, until};

/// The spells that were logged so far.
#[derive(Debug, Default)]
pub(crate) struct LeftOutLog {
    /// A spell whose beginning was logged, but not its end.
    open: Option<Spell>,
    /// When the latest one that was told began.
    told: Option<i64>,
}

/// A change that must be logged.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Begun(Spell),
    Over(Spell),
}

impl LeftOutLog {
    /// Looks at what was left out until now, in nanoseconds since the Unix epoch.
    pub(crate) fn note(&mut self, source: &LiveSource, left_out: &LeftOut, now: i64) {
        self.news(left_out.latest, now).iter().for_each(|news| tell(source, news));
    }

    /// Tells of the end of what has not ended when receiving does.
    pub(crate) fn finish(&mut self, source: &LiveSource) {
        if let Some(spell) = self.open.take() {
            tell(source, &News::Over(spell));
        }
    }

    fn news(&mut self, latest: Option<Spell>, now: i64) -> Vec<News> {
        let Some(latest) = latest else { return Vec::new() };
        let mut news = Vec::new();
        // Packets of several processors are a little out of order, so its beginning may move.
        if let Some(open) = self.open.as_mut().filter(|open| latest.from <= open.to) {
            *open = latest;
        } else if self.told != Some(latest.from) {
            news.extend(self.open.take().map(News::Over));
            self.open = Some(latest);
            news.push(News::Begun(latest));
        }
        self.told = Some(latest.from);
        if let Some(over) = self.open.take_if(|open| open.is_over(now)) {
            news.push(News::Over(over));
        }
        news
    }
}

fn tell(source: &LiveSource, news: &News) {
    match news {
        News::Begun(spell) => tracing::warn!(
            "sampling is incomplete since {} UTC: chosen connections are left out; {}",
            date_time(spell.from),
            LeftOut::help(source)
        ),
        News::Over(Spell { connections, from, to }) => tracing::warn!(
            "sampling was incomplete from {} to {} UTC: at least {} chosen connections were left out",
            date_time(*from),
            until(*from, *to),
            grouped(*connections)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn spell(connections: u64, from: i64, to: i64) -> Spell {
        Spell { connections, from: from * SECOND, to: to * SECOND }
    }

    #[test]
    fn beginning_and_end_are_told_once() {
        let mut log = LeftOutLog::default();
        let mut news = |latest, now: i64| log.news(latest, now * SECOND);
        assert_eq!(news(None, 90), []);
        assert_eq!(news(Some(spell(1, 100, 100)), 100), [News::Begun(spell(1, 100, 100))]);
        for second in 100_i64..200 {
            assert_eq!(news(Some(spell(second.unsigned_abs(), 100, second)), second), []);
        }
        let last = spell(199, 100, 199);
        assert_eq!(news(Some(last), 259), []);
        assert_eq!(news(Some(last), 260), [News::Over(last)]);
        assert_eq!(news(Some(last), 261), []);
        // The next one, and one after it whose predecessor's end was not seen.
        let (next, later) = (spell(5, 300, 301), spell(6, 400, 400));
        assert_eq!(news(Some(next), 301), [News::Begun(next)]);
        assert_eq!(news(Some(later), 400), [News::Over(next), News::Begun(later)]);
    }

    #[test]
    fn a_spell_that_was_over_when_it_was_seen_is_told_as_a_whole() {
        let past = spell(3, 100, 110);
        let news = LeftOutLog::default().news(Some(past), 500 * SECOND);
        assert_eq!(news, [News::Begun(past), News::Over(past)]);
    }
}
