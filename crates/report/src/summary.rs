use std::collections::HashMap;

use cutshort_geo::{Country, Geo};
use cutshort_model::{GroupCounts, JudgedConnection};
use cutshort_verdict::{DataSet, Exclusion, Stage, Tags, Termination, WeightedCount};
use foldhash::fast::RandomState;

use crate::input::InputCount;
use crate::notes::Direction;
use crate::servers::Servers;

/// Counts of connections, written as a table or JSON.
#[derive(Debug)]
pub struct Summary {
    /// The input that was read.
    pub input: InputCount,
    /// Whether the input is marked as simulated.
    pub simulated: bool,
    /// Whether reading was stopped before the end of the input.
    pub interrupted: bool,
    /// The data set of the connections.
    pub data_set: DataSet,
    /// Whether only what we sent was captured of connections that we opened, so that there are no verdicts
    /// (docs/origin.md#one-direction).
    pub one_direction: bool,
    /// The selection of connections, if there is one, in words.
    pub selection: Option<String>,
    pub(crate) total: GroupCounts,
    pub(crate) stages: [WeightedCount; Stage::ALL.len()],
    /// The same as `stages`, for completed handshakes only.
    pub(crate) completed_stages: [WeightedCount; Stage::ALL.len()],
    pub(crate) terminations: [WeightedCount; Termination::ALL.len()],
    pub(crate) tags: [WeightedCount; Tags::BITS],
    /// Connections by signature, indexed by its number.
    pub(crate) signatures: [WeightedCount; 256],
    pub(crate) excluded: [u64; Exclusion::ALL.len()],
    /// Connections outside the selection, and those that are not classified.
    pub(crate) not_selected: u64,
    pub(crate) not_meant: u64,
    /// By [`Country::index`]; the last entry is for unknown countries.
    pub(crate) locations: Vec<GroupCounts>,
    pub(crate) networks: HashMap<Option<u32>, GroupCounts, RandomState>,
    pub(crate) direction: Direction,
    /// Of the data set `origin`.
    pub(crate) servers: Servers,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            input: InputCount::default(),
            simulated: false,
            interrupted: false,
            data_set: DataSet::Tcp,
            one_direction: false,
            selection: None,
            total: GroupCounts::default(),
            stages: Default::default(),
            completed_stages: Default::default(),
            terminations: Default::default(),
            tags: Default::default(),
            signatures: [WeightedCount::default(); 256],
            excluded: Default::default(),
            not_selected: 0,
            not_meant: 0,
            locations: vec![GroupCounts::default(); Country::COUNT + 1],
            networks: HashMap::default(),
            direction: Direction::default(),
            servers: Servers::default(),
        }
    }
}

impl Summary {
    /// Creates an empty summary of connections of a data set that are selected as these words say.
    #[must_use]
    pub fn of(data_set: DataSet, selection: Option<String>) -> Self {
        Self { data_set, selection, ..Self::default() }
    }

    /// Counts a connection of the selection.
    pub fn add(&mut self, connection: &JudgedConnection<'_>) {
        let verdict = connection.verdict;
        let weight = verdict.sample_rate;
        self.total.add(verdict);
        self.stages[verdict.stage as usize].add(weight);
        if verdict.completed_handshake() {
            self.completed_stages[verdict.stage as usize].add(weight);
        }
        self.terminations[verdict.termination as usize].add(weight);
        verdict.tags.iter(verdict.data_set).for_each(|tag| self.tags[usize::from(tag.number())].add(weight));
        if let Some(signature) = verdict.signature {
            self.signatures[usize::from(signature.id())].add(weight);
        }
        let location = connection.place.country.map_or(Country::COUNT, Country::index);
        self.locations[location].add(verdict);
        self.networks.entry(connection.place.asn).or_default().add(verdict);
        self.direction.add(connection.five_tuple, verdict);
        self.servers.add(connection.five_tuple, verdict);
    }

    /// Counts a connection, or a 5-tuple without a SYN packet, that is excluded.
    pub const fn add_excluded(&mut self, exclusion: Exclusion) {
        self.excluded[exclusion as usize] += 1;
    }

    /// Counts a connection outside the selection.
    pub const fn add_not_selected(&mut self) {
        self.not_selected += 1;
    }

    /// Counts a 5-tuple that is not classified, because of its server or its client.
    pub const fn add_not_meant(&mut self) {
        self.not_meant += 1;
    }

    /// The number of connections that were counted, as sampled.
    #[must_use]
    pub const fn connections(&self) -> u64 {
        self.total.all.sampled
    }

    /// The countries with their counts; unknown ones last, as `None`.
    pub(crate) fn locations(&self) -> impl Iterator<Item = (Option<Country>, &GroupCounts)> {
        let countries = Country::all().map(Some).chain([None]);
        countries.zip(&self.locations).filter(|(_, group)| group.all.sampled > 0)
    }

    /// The networks with their names and counts.
    pub(crate) fn networks<'a>(
        &'a self,
        geo: &'a Geo,
    ) -> impl Iterator<Item = (Option<u32>, Option<&'a str>, &'a GroupCounts)> {
        self.networks.iter().map(|(asn, group)| (*asn, asn.and_then(|asn| geo.as_name(asn)), group))
    }
}
