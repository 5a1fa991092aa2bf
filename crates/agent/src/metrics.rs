//! Numbers of a station for Prometheus.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::StationState;

/// The format of Prometheus that others call OpenMetrics.
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// How long a client may take to ask and to read.
const PATIENCE: Duration = Duration::from_secs(5);
/// A longer request is none.
const LONGEST: u64 = 16 << 10;

/// All numbers as text.
#[must_use]
pub fn text(state: &StationState) -> String {
    let mut registry = Registry::with_prefix("cutshort_agent");
    of_packets(&mut registry, state);
    of_segments(&mut registry, state);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &registry);
    text
}

fn of_packets(registry: &mut Registry, state: &StationState) {
    let StationState { live, recorder, .. } = state;
    let mut count = |name: &str, help: &str, value: u64| counter(registry, name, help, value);
    count("packets_taken", "Packets of chosen connections that were received", live.packets);
    count("packets_left", "Packets of other connections (packet sockets only)", live.left);
    count("packets_capped", "Packets of chosen connections beyond the limit", live.capped);
    count("packets_lost", "Packets that the kernel had and for which there was no room", live.lost);
    count(
        "connections_left_out",
        "Connections that were chosen, but not recorded, as no more could be remembered (at least so many)",
        live.left_out.connections,
    );
    let help = "Packets that 'cutshort rules --origin' logged, which are left out";
    count("packets_of_origin_rules", help, live.origin);
    count("packets_refused", "What is no TCP packet", live.refused.iter().sum());
    count("messages_malformed", "Messages of the kernel that could not be read", live.malformed);
    count("packets_written", "Packets written to segments", recorder.packets);
    count("packets_unwritten", "Packets that could not be written, as on a full disk", recorder.unwritten);
    count("packets_unfit", "Packets that no segment may hold", recorder.unfit);
    let times = [
        ("latest_packet_timestamp_seconds", "Time of the latest packet", recorder.latest),
        ("covered_timestamp_seconds", "Until when all packets are received", recorder.covered_to),
    ];
    for (name, help, time) in times {
        gauge(registry, name, help, seconds(time));
    }
    gauge(registry, "disk_full", "Whether packets cannot be written for want of room", flag(recorder.full));
}

fn of_segments(registry: &mut Registry, state: &StationState) {
    let StationState { spool, courier, .. } = state;
    gauge(registry, "spool_segments", "Segments that wait to be delivered", spool.segments as f64);
    gauge(registry, "spool_packets", "Packets in them", spool.packets as f64);
    gauge(registry, "spool_bytes", "Their bytes", spool.bytes as f64);
    let counts = spool.counts;
    let outcomes = [
        ("delivered", "that were acknowledged", counts.delivered),
        ("dropped", "that were dropped from a full spool", counts.dropped),
        ("refused", "that the collector refused for good", counts.refused),
    ];
    for (name, what, (segments, packets)) in outcomes {
        let help = format!("Segments {what}, over all runs");
        counter(registry, &format!("segments_{name}"), &help, segments);
        counter(
            registry,
            &format!("segment_packets_{name}"),
            &format!("Packets of segments {what}"),
            packets,
        );
    }
    counter(registry, "delivery_failures", "Deliveries that have failed", courier.failures);
    gauge(registry, "delivery_blocked", "Whether somebody has to mend something", flag(courier.blocked));
    let last = seconds(courier.acknowledged);
    gauge(registry, "acknowledged_timestamp_seconds", "When a segment was acknowledged last", last);
}

fn counter(registry: &mut Registry, name: &str, help: &str, value: u64) {
    registry.register(name, help, ConstCounter::new(value));
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: f64) {
    registry.register(name, help, ConstGauge::new(value));
}

/// What has not happened yet was at 0, as is usual there.
fn seconds(time: Option<i64>) -> f64 {
    time.unwrap_or(0) as f64 / 1e9
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

/// Answers whoever asks for `/metrics`, one after the other, as long as the program lives.
pub fn serve(listener: &TcpListener, text: impl Fn() -> String) {
    for stream in listener.incoming() {
        match stream {
            // That a client goes away is its own affair.
            Ok(stream) => drop(answer(&stream, &text)),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn answer(mut stream: &TcpStream, text: impl Fn() -> String) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.take(LONGEST)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let (status, body) = match request.split(' ').collect::<Vec<_>>()[..] {
        ["GET", "/metrics", _] => ("200 OK", text()),
        _ => ("404 Not Found", "only GET /metrics is answered\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {KIND}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_is_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut state = StationState::default();
            state.live.packets = 12;
            state.live.left_out.connections = 5;
            state.spool.counts.dropped = (1, 77);
            serve(&listener, || text(&state));
        });
        let ask = |request: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        assert!(ask("POST / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        let answer = ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        for line in [
            "cutshort_agent_packets_taken_total 12",
            "cutshort_agent_connections_left_out_total 5",
            "cutshort_agent_segment_packets_dropped_total 77",
            "cutshort_agent_disk_full 0.0",
            "# EOF",
        ] {
            assert!(answer.contains(&format!("{line}\n")), "{line}: {answer}");
        }
    }
}
