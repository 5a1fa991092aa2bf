use cutshort_model::Addresses;
use cutshort_simulate::syn_packet;
use cutshort_store::Segment;

use super::*;

const SECOND: i64 = 1_000_000_000;
/// The beginning of a window.
const START: i64 = Window::from_number(1_000).start();

fn packet(ts: i64) -> Packet {
    Packet { sample_rate: 3, ..syn_packet(ts, 1) }
}

struct SpoolFixture {
    folder: tempfile::TempDir,
    settings: RecorderSettings,
}

impl SpoolFixture {
    fn new() -> Self {
        let settings = RecorderSettings { node: "edge".to_owned(), rows: 100, ..RecorderSettings::default() };
        Self { folder: tempfile::tempdir().unwrap(), settings }
    }

    fn start(&self) -> Recorder {
        let spool = Spool::open(self.folder.path(), 1 << 30).unwrap();
        Recorder::start(Arc::new(spool), self.settings.clone(), Privacy::full()).unwrap()
    }

    /// What is spooled: from, to and packets of each segment, in order.
    fn spooled(&self) -> Vec<(i64, i64, u64)> {
        let files = fs::read_dir(self.folder.path().join("segments")).unwrap();
        let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        let parsed = paths.iter().map(|path| Segment::parse(fs::read(path).unwrap()).unwrap());
        let infos = parsed.map(|segment| segment.info().clone());
        infos
            .inspect(|info| assert_eq!((info.node.as_str(), info.origin), ("edge", Provenance::Live)))
            .map(|info| ((info.covers.0 - START) / SECOND, (info.covers.1 - START) / SECOND, info.rows))
            .collect()
    }

    fn open_files(&self) -> usize {
        fs::read_dir(self.folder.path().join(OPEN)).unwrap().count()
    }
}

/// Each second one call, with so many packets.
fn run(recorder: &mut Recorder, seconds: std::ops::Range<i64>, packets: usize) {
    for second in seconds {
        let now = START + second * SECOND;
        recorder.record(&vec![packet(now); packets], now);
    }
}

#[test]
fn segments_end_with_their_time_their_window_and_their_size() {
    let place = SpoolFixture::new();
    let mut recorder = place.start();
    run(&mut recorder, 0..130, 1);
    assert_eq!(place.spooled(), [(0, 60, 61), (60, 120, 60)]);
    // 60 packets at once; 100 are enough.
    run(&mut recorder, 130..131, 60);
    run(&mut recorder, 131..133, 60);
    assert_eq!(place.spooled()[2..], [(120, 131, 129)]);
    recorder.finish();
    assert_eq!(place.spooled()[3..], [(131, 132, 60)]);
    let mut recorder = place.start();
    run(&mut recorder, 870..903, 1);
    recorder.finish();
    assert_eq!(place.spooled()[4..], [(870, 900, 31), (900, 902, 2)]);
    assert_eq!(place.open_files(), 0);
}

#[test]
fn silence_is_covered_without_a_gap() {
    let place = SpoolFixture::new();
    let mut recorder = place.start();
    run(&mut recorder, 5..200, 0);
    assert_eq!(recorder.finish().covered_to, Some(START + 199 * SECOND));
    assert_eq!(place.spooled(), [(5, 65, 0), (65, 125, 0), (125, 185, 0), (185, 199, 0)]);
}

#[test]
fn a_crash_loses_nothing_that_was_written() {
    let place = SpoolFixture::new();
    let mut recorder = place.start();
    run(&mut recorder, 0..10, 3);
    drop(recorder);
    assert_eq!((place.spooled().len(), place.open_files()), (0, 1));
    let mut recorder = place.start();
    assert_eq!((place.spooled(), place.open_files()), (vec![(0, 9, 30)], 0));
    run(&mut recorder, 20..22, 1);
    recorder.finish();
    assert_eq!(place.spooled(), [(0, 9, 30), (20, 21, 2)], "what was not received is not covered");
}

#[test]
fn clocks_may_jump() {
    let place = SpoolFixture::new();
    let mut recorder = place.start();
    run(&mut recorder, 500..502, 1);
    // Back: the segment ends, the next one begins where time goes on.
    run(&mut recorder, 100..102, 1);
    run(&mut recorder, 102..104, 1);
    recorder.finish();
    assert_eq!(place.spooled(), [(100, 103, 4), (500, 501, 2)]);
}

/// As where a clock is set once the network is there, or a machine was suspended: no segment covers so much time that
/// a collector would refuse it.
#[test]
fn clocks_may_leap_ahead() {
    const WEEK: i64 = 7 * 86_400;
    let place = SpoolFixture::new();
    let mut recorder = place.start();
    run(&mut recorder, 0..2, 1);
    run(&mut recorder, WEEK..WEEK + 2, 1);
    recorder.finish();
    assert_eq!(place.spooled(), [(0, 1, 2), (WEEK, WEEK + 1, 2)]);
}

#[test]
fn what_no_segment_may_hold_is_counted_and_the_rest_is_kept() {
    let place = SpoolFixture::new();
    let mut recorder = place.start();
    let mut unfit = packet(START);
    unfit.five_tuple.dst_ip = "2001:db8::1".parse().unwrap();
    recorder.record(&[packet(START), unfit, packet(START)], START);
    let counts = recorder.finish();
    assert_eq!((counts.packets, counts.unfit, counts.unwritten), (2, 1, 0));
    assert_eq!(place.spooled(), [(0, 0, 2)]);
}

/// Where nothing can be written, packets are counted; when it can be again, it goes on by itself.
#[test]
fn without_room_packets_are_counted_and_it_goes_on_by_itself() {
    let place = SpoolFixture::new();
    let mut recorder = place.start();
    let (open, away) = (place.folder.path().join(OPEN), place.folder.path().join("away"));
    fs::rename(&open, &away).unwrap();
    run(&mut recorder, 0..10, 2);
    let counts = recorder.counts();
    assert_eq!((counts.packets, counts.unwritten), (0, 20));
    assert!(counts.trouble.is_some());
    fs::rename(&away, &open).unwrap();
    run(&mut recorder, 10..20, 2);
    let counts = recorder.counts().clone();
    assert_eq!(counts.packets + counts.unwritten, 40);
    assert!(counts.packets >= 14 && counts.trouble.is_none(), "{counts:?}");
    // Segments that cannot be put aside wait, and packets with them.
    let (segments, away) = (place.folder.path().join("segments"), place.folder.path().join("away"));
    fs::rename(&segments, &away).unwrap();
    run(&mut recorder, 20..100, 2);
    assert!(recorder.counts().trouble.is_some());
    assert_eq!(recorder.counts().unwritten, counts.unwritten, "they are in the open segment");
    fs::rename(&away, &segments).unwrap();
    let counts = recorder.finish();
    assert_eq!(place.spooled().iter().map(|(_, _, rows)| rows).sum::<u64>(), counts.packets);
    assert_eq!((counts.trouble, place.open_files()), (None, 0));
}

/// Nothing is written of addresses but what is to be kept: not in the open segment, and not in the spool.
#[test]
fn addresses_are_protected_before_anything_is_written() {
    let place = SpoolFixture::new();
    let spool = Spool::open(place.folder.path(), 1 << 30).unwrap();
    let key = crate::AddressKey::new(std::array::from_fn(|at| at as u8)).unwrap();
    let geo = Arc::new(cutshort_geo::Geo::builtin().into());
    let privacy = Privacy::new(Addresses::Truncated, &key, geo);
    let mut recorder = Recorder::start(Arc::new(spool), place.settings.clone(), privacy).unwrap();
    recorder.record(&[packet(START)], START);
    let open: Vec<PathBuf> =
        fs::read_dir(place.folder.path().join(OPEN)).unwrap().map(|file| file.unwrap().path()).collect();
    let has = |bytes: &[u8], address: [u8; 4]| bytes.windows(4).any(|window| window == address);
    let bytes = fs::read(&open[0]).unwrap();
    assert!(has(&bytes, [198, 51, 100, 0]) && !has(&bytes, [198, 51, 100, 7]));
    recorder.finish();
    let segments = fs::read_dir(place.folder.path().join("segments")).unwrap();
    for segment in segments.map(|file| Segment::parse(fs::read(file.unwrap().path()).unwrap()).unwrap()) {
        assert_eq!(segment.info().addresses, Addresses::Truncated);
        assert_eq!(segment.packets().unwrap()[0].five_tuple.to_string(), "198.51.100.0:1 > 203.0.113.0:443");
    }
}

/// Datagrams of QUIC are recorded beside packets, with addresses as they may be kept, also those that a crash has left.
#[test]
fn datagrams_are_recorded_beside_packets() {
    use cutshort_packet::quic::{Datagram, Kinds};

    let key = crate::AddressKey::new(std::array::from_fn(|at| at as u8)).unwrap();
    for addresses in Addresses::ALL {
        let place = SpoolFixture::new();
        let begin = || {
            let spool = Arc::new(Spool::open(place.folder.path(), 1 << 30).unwrap());
            let geo = Arc::new(cutshort_geo::Geo::builtin().into());
            let privacy = Privacy::new(addresses, &key, geo);
            let recorder = Recorder::start(spool, place.settings.clone(), privacy).unwrap();
            let datagrams: Recorder<Datagram> = recorder.beside(DataSet::Quic);
            (recorder, datagrams)
        };
        let datagram = |ts| Datagram {
            ts,
            five_tuple: packet(ts).five_tuple,
            len: 1200,
            kinds: Kinds::INITIAL,
            version: 1,
            dcid: Some(7),
            sample_rate: 9,
            ..Datagram::ZERO
        };
        let (mut recorder, mut datagrams) = begin();
        recorder.record(&[packet(START)], START);
        datagrams.record(&[datagram(START), datagram(START + 1)], START + 1);
        drop((recorder, datagrams));
        let (recorder, mut datagrams) = begin();
        datagrams.record(&[datagram(START + 2)], START + 2);
        assert_eq!((recorder.finish().packets, datagrams.finish().packets), (0, 1));
        let files = fs::read_dir(place.folder.path().join("segments")).unwrap();
        let mut rows = std::collections::BTreeMap::new();
        for file in files {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            let segment = Segment::parse(bytes).unwrap();
            *rows.entry(segment.info().data_set.name()).or_insert(0) += segment.info().rows;
            if segment.info().data_set == DataSet::Quic {
                assert_eq!(segment.info().addresses, addresses);
                let rows = segment.datagrams().unwrap();
                let is_full = rows[0].five_tuple == packet(START).five_tuple;
                assert_eq!(is_full, addresses == Addresses::Full, "{rows:?}");
                assert!(rows.iter().all(|row| row.dcid == Some(7) && row.sample_rate == 9), "{rows:?}");
            }
        }
        assert_eq!(rows, [("quic", 3), ("tcp", 1)].into());
        assert_eq!(place.open_files(), 0);
    }
}

/// Geo data may be read again while packets come; packets of one segment have places from the same data.
#[test]
fn a_segment_has_places_from_the_geo_data_of_its_beginning() {
    let place = SpoolFixture::new();
    let spool = Spool::open(place.folder.path(), 1 << 30).unwrap();
    let key = crate::AddressKey::new(std::array::from_fn(|at| at as u8)).unwrap();
    let file = place.folder.path().join("networks.csv");
    let write = |asn: u32| fs::write(&file, format!("198.51.100.0,198.51.100.255,PT,{asn},Net\n")).unwrap();
    write(64_500);
    let geo = Arc::new(crate::GeoData::open(std::slice::from_ref(&file)).unwrap());
    let privacy = Privacy::new(Addresses::Truncated, &key, Arc::clone(&geo));
    let mut recorder = Recorder::start(Arc::new(spool), place.settings.clone(), privacy).unwrap();
    recorder.record(&[packet(START)], START);
    write(64_501);
    geo.reload();
    recorder.record(&[packet(START + 1)], START + 1);
    let later = START + Window::LENGTH;
    recorder.record(&[], later);
    recorder.record(&[packet(later)], later);
    recorder.finish();
    let segments = fs::read_dir(place.folder.path().join("segments")).unwrap();
    let asns = |path: PathBuf| {
        let segment = Segment::parse(fs::read(path).unwrap()).unwrap();
        segment.protected().unwrap().iter().map(|packet| packet.protection.place.asn).collect::<Vec<_>>()
    };
    let mut found: Vec<_> = segments.map(|file| asns(file.unwrap().path())).collect();
    found.sort();
    assert_eq!(found, [vec![Some(64_500); 2], vec![Some(64_501)]]);
}
