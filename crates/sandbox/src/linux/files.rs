//! Access to files and TCP ports, by Landlock.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, path_beneath_rules,
};

use super::restriction::Restriction;
use crate::needs::Needs;

/// Whether the kernel supports Landlock: makes a ruleset and does not enforce it.
#[must_use]
pub fn supports_landlock() -> bool {
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    ruleset.handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create).is_ok()
}

/// Restricts access to files and TCP ports to what is needed, and sets "no new privileges".
pub(super) fn restrict_files(needs: &Needs) -> Result<Restriction, RulesetError> {
    let all = AccessFs::from_all(ABI::V5);
    let ruleset =
        Ruleset::default().handle_access(all)?.handle_access(AccessNet::from_all(ABI::V5))?.create()?;
    let ports = needs.ports.iter().map(|port| Ok(NetPort::new(*port, AccessNet::ConnectTcp)));
    let status = ruleset
        .add_rules(path_beneath_rules(&needs.folders, all))?
        .add_rules(path_beneath_rules(&needs.read, AccessFs::ReadFile | AccessFs::ReadDir))?
        .add_rules(ports.collect::<Vec<Result<_, RulesetError>>>())?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Restriction::Whole,
        RulesetStatus::PartiallyEnforced => Restriction::Part,
        RulesetStatus::NotEnforced => Restriction::None,
    })
}
