use super::*;

fn report(id: &str, from: i64, to: Option<i64>) -> OutsideReport {
    OutsideReport {
        source: "ioda".to_owned(),
        id: id.to_owned(),
        signal: "bgp".to_owned(),
        places: vec![SeriesPlace::Country(*b"IQ"), SeriesPlace::Network(64_500)],
        from,
        to,
        whole_days: false,
        note: "score 7".to_owned(),
        url: None,
        imported: 100,
    }
}

fn series(values: &[(i64, f64)]) -> OutsideSeries {
    OutsideSeries {
        source: "ioda".to_owned(),
        signal: "bgp".to_owned(),
        place: SeriesPlace::Country(*b"IQ"),
        about: vec![Channel::Traffic],
        step: 5,
        points: values.iter().map(|&(at, value)| OutsidePoint { at, value, of: None }).collect(),
    }
}

fn counts(new: u64, changed: u64, known: u64) -> OutsideCounts {
    OutsideCounts { new, changed, known }
}

#[test]
fn records_are_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = OutsideFile::in_directory(folder.path());
    assert_eq!(file.reports(i64::MIN..i64::MAX).unwrap(), []);
    assert!(!folder.path().join(OUTSIDE).exists(), "reading creates nothing");
    let span = OutsideSpan { source: "radar".to_owned(), place: SeriesPlace::World, range: 3..4 };
    let records = OutsideRecords {
        reports: vec![report("one", 10, Some(20)), report("two", 30, None)],
        series: vec![series(&[(0, 1.0), (5, 2.0)])],
        spans: vec![span.clone()],
    };
    assert_eq!(file.import(&records).unwrap(), counts(4, 0, 0));
    assert_eq!(file.import(&records).unwrap(), counts(0, 0, 4));
    let again = OutsideFile::in_directory(folder.path());
    assert_eq!(again.reports(i64::MIN..i64::MAX).unwrap(), records.reports);
    assert_eq!(again.spans().unwrap(), [span]);
    let later = OutsideRecords {
        reports: vec![
            OutsideReport { imported: 200, ..report("one", 10, Some(25)) },
            OutsideReport { imported: 200, ..report("two", 30, None) },
        ],
        series: vec![series(&[(5, 3.0), (10, 4.0)])],
        spans: Vec::new(),
    };
    assert_eq!(again.import(&later).unwrap(), counts(1, 2, 1));
    assert_eq!(again.reports(i64::MIN..i64::MAX).unwrap(), later.reports);
    let all = again.series(&SeriesPlace::Country(*b"IQ"), std::slice::from_ref(&(0..11))).unwrap();
    assert_eq!(all, [series(&[(0, 1.0), (5, 3.0), (10, 4.0)])]);
}

#[test]
fn reports_and_points_are_found_by_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = OutsideFile::in_directory(folder.path());
    let records = OutsideRecords {
        reports: vec![report("one", 10, Some(20)), report("two", 30, None)],
        series: vec![series(&[(0, 1.0), (5, 2.0), (10, 3.0), (20, 4.0)])],
        ..OutsideRecords::default()
    };
    file.import(&records).unwrap();
    let found =
        |range| -> Vec<String> { file.reports(range).unwrap().into_iter().map(|report| report.id).collect() };
    assert_eq!(found(20..30), [""; 0]);
    assert_eq!(found(19..31), ["one", "two"]);
    assert_eq!(found(1000..1001), ["two"]);
    let points = |ranges: &[Range<i64>]| -> Vec<i64> {
        let found = file.series(&SeriesPlace::Country(*b"IQ"), ranges).unwrap();
        found.iter().flat_map(|series| series.points.iter().map(|point| point.at)).collect()
    };
    assert_eq!(points(std::slice::from_ref(&(7..8))), [5], "a point lasts for its step");
    assert_eq!(points(&[20..21, 4..6]), [0, 5, 20]);
    assert!(file.series(&SeriesPlace::World, std::slice::from_ref(&(0..99))).unwrap().is_empty());
    let sources = file.sources().unwrap();
    assert_eq!((sources[0].reports, sources[0].points, sources[0].range.clone()), (2, 4, Some(0..100)));
    assert_eq!((file.remove("ooni").unwrap(), file.remove("ioda").unwrap()), (0, 6));
    assert_eq!(file.sources().unwrap(), []);
}

#[test]
fn a_damaged_file_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(OUTSIDE), [b'x'; 4096]).unwrap();
    let error = OutsideFile::in_directory(folder.path()).sources().unwrap_err().to_string();
    assert!(error.contains("corroboration.sqlite is damaged: move it away"), "{error}");
}
