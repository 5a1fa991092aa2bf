use std::thread;

use super::*;

fn new(start: i64, end: Option<i64>) -> NewAnnotation {
    NewAnnotation {
        data_set: None,
        kind: AnnotationKind::Outage,
        start,
        end,
        description: "A cable was cut.\nTraffic went elsewhere.".to_owned(),
        linked_url: Some("https://example.com/report?id=1".to_owned()),
        scope: Some("The south".to_owned()),
        locations: ["DE", "FR"].map(|code| Country::from_alpha2(code).unwrap()).to_vec(),
        asns: vec![4_200_000_000, 1],
        outage: Some(("CABLE_CUT".to_owned(), "REGIONAL".to_owned())),
    }
}

fn plain() -> NewAnnotation {
    NewAnnotation {
        data_set: Some(DataSet::Quic),
        kind: AnnotationKind::General,
        linked_url: None,
        scope: None,
        locations: Vec::new(),
        asns: Vec::new(),
        outage: None,
        ..new(5, Some(5))
    }
}

#[test]
fn what_is_kept_is_what_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("annotations.sqlite");
    let annotations = Annotations::open(&path, true).unwrap();
    let kept = [new(-3, None), new(7, Some(9)), plain()].map(|one| annotations.add(&one).unwrap());
    let listed = Annotations::open(&path, true).unwrap().list(i64::MIN..i64::MAX).unwrap();
    assert_eq!(listed, [0, 2, 1].map(|at: usize| kept[at].clone()), "by their beginning");
}

/// Files of version 0.1 have no data set: their annotations are about all, and nothing is changed by reading them.
#[test]
fn older_files_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let older = Connection::open(&path).unwrap();
    older.execute_batch(&SCHEMA.replace(", data_set TEXT", "")).unwrap();
    let insert = "INSERT INTO annotation (kind, start_ns, description, locations, asns) VALUES ('GENERAL', 3, 'old', '', '')";
    older.execute(insert, []).unwrap();
    assert!(!has_data_set(&older).unwrap());
    let content =
        NewAnnotation { data_set: None, start: 3, end: None, description: "old".to_owned(), ..plain() };
    let old = Annotation { id: 1, content };
    let annotations = Annotations::open(&path, true).unwrap();
    assert_eq!(annotations.list(0..9).unwrap(), std::slice::from_ref(&old));
    assert!(!has_data_set(&older).unwrap());
    let salvaged = Annotations::open(&folder.path().join("salvaged"), true).unwrap();
    assert_eq!(salvaged.salvage(&older).unwrap(), (1, true));
    assert_eq!(salvaged.list(0..9).unwrap(), std::slice::from_ref(&old));

    let another = Annotations::open(&path, true).unwrap();
    let new = [annotations.add(&plain()).unwrap(), another.add(&plain()).unwrap()];
    assert_eq!(annotations.list(0..9).unwrap(), [old, new[0].clone(), new[1].clone()]);
    // An older program still writes to it.
    older.execute(insert, []).unwrap();
    assert_eq!(another.list(0..9).unwrap().len(), 4);
}

#[test]
fn a_range_has_what_touches_it() {
    let folder = tempfile::tempdir().unwrap();
    let annotations = Annotations::open(&folder.path().join("a"), true).unwrap();
    let all = [new(0, Some(10)), new(0, None), new(20, Some(20)), new(30, Some(40))];
    let all = all.map(|one| annotations.add(&one).unwrap());
    for (from, to) in [(0, 1), (10, 20), (11, 20), (11, 21), (20, 30), (21, 31), (40, 50), (41, 50), (-5, 0)]
    {
        let expected: Vec<_> = all.iter().filter(|one| one.content.touches(&(from..to))).cloned().collect();
        assert_eq!(annotations.list(from..to).unwrap(), expected, "{from}..{to}");
    }
}

#[test]
fn numbers_are_not_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let annotations = Annotations::open(&folder.path().join("a"), true).unwrap();
    let first = annotations.add(&plain()).unwrap().id;
    assert!(annotations.remove(first).unwrap());
    assert!(!annotations.remove(first).unwrap());
    assert!(!annotations.remove(u64::MAX).unwrap());
    assert!(annotations.add(&plain()).unwrap().id > first);
}

#[test]
fn nothing_is_made_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let annotations = Annotations::open(&path, true).unwrap();
    assert_eq!(annotations.list(0..1).unwrap(), []);
    assert!(!annotations.remove(1).unwrap());
    assert!(!path.exists());
    Annotations::open(&path, true).unwrap().add(&plain()).unwrap();
    assert_eq!(annotations.list(0..9).unwrap().len(), 1, "made by another since");
}

#[test]
fn several_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let annotations = Annotations::open(&path, true).unwrap();
                (0..10).for_each(|_| drop(annotations.add(&plain()).unwrap()));
            });
        }
    });
    assert_eq!(Annotations::open(&path, true).unwrap().list(0..9).unwrap().len(), 40);
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let annotations = Annotations::open(&folder.path().join("a"), true).unwrap();
    let text = |description: &str| NewAnnotation { description: description.to_owned(), ..plain() };
    let url = |url: &str| NewAnnotation { linked_url: Some(url.to_owned()), ..plain() };
    let refused = [
        (new(5, Some(4)), "ends before it starts"),
        (text(" \n"), "the description is empty"),
        (text(&"x".repeat(2_001)), "longer than 2000 characters"),
        (text("\u{1b}[31m"), "control characters"),
        (url("javascript:alert(1)"), "http:// or https://"),
        (url("https:///nowhere"), "http:// or https://"),
        (url("https://example.com/a b"), "http:// or https://"),
        (NewAnnotation { asns: vec![1; 1_001], ..plain() }, "more than 1,000 networks"),
        (NewAnnotation { outage: Some(("CABLE_CUT".to_owned(), String::new())), ..plain() }, "is empty"),
    ];
    for (annotation, why) in refused {
        let error = annotations.add(&annotation).unwrap_err();
        assert!(matches!(error.0, StoreError::Refused(_)) && error.to_string().contains(why), "{error}");
    }
    for good in [url("http://example.com"), url("HTTPS://example.com/#x"), text("ü")] {
        annotations.add(&good).unwrap();
    }
}

#[test]
fn kinds_are_found_by_name() {
    for kind in AnnotationKind::ALL {
        assert_eq!(AnnotationKind::from_name(&kind.name().to_lowercase().replace('_', "-")), Some(kind));
    }
    assert_eq!(AnnotationKind::from_name("event"), Some(AnnotationKind::General), "its legacy name");
    assert_eq!(AnnotationKind::from_name("storm"), None);
}

/// Nobody waits for the disk where a store is thrown away.
#[test]
fn what_is_thrown_away_is_not_forced_to_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    for (name, durable, level) in [("kept", true, 2), ("thrown away", false, 0)] {
        let annotations = Annotations::open(&folder.path().join(name), durable).unwrap();
        let ask =
            |sql: &Connection| Ok(sql.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))?);
        assert_eq!(annotations.with(ask).unwrap(), level);
    }
}
