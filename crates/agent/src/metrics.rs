//! Metrics of a station for Prometheus.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use cutshort_metrics::{Exposition, Format};

use crate::station::StationState;

/// How long a client may take to send its request, and then to read the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many clients are answered side by side, so that a slow one does not delay scrapes.
const CLIENTS: usize = 4;
/// A longer request is none.
const LONGEST: u64 = 16 << 10;

/// Writes all metrics of a station as text.
#[must_use]
pub fn text(state: &StationState, format: Format) -> String {
    let mut exposition = Exposition::new(format, "cutshort_agent");
    of_packets(&mut exposition, state);
    of_segments(&mut exposition, state);
    exposition.finish()
}

fn of_packets(exposition: &mut Exposition, state: &StationState) {
    let StationState { live, recorder, .. } = state;
    let mut count = |name: &str, help: &str, value: u64| exposition.counter(name, help, value);
    let help = "Packets of chosen connections that were received, of all data sets";
    count("packets_taken", help, live.taken());
    let help = "Packets of connections that were not chosen (packet sockets only)";
    count("packets_not_chosen", help, live.left);
    // The former name, for one release.
    count("packets_left", help, live.left);
    count("packets_capped", "Packets of chosen connections beyond the packet limit", live.capped);
    count("packets_lost", "Packets that the kernel dropped because the receive buffer was full", live.lost);
    count(
        "connections_left_out",
        "Chosen connections that were left out because no more could be remembered (at least so many)",
        live.left_out.connections,
    );
    let help = "Packets of chosen connections that this host opens, which are among those taken";
    count("packets_of_opened_connections", help, live.opened);
    // The former name, for one release.
    count("packets_of_origin_rules", help, live.opened);
    let help =
        "Datagrams of chosen QUIC connections, and ICMP errors about these, which are among those taken";
    count("datagrams_of_quic_connections", help, live.datagrams);
    let help = "ICMP errors that belong to no chosen connection";
    count("errors_not_chosen", help, live.other_errors);
    let help = "Records received that are not packets of their data set";
    count("packets_refused", help, live.refused.iter().sum());
    count("messages_malformed", "Messages of the kernel that could not be read", live.malformed);
    count("packets_written", "Packets written to segments", recorder.packets);
    count(
        "packets_unwritten",
        "Packets that could not be written, for example to a full disk",
        recorder.unwritten,
    );
    count("packets_unfit", "Packets that no segment may hold", recorder.unfit);
    let times = [
        ("latest_packet_timestamp_seconds", "Time of the latest packet", recorder.latest),
        ("covered_timestamp_seconds", "Time up to which all packets have been received", recorder.covered_to),
    ];
    for (name, help, time) in times {
        exposition.gauge(name, help, seconds(time));
    }
    let help = "1 while packets cannot be written because the disk is full, else 0";
    exposition.gauge("disk_full", help, flag(recorder.full));
}

fn of_segments(exposition: &mut Exposition, state: &StationState) {
    let StationState { spool, uploader, .. } = state;
    exposition.gauge(
        "spool_segments",
        "Segments waiting in the spool to be delivered",
        spool.segments as f64,
    );
    exposition.gauge("spool_packets", "Packets waiting in the spool to be delivered", spool.packets as f64);
    exposition.gauge(
        "spool_bytes",
        "Size of the segments waiting in the spool, in bytes",
        spool.bytes as f64,
    );
    let counts = spool.counts;
    let outcomes = [
        ("delivered", "that the collector acknowledged", counts.delivered),
        ("dropped", "dropped from a full spool", counts.dropped),
        ("refused", "that the collector refused for good", counts.refused),
    ];
    for (name, what, (segments, packets)) in outcomes {
        let help = format!("Segments {what}, over all runs of the agent");
        exposition.counter(&format!("segments_{name}"), &help, segments);
        let help = format!("Packets in segments {what}, over all runs of the agent");
        exposition.counter(&format!("segment_packets_{name}"), &help, packets);
    }
    exposition.counter("delivery_failures", "Failed attempts to deliver a segment", uploader.failures);
    let help =
        "1 while delivery cannot succeed before somebody corrects the token, certificate or address, else 0";
    exposition.gauge("delivery_blocked", help, flag(uploader.blocked));
    let help = "Time of the latest acknowledgement of a segment, 0 before the first one";
    exposition.gauge("acknowledged_timestamp_seconds", help, seconds(uploader.acknowledged));
}

/// What has not happened yet was at 0, as is usual there.
fn seconds(time: Option<i64>) -> f64 {
    time.unwrap_or(0) as f64 / 1e9
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

/// Answers requests for `/metrics`, of a few clients side by side, as long as the program lives.
pub fn serve(listener: &TcpListener, text: impl Fn(Format) -> String + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| serve_in_turn(listener, &text));
        }
    });
}

fn serve_in_turn(listener: &TcpListener, text: impl Fn(Format) -> String) {
    for stream in listener.incoming() {
        match stream {
            // A client that goes away needs no answer.
            Ok(stream) => drop(answer(&stream, &text)),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// A stream that is read until a time. A timeout of the socket alone begins anew with each byte.
struct Until<'a> {
    stream: &'a TcpStream,
    end: Instant,
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

fn answer(mut stream: &TcpStream, text: impl Fn(Format) -> String) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = Until { stream, end: Instant::now() + PATIENCE };
    let mut lines = BufReader::new(request.take(LONGEST)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let format = format(lines)?;
    let (status, kind, body) = match request.split(' ').collect::<Vec<_>>()[..] {
        ["GET", "/metrics", _] => ("200 OK", format.content_type(), text(format)),
        _ => ("404 Not Found", "text/plain", "only GET /metrics is answered\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// Reads the headers of a request, and the format from those named `Accept`.
fn format(lines: impl Iterator<Item = io::Result<String>>) -> io::Result<Format> {
    let mut accept = Vec::new();
    for line in lines {
        let line = line?;
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("accept") => accept.push(value.to_owned()),
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    Ok(Format::accepted(accept.iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_clients_delay_nobody_and_are_left() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || serve(&listener, |_| "a 1\n".to_owned()));
        let slow: Vec<TcpStream> = (1..CLIENTS).map(|_| TcpStream::connect(address).unwrap()).collect();
        for mut stream in &slow {
            stream.write_all(b"GET /met").unwrap();
        }
        let begin = Instant::now();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("a 1\n"), "{answer}");
        assert!(begin.elapsed() < PATIENCE);
        // One that sends a byte now and then is left, too.
        let mut drip = &slow[0];
        let is_over = |begin: Instant| begin.elapsed() > PATIENCE + Duration::from_secs(10);
        while drip.write_all(b"r").is_ok() {
            assert!(!is_over(begin), "it is still listened to");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    #[test]
    fn whoever_asks_is_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut state = StationState::default();
            state.live.packets = 12;
            state.live.datagrams = 3;
            state.live.left_out.connections = 5;
            state.spool.counts.dropped = (1, 77);
            serve(&listener, |format| text(&state, format));
        });
        let ask = |request: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        assert!(ask("POST / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        let answer = ask("GET /metrics HTTP/1.1\r\nHost: a\r\naccept: application/openmetrics-text\r\n\r\n");
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; "),
            "{answer}"
        );
        for line in [
            "cutshort_agent_packets_taken_total 15",
            "cutshort_agent_datagrams_of_quic_connections_total 3",
            "cutshort_agent_connections_left_out_total 5",
            "cutshort_agent_segment_packets_dropped_total 77",
            "cutshort_agent_disk_full 0.0",
            "# EOF",
        ] {
            assert!(answer.contains(&format!("{line}\n")), "{line}: {answer}");
        }
        for accept in ["", "Accept: */*\r\n", "Accept: text/plain;version=0.0.4\r\n"] {
            let answer = ask(&format!("GET /metrics HTTP/1.1\r\nHost: a\r\n{accept}\r\n"));
            assert!(
                answer.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
                "{answer}"
            );
            let described =
                "# TYPE cutshort_agent_packets_taken_total counter\ncutshort_agent_packets_taken_total 15\n";
            assert!(answer.contains(described), "{answer}");
            assert!(!answer.contains("# EOF"), "{answer}");
        }
    }
}
