//! Annotations as a table.

use cutshort_model::rfc3339;
use cutshort_store::Annotation;
use cutshort_verdict::DataSet;

use crate::table::Table;

/// A table of annotations.
#[must_use]
pub fn annotations(annotations: &[Annotation]) -> Table {
    let head = ["no.", "from", "to", "kind", "data set", "concerns", "text"];
    Table::of_texts(&head, annotations.iter().map(row).collect())
}

fn row(annotation: &Annotation) -> Vec<String> {
    let content = &annotation.content;
    let countries = content.locations.iter().map(|country| country.alpha2().to_owned());
    let networks = content.asns.iter().map(|asn| format!("AS{asn}"));
    let concerns: Vec<String> = countries.chain(networks).collect();
    let end = match content.end {
        None => "still".to_owned(),
        Some(end) if end == content.start => "instant".to_owned(),
        Some(end) => rfc3339(end),
    };
    let everybody = "everybody".to_owned();
    vec![
        annotation.id.to_string(),
        rfc3339(content.start),
        end,
        content.kind.name().to_owned(),
        content.data_set.map_or("all", DataSet::name).to_owned(),
        if concerns.is_empty() { everybody } else { concerns.join(" ") },
        content.description.clone(),
    ]
}
