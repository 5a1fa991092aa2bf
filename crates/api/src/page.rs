//! Addresses of the dashboard.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use cutshort_detect::EventId;
use cutshort_model::{Window, rfc3339};
use cutshort_verdict::DataSet;

/// The address of the dashboard on a server that listens there, with a query of its own.
#[must_use]
pub fn address(listen: SocketAddr, query: &str) -> String {
    let host = match listen.ip() {
        ip if ip.is_unspecified() => "localhost".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        IpAddr::V4(ip) => ip.to_string(),
    };
    format!("http://{host}:{}/{query}", listen.port())
}

/// The query that shows a data set in the windows that contain a part of a range of time.
#[must_use]
pub fn between(data_set: DataSet, times: &Range<i64>) -> String {
    let minute = |time: i64| rfc3339(time).replace(":00Z", "Z");
    let (from, to) = (Window::containing(times.start).start(), Window::containing(times.end).end());
    format!("?{}from={}&to={}", data(data_set), minute(from), minute(to))
}

/// The query that shows an event by itself.
#[must_use]
pub fn of_event(id: EventId, data_set: DataSet) -> String {
    format!("?{}view=events&event={id}", data(data_set))
}

/// The part of a query that selects a data set.
fn data(data_set: DataSet) -> String {
    match data_set {
        DataSet::Tcp => String::new(),
        other => format!("data={other}&"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_can_be_opened() {
        let of = |listen: &str| address(listen.parse().unwrap(), "?range=4w");
        assert_eq!(of("127.0.0.1:8080"), "http://127.0.0.1:8080/?range=4w");
        assert_eq!(of("[::1]:80"), "http://[::1]:80/?range=4w");
        assert_eq!([of("0.0.0.0:1"), of("[::]:1")], ["http://localhost:1/?range=4w"; 2]);
        let hour = 1_000_000_000_i64 * 3600;
        let times = 20_000 * 24 * hour + 1..20_000 * 24 * hour + hour;
        let of = |data_set| between(data_set, &times);
        assert_eq!(of(DataSet::Tcp), "?from=2024-10-04T00:00Z&to=2024-10-04T01:15Z");
        assert_eq!(of_event(EventId(255), DataSet::Tcp), "?view=events&event=00000000000000ff");
        assert_eq!(of_event(EventId(1), DataSet::Origin), "?data=origin&view=events&event=0000000000000001");
        assert_eq!(of(DataSet::Quic), "?data=quic&from=2024-10-04T00:00Z&to=2024-10-04T01:15Z");
    }
}
