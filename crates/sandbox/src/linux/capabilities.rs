//! Linux capabilities: which are held, and how they are dropped.

use caps::errors::CapsError;
use caps::{CapSet, CapsHashSet};

use crate::needs::Capability;

/// The capabilities as the kernel's library has them.
pub(super) fn set_of(capabilities: &[Capability]) -> CapsHashSet {
    let of = |capability: &Capability| match capability {
        Capability::NetRaw => caps::Capability::CAP_NET_RAW,
        Capability::DacOverride => caps::Capability::CAP_DAC_OVERRIDE,
    };
    capabilities.iter().map(of).collect()
}

/// The bounding set can only be cleared by who may: others have nothing to lose there.
pub(super) fn drop_bounds(kept: &CapsHashSet) {
    let _ = caps::clear(None, CapSet::Ambient);
    for capability in caps::all().into_iter().filter(|capability| !kept.contains(capability)) {
        let _ = caps::drop(None, CapSet::Bounding, capability);
    }
}

/// Gives up all capabilities but these.
pub(super) fn drop_capabilities(kept: &CapsHashSet) -> Result<(), CapsError> {
    let read = |set| caps::read(None, set);
    let kept: CapsHashSet = read(CapSet::Permitted)?.intersection(kept).copied().collect();
    // Units may refuse the call to programs that have nothing to give up.
    if read(CapSet::Permitted)? == kept
        && read(CapSet::Effective)? == kept
        && read(CapSet::Inheritable)?.is_empty()
    {
        return Ok(());
    }
    caps::clear(None, CapSet::Inheritable)?;
    // What is effective must be permitted.
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)
}

/// The names of the capabilities that the process has, sorted.
pub(super) fn names() -> Result<Vec<String>, CapsError> {
    let mut names: Vec<String> =
        caps::read(None, CapSet::Permitted)?.iter().map(ToString::to_string).collect();
    names.sort();
    Ok(names)
}
