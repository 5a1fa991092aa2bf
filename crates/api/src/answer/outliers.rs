//! Networks that stick out of their peers, and in which signatures they differ.

use std::ops::Range;

use cutshort_detect::outliers::{Outlier, PeerNetwork, Peers, stick_out};
use cutshort_geo::{Country, Geo};
use cutshort_model::{Dimension, Network, Value};
use cutshort_store::{Choice, RollupQuery, Selection, Store};
use cutshort_verdict::{Signature, Stage};
use serde::Serialize;
use utoipa::ToSchema;

use super::events::NetworkName;
use super::home;
use crate::problem::Problem;
use crate::question::stage_name;

/// The part of the excess that the named signatures make up together.
const MOST: f64 = 0.6;

/// A network whose connections are cut short at a stage more often than those of its peers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundOutlier {
    /// The network.
    asn: NetworkName,
    /// The stage.
    stage: &'static str,
    /// The share in the network, in percent: of all connections at post_syn, else of completed handshakes.
    share: f64,
    /// What is usual among its peers, their median, in percent.
    usual: f64,
    /// `country` or `world`: whose networks these are. The world's, if there are fewer than five others in the country.
    peers: &'static str,
    /// The number of peers.
    compared: usize,
    /// By how many standard deviations it differs.
    z: f64,
    /// The probability of such a difference by chance.
    p: f64,
    /// Connections above what is usual, weighted.
    excess: f64,
    /// The signatures that make up most of the excess, the largest part first.
    signatures: Vec<DifferentSignature>,
    /// The finding in a sentence.
    summary: String,
}

/// A signature in which a network differs from its peers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DifferentSignature {
    /// The number of the signature; none for connections that match none.
    id: Option<u8>,
    /// The name of the signature.
    name: &'static str,
    /// Its part of the excess, in percent.
    part: f64,
    /// How many times as frequent it is as among the peers; none if they have none.
    lift: Option<f64>,
}

/// Finds the networks of a range that stick out, the largest excess first. `locations` selects which of them are returned; all
/// are compared. Signatures are counted for the first `limit`, which are returned.
///
/// # Errors
/// The store's error.
pub(crate) fn outliers(
    store: &dyn Store,
    geo: &Geo,
    range: &Range<i64>,
    locations: &Choice<Country>,
    limit: usize,
) -> Result<Vec<FoundOutlier>, Problem> {
    let query = |selection: Selection, by| RollupQuery {
        range: range.clone(),
        bucket: None,
        selection,
        by: Some(by),
    };
    let answer = store.rollups(&query(Selection::default(), Dimension::As))?;
    let mut networks = Vec::new();
    for row in &answer.rows {
        let Value::As(Network::As(number)) = row.value else { continue };
        let Some(country) = home(number, geo) else { continue };
        let letters = country.alpha2().as_bytes();
        let all = row.total();
        let mut stages = [0.0; 4];
        stages.iter_mut().zip(&row.stages).for_each(|(to, from)| *to = from.weight as f64);
        networks.push(PeerNetwork {
            number,
            country: [letters[0], letters[1]],
            all: all.weight as f64,
            squares: all.squares as f64,
            stages,
            variance: [0.0; 4],
        });
    }
    let is_wanted = |outlier: &Outlier| locations.has(home(outlier.network, geo).as_ref());
    let found = stick_out(&networks).into_iter().filter(is_wanted).take(limit);
    found.map(|outlier| describe(store, geo, &outlier, &query)).collect()
}

fn describe(
    store: &dyn Store,
    geo: &Geo,
    outlier: &Outlier,
    query: &impl Fn(Selection, Dimension) -> RollupQuery,
) -> Result<FoundOutlier, Problem> {
    let stage = Stage::ALL[outlier.stage];
    let count = |selection| by_signature(store, &query(selection, Dimension::Signature), stage);
    let (own, peers) = selections(outlier, geo);
    let signatures = signatures(count(own)?, &count(peers)?);
    let asn = NetworkName::new(outlier.network, geo);
    let summary = summary(outlier, &asn, store.data_set().stage_title(stage), signatures.first());
    Ok(FoundOutlier {
        asn,
        stage: stage_name(store.data_set(), stage),
        share: percent(outlier.share),
        usual: percent(outlier.usual),
        peers: if outlier.peers == Peers::Country { "country" } else { "world" },
        compared: outlier.compared,
        z: rounded(outlier.z),
        p: outlier.p,
        excess: outlier.excess.round(),
        signatures,
        summary,
    })
}

/// The network, and those that it is compared with.
fn selections(outlier: &Outlier, geo: &Geo) -> (Selection, Selection) {
    let only = |numbers| Choice { include: numbers, exclude: Vec::new() };
    let own = Selection { asns: only(vec![outlier.network]), ..Selection::default() };
    let peers = Selection {
        asns: Choice { include: Vec::new(), exclude: vec![outlier.network] },
        locations: match (outlier.peers, home(outlier.network, geo)) {
            (Peers::Country, Some(country)) => Choice { include: vec![country], exclude: Vec::new() },
            _ => Choice::default(),
        },
        ..Selection::default()
    };
    (own, peers)
}

/// Connections that end at the stage by signature, and those that the stage is a share of.
fn by_signature(store: &dyn Store, query: &RollupQuery, stage: Stage) -> Result<Counted, Problem> {
    let answer = store.rollups(query)?;
    let mut all = 0.0;
    let mut counts = Vec::new();
    for row in &answer.rows {
        let total = row.total().weight as f64;
        // Post-SYN is a share of all connections, other stages of completed handshakes.
        all += if stage == Stage::PostSyn {
            total
        } else {
            total - row.stages[Stage::PostSyn as usize].weight as f64
        };
        if let Value::Signature(signature) = row.value {
            counts.push((signature, row.stages[stage as usize].weight as f64));
        }
    }
    Ok((counts, all))
}

/// What stands out, in a sentence.
fn summary(outlier: &Outlier, asn: &NetworkName, stage: &str, first: Option<&DifferentSignature>) -> String {
    let of = match outlier.peers {
        Peers::Country => asn.location.as_ref().map_or("its country", |place| place.name),
        Peers::World => "the world",
    };
    let most = first.map(|first| match first.lift {
        Some(lift) => format!(
            "; {} % of the difference is {}, {lift} times as frequent as there",
            first.part, first.name
        ),
        None => format!("; {} % of the difference is {}, which does not occur there", first.part, first.name),
    });
    format!(
        "AS{}: {} % at {stage}, usual in {} other networks of {of} are {} %{}",
        outlier.network,
        percent(outlier.share),
        outlier.compared,
        percent(outlier.usual),
        most.unwrap_or_default(),
    )
}

/// Weights by signature, and of all connections.
type Counted = (Vec<(Option<Signature>, f64)>, f64);

/// The signatures that together make up most of the excess over the shares of the peers.
fn signatures((own, all): Counted, (peers, others): &Counted) -> Vec<DifferentSignature> {
    let share = |signature: Option<Signature>| {
        let count = peers.iter().find(|(known, _)| *known == signature).map_or(0.0, |(_, count)| *count);
        if *others > 0.0 { count / others } else { 0.0 }
    };
    let mut excess: Vec<(Option<Signature>, f64, f64)> = own
        .into_iter()
        .map(|(signature, count)| (signature, count, count - all * share(signature)))
        .filter(|(_, _, excess)| *excess > 0.0)
        .collect();
    excess.sort_by(|(one, _, a), (other, _, b)| b.total_cmp(a).then_with(|| id(*one).cmp(&id(*other))));
    let total: f64 = excess.iter().map(|(_, _, excess)| excess).sum();
    let mut named = Vec::new();
    let mut sum = 0.0;
    for (signature, count, excess) in excess {
        let usual = all * share(signature);
        named.push(DifferentSignature {
            id: id(signature),
            name: signature.map_or("none", Signature::name),
            part: (100.0 * excess / total).round(),
            lift: (usual > 0.0).then(|| rounded(count / usual)),
        });
        sum += excess;
        if sum >= MOST * total {
            break;
        }
    }
    named
}

fn id(signature: Option<Signature>) -> Option<u8> {
    signature.map(Signature::id)
}

fn percent(share: f64) -> f64 {
    rounded(100.0 * share)
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
