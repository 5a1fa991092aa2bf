//! Events in words. They say what was seen, never who did it, or why.

use cutshort_detect::{Channel, Event, SeriesPlace};
use cutshort_geo::{Country, Geo};
use cutshort_verdict::{DataSet, Stage};

/// What an event is, in a sentence without its time: `Iraq: 91 % fewer connections than usual`.
#[must_use]
pub fn sentence(event: &Event, data_set: DataSet, geo: &Geo) -> String {
    let place = place_name(&event.place, geo);
    let is_server = matches!(event.place, SeriesPlace::Server(_));
    let of_origin = if data_set == DataSet::Origin && !is_server { " to servers there" } else { "" };
    let percent = (100.0 * event.size).round();
    match (event.channel, &event.place) {
        (Channel::Traffic, _) => format!("{place}: {percent} % fewer connections{of_origin} than usual"),
        (Channel::Observer, SeriesPlace::Node(_)) if percent >= 100.0 => {
            format!("Server {place}: no packets were collected")
        }
        (Channel::Observer, SeriesPlace::Node(_)) => {
            format!("Server {place}: {percent} % of the connections expected there were not collected")
        }
        (Channel::Observer, _) => {
            format!("All places at once: {percent} % fewer connections than usual, probably not collected")
        }
        (Channel::Flood, _) => {
            format!(
                "{place}: flood of single SYNs, {:.1} points of all connections above usual",
                100.0 * event.size
            )
        }
        (Channel::Scan, _) => format!(
            "{place}: scan: share of single SYNs {:.1} points above usual, hardly any handshake completed",
            100.0 * event.size
        ),
        (Channel::Reflection, _) => format!(
            "{place}: single SYNs that it rejects with RSTs {:.1} points above usual, reflected or of an unknown scanner",
            100.0 * event.size
        ),
        (channel, _) => {
            let points = 100.0 * event.size;
            let stage = stage_title(channel);
            format!(
                "{place}: share of connections{of_origin} cut short at {stage} {points:.1} points above usual"
            )
        }
    }
}

/// The name of a place: of a country or network as far as it is known.
#[must_use]
pub fn place_name(place: &SeriesPlace, geo: &Geo) -> String {
    match place {
        SeriesPlace::World => "World".to_owned(),
        SeriesPlace::Country(code) => country(*code)
            .map_or_else(|| String::from_utf8_lossy(code).into_owned(), |country| country.name().to_owned()),
        SeriesPlace::Network(number) => match geo.as_name(*number) {
            Some(name) => format!("AS{number} ({name})"),
            None => format!("AS{number}"),
        },
        SeriesPlace::Server(name) => format!("Upstream {name}"),
        SeriesPlace::Node(name) => name.clone(),
    }
}

/// The country with a code.
#[must_use]
pub fn country(code: [u8; 2]) -> Option<Country> {
    Country::from_alpha2(std::str::from_utf8(&code).ok()?)
}

/// What a channel counts, for people.
#[must_use]
pub const fn stage_title(channel: Channel) -> &'static str {
    match channel {
        Channel::Traffic => "Connections",
        Channel::PostSyn => Stage::PostSyn.title(),
        Channel::PostAck => Stage::PostAck.title(),
        Channel::PostPsh => Stage::PostPsh.title(),
        Channel::Later => Stage::Later.title(),
        Channel::Flood => "Flood",
        Channel::Scan => "Scan",
        Channel::Reflection => "Reflection",
        Channel::Observer => "Not collected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(place: SeriesPlace, channel: Channel, size: f64) -> Event {
        Event { size, ..Event::new(place, channel, 1) }
    }

    #[test]
    fn sentences_say_where_and_how_much() {
        let geo = Geo::builtin();
        let iraq = SeriesPlace::Country(*b"IQ");
        let tell = |place: SeriesPlace, channel, size, set| sentence(&event(place, channel, size), set, &geo);
        let tcp = DataSet::Tcp;
        assert_eq!(
            tell(iraq.clone(), Channel::Traffic, 0.914, tcp),
            "Iraq: 91 % fewer connections than usual"
        );
        assert_eq!(
            tell(iraq.clone(), Channel::PostAck, 0.1523, tcp),
            "Iraq: share of connections cut short at Post-ACK 15.2 points above usual"
        );
        assert_eq!(
            tell(iraq, Channel::Traffic, 0.5, DataSet::Origin),
            "Iraq: 50 % fewer connections to servers there than usual"
        );
        let server = SeriesPlace::Server("api".to_owned());
        assert_eq!(
            tell(server, Channel::Traffic, 0.95, DataSet::Origin),
            "Upstream api: 95 % fewer connections than usual"
        );
        let node = SeriesPlace::Node("edge1".to_owned());
        assert_eq!(
            tell(node.clone(), Channel::Observer, 1.0, tcp),
            "Server edge1: no packets were collected"
        );
        assert_eq!(
            tell(node, Channel::Observer, 0.42, tcp),
            "Server edge1: 42 % of the connections expected there were not collected"
        );
        assert!(
            tell(SeriesPlace::World, Channel::Observer, 0.3, tcp).starts_with("All places at once: 30 %")
        );
        assert_eq!(
            tell(SeriesPlace::World, Channel::Flood, 0.463, tcp),
            "World: flood of single SYNs, 46.3 points of all connections above usual"
        );
        assert!(tell(SeriesPlace::Country(*b"IS"), Channel::Scan, 0.8, tcp).starts_with("Iceland: scan: "));
        assert!(
            tell(SeriesPlace::Country(*b"IS"), Channel::Reflection, 0.8, tcp).contains("rejects with RSTs")
        );
        assert!(tell(SeriesPlace::Network(13335), Channel::Traffic, 0.6, tcp).starts_with("AS13335 ("));
    }
}
