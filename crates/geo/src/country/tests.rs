use std::collections::HashSet;

use super::*;

fn country(code: &str) -> Country {
    Country::from_alpha2(code).unwrap()
}

#[test]
fn the_table_holds_iso_3166_and_kosovo_once_each_in_order() {
    assert_eq!(Country::COUNT, 249 + 1);
    assert_eq!(Country::all().count(), Country::COUNT);
    assert!(TABLE.is_sorted_by(|a, b| a.alpha2 < b.alpha2));
    assert_eq!(Country::all().map(Country::name).collect::<HashSet<_>>().len(), Country::COUNT);
    assert_eq!(Country::all().map(Country::alpha3).collect::<HashSet<_>>().len(), Country::COUNT);
    assert_eq!(Country::all().map(Country::numeric).collect::<HashSet<_>>().len(), Country::COUNT);
}

#[test]
fn every_row_is_well_formed() {
    for country in Country::all() {
        let code = country.alpha2();
        assert!(code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()), "{code}");
        assert!(
            country.alpha3().len() == 3 && country.alpha3().bytes().all(|b| b.is_ascii_uppercase()),
            "{code}"
        );
        assert!((4..=983).contains(&country.numeric()), "{code}");
        assert!(country.latitude().abs() <= 90.0 && country.longitude().abs() <= 180.0, "{code}");
        assert!(!country.name().contains(',') && country.name().trim() == country.name(), "{code}");
        assert_eq!(Country::from_alpha2(code), Some(country));
        assert_eq!(Country::from_index(country.index()), Some(country));
    }
}

#[test]
fn continents_have_as_many_countries_as_geonames_gives_them() {
    let of = |continent| Country::all().filter(|country| country.continent() == continent).count();
    assert_eq!(Continent::ALL.map(of), [58, 5, 51, 53, 41, 28, 14]);
}

#[test]
fn regions_agree_with_continents_but_for_the_known_few() {
    let differing: Vec<_> = Country::all()
        .filter(|country| {
            let continent = match country.continent().name() {
                "North America" | "South America" => "Americas",
                name => name,
            };
            continent != country.region()
        })
        .map(Country::alpha2)
        .collect();
    assert_eq!(differing, ["BV", "CC", "CY", "GS", "HM", "IO", "TF", "TL"]);
}

#[test]
fn known_countries() {
    let germany = country("DE");
    assert_eq!((germany.name(), germany.alpha3(), germany.numeric()), ("Germany", "DEU", 276));
    assert_eq!((germany.region(), germany.subregion()), ("Europe", "Western Europe"));
    assert!((germany.latitude() - 51.1).abs() < 0.5 && (germany.longitude() - 10.4).abs() < 0.5);
    let short = ["IR", "KR", "TW", "RU", "VN", "CD", "MK", "XK"].map(|code| country(code).name());
    let democratic_congo = "Democratic Republic of the Congo";
    assert_eq!(
        short,
        ["Iran", "South Korea", "Taiwan", "Russia", "Vietnam", democratic_congo, "North Macedonia", "Kosovo"]
    );
    assert_eq!(country("BR").continent(), Continent::SA);
    assert_eq!(country("TR").continent(), Continent::AS);
    assert_eq!(country("AQ").continent(), Continent::AN);
}

#[test]
fn codes_are_read_in_either_case_and_others_refused() {
    assert_eq!(Country::from_alpha2("de"), Some(country("DE")));
    for wrong in ["", "D", "DEU", "ZZ", "EU", "UK", "A1", "--", "é"] {
        assert_eq!(Country::from_alpha2(wrong), None, "{wrong}");
    }
    assert_eq!(Country::from_index(Country::COUNT), None);
    assert_eq!(Continent::from_code("oc"), Some(Continent::OC));
    assert_eq!(Continent::from_code("XX"), None);
    assert!(Continent::ALL.iter().all(|&c| Continent::from_code(c.code()) == Some(c)));
}

#[test]
fn codes_are_what_is_printed() {
    assert_eq!(format!("{} {:?} {:>4}", country("SE"), country("SE"), Continent::EU), "SE Country(SE)   EU");
}
