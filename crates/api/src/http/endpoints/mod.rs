//! What can be asked for.

mod annotations;
mod anomalies;
mod connections;
mod coverage;
mod damage;
mod documents;
mod entities;
mod events;
mod ingest;
mod operation;
mod origins;
mod outliers;
mod search;
mod series;
mod servers;
mod share;
mod status;
mod terms;
mod top;
mod trace;
mod watched;

use std::sync::LazyLock;

use super::endpoint::{Endpoint, Route, SchemaOf, Schemas};
use utoipa::ToSchema;
use utoipa::openapi::{Ref, RefOr, Schema};

/// All endpoints, in the order of their documentation.
const ENDPOINTS: &[&Endpoint] = &[
    &series::SUMMARY,
    &series::TIMESERIES,
    &series::SUMMARY_BY,
    &series::TIMESERIES_BY,
    &top::ASES,
    &top::LOCATIONS,
    &top::BY,
    &servers::SERVERS,
    &share::SHARE,
    &origins::ORIGINS,
    &origins::TIMESERIES,
    &origins::SUMMARY,
    &origins::TIMESERIES_GROUPS,
    &origins::ORIGIN,
    &coverage::COVERAGE,
    &connections::CONNECTIONS,
    &trace::TRACE,
    &terms::TERMS,
    &events::EVENTS,
    &events::EVENT,
    &events::REVIEW,
    &events::WITHDRAW,
    &events::FEED,
    &outliers::OUTLIERS,
    &watched::WATCHED,
    &watched::FOLLOWERS,
    &anomalies::LIST,
    &anomalies::LOCATIONS,
    &entities::ASNS,
    &entities::ASN_OF_IP,
    &entities::ASN,
    &entities::LOCATIONS,
    &entities::LOCATION,
    &search::GLOBAL,
    &annotations::LIST,
    &annotations::ALL,
    &annotations::LOCATIONS,
    &annotations::ADD,
    &annotations::REMOVE,
    &ingest::SEGMENTS,
    &status::STATUS,
    &operation::HEALTH,
    &operation::READY,
    &operation::METRICS,
    &documents::OPENAPI,
    &documents::CONTENTS,
    &documents::CHAPTER,
    &documents::PAGE,
    &documents::STYLE,
];

/// All routes, in the order of their documentation within each group.
pub(super) static ROUTES: LazyLock<Vec<Route>> =
    LazyLock::new(|| ENDPOINTS.iter().flat_map(|endpoint| Route::of(endpoint)).collect());

/// The schema of a type, by its name.
fn schema<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    T::schemas(schemas);
    let name = T::name().into_owned();
    let reference = RefOr::Ref(Ref::from_schema_name(&name));
    schemas.push((name, T::schema()));
    reference
}

/// The same as a constant.
const fn of<T: ToSchema>() -> SchemaOf {
    |schemas, _| schema::<T>(schemas)
}
