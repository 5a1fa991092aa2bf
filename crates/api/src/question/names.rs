use cutshort_verdict::{DataSet, Stage};

use super::{MAX_NAME, Parameters, RESERVED};
use crate::problem::Problem;

/// The name that a stage of a data set has in the API, which is that of Radar's where Radar has it.
#[must_use]
pub const fn stage_name(data_set: DataSet, stage: Stage) -> &'static str {
    data_set.radar_name(stage)
}

/// The names of all stages of a data set, in their order.
pub fn stage_names(data_set: DataSet) -> impl Iterator<Item = &'static str> {
    data_set.stages().iter().map(move |stage| stage_name(data_set, *stage))
}

/// The names of all series; none twice.
pub(super) fn names(parameters: &Parameters, count: usize, default: &str) -> Result<Vec<String>, Problem> {
    let name = |at| parameters.at("name", at).map_or_else(|| format!("{default}_{at}"), str::to_owned);
    let names: Vec<String> = (0..count).map(name).collect();
    for (at, name) in names.iter().enumerate() {
        check(name)?;
        if names[..at].contains(name) {
            return Err(Problem::bad_input(format!(
                "name: two series are called '{name}'; give each its own"
            )));
        }
    }
    Ok(names)
}

fn check(name: &str) -> Result<(), Problem> {
    if RESERVED.contains(&name) {
        return Err(Problem::bad_input(format!("name: '{name}' is a part of every answer; choose another")));
    }
    if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        let why = format!("name: at most {MAX_NAME} letters, and no control characters");
        return Err(Problem::bad_input(why));
    }
    Ok(())
}
